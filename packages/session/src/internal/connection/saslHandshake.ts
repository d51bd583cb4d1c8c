import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { SaslMechanism } from "../../SaslMechanism.ts"
import { SaslError } from "../../SaslError.ts"
import { DialFailed } from "./handshake.ts"
import { readReplyHeader } from "../requests/replies.ts"
import type { FramedConnection } from "./FramedConnection.ts"

/** More tokens than any mechanism takes: a server that goes on forever is left. */
const MAX_ROUNDS = 10

/**
 * Proves the user on a connection whose handshake is done, before anything else is sent on it. It fails with `SaslError` when
 * that is impossible, which is final, and with `DialFailed` when this connection breaks, which is not.
 */
export const saslHandshake = Effect.fnUntraced(function* (
  connection: FramedConnection,
  mechanism: SaslMechanism
): Effect.fn.Return<void, SaslError | DialFailed> {
  const exchange = yield* mechanism.begin(connection.server)
  let token: Uint8Array | undefined = exchange.initial
  for (let xid = 1; token !== undefined; xid++) {
    if (xid > MAX_ROUNDS) {
      return yield* new SaslError({
        reason: `${format(connection.server)} did not come to an end after ${MAX_ROUNDS} tokens`
      })
    }
    token = yield* exchange.answer(yield* exchangeToken(connection, xid, token, mechanism.name))
  }
})

/** The usual cause of a connection that ends here, which servers before 3.6 do not tell from others. */
const closesUnsaid = "during the SASL exchange; a server before 3.6 refuses the SASL credentials without a word"

/**
 * The usual cause of a refusal of the first token, which holds no credentials: since 3.8.5 and 3.9.4 a server in FIPS mode,
 * the default since 3.9, has no DIGEST-MD5.
 */
const likelyCause = (xid: number, mechanism: string): string =>
  xid === 1 && mechanism === "DIGEST-MD5"
    ? "; it refused before it saw any, as a server in FIPS mode does, which has no DIGEST-MD5: start the servers with -Dzookeeper.fips-mode=false, or use TLS certificates instead"
    : ""

/** Sends one token and waits for the server's. */
const exchangeToken = Effect.fnUntraced(function* (
  connection: FramedConnection,
  xid: number,
  token: Uint8Array,
  mechanism: string
): Effect.fn.Return<Uint8Array, SaslError | DialFailed> {
  const broken = (reason: string) => new DialFailed({ server: connection.server, reason, contact: "answered" })
  Frame.append(connection.writer, (writer) => {
    writer.int(xid)
    writer.int(Operations.sasl.opCode)
    Operations.sasl.request.write(writer, { token })
  })
  yield* Effect.mapError(connection.raw.write(connection.writer.take()), (error) => broken(error.message))
  let frame: Uint8Array | undefined
  while (frame === undefined) {
    yield* Effect.mapError(
      connection.read(
        (bytes, start, end) => {
          frame = bytes.slice(start, end)
        },
        () => {}
      ),
      (error) => broken(`${error.message} (${closesUnsaid})`)
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
      reason: `${format(connection.server)} refused the credentials with ${name} (${header.err})${likelyCause(xid, mechanism)}`
    })
  }
  const reply = Jute.attempt(Operations.sasl.response, reader)
  if (reply._tag === "Failure") return yield* broken(`${format(connection.server)}: ${reply.failure.message}`)
  return reply.success.token ?? new Uint8Array(0)
})
