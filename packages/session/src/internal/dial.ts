import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Link } from "./Link.ts"
import { Violation } from "./Violation.ts"

/** An attempt at one server that gave no session. */
export class DialFailed extends Data.TaggedError("DialFailed")<{
  readonly server: ServerAddress
  readonly reason: string
  /** The server took the connect request and closed without a word, as one does that has not seen what we have. */
  readonly silent: boolean
}> {}

/** A connection whose handshake is done. */
export interface Established {
  readonly link: Link
  readonly response: Handshake.ConnectResponse
  /** When the connect request was sent, in monotonic milliseconds. */
  readonly sentAt: number
}

/** Dials one address and introduces the session. Nothing else is sent before the server has answered. */
export const dial = Effect.fnUntraced(function* (options: {
  readonly transport: Transport["Service"]
  readonly address: ServerAddress
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly request: Handshake.ConnectRequest
  readonly maxFrameSize: number
  /** Milliseconds. */
  readonly timeout: number
  readonly now: () => number
}): Effect.fn.Return<Established, DialFailed, Scope.Scope> {
  const { address, now, server } = options
  const failed = (reason: string, silent = false) => new DialFailed({ server, reason, silent })
  const handshake = Effect.gen(function* () {
    const connection = yield* Effect.mapError(options.transport.connect(address, server), (error) =>
      failed(error.message)
    )
    const link = new Link(connection, server, options.maxFrameSize, now)
    const sentAt = now()
    yield* Effect.mapError(connection.write(Frame.encode(Handshake.connectRequest, options.request)), (error) =>
      failed(error.message)
    )
    const reply = yield* readReply(link, failed)
    if (reply._tag === "Refused") {
      return yield* failed(`the server refused the session with ${ErrorCode.nameOf(reply.code)} (${reply.code})`)
    }
    return { link, response: reply.response, sentAt }
  })
  return yield* Effect.timeoutOrElse(handshake, {
    duration: options.timeout,
    orElse: () => Effect.fail(failed(`${format(address)}: no session within ${Math.round(options.timeout)} ms`))
  })
})

const readReply = Effect.fnUntraced(function* (
  link: Link,
  failed: (reason: string, silent?: boolean) => DialFailed
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
        const silent = link.bytesIn === 0 && error._tag === "TransportError"
        return Effect.fail(failed(silent ? silence(link.server) : error.message, silent))
      }
    )
  }
  return reply._tag === "Success" ? reply.success : yield* failed(reply.failure.message)
})

const silence = (server: ServerAddress): string =>
  `${format(server)}: the server closed the connection at the handshake; it is not serving, or behind what this session has seen`
