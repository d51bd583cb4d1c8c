/**
 * The JSON that `zk --json` and `zk --ndjson` print, as Schemas.
 *
 * With `--json` a command prints one document: an object, or an array of items. With `--ndjson` it prints one item on each
 * line, as they come. Zxids and session ids are hexadecimal strings, because they do not fit into a number of JSON. Times
 * are ISO 8601 in UTC. New fields may be added in a minor release; none is removed or changed.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Hex, Time } from "./internal/output/scalars.ts"

export { formatHex, formatTime, Hex, Time } from "./internal/output/scalars.ts"

/**
 * The stat of a znode. `ephemeralOwner` is `"0x0"` for a znode that is not ephemeral.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Stat = Schema.Struct({
  czxid: Hex,
  mzxid: Hex,
  pzxid: Hex,
  ctime: Time,
  mtime: Time,
  version: Schema.Number,
  cversion: Schema.Number,
  aversion: Schema.Number,
  ephemeralOwner: Hex,
  dataLength: Schema.Number,
  numChildren: Schema.Number
})

/**
 * The kinds of znodes that a stat tells apart. Servers do not tell that a znode is a container or has a TTL: it is
 * `persistent` here.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals(["persistent", "ephemeral"])

/**
 * An item of `ls`. The stat is there with `-l` and with `-R`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schema.Struct({
  path: Schema.String,
  kind: Schema.optionalKey(Kind),
  stat: Schema.optionalKey(Stat)
})

/**
 * An item of `tree`, `find` and `ephemerals`: a znode with its stat. `depth` counts from the path that was given. Where the ACL
 * forbids to read a znode, servers since ZooKeeper 3.8.4 and 3.9.2 do not tell its stat: kind and stat are missing then.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Znode = Schema.Struct({
  path: Schema.String,
  depth: Schema.Number,
  kind: Schema.optionalKey(Kind),
  /** Whether the ACL forbids to read the children, so that what is below is missing. */
  forbidden: Schema.Boolean,
  stat: Schema.optionalKey(Stat)
})

/**
 * The document of `stat`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PathAndStat = Schema.Struct({ path: Schema.String, kind: Kind, stat: Stat })

/**
 * The document of `get`. The data is text where `encoding` is `utf8`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Data = Schema.Struct({
  path: Schema.String,
  encoding: Schema.Literals(["utf8", "base64"]),
  /** Whether the data was gzip, and is uncompressed here. */
  gunzipped: Schema.Boolean,
  data: Schema.String,
  stat: Stat
})

/**
 * An item of `du`: the znodes of a subtree, with its root, and the bytes of their data.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Total = Schema.Struct({
  path: Schema.String,
  depth: Schema.Number,
  znodes: Schema.Number,
  bytes: Schema.Number
})

/**
 * The document of `acl`. The permissions are letters of `cdrwa`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Acl = Schema.Struct({
  path: Schema.String,
  aversion: Schema.Number,
  acl: Schema.Array(Schema.Struct({ scheme: Schema.String, id: Schema.String, perms: Schema.String }))
})

/**
 * The document of `whoami`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WhoAmI = Schema.Struct({
  identities: Schema.Array(Schema.Struct({ scheme: Schema.String, id: Schema.String })),
  session: Hex,
  server: Schema.optionalKey(Schema.String),
  readOnly: Schema.Boolean
})

/**
 * The document of `config`, and of `reconfig`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Config = Schema.Struct({
  version: Hex,
  members: Schema.Array(
    Schema.Struct({
      id: Schema.Number,
      role: Schema.Literals(["participant", "observer"]),
      addresses: Schema.Array(Schema.String),
      client: Schema.optionalKey(Schema.String)
    })
  )
})

/**
 * The document of `quota`, and of `quota set`: the limits and the use of the subtree. A limit that is not set is missing.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Quota = Schema.Struct({
  path: Schema.String,
  limits: Schema.Struct({
    count: Schema.optionalKey(Schema.Number),
    bytes: Schema.optionalKey(Schema.Number),
    hardCount: Schema.optionalKey(Schema.Number),
    hardBytes: Schema.optionalKey(Schema.Number)
  }),
  use: Schema.Struct({ count: Schema.Number, bytes: Schema.Number })
})

/**
 * An item of the commands that change the tree: the step that was done, and the path that it was done to.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Change = Schema.Struct({
  action: Schema.Literals([
    "created",
    "set",
    "deleted",
    "copied",
    "moved",
    "checked",
    "synced",
    "aclSet",
    "quotaRemoved"
  ]),
  path: Schema.String,
  /** The version of the data afterwards. */
  version: Schema.optionalKey(Schema.Number),
  /** The version of the ACL afterwards. */
  aversion: Schema.optionalKey(Schema.Number)
})

