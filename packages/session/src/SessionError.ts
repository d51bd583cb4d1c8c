/**
 * The errors that any operation can fail with: those of the session and of its connections.
 *
 * Errors that say something about a znode are the protocol's `ServerError`s; an operation fails with those that its row
 * of the operation table names, or with one of these.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Hex64 from "@effect-zookeeper/protocol/Hex64"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import { TlsReason } from "@effect-zookeeper/transport/TlsError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const request = {
  /** The operation of the table, such as `setData`. */
  operation: Schema.String,
  /** The path as the application gave it; empty for operations without one. */
  path: Schema.String
}

/**
 * Whether the write may have been applied, by this attempt or by one before it. False when it was certainly not, and for
 * reads.
 */
const maybeApplied = Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false)))

/**
 * How many lost connections a request is given. A request that was with a server each time may itself be the cause, and
 * everything beside it suffers.
 *
 * Reads and watches are sent again until then. So is everything that is repeated on purpose: `protected`, `idempotent` and
 * `guaranteed` writes, streams, and the recipes. Connections that are lost while the request waits do not count.
 *
 * @category constants
 * @since 0.1.0
 */
export const MAX_LOSSES = 8

/**
 * The connection was lost before the reply came.
 *
 * `maybeApplied` is false when the request cannot have reached a server, and for reads. When it is true, the write may or
 * may not have happened: read to find out, or write so that it can be repeated (a version, `protected`, `idempotent`).
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionLoss extends ErrorClass.make(
  Schema.TaggedError<ConnectionLoss>()("ConnectionLoss", {
    ...request,
    maybeApplied: Schema.Boolean,
    /**
     * How many connections were lost while the request was with a server, attempts that repeat it counted together. After
     * `MAX_LOSSES` it is given up for good: a request larger than the server's `jute.maxbuffer` is answered like that.
     */
    losses: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(0)))
  })
) {
  override get message(): string {
    const fate = `the request ${applied(this.maybeApplied)}`
    return this.losses < MAX_LOSSES
      ? `${subject(this)}: the connection was lost before the reply; ${fate}`
      : `${subject(this)}: given up, for ${this.losses} connections were lost while the request was with a server; ${fate}. Servers close on a request that is larger than their jute.maxbuffer (1 MiB unless set): make it smaller, or raise that limit`
  }
}

/**
 * The session has ended: the servers said so, or it was cut off for so long (4/3 of its timeout) that they must have
 * ended it. Its ephemeral znodes are gone or about to go.
 *
 * @category errors
 * @since 0.1.0
 */
export class SessionExpired extends ErrorClass.make(
  Schema.TaggedError<SessionExpired>()("SessionExpired", {
    sessionId: Schema.BigInt,
    /** Whether it was a write that had been sent without an answer, and may have been applied. */
    maybeApplied
  })
) {
  override get message(): string {
    return `session ${Hex64.format(this.sessionId)} has expired; its ephemeral znodes and watches are gone${perhaps(this)}`
  }
}

/**
 * The client was closed, by its owner or by the end of the Scope that it lived in.
 *
 * @category errors
 * @since 0.1.0
 */
export class SessionClosed extends ErrorClass.make(
  Schema.TaggedError<SessionClosed>()("SessionClosed", {
    /** Whether it was a write that had been sent, and may have been applied. */
    maybeApplied
  })
) {
  override get message(): string {
    return `the session was closed; a closed client takes no requests, make a new one${perhaps(this)}`
  }
}

/**
 * The servers refused the credentials. Final: nothing is sent any more.
 *
 * @category errors
 * @since 0.1.0
 */
export class AuthFailed extends ErrorClass.make(
  Schema.TaggedError<AuthFailed>()("AuthFailed", {
    /** `digest` and the like, or `sasl`. */
    scheme: Schema.String,
    /** A reason, if one is known. It contains no secret. */
    reason: Schema.optional(Schema.String),
    /** Whether it was a write that had been sent, and may have been applied. */
    maybeApplied
  })
) {
  override get message(): string {
    const reason = this.reason === undefined ? "" : ` (${Printable.escape(this.reason)})`
    return `the server refused the credentials of scheme ${Printable.quote(this.scheme)}${reason}; check them, and that the server knows the scheme${perhaps(this)}`
  }
}

/**
 * `requestTimeout` went by without a reply.
 *
 * @category errors
 * @since 0.1.0
 */
export class RequestTimeout extends ErrorClass.make(
  Schema.TaggedError<RequestTimeout>()("RequestTimeout", {
    ...request,
    maybeApplied: Schema.Boolean
  })
) {
  override get message(): string {
    return `${subject(this)}: no reply within requestTimeout; the request ${applied(this.maybeApplied)}`
  }
}

