import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import { TlsError } from "@effect-zookeeper/transport/TlsError"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Link } from "./Link.ts"
import { Violation } from "./Violation.ts"

/** An attempt at one server that gave no session. */
export class DialFailed extends Data.TaggedError("DialFailed")<{
  readonly server: ServerAddress
  readonly reason: string
  /** The server took the connect request and closed without a word, as one does that has not seen what we have. */
  readonly silent: boolean
  /** What was wrong with TLS, if that was it. */
  readonly tls?: TlsReason | undefined
}> {}

/** A connection whose handshake is done. */
export interface Established {
  readonly link: Link
  readonly response: Handshake.ConnectResponse
  /** When the connect request was sent, in monotonic milliseconds. */
  readonly sentAt: number
}

/**
 * Dials one address and introduces the session. Nothing else is sent before the server has answered. There is no limit of
 * time here.
 */
export const dial = Effect.fnUntraced(function* (options: {
  readonly transport: Transport["Service"]
  readonly address: ServerAddress
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly request: Handshake.ConnectRequest
  readonly makeLink: (connection: Connection, server: ServerAddress) => Link
  readonly now: () => number
}): Effect.fn.Return<Established, DialFailed, Scope.Scope> {
  const { address, now, server } = options
  const failed: Failed = (reason, details = {}) => new DialFailed({ server, reason, silent: false, ...details })
  const connection = yield* Effect.mapError(options.transport.connect(address, server), (error) =>
    failed(error.message, tlsOf(error))
  )
  const link = options.makeLink(connection, server)
  const sentAt = now()
  yield* Effect.mapError(connection.write(Frame.encode(Handshake.connectRequest, options.request)), (error) =>
    failed(error.message, tlsOf(error))
  )
  const isPlain = options.transport.exposure?.(server) === "plain"
  const reply = yield* readReply(link, isPlain, failed)
  if (reply._tag === "Refused") {
    return yield* failed(`the server refused the session with ${ErrorCode.nameOf(reply.code)} (${reply.code})`)
  }
  return { link, response: reply.response, sentAt }
})

type Failed = (reason: string, details?: Partial<Pick<DialFailed, "silent" | "tls">>) => DialFailed

const tlsOf = (error: unknown): { readonly tls?: TlsReason } =>
  error instanceof TransportError && error.cause instanceof TlsError ? { tls: error.cause.reason } : {}

const readReply = Effect.fnUntraced(function* (
  link: Link,
  isPlain: boolean,
  failed: Failed
): Effect.fn.Return<Handshake.ConnectReply, DialFailed> {
  let reply: ReturnType<typeof Handshake.decodeReply> | undefined
  const onFrame: Frame.OnFrame = (bytes, start, end) => {
    if (reply !== undefined) throw new Violation("the server sent more than its answer to the handshake")
    // The password is kept; a copy does not keep the whole chunk with it.
    reply = Handshake.decodeReply(bytes.slice(start, end))
  }
  while (reply === undefined) {
    yield* Effect.catch(
      link.read(onFrame, () => {}),
      (error) => {
        if (isPlain && error instanceof Frame.FrameLengthError && isTlsAlert(error.length)) {
          return Effect.fail(failed(speaksTls(link.server)))
        }
        // Under TLS 1.3 a server that does not accept us says so only now, and it does say it.
        const silent = link.bytesIn === 0 && error._tag === "TransportError" && error.reason !== "Tls"
        return Effect.fail(
          silent ? failed(silence(link.server, isPlain), { silent }) : failed(error.message, tlsOf(error))
        )
      }
    )
  }
  return reply._tag === "Success" ? reply.success : yield* failed(reply.failure.message)
})

const silence = (server: ServerAddress, isPlain: boolean): string =>
  `${format(server)}: the server closed the connection at the handshake; it is not serving, or behind what this session has seen${isPlain ? ", or speaks nothing but TLS at this port (tls://)" : ""}`

const speaksTls = (server: ServerAddress): string =>
  `${format(server)}: the server speaks TLS at this port; write tls:// before it, or give the option tls`

/** The first four bytes of an alert, which a TLS server answers to anything else, read as the length of a frame. */
const isTlsAlert = (length: number): boolean => length >>> 16 === 0x1503