/**
 * An item of `watch`.
 *
 * - `present`, `absent`: the state of the znode at the beginning, and after a gap.
 * - `created`, `changed`, `deleted`: an event of a znode; with `-R` of one below, too.
 * - `children`: children of the znode were created or deleted. They are not reported with `-R`, where the children
 *   themselves are.
 * - `gap`: events may have been missed, because the connection was lost or more events came than could be read.
 *
 * Stat and data are those that were read after the event, and may be newer than it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Watched = Schema.Struct({
  /** When `zk` heard of it. */
  time: Time,
  event: Schema.Literals(["present", "absent", "created", "changed", "deleted", "children", "gap"]),
  path: Schema.String,
  /** The transaction of the event, which servers tell since ZooKeeper 3.9. */
  zxid: Schema.optionalKey(Hex),
  /** Why there is neither a stat nor data: the znode was deleted before it was read, or its ACL forbids it. */
  unread: Schema.optionalKey(Schema.Literals(["gone", "forbidden"])),
  stat: Schema.optionalKey(Stat),
  encoding: Schema.optionalKey(Schema.Literals(["utf8", "base64"])),
  data: Schema.optionalKey(Schema.String),
  /** The names of children that have come since the last list. */
  added: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The names of children that have gone since the last list. */
  removed: Schema.optionalKey(Schema.Array(Schema.String))
})

/**
 * An item of `tail`: a child that was there, or that has come. `gap`, with the path of the parent: children may be missed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Arrival = Schema.Struct({
  event: Schema.Literals(["there", "arrived", "gap"]),
  path: Schema.String,
  /** Why there is neither a stat nor data: the child was deleted before it was read, or its ACL forbids it. */
  unread: Schema.optionalKey(Schema.Literals(["gone", "forbidden"])),
  stat: Schema.optionalKey(Stat),
  encoding: Schema.optionalKey(Schema.Literals(["utf8", "base64"])),
  data: Schema.optionalKey(Schema.String)
})

/**
 * An item of `locks`: a lock, an election, a semaphore or leases, with the contenders in the order of their turns.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Contention = Schema.Struct({
  path: Schema.String,
  recipe: Schema.Literals(["lock", "readWriteLock", "election", "semaphore", "lease"]),
  /** How many permits a semaphore has, as far as its znodes tell; how many leases there can be. */
  permits: Schema.optionalKey(Schema.Number),
  contenders: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      state: Schema.Literals(["holds", "waits"]),
      kind: Schema.Literals(["lock", "read", "write", "candidate", "lease"]),
      /** Missing for leases, which no other library has. */
      layout: Schema.optionalKey(Schema.Literals(["curator", "go", "kazoo", "aiozk"])),
      /** The data of its znode, as which most clients write who they are; missing where the ACL forbids to read it. */
      identifier: Schema.optionalKey(Schema.String),
      /** Missing for leases, which outlive sessions. */
      session: Schema.optionalKey(Hex),
      /** The address of the session's client, with `--clients`, where a server tells it. */
      client: Schema.optionalKey(Schema.String),
      /** When it came. A holder may hold since later, which no server tells. Of a lease: when it was taken or renewed. */
      since: Time,
      /** When a lease ends, if it is not renewed. */
      until: Schema.optionalKey(Time),
      /** The fencing token of a lock of this library. */
      czxid: Hex
    })
  )
})

