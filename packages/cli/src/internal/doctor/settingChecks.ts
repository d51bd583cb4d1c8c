/** Checks of the settings of members, and of the processes that have them. */
import { count, size } from "../output/text.ts"
import { explainUnknown, type Unknown } from "../diagnose/discovery.ts"
import { type Finding, type Member, namesOf, unrelated } from "./examination.ts"

/** All findings about settings. */
export const checkSettings = (members: ReadonlyArray<Member>, unknown?: Unknown): ReadonlyArray<Finding> => [
  ...notAsked(unknown),
  // Servers of several ensembles are not compared.
  ...(unrelated(members).length > 0 ? [] : [...membership(members, unknown), ...differences(members)]),
  ...members.flatMap(timing),
  ...members.flatMap(folders),
  ...members.flatMap(process)
]

// ---- internal

const notAsked = (unknown: Unknown | undefined): ReadonlyArray<Finding> =>
  unknown === undefined
    ? []
    : [
        {
          severity: "warning",
          check: "membership",
          where: "",
          message: explainUnknown(unknown),
          advice: "or end server.N with `;` and the port for clients in all configurations, for --discover"
        }
      ]

const membership = (members: ReadonlyArray<Member>, unknown: Unknown | undefined): ReadonlyArray<Finding> => {
  const lists = members.flatMap(({ conf }) =>
    conf === undefined || conf.membership.length === 0 ? [] : [conf.membership]
  )
  const [first] = lists
  if (first === undefined) return []
  const voters = first.filter((line) => !line.includes(":observer")).length
  const found: Array<Finding> = []
  if (members.length < first.length && unknown === undefined) {
    found.push({
      severity: "note",
      check: "membership",
      where: "",
      message: `the ensemble has ${count(first.length, "member")}, and ${members.length} of them ${members.length === 1 ? "was" : "were"} asked`,
      advice: "name all of them in --servers, or give --discover"
    })
  }
  if (voters % 2 === 0) {
    found.push({
      severity: "warning",
      check: "membership",
      where: "",
      message: `${voters} members vote, and the ensemble survives no more losses than with ${voters - 1}`,
      advice: "add a member, or make one an observer"
    })
  }
  const known = new Set(
    lists.map((list) =>
      list
        .map((line) => line.replace(/;.*$/, ""))
        .toSorted()
        .join()
    )
  )
  if (known.size > 1) {
    found.push({
      severity: "error",
      check: "membership",
      where: "",
      message: "the members disagree about the membership of the ensemble",
      advice: "compare `zk 4lw conf` of each, and server.N in their configurations"
    })
  }
  return found
}

/** Settings that members of one ensemble should share. */
const shared = [
  "tickTime",
  "initLimit",
  "syncLimit",
  "minSessionTimeout",
  "maxSessionTimeout",
  "maxClientCnxns"
] as const

const differences = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> =>
  shared.flatMap((name): ReadonlyArray<Finding> => {
    const byValue = new Map<number, Array<Member>>()
    for (const member of members) {
      const value = member.conf?.[name]
      if (value !== undefined) byValue.set(value, [...(byValue.get(value) ?? []), member])
    }
    if (byValue.size < 2) return []
    const parts = [...byValue].map(([value, all]) => `${value} on ${namesOf(all)}`)
    return [
      {
        severity: "warning",
        check: "settings-differ",
        where: name,
        message: `the members have different values: ${parts.join("; ")}`,
        advice: "give all members the same value: a session may meet any of them"
      }
    ]
  })

const timing = ({ conf, server }: Member): ReadonlyArray<Finding> => {
  if (conf === undefined) return []
  const { initLimit, maxClientCnxns, maxSessionTimeout, minSessionTimeout, tickTime } = conf
  const found: Array<Finding> = []
  const add = (severity: Finding["severity"], message: string, advice: string): void =>
    void found.push({ severity, check: "settings", where: server, message, advice })
  if (minSessionTimeout < 2 * tickTime) {
    add(
      "warning",
      `minSessionTimeout (${minSessionTimeout} ms) is below two ticks (${2 * tickTime} ms), which servers cannot keep exactly`,
      "raise minSessionTimeout, or lower tickTime"
    )
  }
  if (maxSessionTimeout < 10 * tickTime) {
    add(
      "note",
      `maxSessionTimeout is ${maxSessionTimeout} ms: a pause of a client that is as long ends its session`,
      "raise maxSessionTimeout; the default is twenty ticks"
    )
  }
  if (initLimit !== undefined && initLimit * tickTime < 5000) {
    add(
      "note",
      `initLimit gives followers ${initLimit * tickTime} ms to get the tree from the leader`,
      "raise initLimit before the tree grows"
    )
  }
  if (maxClientCnxns === 0) {
    add("note", "maxClientCnxns is 0: one address may open any number of connections", "set a limit")
  }
  return found
}

const folders = ({ conf, dirs, server, status }: Member): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  if (conf?.dataDir !== undefined && /^\/(tmp|var\/tmp|dev\/shm)\//.test(conf.dataDir)) {
    found.push({
      severity: "error",
      check: "data-folder",
      where: server,
      message: `its data is in ${conf.dataDir}, which may be emptied when the machine starts`,
      advice: "move dataDir to a folder that stays"
    })
  }
  if (dirs !== undefined) {
    const bytes = conf?.dataDir !== undefined && conf.dataDir === conf.dataLogDir ? dirs.data : dirs.data + dirs.log
    if (bytes > 2 ** 30 && bytes > 20 * (status.dataSize ?? 0)) {
      found.push({
        severity: "warning",
        check: "disk",
        where: server,
        message: `snapshots and logs have ${size(bytes)}, for a tree of ${size(status.dataSize ?? 0)}`,
        advice: "set autopurge.purgeInterval, so that old ones are deleted"
      })
    }
  }
  return found
}

const process = ({ envi, server, status }: Member): ReadonlyArray<Finding> => {
  if (envi === undefined) return []
  const found: Array<Finding> = []
  if (envi["user.name"] === "root") {
    found.push({
      severity: "warning",
      check: "process",
      where: server,
      message: "it runs as root",
      advice: "run it as a user of its own"
    })
  }
  const heap = Number(/^(\d+)MB$/.exec(envi["os.memory.max"] ?? "")?.[1] ?? Number.NaN)
  const { dataSize = 0, nodeCount = 0 } = status
  // An object of Java for each znode, with its names in two maps, takes some hundreds of bytes.
  const needed = dataSize + nodeCount * 500
  if (heap > 0 && needed > heap * 2 ** 20 * 0.5) {
    found.push({
      severity: "warning",
      check: "heap",
      where: server,
      message: `${count(nodeCount, "znode")} of ${size(dataSize)} leave little of its heap of ${heap} MiB`,
      advice: "raise the heap (-Xmx), or move data out of ZooKeeper"
    })
  }
  return found
}
