/** The text of four-letter words, taken apart. Each function gives the encoded form of the word's Schema. */
import type { Word } from "../../ServerAnswers.ts"

/** Anything, where the text is not what the word is answered with: the Schema says so. */
export const fromText: Readonly<Record<Word, (text: string) => unknown>> = {
  ruok: (text) => text.trim(),
  isro: (text) => text.trim(),
  srvr: (text) => summaryOf(text),
  stat: (text) => ({ ...summaryOf(text), clients: linesOf(text).flatMap(connectionOf) }),
  cons: (text) => linesOf(text).flatMap(connectionOf),
  mntr: (text) => mntrOf(pairs(text, "\t")),
  conf: (text) => confOf(pairs(text, "=")),
  envi: (text) => Object.fromEntries(pairs(text, "=")),
  dirs: (text) => {
    const sizes = new Map(pairs(text, ": "))
    return { data: numberOf(sizes.get("datadir_size")), log: numberOf(sizes.get("logdir_size")) }
  },
  wchs: (text) => {
    const [, connections, paths] = /^(\d+) connections watching (\d+) paths/m.exec(text) ?? []
    const [, watches] = /^Total watches:\s*(\d+)/m.exec(text) ?? []
    return { connections: numberOf(connections), paths: numberOf(paths), watches: numberOf(watches) }
  },
  wchp: (text) => groups(linesOf(text)).map(([path, sessions]) => ({ path, sessions })),
  wchc: (text) => groups(linesOf(text)).map(([session, paths]) => ({ session, paths })),
  dump: (text) => dumpOf(linesOf(text))
}

/** Names and values as `mntr` has them, in the encoded form. A value may be missing, as in a server that looks for a leader. */
export const mntrOf = (entries: ReadonlyArray<readonly [name: string, value: string]>): unknown => {
  const values = new Map(entries)
  const number = (name: string) => numberOf(values.get(name))
  const optional = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([field, name]) => {
        const value = number(name)
        return Number.isFinite(value) ? [[field, value]] : []
      })
    )
  const state = values.get("zk_server_state")
  return {
    version: values.get("zk_version"),
    ...(state === undefined || state === "null" ? {} : { mode: state }),
    latency: { min: number("zk_min_latency"), avg: number("zk_avg_latency"), max: number("zk_max_latency") },
    received: number("zk_packets_received"),
    sent: number("zk_packets_sent"),
    connections: number("zk_num_alive_connections"),
    outstanding: number("zk_outstanding_requests"),
    nodeCount: number("zk_znode_count"),
    watchCount: number("zk_watch_count"),
    ephemeralCount: number("zk_ephemerals_count"),
    dataSize: number("zk_approximate_data_size"),
    ...optional({
      openFiles: "zk_open_file_descriptor_count",
      maxFiles: "zk_max_file_descriptor_count",
      syncedFollowers: "zk_synced_followers",
      learners: values.has("zk_learners") ? "zk_learners" : "zk_followers",
      pendingSyncs: "zk_pending_syncs"
    }),
    metrics: Object.fromEntries(
      entries.flatMap(([name, value]) => {
        const parsed = numberOf(value)
        return Number.isFinite(parsed) ? [[name, parsed]] : []
      })
    )
  }
}

/** Names and values as `conf` has them, in the encoded form. */
export const confOf = (entries: ReadonlyArray<readonly [name: string, value: string]>): unknown => {
  const settings = Object.fromEntries(entries)
  const numbers = ["maxClientCnxns", "initLimit", "syncLimit"].flatMap((name) =>
    settings[name] === undefined ? [] : [[name, numberOf(settings[name])]]
  )
  const texts = ["dataDir", "dataLogDir"].flatMap((name) =>
    settings[name] === undefined ? [] : [[name, settings[name]]]
  )
  return {
    serverId: numberOf(settings["serverId"]),
    tickTime: numberOf(settings["tickTime"]),
    minSessionTimeout: numberOf(settings["minSessionTimeout"]),
    maxSessionTimeout: numberOf(settings["maxSessionTimeout"]),
    ...Object.fromEntries([...numbers, ...texts]),
    membership: entries.filter(([name]) => name.startsWith("server.")).map((pair) => pair.join("=")),
    settings
  }
}

// ---- internal

const linesOf = (text: string): ReadonlyArray<string> => text.split(/\r?\n/)

const numberOf = (text: string | undefined): number =>
  text === undefined || text.trim() === "" ? Number.NaN : Number(text)

