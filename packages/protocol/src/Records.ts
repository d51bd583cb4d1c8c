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

/** In bytes. */
const STAT_SIZE = 68

/**
 * What a server knows about a znode beside its data (68 bytes).
 *
 * `czxid`, `mzxid` and `pzxid` are the transactions that created it, changed its data, and changed its list of children;
 * `ctime` and `mtime` are milliseconds since 1970 on the leader's clock. `version` counts changes of data, `cversion`
 * of the list of children, `aversion` of the ACL. `ephemeralOwner` is the session that owns an ephemeral znode, and 0
 * for every other, containers and TTL znodes included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stat extends Schema.Schema.Type<typeof Stat> {}
/**
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

/** Of a class only for `toJSON`, which JSON needs for 64-bit numbers, and which costs nothing on the prototype. */
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

/** @since 0.1.0 */
export const Acl = Schema.Struct({ perms: Jute.Int, scheme: Jute.UString, id: Jute.UString })

/**
 * As requests carry it: for scheme `auth`, whose id means nothing, kazoo sends null. A null scheme, or a null list, can
 * be read so that a server may refuse it as it refuses other ACLs. @since 0.1.0
 */
export const RequestedAcl = Schema.Struct({
  ...Acl.fields,
  scheme: Jute.NullOr(Jute.UString),
  id: Jute.NullOr(Jute.UString)
})

const statCodec = Jute.codec(Stat)

const aclCodec = Jute.codec(Jute.NullOr(Jute.Vector(RequestedAcl)))

/** Nearly every create asks for this ACL. */
const openAcl = Jute.encode(aclCodec, Acls.open)

const writeAcl = (writer: JuteWriter, acl: Jute.Value<typeof aclCodec>): void =>
  acl === Acls.open ? writer.raw(openAcl) : aclCodec.write(writer, acl)

/** @since 0.1.0 */
export const ClientInfo = Schema.Struct({ authScheme: Jute.UString, user: Jute.UString })

// -----------------------------------------------------------------------------
// headers and the handshake
// -----------------------------------------------------------------------------

/** @since 0.1.0 */
export const RequestHeader = Schema.Struct({ xid: Jute.Int, type: Jute.Int })

/** @since 0.1.0 */
export const ReplyHeader = Schema.Struct({ xid: Jute.Int, zxid: Jute.Long, err: Jute.Int })

/** Followed by a `readOnly` byte since 3.4; see `Handshake`. @since 0.1.0 */
export const ConnectRequest = Schema.Struct({
  protocolVersion: Jute.Int,
  lastZxidSeen: Jute.Long,
  timeOut: Jute.Int,
  sessionId: Jute.Long,
  passwd: Jute.NullOr(Jute.Buffer)
})

/** Followed by a `readOnly` byte since 3.4; see `Handshake`. @since 0.1.0 */
export const ConnectResponse = Schema.Struct({
  protocolVersion: Jute.Int,
  timeOut: Jute.Int,
  sessionId: Jute.Long,
  passwd: Jute.NullOr(Jute.Buffer)
})

/** @since 0.1.0 */
export const WatcherEvent = Schema.Struct({ type: Jute.Int, state: Jute.Int, path: Jute.UString })

/** @since 0.1.0 */
export const MultiHeader = Schema.Struct({ type: Jute.Int, done: Jute.Boolean, err: Jute.Int })

/** @since 0.1.0 */
export const ErrorResponse = Schema.Struct({ err: Jute.Int })

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

/** create, create2 and createContainer; `flags` are the numbers of `CreateMode`. @since 0.1.0 */
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

/** `ttl` in milliseconds, 1 to 2^40 - 1. @since 0.1.0 */
export const CreateTTLRequest = Schema.Struct({ ...CreateRequest.fields, ttl: Jute.Long })

/** @since 0.1.0 */
export const DeleteRequest = Jute.direct(Schema.Struct({ path: Jute.UString, version: Jute.Int }), {
  write: (writer, value) => {
    writer.ustring(value.path)
    writer.int(value.version)
  }
})

/** @since 0.1.0 */
export const CheckVersionRequest = Schema.Struct({ path: Jute.UString, version: Jute.Int })

