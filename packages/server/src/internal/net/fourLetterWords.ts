/**
 * The questions that tools ask of a server before any session. The answers have the lines that parsers look for.
 */
import type { Replica } from "../state/Replica.ts"
import type { Client } from "../state/ServerState.ts"
import type { ServerRuntime } from "./ServerRuntime.ts"

const VERSION = "3.8.0-effect-zookeeper, built on 2022-02-25 08:49 UTC"

/** Undefined for what is no such question. */
export const answerWord = (runtime: ServerRuntime, replica: Replica<Client>, word: string): string | undefined =>
  replica.membership === "down" && answers.has(word) && word !== "ruok"
    ? "This ZooKeeper instance is not currently serving requests\n"
    : answers.get(word)?.(runtime, replica)

type Answer = (runtime: ServerRuntime, replica: Replica<Client>) => string

const modeOf = (runtime: ServerRuntime, replica: Replica<Client>): string =>
  replica.readOnly
    ? "read-only"
    : runtime.state.replicas.length === 1
      ? "standalone"
      : replica === runtime.state.leader
        ? "leader"
        : "follower"

const connectionsAt = (runtime: ServerRuntime, replica: Replica<Client>) =>
  [...runtime.connections.values()].filter(({ client }) => client.replica === replica)

const lines = (all: ReadonlyArray<string>): string => `${all.join("\n")}\n`

const summary = (runtime: ServerRuntime, replica: Replica<Client>): ReadonlyArray<string> => [
  "Latency min/avg/max: 0/0.0/0",
  `Received: ${runtime.counters.received}`,
  `Sent: ${runtime.counters.sent}`,
  `Connections: ${connectionsAt(runtime, replica).length}`,
  "Outstanding: 0",
  `Zxid: 0x${replica.zxid.toString(16)}`,
  `Mode: ${modeOf(runtime, replica)}`,
  `Node count: ${replica.tree.size}`
]

const version = (replica: Replica<Client>): ReadonlyArray<string> => [
  `Zookeeper version: ${VERSION}`,
  ...(replica.readOnly ? ["READ-ONLY mode; serving only read-only clients"] : [])
]

const srvr: Answer = (runtime, replica) => lines([...version(replica), ...summary(runtime, replica)])

const stat: Answer = (runtime, replica) =>
  lines([
    ...version(replica),
    "Clients:",
    ...connectionsAt(runtime, replica).map(
      ({ address, received, sent }) => ` /${address}[1](queued=0,recved=${received},sent=${sent})`
    ),
    "",
    ...summary(runtime, replica)
  ])

const cons: Answer = (runtime, replica) =>
  lines([
    ...connectionsAt(runtime, replica).map(({ address, client: { session }, received, sent }) => {
      const more = session && `,sid=0x${BigInt.asUintN(64, session.id).toString(16)},to=${session.timeout}`
      return ` /${address}[1](queued=0,recved=${received},sent=${sent}${more ?? ""})`
    }),
    ""
  ])

const mntr: Answer = (runtime, replica) => {
  const { tree, watches } = replica
  const entries = {
    zk_version: VERSION,
    zk_server_state: modeOf(runtime, replica),
    zk_znode_count: tree.size,
    zk_watch_count: watches.size,
    zk_ephemerals_count: tree.ephemeralCount,
    zk_approximate_data_size: tree.dataSize,
    zk_num_alive_connections: connectionsAt(runtime, replica).length,
    zk_global_sessions: runtime.state.sessions.all.filter(({ local }) => !local).length,
    zk_local_sessions: runtime.state.sessions.all.filter(({ local }) => local).length,
    zk_outstanding_requests: 0,
    zk_packets_received: runtime.counters.received,
    zk_packets_sent: runtime.counters.sent,
    zk_min_latency: 0,
    zk_avg_latency: "0.0",
    zk_max_latency: 0
  }
  return lines(Object.entries(entries).map(([key, value]) => `${key}\t${value}`))
}

const conf: Answer = ({ settings }, replica) =>
  lines([
    `tickTime=${settings.tickTime}`,
    "maxClientCnxns=0",
    `minSessionTimeout=${settings.minSessionTimeout}`,
    `maxSessionTimeout=${settings.maxSessionTimeout}`,
    `serverId=${replica.id}`
  ])

const wchs: Answer = (_, { watches }) => {
  const { paths, watchers, watches: total } = watches.summary
  return `${watchers} connections watching ${paths} paths\nTotal watches:${total}\n`
}

/** kazoo reads the version here. */
const envi: Answer = () => lines(["Environment:", `zookeeper.version=${VERSION}`, "host.name=localhost"])

const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["ruok", () => "imok"],
  ["isro", (_, { readOnly }) => (readOnly ? "ro" : "rw")],
  ["srvr", srvr],
  ["stat", stat],
  ["cons", cons],
  ["mntr", mntr],
  ["conf", conf],
  ["envi", envi],
  ["wchs", wchs]
])
