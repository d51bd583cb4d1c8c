/** What hostile servers and careless callers can cost: attempts, memory and time have bounds, whatever they do. */
import { assert, describe } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { retainedBytes, MiB } from "@effect-zookeeper/test-kit/MemoryUse"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import * as SessionMetrics from "../../src/SessionMetrics.ts"
import { isServed, answerExists, answerWrite } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import {
  awaitState,
  startSession,
  connect,
  create,
  exists,
  get,
  set,
  silent,
  answered,
  watchPersistently
} from "../support/session.ts"
import { dialTimes, gapsOf, now, pass, settle } from "../support/time.ts"

/** The next connection, which must come within ten seconds. */
const nextOf = Effect.fnUntraced(function* (network: MemoryNetwork) {
  for (let waited = 0; waited < 100 && network.waiting === 0; waited++) yield* TestClock.adjust("100 millis")
  assert.isAbove(network.waiting, 0, "no connection is tried")
  return yield* network.accept
})

describe("servers that are not there", () => {
  itEffect(
    "F01: are noticed at once, dialled rarely, and found again within 1.5 seconds after a second's outage",
    function* () {
      const connecting = connect({ servers: "a,b,c", sessionTimeout: "30 seconds" })
      const { network, server, session } = yield* Random.withSeed(connecting, "an outage of a second")
      yield* isServed(session, server)
      const times = yield* dialTimes(network)
      for (const name of ["a", "b", "c"]) network.set(`${name}:2181`, "refuse")
      server.cut()
      yield* settle
      assert.strictEqual(session.info.state._tag, "Disconnected")
      yield* pass(1000)
      // A round at once, then one after each pause. The pauses are random from nothing on, so that no number of dials
      // holds for all of them: those of one seed are always the same.
      assert.isAtLeast(times.length, 6)
      assert.isAtMost(times.length, 18)
      for (const name of ["a", "b", "c"]) network.set(`${name}:2181`, "accept")
      for (let waited = 0; waited < 1500 && network.waiting === 0; waited += 10) yield* TestClock.adjust("10 millis")
      assert.strictEqual(network.waiting, 1)
      assert.strictEqual((yield* (yield* network.accept).greet()).sessionId, 0x100n)
      yield* awaitState(session, "Connected")
    }
  )

  itEffect(
    "F02: that accept and hang up are dialled at most 15 times in 10 seconds, rarer and rarer, with jitter",
    function* () {
      const gaps: Array<ReadonlyArray<number>> = []
      for (let client = 0; client < 4; client++) {
        const network = yield* MemoryNetwork.make
        yield* Random.withSeed(startSession(network, { connectTimeout: "10 minutes" }), `client ${client}`)
        const times = yield* dialTimes(network)
        yield* Effect.forkScoped(Effect.forever(Effect.map(network.accept, (server) => server.cut())))
        yield* pass(10_000)
        assert.isAtMost(network.dialled.length, 15)
        assert.isAtLeast(network.dialled.length, 6)
        gaps.push(gapsOf(times))
      }
      // Each is a random part of what doubles.
      const sum = (some: ReadonlyArray<number>) => some.reduce((a, b) => a + b, 0)
      const early = sum(gaps.flatMap((one) => one.slice(0, 3)))
      assert.isAbove(sum(gaps.flatMap((one) => one.slice(-3))), 4 * early)
      assert.isAbove(new Set(gaps.map((one) => one.join())).size, 1)
    }
  )
})