/** exists, getData, getChildren and getChildren2. @since 0.1.0 */
export const WatchedReadRequest = Jute.direct(Schema.Struct({ path: Jute.UString, watch: Jute.Boolean }), {
  write: (writer, value) => {
    writer.ustring(value.path)
    writer.boolean(value.watch)
  }
})

/** getACL, sync and getAllChildrenNumber. @since 0.1.0 */
export const PathRequest = Schema.Struct({ path: Jute.UString })

/** @since 0.1.0 */
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

/** `version` is compared with the znode's `aversion`. @since 0.1.0 */
export const SetACLRequest = Schema.Struct({
  path: Jute.UString,
  acl: Jute.NullOr(Jute.Vector(RequestedAcl)),
  version: Jute.Int
})

/** @since 0.1.0 */
export const ReconfigRequest = Schema.Struct({
  joiningServers: Jute.NullOr(Jute.UString),
  leavingServers: Jute.NullOr(Jute.UString),
  newMembers: Jute.NullOr(Jute.UString),
  curConfigId: Jute.Long
})

/** checkWatches and removeWatches: 1 children, 2 data, 3 any; 4 persistent and 5 recursive since 3.9. @since 0.1.0 */
export const RemoveWatchesRequest = Schema.Struct({ path: Jute.UString, type: Jute.Int })

/** `mode` 0 is persistent, 1 persistent and recursive. @since 0.1.0 */
export const AddWatchRequest = Schema.Struct({ path: Jute.UString, mode: Jute.Int })

/** @since 0.1.0 */
export const SetWatches = Schema.Struct({
  relativeZxid: Jute.Long,
  dataWatches: Jute.Vector(Jute.UString),
  existWatches: Jute.Vector(Jute.UString),
  childWatches: Jute.Vector(Jute.UString)
})

/** @since 0.1.0 */
export const SetWatches2 = Schema.Struct({
  ...SetWatches.fields,
  persistentWatches: Jute.Vector(Jute.UString),
  persistentRecursiveWatches: Jute.Vector(Jute.UString)
})

/** @since 0.1.0 */
export const AuthPacket = Schema.Struct({ type: Jute.Int, scheme: Jute.UString, auth: Jute.NullOr(Jute.Buffer) })

/** @since 0.1.0 */
export const GetSASLRequest = Schema.Struct({ token: Jute.NullOr(Jute.Buffer) })

/** @since 0.1.0 */
export const GetEphemeralsRequest = Schema.Struct({ prefixPath: Jute.NullOr(Jute.UString) })

// -----------------------------------------------------------------------------
// responses
// -----------------------------------------------------------------------------

/** create and sync. @since 0.1.0 */
export const PathResponse = Jute.direct(Schema.Struct({ path: Jute.UString }), {
  read: (reader) => ({ path: reader.text() })
})

/** create2, createContainer and createTTL. @since 0.1.0 */
export const Create2Response = Schema.Struct({ path: Jute.UString, stat: Stat })

/** exists, setData and setACL. @since 0.1.0 */
export const StatResponse = Jute.direct(Schema.Struct({ stat: Stat }), {
  read: (reader) => ({ stat: statCodec.read(reader) })
})

/** getData and reconfig; `data` is null where the znode was created without data. @since 0.1.0 */
export const GetDataResponse = Jute.direct(Schema.Struct({ data: Jute.NullOr(Jute.Buffer), stat: Stat }), {
  read: (reader) => ({ data: reader.buffer(), stat: statCodec.read(reader) })
})

/** @since 0.1.0 */
export const GetACLResponse = Schema.Struct({ acl: Jute.Vector(Acl), stat: Stat })

/** @since 0.1.0 */
export const GetChildrenResponse = Schema.Struct({ children: Jute.Vector(Jute.UString) })

/** @since 0.1.0 */
export const GetChildren2Response = Schema.Struct({ children: Jute.Vector(Jute.UString), stat: Stat })

/** @since 0.1.0 */
export const SetSASLResponse = Schema.Struct({ token: Jute.NullOr(Jute.Buffer) })

/** @since 0.1.0 */
export const GetEphemeralsResponse = Schema.Struct({ ephemerals: Jute.Vector(Jute.UString) })

/** @since 0.1.0 */
export const GetAllChildrenNumberResponse = Schema.Struct({ totalNumber: Jute.Int })

/** @since 0.1.0 */
export const WhoAmIResponse = Schema.Struct({ clientInfo: Jute.Vector(ClientInfo) })
