/**
 * One ZooKeeper session over many connections.
 *
 * A session pipelines requests, keeps itself alive, finds another server when one is lost, and registers its watches
 * again. It knows operations, paths as servers see them, and nothing of chroots, ZNodes or transactions: those are the
 * client's.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import { type Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { makeSession } from "./internal/makeSession.ts"
import type { SaslMechanism } from "./Sasl.ts"
import type {
  ConnectionLoss,
  AuthFailed,
  ConnectFailed,
  OwnershipLost,
  ServerRefused,
  SessionClosed,
  SessionError,
  SessionExpired
} from "./SessionError.ts"
import type { SessionState } from "./SessionState.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * An identity to add to every connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface AuthInfo {
  /** `digest`, or any other scheme that the servers know. */
  readonly scheme: string
  /** For `digest`: `user:password`. */
  readonly credentials: Redacted.Redacted<string>
}

/**
 * A session to take up again.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionCredentials {
  readonly id: bigint
  /** The 16 bytes that came with it. Whoever has them owns the session. */
  readonly password: Redacted.Redacted<Uint8Array>
}

/**
 * @category options
 * @since 0.1.0
 */
export interface SessionOptions {
  /**
   * `host:port,...`, with an optional chroot after the last one; port 2181 if left out, IPv6 in brackets. The default is
   * the transport's, if it has one.
   */
  readonly servers?: string | undefined
  /** How long servers keep a silent session (`session_timeout` in aiozk). Servers clamp it. Default 10 seconds. */
  readonly sessionTimeout?: Duration.Input | undefined
  /**
   * How long the first connection may take, then `ConnectFailed`; every server has its turn in that time. `"infinity"`
   * waits for a server that has yet to come. Default 15 seconds.
   */
  readonly connectTimeout?: Duration.Input | "infinity" | undefined
  /** How long one request may take, waiting for a connection included, and all attempts at a write that is repeated
   * (`protected`, `idempotent`, `guaranteed`). Default: no limit. */
  readonly requestTimeout?: Duration.Input | undefined
  /** Whether a server without quorum may serve reads (`allow_read_only` in aiozk). Default false. */
  readonly allowReadOnly?: boolean | undefined
  readonly auth?: ReadonlyArray<AuthInfo> | undefined
  /** Proves who we are on each connection before anything else is said; see `Sasl.digestMd5`. Default: none. */
  readonly sasl?: SaslMechanism | undefined
  /**
   * The pauses between rounds over all servers, while there is no connection (`retry_policy` in aiozk). The first try
   * after a connection that worked comes without one, unless more than three in a row lasted less than a second. When it
   * ends, it is begun anew. From the second round on there is a random part of the last pause between two servers too, and
   * no pause outlasts what is left of the session. Default: a random time of up to 200 milliseconds, doubling up to a
   * quarter of `sessionTimeout` and 5 seconds at most, forever: many clients spread, and no pause costs a session.
   */
  readonly retry?: Schedule.Schedule<unknown> | undefined
  /** What follows an expiry: a new session (`recreate`, the default), or nothing (`fail`). */
  readonly sessionExpiry?: "recreate" | "fail" | undefined
  /**
   * What happens when the servers have seen less than this session has (`EnsembleBehind`): they lag, have no quorum, or
   * have lost their data. `wait` goes on trying, with a warning at once and each minute. `accept` ends the session and
   * begins another, which may read older state than was read before, and says so in the log: for development servers
   * whose data comes and goes. Default `wait`.
   */
  readonly ensembleReset?: "wait" | "accept" | undefined
  /** The largest reply in bytes. Default 4 MiB. */
  readonly maxFrameSize?: number | undefined
  /**
   * The largest request in bytes: a larger one fails with `FrameTooLarge` and is not sent. A server closes the connection on
   * a request above its `jute.maxbuffer`; raise this where all servers run with a larger one, and lower it with a smaller.
   * Default 1,048,575, which is what servers take unless told otherwise.
   */
  readonly maxRequestSize?: number | undefined
  /** How many requests may be with the server at once; callers beyond it wait. Default 1,000. */
  readonly maxInFlight?: number | undefined
  /** A session to take up again. */
  readonly session?: SessionCredentials | undefined
  /**
   * Whether secrets may travel unprotected that would not have to. Without it a list of servers is refused that reaches
   * some over TLS and others not: what the ones got encrypted, the session's password and its credentials, the others
   * would get in plain text. So are credentials for a server elsewhere whose certificate is not verified. Where no server
   * is reached over TLS there is nothing to refuse. Default false.
   */
  readonly allowPlaintext?: boolean | undefined
  /**
   * How long before the session could end its ownership ends: the time that is left to stop what is guarded. Less than
   * `sessionTimeout`. Where a server grants so short a session that more than half of it would be margin, half of it is used,
   * with a warning. Default: a tenth of the session timeout.
   */
  readonly ownershipMargin?: Duration.Input | undefined
  /**
   * What proves that the ensemble holds the session, for all that is owned by it (`ownership`, `deadline`, locks and the
   * like).
   *
   * - `quorum`, the default: the answer to a request that a quorum has committed. While anybody owns something, a
   *   transaction of one `check`, which changes nothing, takes the place of the heartbeat: four in each session timeout,
   *   whatever is owned. A session that owns nothing sends none.
   * - `server`: any answer of the connected server, as other clients have it. It costs nothing beside heartbeats. A server
   *   that is cut off from its ensemble answers for `syncLimit` ticks (10 seconds by default): two clients can own the same
   *   thing for as long.
   */
  readonly ownershipProof?: "quorum" | "server" | undefined
  /**
   * How long a close may take as a whole: what is guarded stops, what is owned is given back, the session is ended at a
   * server, which may have to be found first. Default 2 seconds.
   */
  readonly closeTimeout?: Duration.Input | undefined
}