describe("a frame that does not come to its end", () => {
  const options = { servers: "a,b", sessionTimeout: "6 seconds", maxFrameSize: 4 * MiB } as const
  const announced = Uint8Array.of(0, 0x3f, 0xff, 0xff)

  itEffect(
    "F13: a server with one byte of a reply in two seconds is left, again and again, and memory stays flat",
    function* () {
      const { network, server, session } = yield* connect(options)
      const reading = yield* Effect.forkChild(Effect.flip(get(session, "/slow")), now)
      let current = server
      let before = 0
      // A read is asked anew eight times; then it is given up, and another follows.
      for (let round = 0; round < 40; round++) {
        yield* Effect.forkScoped(Effect.exit(get(session, `/${round}`)))
        yield* settle
        const buffers = process.memoryUsage().arrayBuffers
        current.sendRaw(announced)
        current.sendRaw(new Uint8Array(100))
        let seconds = 0
        for (; seconds < 20 && !current.isLeft; seconds += 2) {
          current.sendRaw(Uint8Array.of(1))
          yield* TestClock.adjust("2 seconds")
          // Four mebibytes are announced, and a few bytes have come.
          assert.isBelow(process.memoryUsage().arrayBuffers - buffers, MiB)
        }
        assert.isTrue(current.isLeft, `round ${round}`)
        // Twice the timeout.
        assert.isAtLeast(seconds, 12)
        current = yield* nextOf(network)
        // The list of all connections is the test's own; the last one is closed at its end.
        network.connections.splice(0, network.connections.length - 1)
        yield* current.greet()
        yield* settle
        if (round === 10) before = retainedBytes()
      }
      assert.strictEqual((yield* Fiber.join(reading))._tag, "ConnectionLoss")
      assert.isBelow(retainedBytes() - before, MiB)
      assert.strictEqual(session.info.id, 0x100n)
    }
  )

  itEffect("F13: a server with one byte of a handshake in two seconds is left within its deadline", function* () {
    const network = yield* MemoryNetwork.make
    const session = yield* startSession(network, { ...options, connectTimeout: "10 minutes" })
    for (let round = 0; round < 5; round++) {
      const server = yield* nextOf(network)
      yield* server.nextHello
      server.sendRaw(Uint8Array.of(0, 0, 0, 37))
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(server.isLeft)
      server.sendRaw(Uint8Array.of(0))
      // Half of the session's time for each of two servers.
      yield* TestClock.adjust("1 seconds")
      assert.isTrue(server.isLeft)
    }
    yield* (yield* nextOf(network)).greet()
    assert.strictEqual((yield* Fiber.join(session)).info.state._tag, "Connected")
  })

  itEffect("F18: and after which nothing more comes is silence: the read is sent to the next server", function* () {
    const { network, server, session } = yield* connect(options)
    const reading = yield* Effect.forkChild(exists(session, "/a"), now)
    const { xid } = yield* server.nextRequest
    const whole = Frames.framed(Frames.replyWith(xid, 1n, Operations.exists, { stat: Frames.stat }))
    server.sendRaw(whole.slice(0, 30))
    yield* TestClock.adjust("3999 millis")
    assert.isFalse(server.isLeft)
    yield* TestClock.adjust("2 millis")
    assert.isTrue(server.isLeft)
    const next = yield* network.welcome()
    answerExists(next, (yield* next.nextRequest).xid)
    yield* Fiber.join(reading)
  })
})

itEffect("F17: wrong lengths are refused before anything is allocated for them, however often", function* () {
  const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "60 seconds" })
  const lengths = [0x7fffffff, 4 * MiB + 1, -1, -(2 ** 31), ...Array.from({ length: 16 }, (_, length) => length)]
  let current = server
  let before = 0
  for (let round = 0; round < 200; round++) {
    const length = lengths[round % lengths.length]!
    const reading = yield* Effect.forkChild(Effect.exit(get(session, "/a")), now)
    yield* settle
    const lie = new Uint8Array(4 + Math.max(0, Math.min(length, 15)))
    new DataView(lie.buffer).setInt32(0, length)
    const buffers = process.memoryUsage().arrayBuffers
    current.sendRaw(lie)
    yield* settle
    assert.isBelow(process.memoryUsage().arrayBuffers - buffers, MiB)
    assert.isTrue(current.isLeft, `a length of ${length}`)
    current = yield* nextOf(network)
    network.connections.splice(0, network.connections.length - 1)
    yield* current.greet()
    yield* Fiber.interrupt(reading)
    yield* settle
    yield* current.requests
    if (round === 20) before = retainedBytes()
  }
  assert.isBelow(retainedBytes() - before, 2 * MiB)
  assert.strictEqual(session.info.id, 0x100n)
  yield* isServed(session, current)
})

