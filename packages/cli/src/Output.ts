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
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * 64 bits as a hexadecimal string, such as `"0x100000002"`: a zxid, or the id of a session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Hex = Schema.String.check(Schema.isPattern(/^0x[0-9a-f]{1,16}$/)).pipe(
  Schema.decodeTo(
    Schema.BigInt,
    SchemaTransformation.transform({
      decode: (text) => BigInt.asIntN(64, BigInt(text)),
      encode: (value) => formatHex(value)
    })
  )
)

/**
 * Milliseconds since 1970, as an ISO 8601 string in UTC.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Time = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transform({ decode: (text) => Date.parse(text), encode: (millis) => formatTime(millis) })
  )
)

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
 * An item of `tree`, `find` and `ephemerals`: a znode with its stat. `depth` counts from the path that was given.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Znode = Schema.Struct({
  path: Schema.String,
  depth: Schema.Number,
  kind: Kind,
  /** Whether the ACL forbids to read the children, so that what is below is missing. */
  forbidden: Schema.Boolean,
  stat: Stat
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
 * The document of `config`.
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
 * The document of `quota`: the limits and the use of the subtree, from the root of the servers. A limit that is not set is
 * missing.
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
  action: Schema.Literals(["created", "set", "deleted", "copied", "moved", "checked", "synced"]),
  path: Schema.String,
  /** The version of the data afterwards. */
  version: Schema.optionalKey(Schema.Number)
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

/**
 * 64 bits in hexadecimal, as servers log zxids and session ids.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatHex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`

/**
 * Milliseconds since 1970 as ISO 8601 in UTC. A time that JavaScript cannot express is a number.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatTime = (millis: number): string => {
  const date = new Date(millis)
  return Number.isNaN(date.getTime()) ? String(millis) : date.toISOString()
}
