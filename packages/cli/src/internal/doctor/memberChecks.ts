/** Checks of the members as they are now: there, in step, of one release, and with room to work. */
import * as Output from "../../Output.ts"
import { advisoriesFor, isEndOfLife } from "./advisories.ts"
import { type Finding, type Member, namesOf, unrelated } from "./examination.ts"
import { inFlags } from "../output/flagNames.ts"
import { count } from "../output/text.ts"

/** All findings about members, apart from their settings. */
export const checkMembers = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> => [
  ...members.flatMap(presence),
  ...leadership(members),
  // Servers of several ensembles are not compared.
  ...(unrelated(members).length > 0 ? [] : [...members.flatMap(distance), ...versions(members)]),
  ...advisories(members),
  ...members.flatMap(load),
  ...refusals(members)
]

// ---- internal

/** In the words of `TransportError`. */
const unresolved = "the host name could not be resolved"

const presence = ({ server, status: { problem, state } }: Member): ReadonlyArray<Finding> => {
  if (state === "serving") return []
  const isUnresolved = problem?.includes(unresolved) === true
  const advice = {
    unreachable: isUnresolved
      ? "correct the name in --servers, or see to it that DNS knows it on this machine"
      : "start the server, or mend the way to it",
    idle: "see whether a majority of the members runs, and whether they reach each other on their quorum ports",
    silent: "see whether the process hangs, and whether the port is that of clients"
  }[state]
  const message = problem === undefined ? `it is ${state}` : inFlags(problem.replace(`${server}: `, ""))
  return [{ severity: "error", check: "presence", where: server, message, advice }]
}

const leadership = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> => {
  const serving = members.filter(({ status }) => status.state === "serving")
  const of = (mode: string) => serving.filter(({ status }) => status.mode === mode)
  const [leaders, readOnly] = [of("leader"), of("read-only")]
  const found: Array<Finding> = readOnly.map(({ server }) => ({
    severity: "error",
    check: "leader",
    where: server,
    message: "it serves reads alone, because it sees no quorum",
    advice: "see whether a majority of the members runs, and whether they reach each other on their quorum ports"
  }))
  const apart = unrelated(members)
  if (apart.length > 0) {
    found.push({
      severity: "error",
      check: "leader",
      where: namesOf(apart),
      message: "these servers are not members of one ensemble",
      advice: "name the members of one ensemble alone, and compare server.N in their configurations"
    })
  }
  for (const { conf, server, status } of leaders) {
    const voters = conf?.membership.filter((line) => !line.includes(":observer")).length
    const following = status.syncedFollowers
    if (voters === undefined || voters === 0 || following === undefined || following + 1 >= voters) continue
    const isLast = following + 1 <= Math.floor(voters / 2) + 1
    found.push({
      severity: isLast ? "error" : "warning",
      check: "leader",
      where: server,
      message: `${following} of ${count(voters - 1, "follower")} ${following === 1 ? "is" : "are"} in step${isLast ? ", so that one more loss stops the ensemble" : ""}`,
      advice: "start the members that are missing"
    })
  }
  return found
}

const distance = ({ server, status: { lag, zxid } }: Member): ReadonlyArray<Finding> => {
  if (zxid === undefined || (lag !== undefined && lag < 1000)) return []
  return [
    {
      severity: "warning",
      check: "lag",
      where: server,
      message: lag === undefined ? "it is in an older epoch than others" : `it is ${lag} transactions behind`,
      advice: "its clients read old state: look at its load, its disk and its network"
    }
  ]
}

const versions = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> => {
  const byRelease = groupByRelease(members)
  if (byRelease.size < 2) return []
  const parts = [...byRelease].map(([release, all]) => `${release} on ${namesOf(all)}`)
  return [
    {
      severity: "warning",
      check: "versions",
      where: "",
      message: `the members run different releases: ${parts.join("; ")}`,
      advice: "finish the update: requests that only some of the members know fail on the others"
    }
  ]
}

