/**
 * Clusters and znodes as the server of the console shows them: Schemas.
 *
 * This module is in the bundle of the page: it imports nothing that a browser lacks. Zxids and session ids are `bigint`s;
 * {@link formatHex} writes them as servers do. Times are milliseconds since 1970. Names, paths and texts that come from
 * znodes may hold anything, control characters too: show them, and never take them for markup.
 *
 * @since 0.1.0
 */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Schema from "effect/Schema"

/**
 * 64 bits in hexadecimal, as servers log zxids and session ids.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatHex: (value: bigint) => string = Hex64.format

/**
 * A zxid or the id of a session: a `bigint`, and `"0x100000002"` on the wire.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Hex = Hex64.FromString

/**
 * Bytes: a `Uint8Array`, and Base64 on the wire.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Bytes = Schema.Uint8ArrayFromBase64

// -----------------------------------------------------------------------------
// clusters
// -----------------------------------------------------------------------------

/**
 * The connection of the server of the console to an ensemble.
 *
 * - `idle`: no page looks at it, so there is no session.
 * - `connecting`: no server has given a session yet.
 * - `connected`: a server answers.
 * - `readOnly`: a server answers that has no quorum. Its data may be old.
 * - `disconnected`: no server answers; the session may live.
 * - `expired`: the session is over, and a new one is being made. Its watches are set again.
 * - `failed`: it does not try again by itself, as with refused credentials. `problem` says why.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectionState = Schema.Literals([
  "idle",
  "connecting",
  "connected",
  "readOnly",
  "disconnected",
  "expired",
  "failed"
])

/**
 * One ensemble that the console can show.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cluster = Schema.Struct({
  /** The name of its profile. */
  name: Schema.String,
  /** The connect string, with the chroot. It has no credentials. */
  servers: Schema.String,
  /** What forbids changes; missing where they are allowed. */
  readOnly: Schema.optionalKey(Schema.String),
  state: ConnectionState,
  /** When the state began. */
  since: Schema.Finite,
  problem: Schema.optionalKey(Schema.String),
  /** The server that answers. */
  server: Schema.optionalKey(Schema.String),
  /** The session of the console. */
  session: Schema.optionalKey(Hex)
})

/**
 * One ensemble that the console can show.
 *
 * @category models
 * @since 0.1.0
 */
export type Cluster = typeof Cluster.Type

/**
 * The version of the server of the console, and the most that it gives at a time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Hello = Schema.Struct({
  /** The version of the package. */
  version: Schema.String,
  /** Whether `--write` was given. A cluster can be read-only nevertheless. */
  canWrite: Schema.Boolean,
  limits: Schema.Struct({
    /** Names in one page of a directory. */
    names: Schema.Finite,
    /** Children of a directory that is listed at all. */
    children: Schema.Finite,
    /** Paths whose rows one stream follows. */
    rows: Schema.Finite,
    /** Bytes of data. */
    data: Schema.Finite,
    /** Matches of one search. */
    matches: Schema.Finite,
    /** Znodes that one removal deletes. */
    removal: Schema.Finite,
    /** Znodes that one import or copy creates. */
    grafted: Schema.Finite,
    /** Znodes of an export. */
    exported: Schema.Finite,
    /** Bytes of a file that is imported. */
    imported: Schema.Finite,
    /** Streams that one page has open at a time. */
    streams: Schema.Finite
  })
})

// -----------------------------------------------------------------------------
// the tree
// -----------------------------------------------------------------------------

/**
 * The stat of a znode. `ephemeralOwner` is `0n` for a znode that is not ephemeral.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Stat = Schema.Struct({
  czxid: Hex,
  mzxid: Hex,
  pzxid: Hex,
  ctime: Schema.Finite,
  mtime: Schema.Finite,
  version: Schema.Int,
  cversion: Schema.Int,
  aversion: Schema.Int,
  ephemeralOwner: Hex,
  dataLength: Schema.Int,
  numChildren: Schema.Int
})

/**
 * The stat of a znode.
 *
 * @category models
 * @since 0.1.0
 */
export type Stat = typeof Stat.Type

/**
 * An item of the stream of a directory: its names are sorted by their code units.
 *
 * - `listed`: the first names, at the beginning and after a gap. Names further on are asked for by pages.
 * - `changed`: names that have gone and come. `index` is the place among all names: of a name that has gone, before
 *   anything changed; of one that has come, after everything changed. Both are in the order of the names, so that the
 *   gone ones are taken out from the last to the first, and the new ones put in from the first to the last. The list is
 *   short or it is left out: after a change of many names `listed` comes instead.
 * - `gone`: the znode was deleted, or was never there. `listed` follows when it is created.
 * - `forbidden`: the ACL does not allow to list it.
 * - `tooMany`: it has more children than the console lists.
 *
 * `revision` grows with each change. A page of another revision than the last one that was seen is asked for again.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DirectoryEvent = Schema.Union([
  Schema.TaggedStruct("listed", {
    revision: Schema.Int,
    stat: Stat,
    /** The names that match the filter, and all. */
    matching: Schema.Int,
    total: Schema.Int,
    names: Schema.Array(Schema.String)
  }),
  Schema.TaggedStruct("changed", {
    revision: Schema.Int,
    stat: Stat,
    matching: Schema.Int,
    total: Schema.Int,
    gone: Schema.Array(Schema.Struct({ index: Schema.Int, name: Schema.String })),
    come: Schema.Array(Schema.Struct({ index: Schema.Int, name: Schema.String }))
  }),
  Schema.TaggedStruct("gone", { revision: Schema.Int }),
  Schema.TaggedStruct("forbidden", { revision: Schema.Int, stat: Schema.optionalKey(Stat) }),
  Schema.TaggedStruct("tooMany", { revision: Schema.Int, stat: Stat })
])