/** Lines of a name and a value; others are left out. */
const pairs = (text: string, separator: string): ReadonlyArray<readonly [string, string]> =>
  linesOf(text).flatMap((line) => {
    const at = line.indexOf(separator)
    return at <= 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + separator.length).trim()] as const]
  })

const summaryOf = (text: string): Record<string, unknown> => {
  const values = new Map(pairs(text, ": "))
  const sizes = values.get("Proposal sizes last/min/max")
  const [min, avg, max] = numbersOf(values.get("Latency min/avg/max"))
  return {
    version: values.get("Zookeeper version"),
    readOnly: /^READ-ONLY mode/m.test(text),
    latency: { min, avg, max },
    received: numberOf(values.get("Received")),
    sent: numberOf(values.get("Sent")),
    connections: numberOf(values.get("Connections")),
    outstanding: numberOf(values.get("Outstanding")),
    zxid: values.get("Zxid"),
    mode: values.get("Mode"),
    nodeCount: numberOf(values.get("Node count")),
    ...(sizes === undefined ? {} : { proposalSizes: sizesOf(sizes) })
  }
}

const numbersOf = (text = ""): ReadonlyArray<number> => text.split("/").map(numberOf)

const sizesOf = (text: string): unknown => {
  const [last, min, max] = numbersOf(text)
  return { last, min, max }
}

/** ` /127.0.0.1:34304[1](queued=0,recved=6,sent=6,sid=0x1…,…)`; none for other lines. */
const connectionOf = (line: string): ReadonlyArray<Record<string, unknown>> => {
  const [, address, rest] = /^\s*(\S+)\[[0-9a-f]*\]\((.*)\)\s*$/.exec(line) ?? []
  if (address === undefined || rest === undefined) return []
  const values = new Map(rest.split(",").map((part) => splitAt(part)))
  const number = (name: string) => numberOf(values.get(name))
  const [established, last] = [values.get("est"), values.get("lop")]
  return [
    {
      // The name of the host may be in front of the address.
      address: address.slice(address.lastIndexOf("/") + 1),
      queued: number("queued"),
      received: number("recved"),
      sent: number("sent"),
      ...(values.has("sid") ? { session: values.get("sid") } : {}),
      ...(last === undefined || last === "null" ? {} : { lastOperation: last }),
      ...(established === undefined ? {} : { established: isoOf(Number(established)) }),
      ...(values.has("to") ? { sessionTimeout: number("to") } : {}),
      ...(values.has("lzxid") ? { lastZxid: values.get("lzxid") } : {}),
      // 0 before the first answer.
      ...(number("lresp") > 0 ? { lastResponse: number("lresp") } : {}),
      ...(values.has("llat") ? { lastLatency: number("llat") } : {}),
      ...(values.has("minlat") ? { minLatency: number("minlat") } : {}),
      ...(values.has("avglat") ? { avgLatency: number("avglat") } : {}),
      ...(values.has("maxlat") ? { maxLatency: number("maxlat") } : {})
    }
  ]
}

const splitAt = (part: string): readonly [string, string] => {
  const at = part.indexOf("=")
  return at === -1 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)]
}

const isoOf = (millis: number): unknown => {
  const date = new Date(millis)
  return Number.isNaN(date.getTime()) ? millis : date.toISOString()
}

/** Lines without a tab, each with the lines with a tab that follow. */
const groups = (lines: ReadonlyArray<string>): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => {
  const found: Array<readonly [string, Array<string>]> = []
  for (const line of lines) {
    if (line.startsWith("\t")) found.at(-1)?.[1].push(line.slice(1))
    else if (line !== "") found.push([line, []])
  }
  return found
}

/** Three parts: the sessions, the sessions with ephemeral znodes, and the connections, which are of no use here. */
const dumpOf = (lines: ReadonlyArray<string>): unknown => {
  const ephemeralsAt = lines.findIndex((line) => line.startsWith("ephemeral nodes dump"))
  const end = lines.findIndex((line) => line.startsWith("Connections dump"))
  if (!lines[0]?.startsWith("SessionTracker dump") || ephemeralsAt === -1) return {}
  const sessions = lines
    .slice(1, ephemeralsAt)
    .flatMap((line) => /^\s*(0x[0-9a-f]+)(?:\s+\d+ms)?\s*$/.exec(line)?.[1] ?? [])
  const ephemerals = groups(lines.slice(ephemeralsAt + 1, end === -1 ? undefined : end)).flatMap(([header, paths]) => {
    const session = /^(0x[0-9a-f]+):$/.exec(header)?.[1]
    return session === undefined ? [] : [{ session, paths }]
  })
  return { sessions: [...new Set(sessions)], ephemerals }
}
