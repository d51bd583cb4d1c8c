/**
 * Members and recipes as the server of the console shows them: Schemas. See `SessionModels` for the sessions.
 *
 * This module is in the bundle of the page: it imports nothing that a browser lacks. Units are those of `Models`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Hex } from "./Models.ts"

/**
 * One member of an ensemble, by its own words. The fields after `problem` are there for members that serve, as far as
 * they tell them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Member = Schema.Struct({
  /** As the connect string writes it. */
  server: Schema.String,
  /**
   * - `serving`: it serves requests, in `mode`.
   * - `idle`: it runs, and serves no requests now, as without a quorum.
   * - `silent`: it was reached, and does not answer.
   * - `unreachable`: no connection could be made.
   */
  state: Schema.Literals(["serving", "idle", "silent", "unreachable"]),
  problem: Schema.optionalKey(Schema.String),
  /** Why a member that serves tells less than others: with default settings servers allow one word alone. */
  incomplete: Schema.optionalKey(Schema.String),
  /** That of the configuration, where it is known. */
  role: Schema.optionalKey(Schema.Literals(["participant", "observer"])),
  mode: Schema.optionalKey(Schema.Literals(["standalone", "leader", "follower", "observer", "read-only"])),
  /** Such as `3.8.0`. */
  release: Schema.optionalKey(Schema.String),
  /** The last transaction that it has applied. */
  zxid: Schema.optionalKey(Hex),
  /**
   * How many transactions it is behind the member that has the newest. Missing if it is in an older epoch, where they
   * cannot be counted. The members are not asked at the same instant: under load a few are normal. After an election only
   * the leader is in the new epoch until something is written, and the others are compared with each other.
   */
  lag: Schema.optionalKey(Schema.Finite),
  /** Of requests at the server, in milliseconds, since its start. */
  latency: Schema.optionalKey(Schema.Struct({ min: Schema.Finite, avg: Schema.Finite, max: Schema.Finite })),
  connections: Schema.optionalKey(Schema.Finite),
  outstanding: Schema.optionalKey(Schema.Finite),
  /** Packets since the start of the server. */
  received: Schema.optionalKey(Schema.Finite),
  sent: Schema.optionalKey(Schema.Finite),
  nodeCount: Schema.optionalKey(Schema.Finite),
  watchCount: Schema.optionalKey(Schema.Finite),
  ephemeralCount: Schema.optionalKey(Schema.Finite),
  /** Bytes of paths and data. */
  dataSize: Schema.optionalKey(Schema.Finite),
  openFiles: Schema.optionalKey(Schema.Finite),
  maxFiles: Schema.optionalKey(Schema.Finite),
  syncedFollowers: Schema.optionalKey(Schema.Finite),
  learners: Schema.optionalKey(Schema.Finite),
  /** The time until the answer, with the connection, in milliseconds. */
  roundTrip: Schema.optionalKey(Schema.Finite)
})

/**
 * One member of an ensemble.
 *
 * @category models
 * @since 0.1.0
 */
export type Member = typeof Member.Type

/**
 * All members that are known.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Members = Schema.Struct({
  members: Schema.Array(Member),
  /** How many members vote, by the configuration. Missing where it does not tell. */
  voters: Schema.optionalKey(Schema.Int)
})

/**
 * All members that are known.
 *
 * @category models
 * @since 0.1.0
 */
export type Members = typeof Members.Type

/**
 * All members at one time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EnsembleSample = Schema.Struct({ time: Schema.Finite, ...Members.fields })

/**
 * All members at one time.
 *
 * @category models
 * @since 0.1.0
 */
export type EnsembleSample = typeof EnsembleSample.Type

/**
 * The values of one member for plots, one for each time of the history; `null` where it did not tell. `received` and
 * `sent` are packets a second since the time before.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Series = Schema.Struct({
  server: Schema.String,
  lag: Schema.Array(Schema.NullOr(Schema.Finite)),
  latency: Schema.Array(Schema.NullOr(Schema.Finite)),
  roundTrip: Schema.Array(Schema.NullOr(Schema.Finite)),
  connections: Schema.Array(Schema.NullOr(Schema.Finite)),
  outstanding: Schema.Array(Schema.NullOr(Schema.Finite)),
  watches: Schema.Array(Schema.NullOr(Schema.Finite)),
  znodes: Schema.Array(Schema.NullOr(Schema.Finite)),
  received: Schema.Array(Schema.NullOr(Schema.Finite)),
  sent: Schema.Array(Schema.NullOr(Schema.Finite))
})

/**
 * An item of the stream of an ensemble: the hour before, once, and then a sample every few seconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EnsembleEvent = Schema.Union([
  Schema.TaggedStruct("history", { times: Schema.Array(Schema.Finite), members: Schema.Array(Series) }),
  Schema.TaggedStruct("sample", EnsembleSample.fields)
])

/**
 * An item of the stream of an ensemble.
 *
 * @category models
 * @since 0.1.0
 */
export type EnsembleEvent = typeof EnsembleEvent.Type

/**
 * The configuration of an ensemble, as its servers have it in `/zookeeper/config`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EnsembleConfig = Schema.Struct({
  version: Hex,
  /** When the console saw it first. */
  seen: Schema.Finite,
  members: Schema.Array(
    Schema.Struct({
      id: Schema.Finite,
      role: Schema.Literals(["participant", "observer"]),
      addresses: Schema.Array(Schema.String),
      client: Schema.optionalKey(Schema.String)
    })
  )
})

