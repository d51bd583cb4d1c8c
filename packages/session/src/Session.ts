/**
 * One ZooKeeper session over many connections.
 *
 * A session pipelines requests, keeps itself alive, finds another server when one is lost, and registers its watches
 * again. It knows operations, and paths as servers see them. Chroots, ZNodes and the results of transactions are the
 * client's.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import { type Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { makeSession } from "./internal/makeSession.ts"
import type { AuthFailed, ConnectFailed, SessionError, SessionExpired } from "./SessionError.ts"
import type { SessionInfo } from "./SessionInfo.ts"
import { type AuthInfo, type SessionOptions, sessionOptions } from "./SessionOptions.ts"
import type { PersistentWatchListener, RequestPath, Watched } from "./Watch.ts"

export type { ServerFeatures, SessionClosing, SessionInfo } from "./SessionInfo.ts"
export { type AuthInfo, type SessionCredentials, type SessionOptions, sessionOptions } from "./SessionOptions.ts"
export type { Changed, PersistentWatchListener, RequestPath, Watched } from "./Watch.ts"

/**
 * The limits of each request of a session.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestLimits {
  /** Bytes. */
  readonly maxRequestSize: number
  /** Milliseconds; undefined for no limit. */
  readonly requestTimeout: number | undefined
}

/**
 * A session with one ensemble: sends requests, sets watches, and tells its state. Applications use the client, which is
 * built on it; use the session itself for operations of the protocol as they are.
 *
 * Requests fail with the errors of their row of the operation table, or with one of `SessionError`.
 *
 * @category services
 * @since 0.1.0
 */
export class Session extends Context.Service<
  Session,
  {
    readonly info: SessionInfo
    /** The chroot that the connect string names; "/" for none. The session itself takes paths as servers see them. */
    readonly chroot: string
    readonly limits: RequestLimits
    /** Whether any server of the first list is reached by TLS. */
    readonly usesTls: boolean
    /**
     * Sends one request. `path` is the one that errors name. Interruption is safe at any time: the request keeps its place in
     * the order of replies.
     */
    readonly request: <O extends Operation.Any>(
      operation: O,
      request: Operation.Request<O>,
      path: string
    ) => Effect.Effect<Operation.Response<O>, Operation.Error<O> | SessionError>
    /**
     * The same without an Effect, for callers that have their own way to wait: `resume` is called once, perhaps at once, with
     * the result of `transform` for a response, or with the failure. `transform` runs where the reply is read, so it must
     * return at once.
     *
     * The returned function gives the request up. There is none for a request that has been sent: only its reply ends it,
     * and `resume` may be called after all. `caller` is the fiber that waits, if one does: a read that is lost with its
     * connection is not sent again for a fiber that has ended.
     */
    readonly requestUnsafe: <O extends Operation.Any, A>(
      operation: O,
      request: Operation.Request<O>,
      path: string,
      transform: (response: Operation.Response<O>) => A,
      resume: (exit: Exit.Exit<A, Operation.Error<O> | SessionError>) => void,
      caller?: Fiber.Fiber<unknown, unknown>
    ) => (() => void) | undefined
    /** Reads data, and watches for its change or deletion. */
    readonly watchData: (
      path: RequestPath
    ) => Effect.Effect<
      Watched<Operation.Response<typeof Operations.getData>>,
      Operation.Error<typeof Operations.getData> | SessionError
    >
    /** Lists children, and watches for their creation and deletion. */
    readonly watchChildren: (
      path: RequestPath
    ) => Effect.Effect<
      Watched<Operation.Response<typeof Operations.getChildren2>>,
      Operation.Error<typeof Operations.getChildren2> | SessionError
    >
    /** Watches a znode whether it exists or not: for its creation, change or deletion. */
    readonly watchExists: (
      path: RequestPath
    ) => Effect.Effect<
      Watched<Operation.Response<typeof Operations.exists> | undefined>,
      Exclude<Operation.Error<typeof Operations.exists>, { readonly _tag: "NoNode" }> | SessionError
    >
    /**
     * Adds a persistent watch for as long as the Scope is open; completes when the server holds it. ZooKeeper 3.6 and later.
     */
    readonly watchPersistently: (
      path: RequestPath,
      options: { readonly recursive: boolean; readonly listener: PersistentWatchListener }
    ) => Effect.Effect<void, SessionError, Scope.Scope>
    /**
     * Begins an effect that goes on whatever becomes of the caller, until its own end or the session's; a close of the
     * session waits for it.
     */
    readonly errand: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<Fiber.Fiber<A, E>>
    /**
     * Shows credentials to the server of this connection and of all that follow. A refusal is final for the session.
     * Credentials with which eight connections were lost are given up with `AuthFailed`; the session goes on if no server has
     * accepted them yet.
     */
    readonly addAuth: (auth: AuthInfo) => Effect.Effect<void, SessionError | InvalidArgument>
    /** Replaces the list of servers, and moves to another server as ZooKeeper's rebalancing has it. */
    readonly updateServers: (connectString: string) => Effect.Effect<void, InvalidArgument>
  }
