/**
 * The records that are parts of requests and responses, and the headers in front of them.
 */
import * as Schema from "effect/Schema"
import * as Acls from "../../Acl.ts"
import { jsonOf } from "../../Json.ts"
import * as Jute from "../../Jute.ts"
import type { JuteWriter } from "../../JuteWriter.ts"

/** The size of a Stat, in bytes. */
const STAT_SIZE = 68

/**
 * The metadata of a znode.
 *
 * - `czxid`, `mzxid` and `pzxid` are the transactions that created the znode, last changed its data, and last changed its
 *   list of children.
 * - `ctime` and `mtime` are the times of the first two, in milliseconds since 1970 on the leader's clock.
 * - `version` counts changes of the data, `cversion` of the list of children, and `aversion` of the ACL.
 * - `ephemeralOwner` is the session that owns an ephemeral znode; it is 0 for any other znode, containers and TTL znodes too.
 * - `dataLength` is in bytes; `numChildren` counts children, not all descendants.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stat extends Schema.Schema.Type<typeof Stat> {}

/**
 * The record of `Stat`, 68 bytes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Stat = Jute.direct(
  Schema.Struct({
    czxid: Jute.Long,
    mzxid: Jute.Long,
    ctime: Jute.Millis,
    mtime: Jute.Millis,
    version: Jute.Int,
    cversion: Jute.Int,
    aversion: Jute.Int,
    ephemeralOwner: Jute.Long,
    dataLength: Jute.Int,
    numChildren: Jute.Int,
    pzxid: Jute.Long
  }),
  { size: STAT_SIZE, read: (reader) => reader.fixed(STAT_SIZE, readStat) }
)

/** A class only for the sake of `toJSON`, which 64-bit numbers need, and which costs nothing on the prototype. */
class ReadStat {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: bigint

  constructor(view: DataView, at: number) {
    this.czxid = view.getBigInt64(at)
    this.mzxid = view.getBigInt64(at + 8)
    this.ctime = view.getInt32(at + 16) * 4_294_967_296 + view.getUint32(at + 20)
    this.mtime = view.getInt32(at + 24) * 4_294_967_296 + view.getUint32(at + 28)
    this.version = view.getInt32(at + 32)
    this.cversion = view.getInt32(at + 36)
    this.aversion = view.getInt32(at + 40)
    this.ephemeralOwner = view.getBigInt64(at + 44)
    this.dataLength = view.getInt32(at + 52)
    this.numChildren = view.getInt32(at + 56)
    this.pzxid = view.getBigInt64(at + 60)
  }

  toJSON(): unknown {
    return jsonOf(this)
  }
}

const readStat = (view: DataView, at: number) => new ReadStat(view, at)

/**
 * One entry of an access control list, as servers give it. See the module `Acl`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Acl = Schema.Struct({ perms: Jute.Int, scheme: Jute.UString, id: Jute.UString })

/**
 * One entry of an access control list in a request: for the scheme `auth`, which has no id, kazoo sends null. A null scheme
 * can be read, so that a server can refuse it like other invalid entries.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RequestedAcl = Schema.Struct({
  ...Acl.fields,
  scheme: Jute.NullOr(Jute.UString),
  id: Jute.NullOr(Jute.UString)
})

/** Reads and writes a Stat. */
export const statCodec = Jute.codec(Stat)

const aclCodec = Jute.codec(Jute.NullOr(Jute.Vector(RequestedAcl)))

/** The ACL of nearly every create, encoded once. */
const openAcl = Jute.encode(aclCodec, Acls.open)

/** Writes the ACL of a create. */
export const writeAcl = (writer: JuteWriter, acl: Jute.Value<typeof aclCodec>): void =>
  acl === Acls.open ? writer.raw(openAcl) : aclCodec.write(writer, acl)

/**
 * An identity of a connection, as `whoAmI` gives it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ClientInfo = Schema.Struct({ authScheme: Jute.UString, user: Jute.UString })

/**
 * The head of every request: its xid, and the op code of its operation.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RequestHeader = Schema.Struct({ xid: Jute.Int, type: Jute.Int })

/**
 * The head of every reply: the xid of the request, the last transaction that the server has applied, and an error code,
 * 0 for success. Events have the xid -1.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReplyHeader = Schema.Struct({ xid: Jute.Int, zxid: Jute.Long, err: Jute.Int })

/**
 * The request that begins or resumes a session. Since 3.4 a byte `readOnly` follows; see `Handshake`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectRequest = Schema.Struct({
  protocolVersion: Jute.Int,
  lastZxidSeen: Jute.Long,
  timeOut: Jute.Int,
  sessionId: Jute.Long,
  passwd: Jute.NullOr(Jute.Buffer)
})

/**
 * The reply to a connect request. Since 3.4 a byte `readOnly` follows; see `Handshake`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectResponse = Schema.Struct({
  protocolVersion: Jute.Int,
  timeOut: Jute.Int,
  sessionId: Jute.Long,
  passwd: Jute.NullOr(Jute.Buffer)
})

/**
 * An event of a watch: its type (see `WatchEvent`), the state of the session (3 is connected), and the path.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WatcherEvent = Schema.Struct({ type: Jute.Int, state: Jute.Int, path: Jute.UString })

/**
 * The head of each operation and each result in a transaction. `done` marks the end.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MultiHeader = Schema.Struct({ type: Jute.Int, done: Jute.Boolean, err: Jute.Int })

/**
 * The error code of one operation in a transaction, and the response of addWatch.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ErrorResponse = Schema.Struct({ err: Jute.Int })
