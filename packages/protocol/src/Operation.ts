/**
 * What an operation is: one row of the table that client and server share.
 *
 * The typed methods of the client, the decoder of the session, the dispatcher of the embedded server, the attributes of
 * spans and the error lists of the documentation all read the same row.
 *
 * @since 0.1.0
 */
// oxlint-disable typescript/no-explicit-any -- a row of any request and response: both are in and out positions
import type * as Jute from "./Jute.ts"
import type * as ServerError from "./ServerError.ts"

/**
 * What a lost reply means. `read`: asking again is safe, for nothing changes. `write`: it may have been applied, so it is
 * never sent again silently. `session`: it belongs to one connection and is not repeated by anybody but the session.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "read" | "write" | "session"

/**
 * @category models
 * @since 0.1.0
 */
export interface Operation<
  out Name extends string,
  in out Request,
  in out Response,
  out Errors extends ServerError.Name
> {
  /** ZooKeeper's name for it. */
  readonly name: Name
  readonly opCode: number
  readonly kind: Kind
  readonly request: Jute.Codec<Request>
  readonly response: Jute.Codec<Response>
  /** The errors that a server can answer and that have a class of their own. */
  readonly errors: ReadonlyArray<Errors>
  /** The first ZooKeeper release whose servers know it. */
  readonly since: string
}

/**
 * @category models
 * @since 0.1.0
 */
export type Any = Operation<string, any, any, ServerError.Name>

/**
 * @category models
 * @since 0.1.0
 */
export type Request<O extends Any> = O extends Operation<string, infer A, any, ServerError.Name> ? A : never

/**
 * @category models
 * @since 0.1.0
 */
export type Response<O extends Any> = O extends Operation<string, any, infer A, ServerError.Name> ? A : never

/**
 * The typed errors of an operation, beside those that every operation of a session can end with.
 *
 * @category models
 * @since 0.1.0
 */
export type Error<O extends Any> =
  O extends Operation<string, any, any, infer E extends ServerError.Name> ? ServerError.ByName<E> : never

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Name extends string, Request, Response, const Errors extends ServerError.Name = never>(row: {
  readonly name: Name
  readonly opCode: number
  readonly kind: Kind
  readonly request: Jute.Codec<Request>
  readonly response: Jute.Codec<Response>
  readonly errors?: ReadonlyArray<Errors>
  readonly since: string
}): Operation<Name, Request, Response, Errors> => ({ ...row, errors: row.errors ?? [] })