/**
 * The options that a session knows. Whoever extends them, as the client does, refuses others by this table too.
 *
 * @category options
 * @since 0.1.0
 */
export const sessionOptions = KnownOptions.make<SessionOptions>(
  {
    servers: true,
    sessionTimeout: true,
    connectTimeout: true,
    requestTimeout: true,
    allowReadOnly: true,
    auth: true,
    sasl: true,
    retry: true,
    sessionExpiry: true,
    ensembleReset: true,
    maxFrameSize: true,
    maxRequestSize: true,
    maxInFlight: true,
    session: true,
    allowPlaintext: true,
    ownershipMargin: true,
    ownershipProof: true,
    closeTimeout: true
  },
  '{ sessionTimeout: "10 seconds" }'
)

/** What a client is made of is made of one object of options: those of its other layers are none of the session's. */
const layerOptions = KnownOptions.make<SessionOptions & { chroot?: unknown; defaultAcl?: unknown; tls?: unknown }>(
  { ...sessionOptions.keys, chroot: true, defaultAcl: true, tls: true },
  sessionOptions.example
)

// -----------------------------------------------------------------------------
// watches
// -----------------------------------------------------------------------------

/**
 * Waits for the one event of a one-shot watch. Interrupting it drops the watch. It fails with `ConnectionLoss` when eight
 * connections in a row were lost while the watch was being registered again, and is given up then.
 *
 * @category models
 * @since 0.1.0
 */
export type Changed = Effect.Effect<WatchEvent.WatchEvent, SessionExpired | SessionClosed | ConnectionLoss>

/**
 * What a read with a watch gives.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watched<A> {
  readonly response: A
  readonly changed: Changed
}

/**
 * What a persistent watch tells its owner. The functions are called by the connection's reader, in the order of the
 * server: they must return at once and not throw.
 *
 * @category models
 * @since 0.1.0
 */
export interface PersistentWatchListener {
  /** An event, or `Gap` after a reconnection or a new session. Paths are the server's. */
  readonly onEvent: (event: WatchEvent.WatchEvent | WatchEvent.Gap) => void
  /**
   * No event will follow: `ServerRefused` where the session has moved to a server that knows no persistent watches,
   * `ConnectionLoss` where eight connections in a row were lost while the watch was being registered again.
   */
  readonly onEnd: (reason: SessionExpired | SessionClosed | ServerRefused | ConnectionLoss) => void
}

