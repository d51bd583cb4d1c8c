import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { SaslMechanism } from "../Sasl.ts"
import { SaslError } from "../SaslError.ts"
import { DialFailed } from "./dial.ts"
import { readReplyHeader } from "./Exchange.ts"
import type { Link } from "./Link.ts"

/** No mechanism takes so many; a server that goes on for ever is none that we can talk to. */
const MAX_ROUNDS = 10

/**
 * Proves who we are on a connection whose handshake is done, before anything else is sent on it. `SaslError` says that it
 * cannot be proved, which is final; `DialFailed` that this connection has broken, which is not.
 */
export const authenticate = Effect.fnUntraced(function* (
  link: Link,
  mechanism: SaslMechanism
): Effect.fn.Return<void, SaslError | DialFailed> {
  const exchange = yield* mechanism.begin(link.server)
  let token: Uint8Array | undefined = exchange.initial
  for (let xid = 1; token !== undefined; xid++) {
    if (xid > MAX_ROUNDS) {
      return yield* new SaslError({
        reason: `${format(link.server)} did not come to an end after ${MAX_ROUNDS} tokens`
      })
    }
    token = yield* exchange.answer(yield* ask(link, xid, token))
  }
})

/** Sends one token and gives the server's answer. */
const ask = Effect.fnUntraced(function* (
  link: Link,
  xid: number,
  token: Uint8Array
): Effect.fn.Return<Uint8Array, SaslError | DialFailed> {
  const broken = (reason: string) => new DialFailed({ server: link.server, reason, silent: false })
  Frame.append(link.writer, (writer) => {
    writer.int(xid)
    writer.int(Operations.sasl.opCode)
    Operations.sasl.request.write(writer, { token })
  })
  yield* Effect.mapError(link.connection.write(link.writer.take()), (error) => broken(error.message))
  let frame: Uint8Array | undefined
  while (frame === undefined) {
    yield* Effect.mapError(
      link.read(
        (bytes, start, end) => {
          frame = bytes.slice(start, end)
        },
        () => {}
      ),
      (error) => broken(error.message)
    )
  }
  const reader = new JuteReader(frame)
  const header = yield* Effect.try({
    try: () => readReplyHeader(reader),
    catch: (error) => broken(error instanceof Error ? error.message : String(error))
  })
  if (header.err !== 0) {
    const name = ErrorCode.nameOf(header.err)
    return yield* new SaslError({
      reason: `${format(link.server)} refused the credentials with ${name} (${header.err})`
    })
  }
  const reply = Jute.attempt(Operations.sasl.response, reader)
  if (reply._tag === "Failure") return yield* broken(`${format(link.server)}: ${reply.failure.message}`)
  return reply.success.token ?? new Uint8Array(0)
})
