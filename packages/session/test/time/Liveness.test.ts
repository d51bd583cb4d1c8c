/** The two clocks of a session: when a connection is given up, when the session is, and until when it owns. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Session } from "../../src/Session.ts"
import * as Frames from "../support/frames.ts"
import type { ServerSide } from "../support/MemoryNetwork.ts"
import { samePath, awaitState, connect, exists } from "../support/session.ts"

/** 9 seconds: a third is 3, two thirds are 6, four thirds are 12; ownership ends after 8.1. */
const nine = { sessionTimeout: "9 seconds" } as const

const { notification, ping } = Operations.Xid

const pong = (server: ServerSide, zxid = 0n) => server.reply(ping, zxid)

/** Answers a proof as a leader does that a quorum follows. */
const commit = (server: ServerSide, xid: number) =>
  server.replyWith(xid, 1n, Operations.multi, [{ operation: "check", response: undefined }])

/** Lets so many seconds pass, in which the server answers pings and commits proofs, or pings alone. */
const pass = Effect.fnUntraced(function* (server: ServerSide, seconds: number, answers: "all" | "pings" = "all") {
  const seen: Array<string> = []
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    yield* TestClock.adjust("250 millis")
    for (const { name, xid } of yield* server.requests) {
      seen.push(name)
      if (name === "ping") pong(server)
      if (name === "multi" && answers === "all") commit(server, xid)
    }
    yield* TestClock.adjust(0)
  }
  return seen
})

/** A wait for the end of ownership that has begun. */
const owning = (session: Session["Service"]) =>
  Effect.forkChild(Effect.flip(session.info.ownership), { startImmediately: true })

describe("heartbeats", () => {
  it.effect("are sent when nothing was written for a third of the timeout", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      yield* TestClock.adjust("2999 millis")
      assert.lengthOf(yield* server.requests, 0)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(
        (yield* server.requests).map(({ name, xid }) => [name, xid]),
        [["ping", -2]]
      )
      pong(server)
      yield* TestClock.adjust("2 seconds")
      const read = yield* Effect.forkChild(exists(session, "/x"))
      const { xid } = yield* server.nextRequest
      server.replyWith(xid, 1n, Operations.exists, { stat: Frames.stat })
      yield* Fiber.join(read)
      // Three seconds after the request, not after the ping.
      yield* TestClock.adjust("2999 millis")
      assert.lengthOf(yield* server.requests, 0)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(yield* server.requests, 1)
    })
  )

  it.effect("keep a session that asks for nothing for as long as they are answered", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(nine)
      for (let i = 0; i < 100; i++) {
        yield* TestClock.adjust("3 seconds")
        const requests = yield* server.requests
        assert.lengthOf(requests, 1)
        pong(server)
      }
      assert.strictEqual(session.info.state._tag, "Connected")
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("go on at their pace while one is not answered, and any byte counts as a sign of life", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      for (let i = 0; i < 5; i++) {
        yield* TestClock.adjust("3 seconds")
        assert.lengthOf(yield* server.requests, 1)
        server.send(Frames.notification(Frames.event.data, "/nobody"))
      }
      assert.strictEqual(session.info.state._tag, "Connected")
      for (let i = 0; i < 5; i++) pong(server)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )

  it.effect("that are answered without having been sent end the connection, and only that", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
      pong(server)
      const next = yield* network.accept
      yield* next.greet()
      yield* awaitState(session, "Connected")
      assert.isTrue(server.isLeft)
      assert.strictEqual(session.info.id, 0x100n)
    })
  )
})

