/**
 * Sessions as the server of the console shows them: Schemas. See `EnsembleModels` for the members.
 *
 * This module is in the bundle of the page: it imports nothing that a browser lacks. Units are those of `Models`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Hex } from "./Models.ts"

/**
 * A session. A field is missing where no server tells it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Session = Schema.Struct({
  session: Hex,
  /** The server that the client is connected to. */
  server: Schema.optionalKey(Schema.String),
  /** The address of the client. */
  client: Schema.optionalKey(Schema.String),
  /** When the connection began. */
  connected: Schema.optionalKey(Schema.Finite),
  /** Milliseconds. */
  timeout: Schema.optionalKey(Schema.Finite),
  /** The number of its ephemeral znodes. */
  ephemerals: Schema.optionalKey(Schema.Finite),
  queued: Schema.optionalKey(Schema.Finite),
  received: Schema.optionalKey(Schema.Finite),
  sent: Schema.optionalKey(Schema.Finite),
  lastOperation: Schema.optionalKey(Schema.String)
})

/**
 * A session.
 *
 * @category models
 * @since 0.1.0
 */
export type Session = typeof Session.Type

/**
 * The first sessions that match, as far as the servers tell. `problems` says why some do not: their connections are missing.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Sessions = Schema.Struct({
  sessions: Schema.Array(Session),
  /** How many match, of how many. */
  matching: Schema.Int,
  total: Schema.Int,
  problems: Schema.Array(Schema.String)
})

/**
 * The first sessions that match, as far as the servers tell.
 *
 * @category models
 * @since 0.1.0
 */
export type Sessions = typeof Sessions.Type

/**
 * A path that servers name. One that is inside of the chroot is as pages know it, and others are as servers write them: they lead
 * nowhere.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionPath = Schema.Struct({ path: Schema.String, isInside: Schema.Boolean })

/**
 * A path that servers name.
 *
 * @category models
 * @since 0.1.0
 */
export type SessionPath = typeof SessionPath.Type

/**
 * A session with its znodes. The list is missing where no server tells it, and cut where it is long. `problems` says which
 * servers do not answer, and why.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionDetail = Schema.Struct({
  session: Session,
  ephemerals: Schema.optionalKey(Schema.Array(SessionPath)),
  problems: Schema.Array(Schema.String),
  isTruncated: Schema.Boolean
})

/**
 * A session with its znodes.
 *
 * @category models
 * @since 0.1.0
 */
export type SessionDetail = typeof SessionDetail.Type

/**
 * The watches of a session. The list is cut where it is long. `problems` says which servers do not tell theirs, and why.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionWatches = Schema.Struct({
  watches: Schema.Array(SessionPath),
  problems: Schema.Array(Schema.String),
  isTruncated: Schema.Boolean
})

/**
 * The watches of a session.
 *
 * @category models
 * @since 0.1.0
 */
export type SessionWatches = typeof SessionWatches.Type
