/** Servers that talk and answer nothing: left after a time that is known, and not while an answer comes. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import { eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { answerExists, isServed } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import type { ServerSide } from "../support/MemoryNetwork.ts"
import { itLogged } from "../support/logs.ts"
import { connect, exists, get, set, digest, silent, watchPersistently } from "../support/session.ts"
import { now, settle } from "../support/time.ts"

const itConnected = testWith(it.effect, connect({ servers: "a,b", sessionTimeout: "6 seconds" }))

describe("a server that talks and answers nothing", () => {
  itConnected("is left after twice the timeout, and not before", function* ({ network, server, session }) {
    const reading = yield* Effect.forkChild(exists(session, "/x"), now)
    const talk = (millis: number) =>
      Effect.forEach(
        Array.from({ length: millis / 500 }),
        () => {
          server.send(Frames.notification(Frames.event.data, "/nobody"))
          return TestClock.adjust("500 millis")
        },
        { discard: true }
      )
    // The first heartbeat goes out after a third of the timeout, and has then waited for twice the timeout.
    yield* talk(13_500)
    assert.isFalse(server.isLeft)
    yield* talk(3000)
    assert.isTrue(server.isLeft)
    const next = yield* network.accept
    assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
    yield* settle
    answerExists(next, (yield* next.requests).find(({ name }) => name === "exists")!.xid)
    yield* Fiber.join(reading)
  })

  for (const { bytes, patient } of [
    { bytes: 1200, patient: true },
    { bytes: 900, patient: false }
  ]) {
    itConnected(
      `is ${patient ? "waited for" : "left"} while a large reply comes at ${bytes} bytes a second`,
      function* ({ server, session }) {
        const reading = yield* Effect.forkChild(get(session, "/large"), now)
        const { xid } = yield* server.nextRequest
        const data = new Uint8Array(60_000).fill(0x61)
        const frame = Frames.framed(Frames.replyWith(xid, 1n, Operations.getData, { data, stat: Frames.stat }))
        for (let sent = 0; sent < frame.length && !server.isLeft; sent += bytes) {
          server.sendRaw(frame.slice(sent, sent + bytes))
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(server.isLeft, !patient)
        if (patient) assert.lengthOf(yield* Fiber.join(reading), 60_000)
      }
    )
  }

  /** Passes so much time, answering each ping, and nothing else. */
  const pongs = Effect.fnUntraced(function* (server: ServerSide, millis: number) {
    const others: Array<Frames.Request> = []
    for (let passed = 0; passed < millis; passed += 500) {
      yield* TestClock.adjust("500 millis")
      const requests = yield* server.requests
      for (const { name } of requests) if (name === "ping") server.reply(Operations.Xid.ping, 0n)
      others.push(...requests.filter(({ name }) => name !== "ping"))
    }
    yield* settle
    return others
  })

  const warningsIn = (lines: ReadonlyArray<string>) =>
    lines.filter((line) => line.startsWith("Warn") && !line.startsWith("Warn connection lost"))

  itLogged(
    "but pings is left for another after two timeouts, with a warning, and writes fail with their fate",
    function* (lines) {
      const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
      const writing = yield* Effect.forkChild(Effect.flip(set(session, "/x", "1")), now)
      const reading = yield* Effect.forkChild(exists(session, "/x"), now)
      yield* pongs(server, 11_500)
      assert.isFalse(server.isLeft)
      assert.deepStrictEqual(warningsIn(lines), [])
      yield* pongs(server, 2500)
      assert.isTrue(server.isLeft)
      const warnings = warningsIn(lines)
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0]!, /[ab]:2181: pings are answered, but the oldest request \(setData\)/)
      assert.deepInclude(yield* Fiber.join(writing), { _tag: "ConnectionLoss", maybeApplied: true })
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
      yield* settle
      answerExists(next, (yield* next.requests).find(({ name }) => name === "exists")!.xid)
      yield* Fiber.join(reading)
    }
  )

  itEffect("but pings is left as well while more is asked of it, so that no ping is due", function* () {
    const { server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
    const ask = Effect.forkChild(Effect.ignore(set(session, "/x", "1")), now)
    // The events keep it from being silent.
    const talk = Effect.sync(() => server.send(Frames.notification(Frames.event.data, "/nobody")))
    for (let n = 0; n < 23; n++) yield* Effect.all([ask, talk, pongs(server, 500)])
    assert.isFalse(server.isLeft)
    for (let n = 0; n < 6 && !server.isLeft; n++) yield* Effect.all([ask, talk, pongs(server, 500)])
    assert.isTrue(server.isLeft)
  })

  itEffect("but pings is left as well where it is credentials that it does not answer", function* () {
    const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
    const adding = yield* Effect.forkChild(session.addAuth(digest("bob:secret")), now)
    yield* pongs(server, 14_500)
    assert.isTrue(server.isLeft)
    const next = yield* network.welcome()
    assert.strictEqual((yield* next.nextRequest).name, "auth")
    next.reply(Operations.Xid.auth, 0n)
    yield* Fiber.join(adding)
  })

  itEffect("for a while but pings is kept where each reply comes within two timeouts of the one before", function* () {
    const { server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
    const reading = yield* Effect.forkChild(
      eachAtOnce(Array.from({ length: 4 }), () => exists(session, "/x")),
      now
    )
    const asked = yield* pongs(server, 11_000)
    for (const { xid } of asked) {
      answerExists(server, xid)
      yield* pongs(server, 11_000)
    }
    yield* Fiber.join(reading)
    assert.isFalse(server.isLeft)
  })
})

itEffect("an event at an invalid path is skipped", function* () {
  const { network, server, session } = yield* connect({ servers: "a,b" })
  const seen: Array<string> = []
  yield* watchPersistently(session, server, "/a", true, { ...silent, onEvent: ({ path }) => void seen.push(path) })
  for (const path of ["", "a", "/a/", "/a//b", "/a/../b", "/a/b"]) {
    server.send(Frames.notification(Frames.event.created, path))
  }
  yield* settle
  assert.deepStrictEqual(seen, ["/a/b"])
  yield* isServed(session, server)
  assert.lengthOf(network.dialled, 1)
})