describe("silence", () => {
  it.effect("of two thirds of the timeout means the next server", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
      yield* TestClock.adjust("5999 millis")
      assert.isFalse(server.isLeft)
      yield* TestClock.adjust("1 millis")
      assert.isTrue(server.isLeft)
      assert.strictEqual(session.info.state._tag, "Disconnected")
      const next = yield* network.accept
      yield* next.greet()
      yield* awaitState(session, "Connected")
      assert.strictEqual(session.info.id, 0x100n)
    })
  )

  it.effect("of four thirds without a session is an expiry, which the client says itself and once", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(nine)
      const states: Array<string> = []
      yield* Effect.forkChild(
        Stream.runForEach(session.info.states, ({ _tag }) => Effect.sync(() => states.push(_tag)))
      )
      network.set("a:2181", "hang")
      yield* TestClock.adjust("1 seconds")
      server.cut()
      const waiting = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), { startImmediately: true })
      yield* TestClock.adjust("10999 millis")
      assert.deepStrictEqual(states, ["Connected", "Disconnected"])
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error._tag, "SessionExpired")
      if (error._tag === "SessionExpired") assert.strictEqual(error.sessionId, 0x100n)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Expired", "Connecting"])
    })
  )

  it.effect("of a session to resume counts from the start", () =>
    Effect.gen(function* () {
      const credentials = { id: 7n, password: Redacted.make(new Uint8Array(16)) }
      const { network, server, session } = yield* connect({
        sessionTimeout: "30 seconds",
        session: credentials,
        grant: { timeOut: 9000 }
      })
      // The server granted less than was asked for: the session ends by what it granted.
      network.set("a:2181", "hang")
      server.cut()
      yield* TestClock.adjust("11999 millis")
      assert.strictEqual(session.info.state._tag, "Disconnected")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(session.info.state._tag, "Connecting")
      assert.strictEqual(session.info.id, 0n)
    })
  )
})

describe("expiry", () => {
  it.effect("is followed by a new session under recreate, which gets the later requests", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
      const changed = yield* Effect.forkChild(
        Effect.flip(Effect.flatMap(session.watchExists(samePath("/x")), (watched) => watched.changed))
      )
      const { xid } = yield* server.nextRequest
      server.reply(xid, 1n, -101)
      yield* TestClock.adjust("1 millis")
      server.cut()
      const second = yield* network.accept
      const waiting = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), { startImmediately: true })
      yield* second.greet({ sessionId: 0n, timeOut: 0, passwd: new Uint8Array(16) })
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionExpired")
      assert.strictEqual((yield* Fiber.join(changed))._tag, "SessionExpired")
      yield* TestClock.adjust("1 seconds")
      const third = yield* network.accept
      const hello = yield* third.greet({ sessionId: 0x200n })
      assert.strictEqual(hello.sessionId, 0n)
      yield* awaitState(session, "Connected")
      assert.strictEqual(session.info.id, 0x200n)
      const read = yield* Effect.forkChild(exists(session, "/x"))
      const again = yield* third.nextRequest
      third.replyWith(again.xid, 1n, Operations.exists, { stat: Frames.stat })
      yield* Fiber.join(read)
    })
  )

  it.effect("is what another session in the reply means", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
      const ownership = yield* Effect.forkChild(Effect.flip(session.info.ownership), { startImmediately: true })
      server.cut()
      yield* (yield* network.accept).greet({ sessionId: 0x999n })
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      yield* awaitState(session, "Connecting")
    })
  )

  it.effect("is the end under fail: all requests fail with it, and nothing is dialled", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...nine, servers: "a,b", sessionExpiry: "fail" })
      server.cut()
      yield* (yield* network.accept).greet({ sessionId: 0n, timeOut: 0 })
      yield* awaitState(session, "Expired")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(exists(session, "/x")))._tag, "SessionExpired")
      assert.lengthOf(network.dialled, 2)
    })
  )
})