itEffect("F16: a byte of a reply that is turned over gives a value or a typed error, at any place", function* () {
  const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "10 minutes" })
  let current = server
  const seen = new Map<string, number>()
  const frame = (xid: number) =>
    Frames.framed(Frames.replyWith(xid, 1n, Operations.getData, { data: Frames.text("hello"), stat: Frames.stat }))
  const { length } = frame(1)
  for (let offset = 0; offset < length; offset++) {
    const reading = yield* Effect.forkChild(Effect.result(get(session, "/a")), now)
    yield* settle
    const requests = yield* current.requests
    const broken = frame(requests.find(({ name }) => name === "getData")!.xid)
    // Not the zxid: one from the future is believed, for nothing tells it from a true one.
    if (offset < 8 || offset >= 16) broken[offset]! ^= 0x01
    current.sendRaw(broken)
    yield* settle
    if (reading.pollUnsafe() === undefined) {
      // Nothing was wrong with a longer frame so far, or the connection is gone and the read is asked again.
      current.cut()
      current = yield* nextOf(network)
      yield* current.greet()
      current.sendRaw(frame((yield* current.nextRequest).xid))
    } else if (current.isLeft) {
      current = yield* nextOf(network)
      yield* current.greet()
    }
    const result = yield* Fiber.join(reading)
    const what = result._tag === "Success" ? "value" : result.failure._tag
    seen.set(what, (seen.get(what) ?? 0) + 1)
  }
  assert.sameMembers([...seen.keys()], ["value", "ServerRefused", "ProtocolError", "FrameTooLarge"])
  assert.strictEqual(session.info.id, 0x100n)
  yield* isServed(session, current)
})

describe("unexpected frames of a server", () => {
  itEffect("F22: a heartbeat that is refused ends the connection, and only that", function* () {
    const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "9 seconds" })
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual((yield* server.nextRequest).name, "ping")
    server.reply(Operations.Xid.ping, 0n, -777)
    yield* settle
    assert.isTrue(server.isLeft)
    const next = yield* nextOf(network)
    assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
    yield* isServed(session, next)
  })

  itEffect("F23: forged events are passed over, and counted", function* () {
    const { server, session } = yield* connect({ sessionTimeout: "9 seconds" })
    const count = Effect.map(Metric.value(SessionMetrics.events), ({ count }) => Number(count))
    yield* TestClock.adjust("3 seconds")
    server.reply(Operations.Xid.ping, 0n)
    const before = yield* count
    for (const [type, path] of [
      [77, "/a"],
      [-1, ""],
      [3, "no path"],
      [4, "/nobody/watches/this"]
    ] as const) {
      server.send(Frames.notification(type, path))
    }
    yield* isServed(session, server)
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual((yield* count) - before, 4)
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  itEffect(
    "F24: a storm of 50,000 events reaches its watch in order, keeps nothing, and delays no reply",
    function* () {
      const { network, server, session } = yield* connect({ sessionTimeout: "60 seconds" })
      let events = 0
      let last = ""
      const onEvent = ({ path }: { readonly path: string }) => {
        events++
        last = path
      }
      yield* watchPersistently(session, server, "/storm", true, { ...silent, onEvent })
      const reading = yield* Effect.forkChild(exists(session, "/a"), now)
      const { xid } = yield* server.nextRequest
      // In chunks as large as those of a socket, and the reply behind them all.
      const STORM = 50_000
      const before = retainedBytes()
      let longest = 0
      /** Milliseconds of this process, whatever others do with the machine. */
      const used = () => {
        const { system, user } = process.cpuUsage()
        return (system + user) / 1000
      }
      for (let sent = 0; sent < STORM; sent += 1000) {
        const frames = Array.from({ length: 1000 }, (_, n) =>
          Frames.framed(Frames.notification(Frames.event.created, `/storm/${sent + n}`))
        )
        server.sendRaw(Buffer.concat(frames))
        const start = used()
        yield* settle
        longest = Math.max(longest, used() - start)
      }
      answerExists(server, xid, 2n)
      yield* Fiber.join(reading)
      assert.strictEqual(events, STORM)
      assert.strictEqual(last, `/storm/${STORM - 1}`)
      assert.isBelow(retainedBytes() - before, 2 * MiB)
      // A few milliseconds for a thousand of them; much more is a compilation or a collection at most.
      assert.isBelow(longest, 300)
      assert.lengthOf(network.dialled, 1)
    }
  )
})