/**
 * The configuration of an ensemble.
 *
 * @category models
 * @since 0.1.0
 */
export type EnsembleConfig = typeof EnsembleConfig.Type

/**
 * The four-letter words that a page may ask: those that change nothing, which `crst` and `srst` do.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Word = Schema.Literals([
  "conf",
  "cons",
  "dirs",
  "dump",
  "envi",
  "gtmk",
  "isro",
  "mntr",
  "ruok",
  "srvr",
  "stat",
  "wchc",
  "wchp",
  "wchs"
])

/**
 * A four-letter word that changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Word = typeof Word.Type

/**
 * A finding of the doctor: something to look at, and what to do.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Finding = Schema.Struct({
  /**
   * - `error`: it breaks something, now or soon.
   * - `warning`: it is a risk.
   * - `note`: it is good to know, or could not be checked.
   */
  severity: Schema.Literals(["error", "warning", "note"]),
  /** The name of the check, such as `versions` or `large-znodes`. */
  check: Schema.String,
  /** The member, the path or the setting; empty for the ensemble. */
  where: Schema.String,
  message: Schema.String,
  advice: Schema.optionalKey(Schema.String)
})

/**
 * A finding of the doctor.
 *
 * @category models
 * @since 0.1.0
 */
export type Finding = typeof Finding.Type

// -----------------------------------------------------------------------------
// recipes
// -----------------------------------------------------------------------------

/**
 * A lock, an election, a semaphore or leases, with the contenders in the order of their turns.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Contention = Schema.Struct({
  path: Schema.String,
  recipe: Schema.Literals(["lock", "readWriteLock", "election", "semaphore", "lease"]),
  permits: Schema.optionalKey(Schema.Finite),
  contenders: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      state: Schema.Literals(["holds", "waits"]),
      kind: Schema.Literals(["lock", "read", "write", "candidate", "lease"]),
      layout: Schema.optionalKey(Schema.Literals(["curator", "go", "kazoo", "aiozk"])),
      /** The text in its znode, as which most clients write who they are. */
      identifier: Schema.optionalKey(Schema.String),
      /** Missing for leases, which outlive sessions. */
      session: Schema.optionalKey(Hex),
      since: Schema.Finite,
      until: Schema.optionalKey(Schema.Finite),
      /** The fencing token of a lock of this library. */
      czxid: Hex
    })
  )
})

/**
 * A lock, an election, a semaphore or leases.
 *
 * @category models
 * @since 0.1.0
 */
export type Contention = typeof Contention.Type

/**
 * A queue, with its first entries in the order in which they are taken.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Queue = Schema.Struct({
  path: Schema.String,
  layout: Schema.optionalKey(Schema.Literals(["curator", "kazoo", "kazooLocking"])),
  items: Schema.Finite,
  /** How many of them are being worked on. */
  taken: Schema.Finite,
  /** How many are among the dead letters. */
  dead: Schema.Finite,
  entries: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      priority: Schema.Finite,
      state: Schema.Literals(["waits", "taken"]),
      since: Schema.Finite,
      attempts: Schema.Finite,
      takenSince: Schema.optionalKey(Schema.Finite),
      session: Schema.optionalKey(Hex),
      encoding: Schema.Literals(["utf8", "base64"]),
      data: Schema.String,
      more: Schema.optionalKey(Schema.Finite)
    })
  )
})

/**
 * A queue.
 *
 * @category models
 * @since 0.1.0
 */
export type Queue = typeof Queue.Type

/**
 * A znode whose children are members: a party, the instances of services, or a double barrier. The members of a double barrier
 * are in it together, and it is open.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Group = Schema.Struct({
  path: Schema.String,
  kind: Schema.Literals(["party", "services", "doubleBarrier"]),
  members: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      /** The text in its znode, or the name and the id of an instance. */
      identifier: Schema.optionalKey(Schema.String),
      /** The address of an instance. */
      address: Schema.optionalKey(Schema.String),
      session: Hex,
      since: Schema.Finite
    })
  ),
  /** How many further members there are. */
  more: Schema.Finite
})

/**
 * A znode whose children are members.
 *
 * @category models
 * @since 0.1.0
 */
export type Group = typeof Group.Type

/**
 * An item of the scan for recipes. A path that was reported before is reported again when it looks different; `ended` says
 * that there is nothing of the kind at a path any more. `scanned` comes after each round, and how often that is depends on
 * the size of the subtree.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RecipeEvent = Schema.Union([
  Schema.TaggedStruct("contention", { time: Schema.Finite, contention: Contention }),
  Schema.TaggedStruct("queue", { time: Schema.Finite, queue: Queue }),
  Schema.TaggedStruct("group", { time: Schema.Finite, group: Group }),
  Schema.TaggedStruct("ended", { time: Schema.Finite, path: Schema.String }),
  Schema.TaggedStruct("progress", { visited: Schema.Int, at: Schema.String }),
  Schema.TaggedStruct("scanned", {
    time: Schema.Finite,
    visited: Schema.Int,
    /** Whether the whole subtree was visited: a scan stops at a number of znodes, and leaves out lists that are too large. */
    isComplete: Schema.Boolean
  })
])

/**
 * An item of the scan for recipes.
 *
 * @category models
 * @since 0.1.0
 */
export type RecipeEvent = typeof RecipeEvent.Type
