/** The end of a session, from every state that it can be in: bounded, said to the server where that is possible. */
import { assert, describe, it } from "@effect/vitest"
import type { MultiOp } from "@effect-zookeeper/protocol/OperationMulti"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { MemoryNetwork } from "./support/MemoryNetwork.ts"
import { begin, connect, exists, get, set } from "./support/session.ts"

const now = { startImmediately: true } as const

const options = { servers: "a,b", sessionTimeout: "30 seconds" } as const

/** A connected session in a Scope of its own. */
const connectIn = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const connected = yield* Effect.provideService(connect(options), Scope.Scope, scope)
  // Leave the network alone: its end is not that of the session here.
  connected.network.shutDown = Effect.void
  return { ...connected, close: Scope.close(scope, Exit.void) }
})

describe("closing", () => {
  it.effect("a connected session tells the server, waits for its answer, and lets go of the connection", () =>
    Effect.gen(function* () {
      const { close, network, server, session } = yield* connectIn
      const states = yield* Effect.forkChild(Stream.runCollect(session.info.states), now)
      yield* close
      assert.isTrue(server.sawGoodbye)
      assert.isTrue(server.isLeft)
      assert.strictEqual(session.info.state._tag, "Closed")
      assert.deepStrictEqual((yield* Fiber.join(states)).map(({ _tag }) => _tag).at(-1), "Closed")
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("fails what waits and what is asked afterwards with SessionClosed", () =>
    Effect.gen(function* () {
      const { close, server, session } = yield* connectIn
      server.answersGoodbye = false
      const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
      const watch = yield* Effect.forkChild(Effect.flip(session.info.ownership), now)
      const closing = yield* Effect.forkChild(close, now)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Effect.flip(exists(session, "/2")))._tag, "SessionClosed")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(read))._tag, "SessionClosed")
      assert.strictEqual((yield* Fiber.join(watch))._tag, "OwnershipLost")
      yield* Fiber.join(closing)
      assert.strictEqual((yield* Effect.flip(set(session, "/2", "x")))._tag, "SessionClosed")
      const credentials = { scheme: "digest", credentials: Redacted.make("ann:secret") }
      assert.strictEqual((yield* Effect.flip(session.addAuth(credentials)))._tag, "SessionClosed")
    })
  )

  it.effect("lets replies that are on their way come in before the goodbye is answered", () =>
    Effect.gen(function* () {
      const { close, server, session } = yield* connectIn
      server.answersGoodbye = false
      const read = yield* Effect.forkChild(Effect.flip(exists(session, "/1")), now)
      const request = yield* server.nextRequest
      const closing = yield* Effect.forkChild(close, now)
      server.reply(request.xid, 1n, -101)
      assert.strictEqual((yield* Fiber.join(read))._tag, "NoNode")
      server.reply((yield* server.nextRequest).xid, 2n)
      yield* Fiber.join(closing)
    })
  )

  it.effect("waits two seconds at most for a server that does not answer", () =>
    Effect.gen(function* () {
      const { close, server, session } = yield* connectIn
      server.answersGoodbye = false
      const closing = yield* Effect.forkChild(close, now)
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      assert.strictEqual(session.info.state._tag, "Closed")
    })
  )

  it.effect("does not wait where the network takes nothing, nor where the connection breaks", () =>
    Effect.gen(function* () {
      const clogged = yield* connectIn
      clogged.server.clog()
      yield* Effect.forkChild(Effect.ignore(set(clogged.session, "/x", "y")), now)
      yield* TestClock.adjust("1 millis")
      const closing = yield* Effect.forkChild(clogged.close, now)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)

      const broken = yield* connectIn
      broken.server.answersGoodbye = false
      const second = yield* Effect.forkChild(broken.close, now)
      yield* broken.server.nextRequest
      broken.server.cut()
      yield* Fiber.join(second)
    })
  )

  it.effect("F48: in the midst of a transaction tells what became of it, and twice is once", () =>
    Effect.gen(function* () {
      for (const answered of [true, false]) {
        const { close, server, session } = yield* connectIn
        server.answersGoodbye = false
        const ops: ReadonlyArray<MultiOp> = [{ operation: "delete", request: { path: "/a", version: -1 } }]
        const writing = yield* Effect.forkChild(Effect.result(session.request(Operations.multi, ops, "/a")), now)
        const { xid } = yield* server.nextRequest
        const closing = yield* Effect.forkChild(Effect.andThen(close, close), now)
        yield* TestClock.adjust("1 second")
        if (answered) {
          server.replyWith(xid, 5n, Operations.multi, [{ operation: "delete", response: undefined }])
          const goodbye = yield* server.nextRequest
          assert.strictEqual(goodbye.name, "closeSession")
          server.reply(goodbye.xid, 6n)
        } else {
          yield* TestClock.adjust("1 second")
        }
        yield* Fiber.join(closing)
        const result = yield* Fiber.join(writing)
        if (answered) assert.strictEqual(result._tag, "Success")
        else assert.strictEqual(result._tag === "Failure" && result.failure._tag, "SessionClosed")
        assert.isTrue(server.isLeft)
        assert.strictEqual(session.info.state._tag, "Closed")
      }
    })
  )

  it.effect("a disconnected session is done at once", () =>
    Effect.gen(function* () {
      const { close, network, server, session } = yield* connectIn
      network.set("a:2181", "hang")
      network.set("b:2181", "hang")
      server.cut()
      yield* TestClock.adjust("1 second")
      assert.strictEqual(session.info.state._tag, "Disconnected")
      const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
      yield* close
      assert.strictEqual((yield* Fiber.join(read))._tag, "SessionClosed")
    })
  )

  it.effect("while dialling, and in the midst of a handshake, is done at once", () =>
    Effect.gen(function* () {
      for (const mode of ["hang", "accept"] as const) {
        const network = new MemoryNetwork()
        network.set("a:2181", mode)
        const scope = yield* Scope.make()
        yield* Effect.provideService(begin(network), Scope.Scope, scope)
        yield* TestClock.adjust("1 second")
        assert.lengthOf(network.dialled, 1)
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(network.connections.every(({ isLeft }) => isLeft))
        yield* TestClock.adjust("1 hour")
        assert.lengthOf(network.dialled, 1)
      }
    })
  )

  it.effect("after detach does nothing more, and detaching twice is once", () =>
    Effect.gen(function* () {
      const { close, network, server, session } = yield* connectIn
      yield* session.info.detach
      assert.isTrue(server.isLeft)
      assert.isFalse(server.sawGoodbye)
      yield* session.info.detach
      yield* close
      assert.strictEqual((yield* Effect.flip(get(session, "/1")))._tag, "SessionClosed")
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(network.dialled, 1)
    })
  )
})