/**
 * The server answered with a code that says nothing about the znode: read-only, unimplemented, throttled, quota,
 * authentication required, and every code that this release does not know.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServerRefused extends ErrorClass.make(
  Schema.TaggedError<ServerRefused>()("ServerRefused", {
    ...request,
    code: Schema.Number,
    /** ZooKeeper's name for the code, such as `NotReadOnly`; `Unknown(-777)` where it has none. */
    name: Schema.String,
    /**
     * True after a write that may have been applied all the same: the code tells of a failure within the server, not of a
     * refusal. Left out if the code says that nothing was applied, as most codes do.
     */
    maybeApplied: Schema.optionalKey(Schema.Literal(true))
  })
) {
  override get message(): string {
    return `${subject(this)}: the server refused with ${this.name} (${this.code})${perhaps(this)}`
  }
}

/**
 * The request is larger than `maxRequestSize` and was not sent, or the reply is larger than `maxFrameSize`.
 *
 * A write whose reply was too large has been applied as likely as not: `maybeApplied` is true then.
 *
 * @category errors
 * @since 0.1.0
 */
export class FrameTooLarge extends ErrorClass.make(
  Schema.TaggedError<FrameTooLarge>()("FrameTooLarge", {
    ...request,
    /** Bytes. */
    size: Schema.Number,
    /** Bytes. */
    limit: Schema.Number,
    /** The option that sets the limit: `maxRequestSize` for requests, `maxFrameSize` for replies. */
    option: Schema.Literals(["maxRequestSize", "maxFrameSize"]),
    maybeApplied
  })
) {
  override get message(): string {
    return this.option === "maxRequestSize"
      ? `${subject(this)}: the request has ${this.size} bytes, and maxRequestSize allows ${this.limit}; it was not sent${perhaps(this)}. Make it smaller; where the servers run with a larger jute.maxbuffer, raise maxRequestSize to that`
      : `${subject(this)}: the reply has ${this.size} bytes, and maxFrameSize allows ${this.limit}; raise it, or ask for less${perhaps(this)}`
  }
}

/**
 * The server's answer to this request cannot be understood.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProtocolError extends ErrorClass.make(
  Schema.TaggedError<ProtocolError>()("ProtocolError", {
    ...request,
    cause: Schema.Defect(),
    maybeApplied
  })
) {
  override get message(): string {
    return `${subject(this)}: the reply cannot be understood${this.cause instanceof Error ? `: ${this.cause.message}` : ""}${perhaps(this)}`
  }
}

/**
 * The errors that every operation can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type SessionError =
  | ConnectionLoss
  | SessionExpired
  | SessionClosed
  | AuthFailed
  | RequestTimeout
  | ServerRefused
  | FrameTooLarge
  | ProtocolError

/**
 * No server gave a session within `connectTimeout`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectFailed extends ErrorClass.make(
  Schema.TaggedError<ConnectFailed>()("ConnectFailed", {
    /**
     * The failed attempts by server and reason, the newest last, with how often there was one. `tls` says what was wrong with
     * TLS if that was the reason.
     */
    attempts: Schema.Array(
      Schema.Struct({
        server: Schema.String,
        reason: Schema.String,
        count: Schema.optionalKey(Schema.Number),
        tls: Schema.optionalKey(TlsReason)
      })
    ),
    /** The servers of the connect string that were never tried. */
    untried: Schema.optionalKey(Schema.Array(Schema.String))
  })
) {
  override get message(): string {
    const { summary, untried = [] } = this
    const rest = untried.length === 0 ? "" : `; never tried: ${untried.map(Printable.escape).join(", ")}`
    return `no ZooKeeper server could be reached within connectTimeout (${summary === "" ? "no attempt came to an end" : summary}${rest})`
  }

  /** The attempts in few words, with servers that have the same reason together. */
  get summary(): string {
    const byReason = new Map<string, { readonly servers: Array<string>; times: number }>()
    for (const { count = 1, reason, server } of this.attempts) {
      const group = byReason.get(reason) ?? { servers: [], times: 0 }
      group.servers.push(server)
      group.times += count
      byReason.set(reason, group)
    }
    return [...byReason]
      .map(([reason, { servers, times }]) => {
        const often = times > servers.length ? ` (${times} times)` : ""
        return `${Printable.escape(servers.join(", "))}: ${Printable.escapeAll(reason)}${often}`
      })
      .join("; ")
  }
}

/**
 * The time in which the session certainly owned its ephemeral znodes has ended, or nothing has proved lately that it does.
 * It is final for every holder of a lock or the like, even if the session goes on.
 *
 * @category errors
 * @since 0.1.0
 */
export class OwnershipLost extends ErrorClass.make(
  Schema.TaggedError<OwnershipLost>()("OwnershipLost", {
    sessionId: Schema.BigInt
  })
) {
  override get message(): string {
    return "nothing has proved in time that the ensemble holds the session; its ephemeral znodes may belong to others by now"
  }
}

const subject = (error: { readonly operation: string; readonly path: string }): string =>
  error.path === "" ? error.operation : `${error.operation} ${Printable.escape(error.path)}`

const applied = (maybe: boolean): string => (maybe ? "may have been applied" : "was not applied")

const perhaps = (error: { readonly maybeApplied?: boolean }): string =>
  error.maybeApplied === true ? "; the write may have been applied" : ""
