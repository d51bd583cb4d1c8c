/**
 * The bodies of requests.
 */
import * as Schema from "effect/Schema"
import * as Jute from "../../Jute.ts"
import { RequestedAcl, writeAcl } from "./common.ts"

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
