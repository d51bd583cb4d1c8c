/** The lines of a backup file, as Schemas. */
import { Text as Hex } from "@effect-zookeeper/client/Hex64"
import * as Schema from "effect/Schema"

const Int = Schema.Number.check(Schema.isInt())

/**
 * The first line. `from` and `to` are the newest transactions of the ensemble when the reading began and when it ended.
 * `isConsistent` tells whether the znodes are those of one moment between the two.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Header = Schema.Struct({
  format: Schema.Literal("effect-zookeeper-backup"),
  version: Schema.Literal(1),
  /** The path of the first znode, as the client saw it. */
  path: Schema.String,
  from: Hex,
  to: Hex,
  isConsistent: Schema.Boolean,
  /** When the reading ended: ISO 8601 in UTC. */
  time: Schema.String,
  znodes: Int,
  /** The bytes of data of all znodes. */
  bytes: Int,
  ephemerals: Int,
  /** The paths of znodes that may not be read, and are missing with everything below them. */
  unreadable: Schema.Array(Schema.String)
})

/**
 * The first line.
 *
 * @category models
 * @since 0.1.0
 */
export type Header = typeof Header.Type

/**
 * The line of a znode. Data is `text` if it is UTF-8, and JSON does not make it more than twice as long, or else `base64`; a znode
 * without data has neither. Numbers of 64 bits are hexadecimal, times are milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Record = Schema.Struct({
  path: Schema.String,
  /** Missing where it is unknown: a server does not tell a client that a znode is a container or has a TTL. */
  kind: Schema.optionalKey(Schema.Literals(["persistent", "ephemeral", "container", "ttl"])),
  /** Milliseconds; with the kind `ttl` only. */
  ttl: Schema.optionalKey(Int),
  text: Schema.optionalKey(Schema.String),
  base64: Schema.optionalKey(Schema.String),
  /** `perms` has the bits READ 1, WRITE 2, CREATE 4, DELETE 8 and ADMIN 16. */
  acl: Schema.Array(Schema.Struct({ perms: Int, scheme: Schema.String, id: Schema.String })),
  /**
   * The Stat as clients see it. The next number of a sequential child is `(cversion + numChildren) / 2`.
   */
  stat: Schema.Struct({
    czxid: Hex,
    mzxid: Hex,
    pzxid: Hex,
    ctime: Int,
    mtime: Int,
    version: Int,
    cversion: Int,
    aversion: Int,
    ephemeralOwner: Hex,
    dataLength: Int,
    numChildren: Int
  })
})

/**
 * The line of a znode.
 *
 * @category models
 * @since 0.1.0
 */
export type Record = typeof Record.Type

/**
 * The last line: how many znodes there are, and the CRC-32 of all bytes before this line, in hexadecimal.
 *
 * @category schemas
 * @since 0.1.0
 */
export const End = Schema.Struct({ end: Int, crc32: Schema.String })