const advisories = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  // The embedded server has the number of a release, and none of its code.
  const others = members.filter(({ status }) => status.version?.includes("-effect-zookeeper,") !== true)
  for (const [release, all] of groupByRelease(others)) {
    const where = namesOf(all)
    if (isEndOfLife(release)) {
      const message = `${release} gets no more fixes from the project`
      found.push({ severity: "warning", check: "end-of-life", where, message, advice: "update to 3.8 or later" })
    }
    for (const { cve, fixedIn, summary } of advisoriesFor(release)) {
      const message = `${release} has ${cve}: ${summary}`
      const advice = `it is fixed in ${fixedIn}; a distribution may have the fix under the older number`
      found.push({ severity: "warning", check: "vulnerability", where, message, advice })
    }
  }
  return found
}

const groupByRelease = (members: ReadonlyArray<Member>): ReadonlyMap<string, ReadonlyArray<Member>> => {
  const groups = new Map<string, Array<Member>>()
  for (const member of members) {
    const { release } = member.status
    if (release === undefined) continue
    const group = groups.get(release)
    if (group === undefined) groups.set(release, [member])
    else group.push(member)
  }
  return groups
}

/** Of one session: each is a check at every change of its znode. */
const manyWatches = 10_000

const load = ({ server, status, watcher, wchs }: Member): ReadonlyArray<Finding> => {
  const { latency, maxFiles, metrics = {}, openFiles, outstanding } = status
  const found: Array<Finding> = []
  const add = (severity: Finding["severity"], check: string, message: string, advice: string): void =>
    void found.push({ severity, check, where: server, message, advice })
  if (openFiles !== undefined && maxFiles !== undefined && openFiles > 0.8 * maxFiles) {
    add("error", "files", `${openFiles} of ${maxFiles} files are open`, "raise the limit of the process (ulimit -n)")
  }
  if (outstanding !== undefined && outstanding > 500) {
    add("warning", "outstanding", `${outstanding} requests wait`, "look at the disk of the log and at the load")
  }
  if (latency !== undefined && latency.avg > 100) {
    add(
      "warning",
      "latency",
      `requests take ${Number(latency.avg.toFixed(1))} ms on average`,
      "look at the disk of the log and at the load"
    )
  }
  const slow = metrics["zk_fsync_threshold_exceed_count"] ?? 0
  if (slow > 0) {
    add(
      "warning",
      "slow-disk",
      `${count(slow, "write")} to the transaction log took longer than a second`,
      "give the transaction log a disk of its own (dataLogDir)"
    )
  }
  if (watcher !== undefined && watcher.watches >= manyWatches) {
    add(
      "warning",
      "watches",
      `the session ${Output.formatHex(watcher.session)} has ${watcher.watches} of ${wchs?.watches ?? "many"} watches`,
      `\`zk sessions --session ${Output.formatHex(watcher.session)}\` shows its client; a recursive watch replaces many`
    )
  } else {
    // Where `wchs` is refused, `mntr` has the number of watches, and all connections.
    const { connections = 0, watches = 0 } = wchs ?? { connections: status.connections, watches: status.watchCount }
    if (connections > 0 && watches / connections > manyWatches) {
      add(
        "warning",
        "watches",
        `${count(connections, "connection has", "connections have")} ${watches} watches`,
        "`zk 4lw wchc` lists the watches of each session, at some cost; a recursive watch replaces many"
      )
    }
  }
  return found
}

/** One note for all words that are refused. */
const refusals = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> => {
  const refusing = members.filter(({ refused }) => refused.length > 0)
  if (refusing.length === 0) return []
  const words = [...new Set(refusing.flatMap(({ refused }) => refused))].toSorted()
  return [
    {
      severity: "note",
      check: "words",
      where: namesOf(refusing),
      message: `no answer to ${words.join(", ")}, so that not everything could be checked`,
      advice: "add them to 4lw.commands.whitelist in zoo.cfg"
    }
  ]
}