/**
 * The document of `queue`. The entries are the first ones, in the order in which they are taken.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Queue = Schema.Struct({
  path: Schema.String,
  /** Missing for an empty queue, which does not tell. */
  layout: Schema.optionalKey(Schema.Literals(["curator", "kazoo", "kazooLocking"])),
  items: Schema.Number,
  /** How many of them are being worked on. */
  taken: Schema.Number,
  /** How many items are among the dead letters of this library's queues. */
  dead: Schema.Number,
  entries: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      priority: Schema.Number,
      state: Schema.Literals(["waits", "taken"]),
      since: Time,
      /** The version of the item: this library counts in it how often the item was taken. */
      attempts: Schema.Number,
      takenSince: Schema.optionalKey(Time),
      /** The session that has taken it. */
      session: Schema.optionalKey(Hex),
      encoding: Schema.Literals(["utf8", "base64"]),
      /** The item itself, without what Curator's queues put around it. */
      data: Schema.String,
      /** How many more items are in the same znode, which Curator's queues can have. */
      more: Schema.optionalKey(Schema.Number)
    })
  )
})

/**
 * An item of `sessions`. A field is missing where no server has told it: a server tells the connections to itself, and since
 * ZooKeeper 3.5 only if its configuration allows the word.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Session = Schema.Struct({
  session: Hex,
  /** The server that the client is connected to, and the address of the client. */
  server: Schema.optionalKey(Schema.String),
  client: Schema.optionalKey(Schema.String),
  /** When the connection began. */
  connected: Schema.optionalKey(Time),
  /** Milliseconds. */
  timeout: Schema.optionalKey(Schema.Number),
  /** For how many milliseconds, at least, its server has not heard it. Missing for the session that was heard last. */
  unheard: Schema.optionalKey(Schema.Number),
  /** The number of its ephemeral znodes. */
  ephemerals: Schema.optionalKey(Schema.Number),
  /** Requests that wait in the server. */
  queued: Schema.optionalKey(Schema.Number),
  /** Requests of this connection, and the answers and events. */
  received: Schema.optionalKey(Schema.Number),
  sent: Schema.optionalKey(Schema.Number),
  /** The name of the last operation, in four letters. */
  lastOperation: Schema.optionalKey(Schema.String)
})

/**
 * A run of the job of `zk once`. The data of the job's znode is `{ "runs": [Run, ...] }`, the newest first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Run = Schema.Struct({
  /** The value of `--stamp`. */
  stamp: Schema.optionalKey(Schema.String),
  /** The machine and the process, as `host:pid`. */
  by: Schema.String,
  /** By the clock of the servers. */
  began: Time,
  /** By the clock of the machine. It is missing while the command runs, and where nothing is known of its end. */
  ended: Schema.optionalKey(Time),
  exitCode: Schema.optionalKey(Schema.Number)
})

/**
 * The document of `zk once` where it does not run the command: another run counts, or goes on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Skipped = Schema.Struct({
  path: Schema.String,
  ran: Schema.Literal(false),
  reason: Schema.Literals(["done", "running"]),
  last: Schema.optionalKey(Run)
})

/**
 * The document of `zk env` without a command: the environment that a subtree gives.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Variables = Schema.Struct({
  path: Schema.String,
  variables: Schema.Record(Schema.String, Schema.String)
})

/**
 * An item of `zk template`: a file, and whether it was written or had the text already. Without `--output` it has the text
 * instead.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rendered = Schema.Struct({
  path: Schema.String,
  file: Schema.optionalKey(Schema.String),
  changed: Schema.optionalKey(Schema.Boolean),
  text: Schema.optionalKey(Schema.String)
})

/**
 * The document of `zk server`: where it listens, as a connect string.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Listening = Schema.Struct({ servers: Schema.String })

/**
 * The document of `zk ui`: the link that opens the page. It has a secret until `zk` ends.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Console = Schema.Struct({ link: Schema.String })

/**
 * An item of `zk bench`: the requests of one operation. All times are in milliseconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BenchResult = Schema.Struct({
  operation: Schema.String,
  requests: Schema.Number,
  /** Requests a second. */
  rate: Schema.Number,
  mean: Schema.Number,
  p50: Schema.Number,
  p95: Schema.Number,
  p99: Schema.Number,
  max: Schema.Number
})

/**
 * The line on the standard error when a command with `--json` or `--ndjson` fails.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Failure = Schema.Struct({
  error: Schema.Struct({
    /** The name of the error, such as `NoNode`. */
    tag: Schema.String,
    message: Schema.String,
    exitCode: Schema.Number
  })
})

/**
 * The kind of a znode with this `ephemeralOwner`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const kindOf = (ephemeralOwner: bigint): typeof Kind.Type => (ephemeralOwner === 0n ? "persistent" : "ephemeral")
