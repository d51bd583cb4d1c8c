/**
 * The type of an operation: one row of the table in `Operations`, which client and server share.
 *
 * The typed methods of the client, the decoder of the session, the dispatcher of the embedded server and the attributes of
 * spans all use the same row.
 *
 * @since 0.1.0
 */
// oxlint-disable typescript/no-explicit-any -- request and response are invariant, so that `unknown` would not do
import type * as Jute from "./Jute.ts"
import type * as ServerError from "./ServerError.ts"

/**
 * The meaning of a lost reply.
 *
 * - `read`: the request can be sent again, since it changes nothing.
 * - `write`: the request may have been applied, and so is never sent again silently.
 * - `session`: the request belongs to one connection, and only the session repeats it.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "read" | "write" | "session"

/**
 * An operation: its name, its number, how its request and response are encoded, and its errors.
 *
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
  /** The type of the request in its header. */
  readonly opCode: number
  readonly kind: Kind
  readonly request: Jute.Codec<Request>
  readonly response: Jute.Codec<Response>
  /** The errors of `ServerError` that a server can answer it with. */
  readonly errors: ReadonlyArray<Errors>
  /** The first release of ZooKeeper that has it. */
  readonly since: string
}

/**
 * Any row of the table.
 *
 * @category models
 * @since 0.1.0
 */
export type Any = Operation<string, any, any, ServerError.Name>

/**
 * The type of an operation's request: `Request<typeof Operations.create>`.
 *
 * @category models
 * @since 0.1.0
 */
export type Request<O extends Any> = O extends Operation<string, infer A, any, ServerError.Name> ? A : never

/**
 * The type of an operation's response: `Response<typeof Operations.getData>`.
 *
 * @category models
 * @since 0.1.0
 */
export type Response<O extends Any> = O extends Operation<string, any, infer A, ServerError.Name> ? A : never

/**
 * The errors of `ServerError` that an operation can fail with, in addition to the errors of every request of a session.
 *
 * @category models
 * @since 0.1.0
 */
export type Error<O extends Any> =
  O extends Operation<string, any, any, infer E extends ServerError.Name> ? ServerError.ByName<E> : never

/**
 * A row of the table. For operations of a server that the table does not have: a session sends any row.
 *
 * @example
 * ```ts
 * import * as Jute from "@effect-zookeeper/protocol/Jute"
 * import * as Operation from "@effect-zookeeper/protocol/Operation"
 * import * as Schema from "effect/Schema"
 *
 * const countChildren = Operation.make({
 *   name: "countChildren",
 *   opCode: 1000,
 *   kind: "read",
 *   request: Jute.codec(Schema.Struct({ path: Jute.UString })),
 *   response: Jute.codec(Schema.Struct({ count: Jute.Int })),
 *   errors: ["NoNode"],
 *   since: "3.9.0"
 * })
 * ```
 *
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
