/** Servers that give sessions and take them away: bounded effort, and no end but a real one. */
import { assert, describe, it } from "@effect/vitest"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type { SessionOptions } from "../../src/Session.ts"
import { answerExists, isServed } from "../support/answers.ts"
import type { MemoryNetwork, ServerSide } from "../support/MemoryNetwork.ts"
import { connect, create, exists, get, watchData, answered } from "../support/session.ts"
import { now, settle, pass, gapsOf } from "../support/time.ts"

/** Greets every connection from now on and serves it so; the virtual times at which they came. */
const serveAll = Effect.fnUntraced(function* (
  network: MemoryNetwork,
  serve: (server: ServerSide) => Effect.Effect<void>
) {
  const times: Array<number> = []
  const one = Effect.gen(function* () {
    const server = yield* network.accept
    times.push(yield* Clock.currentTimeMillis)
    yield* server.greet()
    yield* serve(server)
  })
  yield* Effect.forkScoped(Effect.forever(one))
  return times
})

describe("a server that gives a session and closes at once", () => {
  const long = { sessionTimeout: "60 seconds", retry: Schedule.exponential("100 millis") } as const
  const answerAndCut = Effect.fnUntraced(function* (server: ServerSide) {
    answerExists(server, (yield* server.nextRequest).xid)
    yield* Effect.yieldNow
    server.cut()
  })

  for (const servers of ["a", "a,b,c"]) {
    itEffect(`after one reply is dialled rarer and rarer (servers: ${servers})`, function* () {
      const { network, server, session } = yield* connect({ ...long, servers })
      const times = yield* serveAll(network, answerAndCut)
      yield* Effect.forkScoped(Effect.forever(exists(session, "/x")))
      yield* answerAndCut(server)
      yield* pass(10_000)
      assert.isAtLeast(times.length, 6)
      assert.isAtMost(times.length, 13)
      const gaps = gapsOf(times)
      assert.isAbove(gaps.at(-1)!, 10 * gaps.find((gap) => gap > 50)!)
    })

    itEffect(`by refusing to register watches is dialled rarer and rarer (servers: ${servers})`, function* () {
      const { network, server, session } = yield* connect({ ...long, servers })
      yield* watchData(session, server, "/w")
      const times = yield* serveAll(network, (next) =>
        Effect.map(next.nextRequest, ({ xid }) => next.reply(xid, 0n, -127))
      )
      server.cut()
      yield* pass(10_000)
      assert.isAtLeast(times.length, 5)
      assert.isAtMost(times.length, 13)
      const gaps = gapsOf(times)
      assert.isAbove(gaps.at(-1)!, 10 * gaps.find((gap) => gap > 50)!)
      // A session that cannot be used is no reason to come back at once.
      if (servers === "a") assert.isTrue(gaps.every((gap) => gap >= 80))
    })
  }

  itEffect(
    "three times in a row is replaced at once each time; then not; after one that lasts, at once again",
    function* () {
      const { network, server, session } = yield* connect({ ...long, servers: "a" })
      let current = server
      for (let time = 0; time < 3; time++) {
        yield* isServed(session, current)
        current.cut()
        yield* settle
        assert.strictEqual(network.waiting, 1)
        current = yield* network.welcome()
      }
      yield* isServed(session, current)
      current.cut()
      yield* settle
      assert.strictEqual(network.waiting, 0)
      yield* TestClock.adjust("200 millis")
      current = yield* network.welcome()
      yield* isServed(session, current)
      yield* TestClock.adjust("1 second")
      current.cut()
      yield* settle
      assert.strictEqual(network.waiting, 1)
    }
  )

  itEffect(
    "whenever it is asked one thing fails that read after eight connections, and nothing beside it",
    function* () {
      const { network, server, session } = yield* connect({ ...long, servers: "a" })
      let asked = 0
      const serve = Effect.fnUntraced(function* (side: ServerSide) {
        for (;;) {
          const { body, xid } = yield* side.nextRequest
          if (body?.path === "/poison") {
            asked++
            return side.cut()
          }
          answerExists(side, xid)
        }
      })
      yield* serveAll(network, serve)
      yield* Effect.forkScoped(serve(server))
      const poison = yield* Effect.forkChild(Effect.flip(exists(session, "/poison")), now)
      yield* pass(20_000)
      const error = { ...(yield* Fiber.join(poison)) }
      assert.deepInclude(error, { _tag: "ConnectionLoss", path: "/poison", maybeApplied: false })
      assert.strictEqual(asked, 8)
      const other = yield* Effect.forkChild(exists(session, "/other"), now)
      yield* pass(6000)
      yield* Fiber.join(other)
      assert.strictEqual(asked, 8)
    }
  )
})

