import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import { otherProtocol } from "@effect-zookeeper/transport/FourLetterWord"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import { TlsError } from "@effect-zookeeper/transport/TlsError"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { FramedConnection } from "./FramedConnection.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"

/**
 * The answer of a server in an attempt that gave no session: `none`, since nothing was heard; `closed` without a word after
 * the connect request, as one does that has seen less than the session; or `answered`, anything else.
 */
export type Contact = "none" | "closed" | "answered"

/** An attempt at one server gave no session. */
export class DialFailed extends Data.TaggedError("DialFailed")<{
  readonly server: ServerAddress
  readonly reason: string
  readonly contact: Contact
  /** The mistake in TLS, if there was one. */
  readonly tls?: TlsReason | undefined
}> {}

/** A connection whose handshake is done. */
export interface HandshakeResult {
  readonly connection: FramedConnection
  readonly response: Handshake.ConnectResponse
  /** When the connect request was sent, in monotonic milliseconds. */
  readonly sentAt: number
}

/** Opens a connection to one address, and sends nothing on it. There is no time limit here. */
export const openConnection = (
  transport: Transport["Service"],
  address: ServerAddress,
  /** The server as the connect string names it. */
  server: ServerAddress
): Effect.Effect<Connection, DialFailed, Scope.Scope> =>
  Effect.mapError(
    Effect.suspend(() => transport.connect(address, server)),
    (error) =>
      new DialFailed({ server, reason: explainOpening(error, address, server), contact: "none", ...tlsOf(error) })
  )

/** Does the handshake on a connection. Nothing else is sent before the server has answered. There is no time limit here. */
export const handshake = Effect.fnUntraced(function* (options: {
  readonly raw: Connection
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly request: Handshake.ConnectRequest
  readonly makeConnection: (raw: Connection, server: ServerAddress) => FramedConnection
  readonly now: () => number
  /** Whether the connection is not encrypted. */
  readonly isPlain: boolean
}): Effect.fn.Return<HandshakeResult, DialFailed> {
  const { raw, isPlain, now, request, server } = options
  const failed: Failed = (reason, details = {}) => new DialFailed({ server, reason, contact: "answered", ...details })
  const connection = options.makeConnection(raw, server)
  const silence = silenceOf(request.lastZxidSeen > 0n, isPlain)
  const sentAt = now()
  yield* Effect.mapError(raw.write(Frame.encode(Handshake.connectRequest, request)), (error) =>
    error.reason === "Write" ? failed(silence, { contact: "closed" }) : failed(error.message, tlsOf(error))
  )
  const reply = yield* readReply(connection, isPlain, silence, failed)
  if (reply._tag === "Refused") {
    return yield* failed(`the server refused the session with ${ErrorCode.nameOf(reply.code)} (${reply.code})`)
  }
  return { connection, response: reply.response, sentAt }
})

type Failed = (reason: string, details?: Partial<Pick<DialFailed, "contact" | "tls">>) => DialFailed

const tlsOf = (error: unknown): { readonly tls?: TlsReason } =>
  error instanceof TransportError && error.cause instanceof TlsError ? { tls: error.cause.reason } : {}

/** Explains a failure without the address if that says no more than the server: equal reasons are told once. */
const explainOpening = (error: TransportError, address: ServerAddress, server: ServerAddress): string => {
  const isRefused = error.cause instanceof Error && "code" in error.cause && error.cause.code === "ECONNREFUSED"
  if (!isRefused) return error.message
  const at = address.host === server.host ? "" : ` of ${address.host}`
  return `could not connect (ECONNREFUSED): nothing listens at this port${at}`
}

const readReply = Effect.fnUntraced(function* (
  connection: FramedConnection,
  isPlain: boolean,
  silence: string,
  failed: Failed
): Effect.fn.Return<Handshake.ConnectReply, DialFailed> {
  let reply: ReturnType<typeof Handshake.decodeReply> | undefined
  const onFrame: Frame.OnFrame = (bytes, start, end) => {
    if (reply !== undefined) throw new ProtocolViolation("the server sent more than its answer to the handshake")
    // The password is kept: a copy, so that it does not keep the whole chunk.
    reply = Handshake.decodeReply(bytes.slice(start, end))
  }
  while (reply === undefined) {
    yield* Effect.catch(
      connection.read(onFrame, () => {}),
      (error) => {
        if (error instanceof Frame.FrameLengthError) return Effect.fail(failed(explainBytes(error.length, isPlain)))
        // Under TLS 1.3 a server that does not accept the client's certificate says so only now.
        const isSilent = connection.bytesIn === 0 && error._tag === "TransportError" && error.reason !== "Tls"
        return Effect.fail(isSilent ? failed(silence, { contact: "closed" }) : failed(error.message, tlsOf(error)))
      }
    )
  }
  if (reply._tag === "Success") return reply.success
  return yield* failed(
    `the answer to the handshake makes no sense (${reply.failure.message}); is this a ZooKeeper server?`
  )
})

/** A server that closes does not say why: the likely causes, the most frequent ones first. */
const silenceOf = (hasSeen: boolean, isPlain: boolean): string =>
  `the server closed the connection at the handshake; it is not serving, as without a quorum, ${hasSeen ? "has seen less than this session, " : ""}takes no more connections from this address (maxClientCnxns)${isPlain ? ", or speaks only TLS at this port (tls://)" : ""}`

/** Explains first bytes that cannot be the length of a frame by the protocol that they belong to. */
const explainBytes = (length: number, isPlain: boolean): string => {
  // The alert that a TLS server answers to anything else.
  if (isPlain && length >>> 16 === 0x1503) {
    return "the server speaks TLS at this port; write tls:// before it, or give the option tls"
  }
  const text = String.fromCharCode(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff)
  const what = otherProtocol(text) ?? (/^[\x20-\x7e\r\n\t]{4}$/.test(text) ? "some protocol of text" : undefined)
  return what === undefined
    ? `no ZooKeeper server is at this port: the answer began with the bytes 0x${(length >>> 0).toString(16).padStart(8, "0")}`
    : `no ZooKeeper server is at this port: it speaks ${what}, as the answer began with ${Printable.quote(text)}`
}
