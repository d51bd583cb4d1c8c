/**
 * The bodies of responses.
 */
import * as Schema from "effect/Schema"
import * as Jute from "../../Jute.ts"
import { Acl, ClientInfo, Stat, statCodec } from "./common.ts"

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