itEffect("F33, F34: a member that has lost its disk is passed over until it has caught up", function* () {
  const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "30 seconds" })
  yield* answered(server, set(session, "/x", "y"), (xid) => answerWrite(server, xid, 0x300000005n))
  const wiped = server.server === "a:2181" ? "b:2181" : "a:2181"
  network.set(server.server, "refuse")
  server.cut()
  let refusals = 0
  const reading = yield* Effect.forkChild(exists(session, "/x"), now)
  for (let waited = 0; waited < 50; waited++) {
    while (network.waiting > 0) {
      const behind = yield* network.accept
      assert.strictEqual(behind.server, wiped)
      // It knows nothing of what we have seen, and closes.
      assert.strictEqual((yield* behind.nextHello).lastZxidSeen, 0x300000005n)
      behind.cut()
      refusals++
    }
    yield* TestClock.adjust("100 millis")
  }
  assert.isAtLeast(refusals, 3)
  assert.isUndefined(reading.pollUnsafe())
  const caughtUp = yield* nextOf(network)
  assert.strictEqual((yield* caughtUp.greet()).sessionId, 0x100n)
  answerExists(caughtUp, (yield* caughtUp.nextRequest).xid, 0x300000006n)
  yield* Fiber.join(reading)
  assert.strictEqual(session.info.id, 0x100n)
})

itEffect("F46: zxids are compared across epochs, and a first transaction of a new epoch is the newest", function* () {
  const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "30 seconds" })
  for (const zxid of [0x1ffffffffn, 0x200000000n, 0x1fffffffen, 0x7fffffff00000001n, 0x200000001n]) {
    yield* answered(server, create(session, "/x"), (xid) =>
      server.replyWith(xid, zxid, Operations.create, { path: "/x" })
    )
  }
  server.cut()
  assert.strictEqual((yield* (yield* network.accept).greet()).lastZxidSeen, 0x7fffffff00000001n)
})

itEffect(
  "F47: a thousand requests that are interrupted, fifty times, leave no slot, no gauge and no memory behind",
  function* () {
    const { server, session } = yield* connect({ sessionTimeout: "10 minutes" })
    let before = 0
    for (let round = 0; round < 50; round++) {
      const doomed = yield* Effect.forkChild(
        eachAtOnce(Array.from({ length: 1000 }), () => exists(session, "/a")),
        now
      )
      if (round % 2 === 0) yield* settle
      yield* Fiber.interrupt(doomed)
      yield* settle
      for (const { xid } of yield* server.requests) {
        answerExists(server, xid)
      }
      server.received.length = 0
      yield* settle
      if (round === 10) before = retainedBytes()
    }
    assert.isBelow(retainedBytes() - before, MiB)
    yield* isServed(session, server)
    yield* TestClock.adjust("4 minutes")
    assert.strictEqual(Number((yield* Metric.value(SessionMetrics.inFlight)).value), 0)
    assert.strictEqual(Number((yield* Metric.value(SessionMetrics.waiting)).value), 0)
  }
)