// -----------------------------------------------------------------------------
// the service
// -----------------------------------------------------------------------------

/**
 * What the connected server is known to lack. A server cannot be asked: an operation that it does not know costs a
 * connection, so it is remembered for each server, and refused from then on without being sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerFeatures {
  /** False once the server has answered that it does not know the operation (a name of the operation table). */
  readonly supports: (operation: string) => boolean
  /** Whether events carry their transaction: 3.9 and later. Undefined until a first event came. */
  readonly eventZxids: boolean | undefined
}

/**
 * The view of a session that applications get: what it is now, and what becomes of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionInfo {
  /** The current session; it changes when an expired one is replaced. 0 before the first. */
  readonly id: bigint
  readonly password: Redacted.Redacted<Uint8Array>
  /**
   * Which history of the ensemble this is: 0, and one more with each that `ensembleReset: "accept"` took as it was. Transactions
   * are older or newer than one another within a history only; all of a later one is newer.
   */
  readonly history: number
  readonly state: SessionState
  /** The current state, then each newer one. */
  readonly states: Stream.Stream<SessionState>
  /**
   * When ownership ends unless it is proved anew before: a reading of the monotonic clock, in nanoseconds. While nobody
   * waits for `ownership` only the application's own writes prove anything, and the deadline may lie in the past. It is
   * never in the future of a session that is over.
   */
  readonly deadline: bigint
  /**
   * Never succeeds. Fails when `deadline` comes, and when the session expires or is closed: whoever owns something by this
   * session stops then. A lapse is final for those who waited through it, even if the session goes on.
   *
   * While it is waited for, a quorum proves four times in each session timeout that it holds the session. Where nothing has
   * proved that lately it fails at once, and asks for a proof: make or write what is to be owned first, such as by the
   * `create` of an ephemeral znode, which is a proof itself, and wait from then on.
   */
  readonly ownership: Effect.Effect<never, OwnershipLost>
  readonly server: Option.Option<{ readonly host: string; readonly port: number }>
  /** Whether the connected server serves reads only. */
  readonly readOnly: boolean
  /** The timeout that the server granted, in milliseconds; before the first connection the one asked for. */
  readonly timeout: number
  readonly serverFeatures: ServerFeatures
  /** Leaves without ending the session: its ephemeral znodes stay until it expires or is taken up again. */
  readonly detach: Effect.Effect<void>
  /** What a close of the session waits for. */
  readonly closing: SessionClosing
}

/**
 * What a close of the session waits for, within its one deadline (`closeTimeout`). For recipes: who owns something by the
 * session keeps others from having it while it is in use, and gives it back.
 *
 * ```ts
 * const release = yield* zk.session.closing.hold("ephemeral")
 * yield* Effect.raceFirst(zk.session.ownership, work).pipe(
 *   Effect.ensuring(zk.session.closing.giveBack(zk.delete(path, { guaranteed: true }))),
 *   Effect.ensuring(release)
 * )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionClosing {
  /** When the close must be done: a reading of the monotonic clock, in nanoseconds. None while nobody closes the session. */
  readonly deadline: Option.Option<bigint>
  /** Completes as soon as somebody begins to close the session. Ownership has ended by then. */
  readonly begun: Effect.Effect<void>
  /**
   * Keeps a close from ending the session until the effect that this gives has run. A hold by an ephemeral znode that
   * outlives the deadline leaves the session to lapse by itself, for its end would give the znode's place to others; one by
   * a persistent znode does not.
   */
  readonly hold: (by: "ephemeral" | "persistent") => Effect.Effect<Effect.Effect<void>>
  /**
   * Begins to give something back, whatever becomes of the caller, and waits for it: a second at most for all that is given
   * back together, and no longer once the session is being closed, for then the close waits, for all side by side.
   */
  readonly giveBack: (effect: Effect.Effect<unknown, unknown>) => Effect.Effect<void>
}

