import { FourLetterWord, type Transport } from "@effect-zookeeper/transport"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Net from "node:net"
import { certificates } from "../support/certificates.ts"
import * as Servers from "../support/servers.ts"
import { transport } from "../support/connections.ts"

const ask = (
  { address, named }: Effect.Success<ReturnType<typeof Servers.tcp>>,
  word: FourLetterWord.FourLetterWord,
  options?: Transport.Options,
  answer?: Parameters<typeof FourLetterWord.ask>[4]
) => Effect.flatMap(transport(options), (service) => FourLetterWord.ask(service, address, named, word, answer))

/** Answers as ZooKeeper does: to four bytes, then it closes. */
const answering = (answer: (word: string) => Uint8Array | string) => (socket: Net.Socket) => {
  let word = ""
  socket.on("data", (chunk: Buffer) => {
    word += chunk.toString("latin1")
    if (word.length === 4) socket.end(answer(word))
  })
}

describe("FourLetterWord.ask", () => {
  itLive("gives the whole answer to the word", function* () {
    const server = yield* Servers.tcp(answering((word) => `you said ${word}, não?\n`.repeat(5000)))
    const text = yield* ask(server, "srvr")
    assert.strictEqual(text, "you said srvr, não?\n".repeat(5000))
    yield* server.closed
  })

  itLive("speaks TLS where the transport does", function* () {
    const c = yield* certificates
    const server = yield* Servers.tls(
      { ...c.server },
      answering(() => "rw")
    )
    assert.strictEqual(yield* ask(server, "isro", { tls: { ca: c.ca } }), "rw")
  })

  itLive("is empty when the server closes without an answer", function* () {
    const server = yield* Servers.tcp(answering(() => ""))
    assert.strictEqual(yield* ask(server, "wchs"), "")
  })

  itLive("takes an answer of the greatest size and refuses a longer one", function* () {
    const size = FourLetterWord.maxAnswerSize
    const fits = yield* Servers.tcp(answering(() => new Uint8Array(size).fill(65)))
    assert.strictEqual((yield* ask(fits, "mntr")).length, size)
    const exceeds = yield* Servers.tcp(answering(() => new Uint8Array(size + 1).fill(65)))
    const error = yield* Effect.flip(ask(exceeds, "mntr"))
    assert.strictEqual(error.reason, "Read")
    assert.include(error.message, String(size))
    yield* exceeds.closed
  })

  itLive("takes a longer answer where the option allows it", function* () {
    const size = FourLetterWord.maxAnswerSize + 1
    const server = yield* Servers.tcp(answering(() => new Uint8Array(size).fill(65)))
    assert.strictEqual((yield* ask(server, "wchp", undefined, { maxSize: size })).length, size)
  })

  itLive("fails when the connection breaks in the middle of the answer", function* () {
    const server = yield* Servers.tcp((socket) => socket.on("data", () => socket.resetAndDestroy()))
    assert.strictEqual((yield* Effect.flip(ask(server, "stat"))).reason, "Read")
  })

  itLive("leaves no connection behind when it is interrupted", function* () {
    const server = yield* Servers.tcp((socket) => socket.resume())
    const fiber = yield* Effect.forkChild(ask(server, "ruok"))
    yield* server.accepted
    yield* Fiber.interrupt(fiber)
    yield* server.closed
  })
})