describe("ownership", () => {
  it.effect("ends a timeout less the margin after what was confirmed last, while disconnected", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(nine)
      const ownership = yield* owning(session)
      // A quarter of the timeout after the handshake, which a quorum has committed, a proof is due.
      yield* TestClock.adjust("2249 millis")
      assert.lengthOf(yield* server.requests, 0)
      yield* TestClock.adjust("1 millis")
      const proof = yield* server.nextRequest
      assert.strictEqual(proof.name, "multi")
      assert.deepStrictEqual(proof.body, [{ operation: "check", request: { path: "/", version: -1 } }])
      // Committed half a second later. It confirms what was sent a quarter of the timeout before it: the handshake.
      yield* TestClock.adjust("500 millis")
      commit(server, proof.xid)
      yield* TestClock.adjust("2250 millis")
      assert.strictEqual(session.info.deadline, 8_100_000_000n)
      // The next one confirms the one before.
      const next = yield* server.nextRequest
      commit(server, next.xid)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(session.info.deadline, 10_350_000_000n)
      network.set("a:2181", "hang")
      server.cut()
      yield* TestClock.adjust("5348 millis")
      assert.isUndefined(ownership.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      assert.strictEqual(session.info.state._tag, "Disconnected")
    })
  )

  it.effect("ends while a server that is cut off from its ensemble commits nothing", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      const ownership = yield* owning(session)
      yield* pass(server, 9)
      assert.isUndefined(ownership.pollUnsafe())
      let seconds = 0
      while (ownership.pollUnsafe() === undefined && seconds < 9) {
        server.send(Frames.notification(Frames.event.data, "/nobody"))
        yield* pass(server, 1, "pings")
        seconds++
      }
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      // The last proof was sent within the last second but two and a quarter, and confirmed one a quarter older than it.
      assert.isAtMost(seconds, 7)
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )

  it.effect("goes by any answer where the options say so, and sends nothing for it", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...nine, ownershipProof: "server" })
      const ownership = yield* owning(session)
      const seen = yield* pass(server, 60)
      assert.isUndefined(ownership.pollUnsafe())
      assert.deepStrictEqual([...new Set(seen)], ["ping"])
    })
  )

  it.effect("is proved for as long as it is waited for, and by pings alone otherwise", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      assert.deepStrictEqual([...new Set(yield* pass(server, 30))], ["ping"])
      // The first proof after a time without any confirms a ping.
      yield* Fiber.join(yield* owning(session))
      yield* pass(server, 1)
      const ownership = yield* owning(session)
      const seen = yield* pass(server, 90)
      assert.isUndefined(ownership.pollUnsafe())
      assert.notInclude(seen, "ping")
      assert.isAtMost(seen.length, 42)
      yield* Fiber.interrupt(ownership)
      yield* pass(server, 3)
      assert.deepStrictEqual([...new Set(yield* pass(server, 30))], ["ping"])
    })
  )

  it.effect("needs no proofs of its own while the application writes", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      const ownership = yield* owning(session)
      for (let second = 0; second < 60; second++) {
        const set = session.request(Operations.setData, { path: "/x", data: null, version: -1 }, "/x")
        const write = yield* Effect.forkChild(Effect.exit(set), { startImmediately: true })
        const { name, xid } = yield* server.nextRequest
        assert.strictEqual(name, "setData")
        // A refusal is committed as a success is.
        server.reply(xid, 1n, second % 2 === 0 ? -101 : -103)
        yield* Fiber.join(write)
        yield* TestClock.adjust("1 second")
      }
      assert.isUndefined(ownership.pollUnsafe())
    })
  )

  it.effect("is not proved by requests that a server refuses by itself", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      const ownership = yield* owning(session)
      const refusals = [-119, -127, -6, -102]
      for (let second = 0; second < 9 && ownership.pollUnsafe() === undefined; second++) {
        yield* TestClock.adjust("1 second")
        for (const { name, xid } of yield* server.requests) {
          if (name === "ping") pong(server)
          else server.reply(xid, 1n, refusals[second % refusals.length]!)
        }
      }
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    })
  )

  it.effect("ends when a proof says within its results that the session is over", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...nine, sessionExpiry: "fail" })
      const ownership = yield* owning(session)
      yield* TestClock.adjust("2250 millis")
      const { xid } = yield* server.nextRequest
      server.replyWith(xid, 1n, Operations.multi, [{ operation: "error", error: -112 }])
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      yield* awaitState(session, "Expired")
    })
  )

  it.effect("ends while connected to a server that sends events but answers nothing", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      const ownership = yield* owning(session)
      for (let i = 0; i < 8; i++) {
        yield* TestClock.adjust("1 second")
        server.send(Frames.notification(Frames.event.data, "/nobody"))
      }
      assert.isUndefined(ownership.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )

  it.effect("is not revived by a late proof, and a new one begins with it", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      const held = yield* owning(session)
      yield* TestClock.adjust("3 seconds")
      for (let i = 0; i < 6; i++) {
        server.send(Frames.notification(Frames.event.data, "/nobody"))
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual((yield* Fiber.join(held))._tag, "OwnershipLost")
      const late = yield* server.requests
      for (const { name, xid } of late) if (name === "multi") commit(server, xid)
      yield* TestClock.adjust("1 millis")
      // It confirms nothing that is young enough; the next one confirms it.
      assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
      yield* pass(server, 4)
      const next = yield* owning(session)
      yield* pass(server, 20)
      assert.isUndefined(next.pollUnsafe())
      assert.strictEqual(session.info.id, 0x100n)
    })
  )

  it.effect("is not owned after a time without proofs, until the one that is asked for then has come", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(nine)
      yield* pass(server, 30)
      assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
      yield* TestClock.adjust(0)
      const asked = (yield* server.requests).filter(({ name }) => name === "multi")
      assert.lengthOf(asked, 1)
      // Asking again while it is on its way sends no other.
      assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
      commit(server, asked[0]!.xid)
      yield* TestClock.adjust(0)
      const ownership = yield* owning(session)
      yield* pass(server, 30)
      assert.isUndefined(ownership.pollUnsafe())
    })
  )

  it.effect("has the margin of the options", () =>
    Effect.gen(function* () {
      const { session } = yield* connect({ ...nine, ownershipMargin: "4 seconds" })
      assert.strictEqual(session.info.deadline, 5_000_000_000n)
    })
  )

  it.effect("goes on with each margin that is accepted", () =>
    Effect.gen(function* () {
      for (const margin of [0, 100, 3000, 4500]) {
        const { server, session } = yield* connect({ ...nine, ownershipMargin: margin })
        const ownership = yield* owning(session)
        for (let step = 0; step < 400; step++) {
          yield* TestClock.adjust("100 millis")
          for (const { name, xid } of yield* server.requests) {
            if (name === "ping") pong(server)
            else commit(server, xid)
          }
        }
        assert.isUndefined(ownership.pollUnsafe(), `margin ${margin}`)
      }
    })
  )

  it.effect("has half of what the server grants as its margin where the options leave too little", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => lines.push(message))
      const { network, server, session } = yield* connect({
        sessionTimeout: "30 seconds",
        ownershipMargin: "8 seconds",
        servers: "a,b",
        grant: { timeOut: 4000 }
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.strictEqual(session.info.deadline, 2_000_000_000n)
      assert.lengthOf(lines, 1)
      assert.match(String(lines[0]), /ownershipMargin.*4000 ms.*2000 ms/)
      // It is said once.
      server.cut()
      yield* (yield* network.accept).greet({ timeOut: 4000 })
      yield* awaitState(session, "Connected")
      assert.lengthOf(lines, 1)
    })
  )

  it.effect("ends in time after a server grants less than before", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ sessionTimeout: "30 seconds", servers: "a,b" })
      server.cut()
      const next = yield* network.accept
      yield* next.greet({ timeOut: 3000 })
      yield* awaitState(session, "Connected")
      const ownership = yield* owning(session)
      network.set("a:2181", "hang")
      network.set("b:2181", "hang")
      yield* TestClock.adjust("2700 millis")
      assert.strictEqual(ownership.pollUnsafe()?._tag, "Success")
      yield* TestClock.adjust("1300 millis")
      assert.strictEqual(session.info.state._tag, "Connecting")
    })
  )

  it.effect("ends when the session is closed, and its deadline is not in the future", () =>
    Effect.gen(function* () {
      const { session } = yield* connect(nine)
      const ownership = yield* owning(session)
      yield* TestClock.adjust("1 second")
      yield* session.info.detach
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      assert.strictEqual(session.info.deadline, 1_000_000_000n)
    })
  )
})

