/**
 * The records of the client protocol, each a schema whose field order is the order on the wire. Names and order are
 * those of ZooKeeper's own schema, up to release 3.9.
 *
 * @since 0.1.0
 */
export {
  Acl,
  ClientInfo,
  ConnectRequest,
  ConnectResponse,
  ErrorResponse,
  MultiHeader,
  ReplyHeader,
  RequestedAcl,
  RequestHeader,
  Stat,
  WatcherEvent
} from "./internal/records/common.ts"
export * from "./internal/records/requests.ts"
export * from "./internal/records/responses.ts"
