/**
 * The options of a session.
 *
 * @since 0.1.0
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type { SaslMechanism } from "./SaslMechanism.ts"

/**
 * Credentials that are shown to the server of every connection.
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
  /** The 16 bytes that came with the id. Any client that has them can take the session over. */
  readonly password: Redacted.Redacted<Uint8Array>
}

/**
 * The options of a session. All of them have defaults, but for `servers` if the transport has no default either. An invalid
 * one fails with `InvalidArgument`, before anything is sent.
 *
 * @category options
 * @since 0.1.0
 */
export interface SessionOptions {
  /**
   * `host:port,...`, with an optional chroot after the last one; port 2181 if left out, IPv6 in brackets. The default is
   * the transport's, if it has one.
   *
   * `dns+srv://_zookeeper._tcp.example/app` names the servers by an SRV record of DNS. It is looked up within
   * `connectTimeout`, again each minute, and each 5 seconds while there is no connection. A changed list replaces the one
   * before, as with `updateServers`; while DNS gives no answer the list stays. A look-up that takes 10 seconds has failed.
   */
  readonly servers?: string | undefined
  /** How long servers keep a silent session (`session_timeout` in aiozk). Servers clamp it. Default 10 seconds. */
  readonly sessionTimeout?: Duration.Input | undefined
  /**
   * How long the first connection may take before it fails with `ConnectFailed`; every server has its turn in that time.
   * `"infinity"` waits for a server that has yet to come. Default 15 seconds.
   */
  readonly connectTimeout?: Duration.Input | "infinity" | undefined
  /**
   * Whether the session is there with its first connection, or at once.
   *
   * - `wait`, the default: it is there when a server has given it, within `connectTimeout`.
   * - `background`: it is there at once, in the state `Connecting`, and looks for a server as in an outage: requests wait, and
   *   nothing is owned. An option that breaks a rule fails at once all the same. A refusal of a server is told as later on:
   *   that of credentials by the state `AuthFailed` and by the error of each request. `connectTimeout` ends nothing.
   */
  readonly firstConnection?: "wait" | "background" | undefined
  /**
   * How long one request may take before it fails with `RequestTimeout`, including the wait for a connection and all attempts
   * at a write that is repeated (`protected`, `idempotent`, `guaranteed`). Default: no limit.
   */
  readonly requestTimeout?: Duration.Input | undefined
  /** Whether a server without quorum may serve reads (`allow_read_only` in aiozk). Default false. */
  readonly allowReadOnly?: boolean | undefined
  /** Credentials for every connection. A refusal ends the session with `AuthFailed`. Default: none. */
  readonly auth?: ReadonlyArray<AuthInfo> | undefined
  /** Proves the user on each connection before anything else is sent, such as `Sasl.digestMd5`. Default: none. */
  readonly sasl?: SaslMechanism | undefined
  /**
   * The pauses between rounds over all servers, while there is no connection (`retry_policy` in aiozk). When the schedule
   * ends, it begins anew.
   *
   * The first try after a connection that worked comes without a pause, unless more than three in a row lasted less than a
   * second. From the second round on there is a random part of the last pause between two servers too. The first pause that
   * would outlast the session is cut to a random part of what is left, so that there is one more try before the end; the
   * next one goes on beyond it, so that many clients whose sessions end at the same moment spread. Default: a random time of
   * up to 200 milliseconds, doubling up to a quarter of `sessionTimeout` and 5 seconds at most, forever.
   */
  readonly retry?: Schedule.Schedule<unknown> | undefined
  /** What follows an expiry: a new session (`recreate`, the default), or nothing (`fail`). */
  readonly sessionExpiry?: "recreate" | "fail" | undefined
  /**
   * What happens when the servers have seen less than this session has (`EnsembleBehind`): they lag, have no quorum, or
   * have lost their data. `wait`, the default, goes on trying, with a warning at once and each minute. `accept` ends the
   * session and begins another, which may read older state than was read before, and says so in the log: for development
   * servers whose data comes and goes.
   */
  readonly ensembleReset?: "wait" | "accept" | undefined
  /** The largest reply in bytes; a larger one fails with `FrameTooLarge`. Default 4 MiB. */
  readonly maxFrameSize?: number | undefined
  /**
   * The largest request in bytes: a larger one fails with `FrameTooLarge` and is not sent. A server closes the connection on
   * a request above its `jute.maxbuffer`; raise this where all servers run with a larger one, and lower it with a smaller.
   * Default 1,048,575, which is what servers take unless told otherwise.
   */
  readonly maxRequestSize?: number | undefined
  /** How many requests may be with the server at once; callers beyond it wait. Default 1,000. */
  readonly maxInFlight?: number | undefined
  /** A session to take up again. Default: a new session. */
  readonly session?: SessionCredentials | undefined
  /**
   * Whether secrets may travel unprotected that would not have to. Without it a list of servers is refused that reaches
   * some over TLS and others not, because the others would get in plain text the session's password and credentials that
   * the first got encrypted. So are credentials for a remote server whose certificate is not verified. If no server is
   * reached over TLS there is nothing to refuse. Default false.
   */
  readonly allowPlaintext?: boolean | undefined
  /**
   * How long before the session could end its ownership ends: the time that is left to stop guarded work. It must be less
   * than `sessionTimeout`. If a server grants so short a session that more than half of it would be margin, half of it is
   * used, with a warning. Default: a tenth of the session timeout.
   */
  readonly ownershipMargin?: Duration.Input | undefined
  /**
   * The proof that the ensemble holds the session, for everything that is owned by it (`ownership`, `deadline`, locks and
   * the like).
   *
   * - `quorum`, the default: the answer to a request that a quorum has committed. While an application owns something, a
   *   transaction of one `check`, which changes nothing, takes the place of the heartbeat: four in each session timeout,
   *   however much is owned, or eight where `ownershipMargin` is more than a quarter of it. A session that owns nothing sends
   *   none.
   * - `server`: any answer of the connected server, as other clients have it. It costs nothing beside heartbeats. A server
   *   that is cut off from its ensemble answers for `syncLimit` ticks (10 seconds by default): two clients can own the same
   *   thing for as long.
   */
  readonly ownershipProof?: "quorum" | "server" | undefined
  /**
   * How long a close may take as a whole: guarded work stops, what is owned is given back, and the session is ended at a
   * server, which may have to be found first. Default 2 seconds.
   */
  readonly closeTimeout?: Duration.Input | undefined
}

/**
 * The table of the options that a session knows. A module that adds options, such as the client, extends it to refuse all
 * others.
 *
 * @category options
 * @since 0.1.0
 */
export const sessionOptions = KnownOptions.make<SessionOptions>(
  {
    servers: true,
    sessionTimeout: true,
    connectTimeout: true,
    firstConnection: true,
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
