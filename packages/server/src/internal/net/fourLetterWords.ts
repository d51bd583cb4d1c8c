/**
 * Four-letter words: questions of tools, without a session. The answers have the lines that parsers look for.
 */
import * as Hex64 from "@effect-zookeeper/protocol/Hex64"
import type { Replica } from "../state/Replica.ts"
import type { Client, ServerState, Settings } from "../state/ServerState.ts"
import type { ServerConnection } from "./ServerConnection.ts"

/** The server that is asked. */
interface ReportedServer {
  readonly state: ServerState
  readonly settings: Settings
  readonly counters: { readonly received: number; readonly sent: number }
  readonly connections: ReadonlyMap<Client, ServerConnection>
}

/** The answer to a word; undefined if it is not a known word. */
export const answerWord = (server: ReportedServer, replica: Replica<Client>, word: string): string | undefined =>
  replica.isOut && answers.has(word) && word !== "ruok"
    ? "This ZooKeeper instance is not currently serving requests\n"
    : answers.get(word)?.(server, replica)

type Answer = (server: ReportedServer, replica: Replica<Client>) => string

const modeOf = (server: ReportedServer, replica: Replica<Client>): string =>
  replica.readOnly
    ? "read-only"
    : server.state.replicas.length === 1
      ? "standalone"
      : replica === server.state.leader
        ? "leader"
        : "follower"

const connectionsAt = (server: ReportedServer, replica: Replica<Client>) =>
  [...server.connections.values()].filter(({ client }) => client.replica === replica)

const lines = (all: ReadonlyArray<string>): string => `${all.join("\n")}\n`

const summary = (server: ReportedServer, replica: Replica<Client>): ReadonlyArray<string> => [
  "Latency min/avg/max: 0/0.0/0",
  `Received: ${server.counters.received}`,
  `Sent: ${server.counters.sent}`,
  `Connections: ${connectionsAt(server, replica).length}`,
  "Outstanding: 0",
  `Zxid: ${Hex64.format(replica.zxid)}`,
  `Mode: ${modeOf(server, replica)}`,
  `Node count: ${replica.tree.size}`
]

const version = ({ settings }: ReportedServer, replica: Replica<Client>): ReadonlyArray<string> => [
  `Zookeeper version: ${settings.release.banner}`,
  ...(replica.readOnly ? ["READ-ONLY mode; serving only read-only clients"] : [])
]

const srvr: Answer = (server, replica) => lines([...version(server, replica), ...summary(server, replica)])

const stat: Answer = (server, replica) =>
  lines([
    ...version(server, replica),
    "Clients:",
    ...connectionsAt(server, replica).map(
      ({ address, received, sent }) => ` /${address}[1](queued=0,recved=${received},sent=${sent})`
    ),
    "",
    ...summary(server, replica)
  ])

const cons: Answer = (server, replica) =>
  lines([
    ...connectionsAt(server, replica).map(({ address, client: { session }, received, sent }) => {
      const more = session && `,sid=${Hex64.format(session.id)},to=${session.timeout}`
      return ` /${address}[1](queued=0,recved=${received},sent=${sent}${more ?? ""})`
    }),
    ""
  ])

const mntr: Answer = (server, replica) => {
  const { tree, watches } = replica
  const entries = {
    zk_version: server.settings.release.banner,
    zk_server_state: modeOf(server, replica),
    zk_znode_count: tree.size,
    zk_watch_count: watches.size,
    zk_ephemerals_count: tree.ephemeralCount,
    zk_approximate_data_size: tree.dataSize,
    zk_num_alive_connections: connectionsAt(server, replica).length,
    zk_global_sessions: server.state.sessions.all.filter(({ local }) => !local).length,
    zk_local_sessions: server.state.sessions.all.filter(({ local }) => local).length,
    zk_outstanding_requests: 0,
    zk_packets_received: server.counters.received,
    zk_packets_sent: server.counters.sent,
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

const sessionOf = ({ session }: Client): string => Hex64.format(session?.id ?? 0n)

const wchp: Answer = (_, { watches }) =>
  lines([
    ...Array.from(watches.entries.byPath, ([path, watchers]) =>
      [path, ...Array.from(watchers, (client) => `\t${sessionOf(client)}`)].join("\n")
    ),
    ""
  ])

const wchc: Answer = (_, { watches }) =>
  lines([
    ...Array.from(watches.entries.byWatcher, ([client, paths]) =>
      [sessionOf(client), ...Array.from(paths, (path) => `\t${path}`)].join("\n")
    ),
    ""
  ])

/** Sessions as followers list them since ZooKeeper 3.5: leaders group them by the time when they end. */
const dump: Answer = ({ state }, { tree }) => {
  const sessions = state.sessions.all
  const owners = [...tree.owners].filter(([, paths]) => paths.size > 0)
  return lines([
    "SessionTracker dump:",
    `Global Sessions(${sessions.length}):`,
    ...sessions.map(({ id, timeout }) => `${Hex64.format(id)}\t${timeout}ms`),
    "ephemeral nodes dump:",
    `Sessions with Ephemerals (${owners.length}):`,
    ...owners.map(([session, paths]) =>
      [`${Hex64.format(session)}:`, ...Array.from(paths, (path) => `\t${path}`)].join("\n")
    ),
    "Connections dump:"
  ])
}

/** kazoo reads the version from this answer. */
const envi: Answer = ({ settings }) =>
  lines(["Environment:", `zookeeper.version=${settings.release.banner}`, "host.name=localhost"])

const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["ruok", () => "imok"],
  ["isro", (_, { readOnly }) => (readOnly ? "ro" : "rw")],
  ["srvr", srvr],
  ["stat", stat],
  ["cons", cons],
  ["mntr", mntr],
  ["conf", conf],
  ["envi", envi],
  ["wchs", wchs],
  ["wchp", wchp],
  ["wchc", wchc],
  ["dump", dump]
])