/**
 * An item of the stream of a directory.
 *
 * @category models
 * @since 0.1.0
 */
export type DirectoryEvent = typeof DirectoryEvent.Type

/**
 * Names of a directory from one place on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DirectoryPage = Schema.Struct({
  revision: Schema.Int,
  matching: Schema.Int,
  offset: Schema.Int,
  names: Schema.Array(Schema.String)
})

/**
 * A znode as a row of the tree. `stat` is missing where the znode is gone, and where the ACL keeps it back, which
 * `isForbidden` says.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Row = Schema.Struct({
  path: Schema.String,
  stat: Schema.optionalKey(Stat),
  isForbidden: Schema.optionalKey(Schema.Boolean)
})

/**
 * A znode as a row of the tree.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = typeof Row.Type

/**
 * The size of a subtree, with its root. Bytes are missing where counting them would cost too many requests.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SubtreeSize = Schema.Struct({
  znodes: Schema.Finite,
  bytes: Schema.optionalKey(Schema.Finite)
})

// -----------------------------------------------------------------------------
// one znode
// -----------------------------------------------------------------------------

/**
 * An entry of an ACL. The permissions are letters of `cdrwa`. The hash of a `digest` entry is no business of a page: the
 * id is the name of the user alone.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AclEntry = Schema.Struct({ scheme: Schema.String, id: Schema.String, perms: Schema.String })

/**
 * An item of the stream of a znode.
 *
 * - `present`: it is there. Data beyond the limit is left out: `isTruncated` is set then, and `stat.dataLength` has the
 *   whole length. Data or ACL are missing where the ACL does not allow to read them.
 * - `gone`: it was deleted, or was never there.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ZnodeEvent = Schema.Union([
  Schema.TaggedStruct("present", {
    /** When the server of the console saw it. */
    time: Schema.Finite,
    stat: Stat,
    data: Schema.optionalKey(Bytes),
    isTruncated: Schema.Boolean,
    acl: Schema.optionalKey(Schema.Array(AclEntry)),
    /** The data by a form of the application: as text, or why it does not fit. */
    formatted: Schema.optionalKey(
      Schema.Struct({
        format: Schema.String,
        text: Schema.optionalKey(Schema.String),
        problem: Schema.optionalKey(Schema.String)
      })
    ),
    /** Whether states in between may have been missed, because the connection was lost. */
    afterGap: Schema.Boolean
  }),
  Schema.TaggedStruct("gone", { time: Schema.Finite, afterGap: Schema.Boolean })
])

/**
 * An item of the stream of a znode.
 *
 * @category models
 * @since 0.1.0
 */
export type ZnodeEvent = typeof ZnodeEvent.Type

/**
 * How long a new znode stays, and whether its name gets a number. Ephemeral ones belong to the session of the console.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CreateMode = Schema.Literals([
  "persistent",
  "persistentSequential",
  "ephemeral",
  "ephemeralSequential",
  "container",
  "persistentWithTtl",
  "persistentSequentialWithTtl"
])

/**
 * An entry of an ACL that is to be set. One that was there before has its place in the ACL of that version as `keeps`,
 * and its scheme and id are taken from there. A new `digest` entry has a password, of which the server of the console
 * makes the hash.
 *
 * @category schemas
 * @since 0.1.0
 */
export const NewAclEntry = Schema.Struct({
  scheme: Schema.String,
  id: Schema.String,
  perms: Schema.String,
  keeps: Schema.optionalKey(Schema.Int),
  password: Schema.optionalKey(Schema.String)
})

/**
 * An item of an export.
 *
 * - `progress`: how many znodes were read, and how many there are where that is known.
 * - `part`: bytes of the file, in their order. The file is complete when the stream ends.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ExportEvent = Schema.Union([
  Schema.TaggedStruct("progress", { done: Schema.Finite, total: Schema.optionalKey(Schema.Finite) }),
  Schema.TaggedStruct("part", { bytes: Bytes })
])

/**
 * An item of an export.
 *
 * @category models
 * @since 0.1.0
 */
export type ExportEvent = typeof ExportEvent.Type

/**
 * The znodes that an import or a copy creates, or would create.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Grafted = Schema.Struct({
  created: Schema.Finite,
  /** Znodes that were there before. They stay as they are, whatever they hold. */
  kept: Schema.Finite,
  /** Ephemeral znodes, and those below them, which are left out. */
  leftOut: Schema.Finite,
  /** Created znodes with the ACL of the parent, because the hashes of their own are not known. */
  withOtherAcl: Schema.Finite
})

/**
 * The znodes that an import or a copy creates, or would create.
 *
 * @category models
 * @since 0.1.0
 */
export type Grafted = typeof Grafted.Type