/**
 * What the requests of a session are held to.
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
 * A path twice: as the server knows it, and as errors name it.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestPath {
  readonly server: string
  readonly client: string
}

/**
 * @category services
 * @since 0.1.0
 */
export class Session extends Context.Service<
  Session,
  {
    readonly info: SessionInfo
    /** The chroot that the connect string names; "/" for none. The session itself takes paths as servers see them. */
    readonly chroot: string
    /** What requests are held to. */
    readonly limits: RequestLimits
    /**
     * Sends one request. `path` is what errors name. Interruption is safe at any time: the request keeps its place in the
     * order of replies.
     */
    readonly request: <O extends Operation.Any>(
      operation: O,
      request: Operation.Request<O>,
      path: string
    ) => Effect.Effect<Operation.Response<O>, Operation.Error<O> | SessionError>
    /**
     * The same beneath Effect, for who brings the way to wait: `resume` is called once, with what `transform` makes of the
     * response or with the failure, and perhaps at once. `transform` runs where the reply is read, so it must return at once.
     *
     * The function that is returned gives the request up. There is none for what has been sent: only its reply ends it,
     * and `resume` must then bear to be called after all. `caller` is the fiber that waits, if one does: a read that is
     * lost with its connection is not asked again for a fiber that has ended.
     */
    readonly requestUnsafe: <O extends Operation.Any, A>(
      operation: O,
      request: Operation.Request<O>,
      path: string,
      transform: (response: Operation.Response<O>) => A,
      resume: (exit: Exit.Exit<A, Operation.Error<O> | SessionError>) => void,
      caller?: Fiber.Fiber<unknown, unknown>
    ) => (() => void) | undefined
    readonly watchData: (
      path: RequestPath
    ) => Effect.Effect<
      Watched<Operation.Response<typeof Operations.getData>>,
      Operation.Error<typeof Operations.getData> | SessionError
    >
    readonly watchChildren: (
      path: RequestPath
    ) => Effect.Effect<
      Watched<Operation.Response<typeof Operations.getChildren2>>,
      Operation.Error<typeof Operations.getChildren2> | SessionError
    >
    /** Watches whether the znode is there or not. */
    readonly watchExists: (
      path: RequestPath
    ) => Effect.Effect<
      Watched<Operation.Response<typeof Operations.exists> | undefined>,
      Exclude<Operation.Error<typeof Operations.exists>, { readonly _tag: "NoNode" }> | SessionError
    >
    /**
     * Adds a persistent watch for as long as the Scope is open; returns when the server holds it. ZooKeeper 3.6 and later.
     */
    readonly watchPersistently: (
      path: RequestPath,
      options: { readonly recursive: boolean; readonly listener: PersistentWatchListener }
    ) => Effect.Effect<void, SessionError, Scope.Scope>
    /**
     * Begins something that goes on whatever becomes of the caller, until its own end or the session's; a close of the
     * session waits for it.
     */
    readonly errand: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<Fiber.Fiber<A, E>>
    /**
     * Adds an identity to this connection and all that follow. A refusal is final for the session. Credentials with which
     * eight connections were lost are given up with `AuthFailed`; the session goes on where no server has accepted them yet.
     */
    readonly addAuth: (auth: AuthInfo) => Effect.Effect<void, SessionError | InvalidArgument>
    /** Replaces the list of servers, and moves to another one as ZooKeeper's rebalancing has it. */
    readonly updateServers: (connectString: string) => Effect.Effect<void, InvalidArgument>
  }
>()("@effect-zookeeper/session/Session") {}

/**
 * Connects, and keeps the session until the Scope closes; then ends it and leaves nothing running. Options of the client and
 * of the transport may stand beside its own, and are passed over; any other key is `InvalidArgument`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: SessionOptions = {}
): Layer.Layer<Session, ConnectFailed | AuthFailed | SessionExpired | InvalidArgument, Transport> =>
  Layer.effect(
    Session,
    Effect.suspend(() => {
      const mistake = KnownOptions.check(layerOptions, options)
      return mistake === undefined ? makeSession(options) : Effect.fail(mistake)
    })
  )