describe("a reply that says that the session is", () => {
  const options = { servers: "a,b", sessionTimeout: "6 seconds" } as const

  /** A write that is answered with `code` a second after the handshake, while somebody owns something. */
  const refuse = Effect.fnUntraced(function* (code: number, more: SessionOptions = {}) {
    const connected = yield* connect({ ...options, ...more })
    const { server, session } = connected
    const { deadline } = session.info
    yield* TestClock.adjust("1 second")
    const owning = yield* Effect.forkChild(Effect.flip(session.info.ownership), now)
    // A caller that gets the outcome must not believe that it still owns anything.
    const isOwner = Effect.sync(() => owning.pollUnsafe() === undefined)
    const [error, ownedWhenTold] = yield* answered(
      server,
      Effect.zip(Effect.flip(create(session, "/a")), isOwner),
      (xid) => server.reply(xid, 1n, code)
    )
    return { ...connected, deadline, owning, error, ownedWhenTold }
  })

  itEffect(
    "over ends ownership, tells the caller, and is followed by a new one without asking for the old",
    function* () {
      const { deadline, error, network, ownedWhenTold, owning, session } = yield* refuse(-112)
      assert.isFalse(ownedWhenTold)
      // The deadline of a session that is over is not in the future.
      assert.isTrue(session.info.deadline < deadline)
      assert.strictEqual((yield* Fiber.join(owning))._tag, "OwnershipLost")
      assert.deepInclude({ ...error }, { _tag: "SessionExpired", sessionId: 0x100n })
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet({ sessionId: 0x200n })).sessionId, 0n)
      yield* isServed(session, next)
      assert.strictEqual(session.info.id, 0x200n)
    }
  )

  itEffect("over is the end under fail, without another handshake", function* () {
    const { error, network, owning, session } = yield* refuse(-112, { sessionExpiry: "fail" })
    assert.strictEqual(error._tag, "SessionExpired")
    assert.strictEqual((yield* Fiber.join(owning))._tag, "OwnershipLost")
    yield* settle
    assert.strictEqual(session.info.state._tag, "Expired")
    assert.strictEqual((yield* Effect.flip(exists(session, "/x")))._tag, "SessionExpired")
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(network.dialled, 1)
  })

  itEffect("elsewhere keeps it, and its deadline where it was", function* () {
    const { deadline, error, network, owning, session } = yield* refuse(-118)
    assert.deepInclude({ ...error }, { _tag: "ServerRefused", code: -118 })
    assert.strictEqual(session.info.deadline, deadline)
    assert.isUndefined(owning.pollUnsafe())
    const next = yield* network.accept
    assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
    yield* isServed(session, next)
    assert.isUndefined(owning.pollUnsafe())
  })
})

describe("a provisional session", () => {
  /** A session whose server has lost its quorum and is asked for a passing session. */
  const standIn = Effect.gen(function* () {
    const connected = yield* connect({ allowReadOnly: true, sessionTimeout: "20 seconds" })
    const { network, server } = connected
    network.writeModes.set("a:2181", "ro")
    yield* isServed(connected.session, server)
    server.cut()
    const second = yield* network.accept
    yield* second.nextHello
    second.cut()
    return { ...connected, third: yield* network.accept }
  })

  const itStandIn = testWith(it.effect, standIn)

  itStandIn("that is not granted does not expire the session itself", function* ({ network, session, third }) {
    assert.strictEqual((yield* third.greet({ timeOut: 0, sessionId: 0n })).sessionId, 0n)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(session.info.id, 0x100n)
    const next = yield* network.accept
    assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
  })

  itStandIn("that is over does not expire the session itself", function* ({ network, session, third }) {
    yield* third.greet({ sessionId: 0x999n, readOnly: true })
    const reading = yield* Effect.forkChild(Effect.flip(get(session, "/a")), now)
    yield* settle
    third.reply((yield* third.nextRequest).xid, 1n, -112)
    assert.strictEqual((yield* Fiber.join(reading))._tag, "ServerRefused")
    yield* TestClock.adjust("1 second")
    const next = yield* network.accept
    assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
    yield* isServed(session, next)
    assert.strictEqual(session.info.id, 0x100n)
  })
})
