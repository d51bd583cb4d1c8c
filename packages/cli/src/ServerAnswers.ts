/**
 * The answers of a server about itself, as Schemas: the same whether a four-letter word or the AdminServer gives them.
 *
 * The encoded form is JSON, as `zk 4lw --json` prints it. Servers of 3.4 to 3.9 differ in what they tell: a field that not
 * all of them have is optional.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Hex, Time } from "./Output.ts"

/**
 * The role of a server now.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Mode = Schema.Literals(["standalone", "leader", "follower", "observer", "read-only"])

/**
 * The role of a server now.
 *
 * @category models
 * @since 0.1.0
 */
export type Mode = typeof Mode.Type

/**
 * The time that requests have taken since the start of the server, or since its statistics were reset, in milliseconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Latency = Schema.Struct({ min: Schema.Finite, avg: Schema.Finite, max: Schema.Finite })

/**
 * `ruok`: the process is there. That does not tell whether it serves requests.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Ruok = Schema.Literal("imok")

/**
 * `isro`: whether the server takes writes (`rw`), serves reads alone (`ro`), or does not serve (`null`).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Isro = Schema.Literals(["rw", "ro", "null"])

const summary = {
  /** The whole text, such as `3.8.0-5a02a05e, built on 2022-02-25 08:49 UTC`; {@link releaseOf} has its numbers. */
  version: Schema.String,
  readOnly: Schema.Boolean,
  latency: Latency,
  /** Packets. */
  received: Schema.Finite,
  sent: Schema.Finite,
  connections: Schema.Finite,
  /** Requests that wait for their answer. */
  outstanding: Schema.Finite,
  /** The last transaction that the server has applied. */
  zxid: Hex,
  mode: Mode,
  nodeCount: Schema.Finite,
  /** Of a leader: the bytes of its proposals, -1 before the first. Since ZooKeeper 3.5. */
  proposalSizes: Schema.optionalKey(Schema.Struct({ last: Schema.Finite, min: Schema.Finite, max: Schema.Finite }))
}

/**
 * `srvr`: a summary. It is the only word that servers answer unless they are told otherwise.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Srvr = Schema.Struct(summary)

/**
 * `stat`: the summary, and the connections of clients.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Stat = Schema.Struct({
  ...summary,
  clients: Schema.Array(
    Schema.Struct({
      address: Schema.String,
      queued: Schema.Finite,
      received: Schema.Finite,
      sent: Schema.Finite
    })
  )
})

/**
 * A connection of a client. Those without a session, such as that of the question itself, have the first four fields alone.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Connection = Schema.Struct({
  /** `host:port`. */
  address: Schema.String,
  queued: Schema.Finite,
  received: Schema.Finite,
  sent: Schema.Finite,
  session: Schema.optionalKey(Hex),
  /** A code such as `PING`, `CREA` or `GETD`. */
  lastOperation: Schema.optionalKey(Schema.String),
  established: Schema.optionalKey(Time),
  /** Milliseconds. */
  sessionTimeout: Schema.optionalKey(Schema.Finite),
  lastZxid: Schema.optionalKey(Hex),
  /**
   * When the server last answered, pings too: milliseconds of a clock of the server alone, which is no time of day. Those of
   * one answer can be compared.
   */
  lastResponse: Schema.optionalKey(Schema.Finite),
  /** Milliseconds, as the others below. */
  lastLatency: Schema.optionalKey(Schema.Finite),
  minLatency: Schema.optionalKey(Schema.Finite),
  avgLatency: Schema.optionalKey(Schema.Finite),
  maxLatency: Schema.optionalKey(Schema.Finite)
})