>()("@effect-zookeeper/session/Session") {}

/** A client is made of one object with the options of all its layers; those of its other layers are passed over. */
const layerOptions = KnownOptions.make<
  SessionOptions & {
    chroot?: unknown
    defaultAcl?: unknown
    followConfig?: unknown
    interceptors?: unknown
    tls?: unknown
  }
>(
  { ...sessionOptions.keys, chroot: true, defaultAcl: true, followConfig: true, interceptors: true, tls: true },
  sessionOptions.example
)

/**
 * Connects a session and keeps it until the Scope closes; then ends it and leaves nothing running.
 *
 * It fails with `ConnectFailed` when no server gave a session within `connectTimeout`, with `AuthFailed` when the credentials
 * were refused, with `SessionExpired` when the session to take up again is over and `sessionExpiry` is `"fail"`, and with
 * `InvalidArgument` for a mistake in the options. The options of the client and of the transport may be among them and are
 * passed over; any other key is a mistake. With `firstConnection: "background"` it gives the session at once, and only a
 * mistake in the options fails.
 *
 * @example
 * ```ts
 * import * as Session from "@effect-zookeeper/session/Session"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const SessionLive = Session.layer({ servers: "zk1:2181,zk2:2181", sessionTimeout: "20 seconds" }).pipe(
 *   Layer.provide(Transport.layer())
 * )
 *
 * export const program = Effect.gen(function* () {
 *   const { info } = yield* Session.Session
 *   yield* Effect.log(`connected as session ${info.id}`)
 * }).pipe(Effect.provide(SessionLive))
 * ```
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: SessionOptions = {}
): Layer.Layer<Session, ConnectFailed | AuthFailed | SessionExpired | InvalidArgument, Transport> =>
  Layer.effect(Session, make(options))

/**
 * The session of {@link layer}, which lives as long as the Scope. It is for code that makes many sessions: a layer for each
 * part of a client takes memory and time of its own.
 *
 * @example
 * ```ts
 * import * as Session from "@effect-zookeeper/session/Session"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const { info } = yield* Session.make({ servers: "zk1:2181,zk2:2181" })
 *   yield* Effect.log(`connected as session ${info.id}`)
 * }).pipe(Effect.scoped, Effect.provideService(Transport.Transport, Transport.make()))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: SessionOptions = {}
): Effect.Effect<
  Session["Service"],
  ConnectFailed | AuthFailed | SessionExpired | InvalidArgument,
  Transport | Scope.Scope
> =>
  Effect.suspend(() => {
    const mistake = KnownOptions.check(layerOptions, options)
    return mistake === undefined ? makeSession(options) : Effect.fail(mistake)
  })