describe("the wall clock", () => {
  /** A clock whose wall time a test can move without the monotonic one. */
  const withWall = Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const wall = { offset: 0 }
    const stepped: Clock.Clock = {
      sleep: clock.sleep,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + wall.offset,
      currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + wall.offset),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(wall.offset) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe() + BigInt(wall.offset) * 1_000_000n)
    }
    return { wall, stepped }
  })

  it.effect("ends ownership when it leaps forward by more than is left, and a sign of life is asked for", () =>
    Effect.gen(function* () {
      const { stepped, wall } = yield* withWall
      const { server, session } = yield* Effect.provideService(connect(nine), Clock.Clock, stepped)
      const ownership = yield* Effect.forkChild(Effect.flip(session.info.ownership), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const read = yield* Effect.forkChild(exists(session, "/x"))
      const { xid } = yield* server.nextRequest
      server.replyWith(xid, 1n, Operations.exists, { stat: Frames.stat })
      yield* Fiber.join(read)
      wall.offset += 9001
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
      assert.include(
        (yield* server.requests).map(({ name }) => name),
        "ping"
      )
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )

  for (const [name, step] of [
    ["an hour forward", 3_600_000],
    ["an hour back", -3_600_000],
    ["a day forward", 86_400_000],
    ["a day back", -86_400_000]
  ] as const) {
    it.effect(`F39: stepped ${name} leaves the session as it is, and ends ownership at most`, () =>
      Effect.gen(function* () {
        const { stepped, wall } = yield* withWall
        const { network, server, session } = yield* Effect.provideService(connect(nine), Clock.Clock, stepped)
        const states: Array<string> = []
        yield* Effect.forkChild(
          Stream.runForEach(session.info.states, ({ _tag }) => Effect.sync(() => states.push(_tag)))
        )
        const ownership = yield* Effect.forkChild(Effect.flip(session.info.ownership), { startImmediately: true })
        const reading = yield* Effect.forkChild(exists(session, "/x"), { startImmediately: true })
        const { xid } = yield* server.nextRequest
        wall.offset += step
        server.replyWith(xid, 1n, Operations.exists, { stat: Frames.stat })
        yield* Fiber.join(reading)
        yield* pass(server, 30)
        assert.strictEqual(ownership.pollUnsafe() === undefined, step < 0)
        // A proof from now on owns it again.
        if (step > 0) yield* Fiber.join(yield* owning(session))
        yield* pass(server, 1)
        const again = yield* Effect.forkChild(Effect.flip(session.info.ownership), { startImmediately: true })
        yield* pass(server, 30)
        assert.isUndefined(again.pollUnsafe())
        assert.deepStrictEqual(states, ["Connected"])
        assert.lengthOf(network.dialled, 1)
      })
    )
  }

  it.effect("ends ownership in a leap while there is no connection", () =>
    Effect.gen(function* () {
      const { stepped, wall } = yield* withWall
      const { network, server, session } = yield* Effect.provideService(connect(nine), Clock.Clock, stepped)
      const ownership = yield* Effect.forkChild(Effect.flip(session.info.ownership), { startImmediately: true })
      network.set("a:2181", "hang")
      server.cut()
      yield* TestClock.adjust("1 second")
      wall.offset += 3_600_000
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(ownership.pollUnsafe()?._tag, "Success")
      assert.strictEqual(session.info.state._tag, "Disconnected")
    })
  )

  it.effect("shortens the deadline by each leap forward, and several add up", () =>
    Effect.gen(function* () {
      const { stepped, wall } = yield* withWall
      const { network, server, session } = yield* Effect.provideService(connect(nine), Clock.Clock, stepped)
      const ownership = yield* owning(session)
      network.set("a:2181", "hang")
      server.cut()
      for (const leap of [1500, 10, 2000]) {
        wall.offset += leap
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(session.info.deadline, 8_100_000_000n - 3_510_000_000n)
      assert.isUndefined(ownership.pollUnsafe())
      yield* TestClock.adjust("1589 millis")
      assert.isUndefined(ownership.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    })
  )

  it.effect("no longer counts once a request after the leap is confirmed, and never counts back", () =>
    Effect.gen(function* () {
      const { stepped, wall } = yield* withWall
      const { server, session } = yield* Effect.provideService(connect(nine), Clock.Clock, stepped)
      const ownership = yield* owning(session)
      for (const step of [2000, -1_000_000, 2000, -50, 2000]) {
        wall.offset += step
        yield* pass(server, 5)
      }
      assert.isUndefined(ownership.pollUnsafe())
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )
})

describe("the last zxid", () => {
  it.effect("moves on replies to requests, errors included, and on nothing else", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
      const ask = Effect.fnUntraced(function* (zxid: bigint, code: number) {
        const read = yield* Effect.forkChild(Effect.exit(exists(session, "/x")))
        const { xid } = yield* server.nextRequest
        server.reply(xid, zxid, code)
        yield* Fiber.join(read)
      })
      yield* ask(0x10n, -101)
      yield* ask(0xfn, -101)
      yield* Effect.forkChild(session.addAuth({ scheme: "digest", credentials: Redacted.make("u:p") }))
      assert.strictEqual((yield* server.nextRequest).name, "auth")
      server.reply(Operations.Xid.auth, 0x97n)
      server.send(Frames.reply(notification, 0x99n, 0, Frames.notification(3, "/n").slice(16)))
      yield* TestClock.adjust("3 seconds")
      yield* server.requests
      pong(server, 0x98n)
      yield* TestClock.adjust("1 millis")
      server.cut()
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet()).lastZxidSeen, 0x10n)
    })
  )
})