/**
 * `cons`: the connections of clients.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cons = Schema.Array(Connection)

/**
 * `mntr`: metrics. The usual ones have fields, and `metrics` has all numbers by the names that the server gives them, with
 * `zk_` in front: about twenty before ZooKeeper 3.6, and some hundreds since.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Mntr = Schema.Struct({
  version: Schema.String,
  /** Missing while the server looks for a leader. */
  mode: Schema.optionalKey(Mode),
  latency: Latency,
  received: Schema.Finite,
  sent: Schema.Finite,
  connections: Schema.Finite,
  outstanding: Schema.Finite,
  nodeCount: Schema.Finite,
  watchCount: Schema.Finite,
  ephemeralCount: Schema.Finite,
  /** The bytes of all paths and data. */
  dataSize: Schema.Finite,
  openFiles: Schema.optionalKey(Schema.Finite),
  maxFiles: Schema.optionalKey(Schema.Finite),
  /** Of a leader: the followers that have caught up. */
  syncedFollowers: Schema.optionalKey(Schema.Finite),
  /** Of a leader: all followers and observers that are connected. */
  learners: Schema.optionalKey(Schema.Finite),
  /** Of a leader: learners that are brought up to date now. */
  pendingSyncs: Schema.optionalKey(Schema.Finite),
  metrics: Schema.Record(Schema.String, Schema.Finite)
})

/**
 * `conf`: the settings of the server. The usual ones have fields, `settings` has all of them as text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Conf = Schema.Struct({
  serverId: Schema.Finite,
  /** Milliseconds. */
  tickTime: Schema.Finite,
  minSessionTimeout: Schema.Finite,
  maxSessionTimeout: Schema.Finite,
  /** Connections for each address of a client; 0 is without limit. */
  maxClientCnxns: Schema.optionalKey(Schema.Finite),
  /** Ticks; of members of an ensemble. */
  initLimit: Schema.optionalKey(Schema.Finite),
  syncLimit: Schema.optionalKey(Schema.Finite),
  dataDir: Schema.optionalKey(Schema.String),
  dataLogDir: Schema.optionalKey(Schema.String),
  /** The members of the ensemble, such as `server.1=zk1:2888:3888:participant`. Since ZooKeeper 3.5. */
  membership: Schema.Array(Schema.String),
  settings: Schema.Record(Schema.String, Schema.String)
})

/**
 * `envi`: the environment of the process, such as `java.version` and `user.name`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Envi = Schema.Record(Schema.String, Schema.String)

/**
 * `dirs`: the bytes of the snapshots (`data`) and of the transaction logs (`log`). Since ZooKeeper 3.5.1.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Dirs = Schema.Struct({ data: Schema.Finite, log: Schema.Finite })

/**
 * `wchs`: how many watches there are.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Wchs = Schema.Struct({
  connections: Schema.Finite,
  paths: Schema.Finite,
  watches: Schema.Finite
})

/**
 * `wchp`: the sessions that watch each path. It costs a server with many watches much.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Wchp = Schema.Array(Schema.Struct({ path: Schema.String, sessions: Schema.Array(Hex) }))

/**
 * `wchc`: the paths that each session watches. It costs a server with many watches much.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Wchc = Schema.Array(Schema.Struct({ session: Hex, paths: Schema.Array(Schema.String) }))

/**
 * `dump`: the sessions that the server knows, and their ephemeral znodes. A leader and a standalone server know all
 * sessions; followers do so since ZooKeeper 3.5.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Dump = Schema.Struct({
  sessions: Schema.Array(Hex),
  ephemerals: Schema.Array(Schema.Struct({ session: Hex, paths: Schema.Array(Schema.String) }))
})

/**
 * The Schemas by the names of the words.
 *
 * @category schemas
 * @since 0.1.0
 */
export const schemas = {
  ruok: Ruok,
  isro: Isro,
  srvr: Srvr,
  stat: Stat,
  mntr: Mntr,
  conf: Conf,
  cons: Cons,
  envi: Envi,
  dirs: Dirs,
  wchs: Wchs,
  wchp: Wchp,
  wchc: Wchc,
  dump: Dump
} as const

/**
 * A question whose answer has a Schema.
 *
 * @category models
 * @since 0.1.0
 */
export type Word = keyof typeof schemas

/**
 * The answer to a question.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer<W extends Word> = (typeof schemas)[W]["Type"]

/**
 * The release in the text of a version; undefined where there is none.
 *
 * @example
 * ```ts
 * import * as ServerAnswers from "@effect-zookeeper/cli/ServerAnswers"
 *
 * ServerAnswers.releaseOf("3.8.0-5a02a05e, built on 2022-02-25 08:49 UTC") // "3.8.0"
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const releaseOf = (version: string): string | undefined => /\d+\.\d+\.\d+/.exec(version.slice(0, 100))?.[0]
