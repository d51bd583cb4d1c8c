/**
 * The records of the client protocol, each a schema whose field order is the order on the wire. Names and order are
 * those of ZooKeeper's own schema, up to release 3.9.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Acls from "./Acl.ts"
import { jsonOf } from "./Json.ts"
import * as Jute from "./Jute.ts"
import type { JuteWriter } from "./JuteWriter.ts"

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

const statCodec = Jute.codec(Stat)

const aclCodec = Jute.codec(Jute.NullOr(Jute.Vector(RequestedAcl)))

/** The ACL of nearly every create, encoded once. */
const openAcl = Jute.encode(aclCodec, Acls.open)

const writeAcl = (writer: JuteWriter, acl: Jute.Value<typeof aclCodec>): void =>
  acl === Acls.open ? writer.raw(openAcl) : aclCodec.write(writer, acl)

/**
 * An identity of a connection, as `whoAmI` gives it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ClientInfo = Schema.Struct({ authScheme: Jute.UString, user: Jute.UString })

// -----------------------------------------------------------------------------
// headers and the handshake
// -----------------------------------------------------------------------------

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

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

/**
 * The request of create, create2 and createContainer. `flags` are the numbers of `CreateMode`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CreateRequest = Jute.direct(
  Schema.Struct({
    path: Jute.UString,
    data: Jute.NullOr(Jute.Buffer),
    acl: Jute.NullOr(Jute.Vector(RequestedAcl)),
    flags: Jute.Int
  }),
  {
    write: (writer, value) => {
      writer.ustring(value.path)
      writer.buffer(value.data)
      writeAcl(writer, value.acl)
      writer.int(value.flags)
    }
  }
)

/**
 * The request of createTTL. `ttl` is in milliseconds, from 1 to 2^40 - 1.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CreateTTLRequest = Schema.Struct({ ...CreateRequest.fields, ttl: Jute.Long })

/**
 * The request of delete. `version` -1 matches any version of the data.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DeleteRequest = Jute.direct(Schema.Struct({ path: Jute.UString, version: Jute.Int }), {
  write: (writer, value) => {
    writer.ustring(value.path)
    writer.int(value.version)
  }
})

/**
 * The request of check. `version` -1 matches any version of the data.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CheckVersionRequest = Schema.Struct({ path: Jute.UString, version: Jute.Int })

/**
 * The request of exists, getData, getChildren and getChildren2. `watch` sets a one-shot watch.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WatchedReadRequest = Jute.direct(Schema.Struct({ path: Jute.UString, watch: Jute.Boolean }), {
  write: (writer, value) => {
    writer.ustring(value.path)
    writer.boolean(value.watch)
  }
})

/**
 * The request of getACL, sync and getAllChildrenNumber.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PathRequest = Schema.Struct({ path: Jute.UString })

/**
 * The request of setData. `version` -1 matches any version of the data.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SetDataRequest = Jute.direct(
  Schema.Struct({
    path: Jute.UString,
    data: Jute.NullOr(Jute.Buffer),
    version: Jute.Int
  }),
  {
    write: (writer, value) => {
      writer.ustring(value.path)
      writer.buffer(value.data)
      writer.int(value.version)
    }
  }
)

/**
 * The request of setACL. `version` is compared with the znode's `aversion`; -1 matches any.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SetACLRequest = Schema.Struct({
  path: Jute.UString,
  acl: Jute.NullOr(Jute.Vector(RequestedAcl)),
  version: Jute.Int
})

/**
 * The request of reconfig: servers that join or leave, or the new list of members. `curConfigId` -1 matches any
 * configuration.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReconfigRequest = Schema.Struct({
  joiningServers: Jute.NullOr(Jute.UString),
  leavingServers: Jute.NullOr(Jute.UString),
  newMembers: Jute.NullOr(Jute.UString),
  curConfigId: Jute.Long
})

/**
 * The request of checkWatches and removeWatches. `type` is 1 for children, 2 for data, 3 for any, and since 3.9 4 for
 * persistent and 5 for recursive.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RemoveWatchesRequest = Schema.Struct({ path: Jute.UString, type: Jute.Int })

/**
 * The request of addWatch. `mode` is 0 for persistent, 1 for persistent and recursive.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AddWatchRequest = Schema.Struct({ path: Jute.UString, mode: Jute.Int })

/**
 * The request of setWatches: the one-shot watches of a client that has reconnected, and the last transaction that it has
 * seen. A watch whose znode has changed since then fires at once.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SetWatches = Schema.Struct({
  relativeZxid: Jute.Long,
  dataWatches: Jute.Vector(Jute.UString),
  existWatches: Jute.Vector(Jute.UString),
  childWatches: Jute.Vector(Jute.UString)
})

/**
 * The request of setWatches2: that of setWatches, with persistent watches.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SetWatches2 = Schema.Struct({
  ...SetWatches.fields,
  persistentWatches: Jute.Vector(Jute.UString),
  persistentRecursiveWatches: Jute.Vector(Jute.UString)
})

/**
 * The request of auth. `type` is always 0; `auth` has the credentials, such as "user:password" for the scheme digest.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AuthPacket = Schema.Struct({ type: Jute.Int, scheme: Jute.UString, auth: Jute.NullOr(Jute.Buffer) })

/**
 * The request of sasl: the next token of the client.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetSASLRequest = Schema.Struct({ token: Jute.NullOr(Jute.Buffer) })

/**
 * The request of getEphemerals. Null, or "/", means all ephemeral znodes of the session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetEphemeralsRequest = Schema.Struct({ prefixPath: Jute.NullOr(Jute.UString) })

// -----------------------------------------------------------------------------
// responses
// -----------------------------------------------------------------------------

/**
 * The response of create and sync.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PathResponse = Jute.direct(Schema.Struct({ path: Jute.UString }), {
  read: (reader) => ({ path: reader.text() })
})

/**
 * The response of create2, createContainer and createTTL.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Create2Response = Schema.Struct({ path: Jute.UString, stat: Stat })

/**
 * The response of exists, setData and setACL.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StatResponse = Jute.direct(Schema.Struct({ stat: Stat }), {
  read: (reader) => ({ stat: statCodec.read(reader) })
})

/**
 * The response of getData and reconfig. `data` is null if the znode was created without data.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetDataResponse = Jute.direct(Schema.Struct({ data: Jute.NullOr(Jute.Buffer), stat: Stat }), {
  read: (reader) => ({ data: reader.buffer(), stat: statCodec.read(reader) })
})

/**
 * The response of getACL.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetACLResponse = Schema.Struct({ acl: Jute.Vector(Acl), stat: Stat })

/**
 * The response of getChildren: names, in no order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetChildrenResponse = Schema.Struct({ children: Jute.Vector(Jute.UString) })

/**
 * The response of getChildren2: names, in no order, and the Stat of the parent.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetChildren2Response = Schema.Struct({ children: Jute.Vector(Jute.UString), stat: Stat })

/**
 * The response of sasl: the server's token.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SetSASLResponse = Schema.Struct({ token: Jute.NullOr(Jute.Buffer) })

/**
 * The response of getEphemerals: paths.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetEphemeralsResponse = Schema.Struct({ ephemerals: Jute.Vector(Jute.UString) })

/**
 * The response of getAllChildrenNumber: the number of all descendants of the znode.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GetAllChildrenNumberResponse = Schema.Struct({ totalNumber: Jute.Int })

/**
 * The response of whoAmI: the identities of the connection.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WhoAmIResponse = Schema.Struct({ clientInfo: Jute.Vector(ClientInfo) })
