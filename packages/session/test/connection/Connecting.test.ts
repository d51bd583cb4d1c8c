/** The handshake, the search for a server, and the ways in which a first connection can fail. */
import { assert, describe } from "@effect/vitest"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { atOnce, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as Session from "../../src/Session.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import {
  startSession,
  connect,
  exists,
  passTimeAtEnd,
  reconnect,
  answered,
  digest,
  itOnNetwork
} from "../support/session.ts"
import { dialTimes, gapsOf, now } from "../support/time.ts"
import { answerExists } from "../support/answers.ts"

const response: Handshake.ConnectResponse = {
  protocolVersion: 0,
  timeOut: 10_000,
  sessionId: 0x100n,
  passwd: new Uint8Array(16),
  readOnly: undefined
}

describe("the handshake", () => {
  itEffect("asks for a new session, with what the options say", function* () {
    const { hello, session } = yield* connect({ sessionTimeout: "7 seconds", allowReadOnly: true })
    assert.deepStrictEqual(hello, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 7000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: true
    })
    assert.strictEqual(session.info.id, 0x100n)
    assert.deepStrictEqual(session.info.server, Option.some({ host: "a", port: 2181 }))
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  itEffect("takes an answer without the read-only byte, as old servers send it", function* () {
    const { session } = yield* connect({ grant: { readOnly: undefined } })
    assert.isFalse(session.info.readOnly)
    assert.strictEqual(session.info.id, 0x100n)
  })

  itEffect("asks for the timeout of the options on every connection, whatever was granted", function* () {
    const { network, server, session } = yield* connect({ sessionTimeout: "20 seconds", grant: { timeOut: 4000 } })
    assert.strictEqual(session.info.timeout, 4000)
    server.cut()
    yield* TestClock.adjust("200 millis")
    const next = yield* network.accept
    const hello = yield* next.greet({ timeOut: 4000 })
    assert.strictEqual(hello.timeOut, 20_000)
    assert.strictEqual(hello.sessionId, 0x100n)
  })

  itEffect("presents the session to resume, with its password", function* () {
    const credentials = { id: -5n, password: Redacted.make(new Uint8Array(16).fill(9)) }
    const { hello, session } = yield* connect({ session: credentials })
    assert.strictEqual(hello.sessionId, -5n)
    assert.deepStrictEqual(hello.passwd, new Uint8Array(16).fill(9))
    assert.strictEqual(session.info.id, -5n)
  })

  itOnNetwork("takes the bare header that refuses a session as a reason to try the next server", function* (network) {
    const fiber = yield* startSession(network, { servers: "a,b" })
    const first = yield* network.accept
    yield* first.nextHello
    first.send(Frames.reply(0, 0n, -119))
    const second = yield* network.accept
    assert.notStrictEqual(second.server, first.server)
    yield* second.greet()
    assert.strictEqual((yield* Fiber.join(fiber)).info.id, 0x100n)
  })

  itOnNetwork("is tried with pauses where all servers only read, until one writes", function* (network) {
    const fiber = yield* startSession(network, { servers: "a", connectTimeout: "10 minutes" })
    for (let i = 0; i < 100; i++) {
      while (network.waiting > 0) {
        const readOnly = yield* network.accept
        assert.isFalse((yield* readOnly.nextHello).readOnly)
        readOnly.send(Frames.reply(0, 0n, -119))
      }
      yield* TestClock.adjust("100 millis")
    }
    // Eight on average: the pauses are random.
    assert.isAtMost(network.dialled.length, 30)
    while (network.waiting === 0) yield* TestClock.adjust("100 millis")
    yield* network.welcome()
    yield* Fiber.join(fiber)
  })

  itOnNetwork("is waited for by all who need the session at once", function* (network) {
    const layer = Session.layer({ servers: "a" }).pipe(Layer.provide(Layer.succeed(Transport, network.transport)))
    const id = Effect.provide(
      Session.Session.use((session) => Effect.succeed(session.info.id)),
      layer
    )
    const both = yield* Effect.forkChild(Effect.provide(atOnce([id, id]), layer), now)
    yield* network.welcome()
    assert.deepStrictEqual(yield* Fiber.join(both), [0x100n, 0x100n])
    assert.lengthOf(network.dialled, 1)
  })

  for (const [servers, millis] of [
    [1, 5000],
    [4, 2500],
    [12, 1000]
  ] as const) {
    itOnNetwork(`has ${millis} ms where there are ${servers} servers`, function* (network) {
      const names = Array.from({ length: servers }, (_, index) => `s${index}`).join(",")
      yield* startSession(network, { servers: names, sessionTimeout: "10 seconds" })
      const first = yield* network.accept
      yield* TestClock.adjust(Duration.millis(millis - 1))
      assert.isFalse(first.isLeft)
      yield* TestClock.adjust("1 millis")
      assert.isTrue(first.isLeft)
    })
  }

  for (const [name, frame] of [
    ["garbage", new Uint8Array(50).fill(0xab)],
    ["an empty frame", new Uint8Array(0)],
    ["a truncated answer", Jute.encode(Handshake.connectResponse, response).slice(0, 20)]
  ] as const) {
    itOnNetwork(`survives ${name} in its place`, function* (network) {
      const fiber = yield* startSession(network)
      const first = yield* network.accept
      yield* first.nextHello
      first.send(frame)
      yield* TestClock.adjust("1 second")
      assert.isTrue(first.isLeft)
      yield* network.welcome()
      assert.strictEqual((yield* Fiber.join(fiber)).info.state._tag, "Connected")
    })
  }
})

describe("the search for a server", () => {
  itEffect("pauses after a full round only, longer each time, with jitter, and a session resets that", function* () {
    const network = yield* MemoryNetwork.make
    network.set("a:2181", "refuse")
    network.set("b:2181", "refuse")
    const times = yield* dialTimes(network)
    const options = { servers: "a,b", connectTimeout: "10 minutes" } as const
    const fiber = yield* Random.withSeed(startSession(network, options), "pauses")
    for (let i = 0; i < 3000; i++) yield* TestClock.adjust("10 millis")
    const pauses = gapsOf(times)
    // Between rounds it is a random part of what doubles from 200 ms to a quarter of the session's 10 s, so that none
    // costs the session; within a round but the first, a random part of half of the last such pause.
    const within = pauses.filter((_, index) => index % 2 === 0)
    const between = pauses.filter((_, index) => index % 2 === 1)
    assert.isAbove(between.length, 10)
    assert.strictEqual(within[0], 0)
    between.forEach((pause, index) => {
      assert.isAtMost(pause, Math.min(200 * 2 ** index, 2500) + 10)
      assert.isAtMost(within[index + 1] ?? 0, pause / 2 + 10)
    })
    const late = between.slice(6)
    assert.isAbove(Math.max(...late), 1000)
    assert.isBelow(Math.min(...late), 1000)

    network.set("a:2181", "accept")
    while (network.waiting === 0) yield* TestClock.adjust("100 millis")
    const server = yield* network.welcome()
    yield* Fiber.join(fiber)
    yield* passTimeAtEnd(network)
    network.set("a:2181", "refuse")
    times.length = 0
    server.cut()
    yield* TestClock.adjust("200 millis")
    assert.isAtLeast(times.length, 3)
  })

  itOnNetwork("begins a schedule anew when it has ended", function* (network) {
    network.set("a:2181", "refuse")
    const retry = Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 2 }))
    yield* startSession(network, { retry, connectTimeout: "10 minutes" })
    for (let i = 0; i < 100; i++) yield* TestClock.adjust("100 millis")
    assert.isAbove(network.dialled.length, 6)
  })

  itEffect("passes over read-only servers, unless they are allowed", function* () {
    const { hello } = yield* connect()
    assert.isFalse(hello.readOnly)
    const { hello: second, session } = yield* connect({ allowReadOnly: true, grant: { readOnly: true } })
    assert.isTrue(second.readOnly)
    assert.isTrue(session.info.readOnly)
  })

  itEffect("reports that the ensemble is behind after a connectTimeout of silent refusals, and goes on", function* () {
    const { network, server, session } = yield* connect({ connectTimeout: "3 seconds", sessionTimeout: "60 seconds" })
    yield* answered(server, exists(session, "/x"), (xid) => answerExists(server, xid, 0x500n))
    server.cut()
    const stateNow = () => session.info.state._tag
    // The pause that leads beyond the three seconds takes up to four itself.
    for (let i = 0; i < 80 && stateNow() !== "EnsembleBehind"; i++) {
      while (network.waiting > 0) {
        const refusing = yield* network.accept
        assert.strictEqual((yield* refusing.nextHello).lastZxidSeen, 0x500n)
        refusing.cut()
      }
      yield* TestClock.adjust("100 millis")
    }
    assert.strictEqual(stateNow(), "EnsembleBehind")
    while (network.waiting === 0) yield* TestClock.adjust("100 millis")
    yield* reconnect(network, session)
  })
})

describe("a first connection that fails", () => {
  itOnNetwork("fails after connectTimeout with the servers that were tried and why", function* (network) {
    network.set("a:2181", "refuse")
    network.set("b:2181", "hang")
    const fiber = yield* startSession(network, { servers: "a,b", connectTimeout: "12 seconds" })
    yield* TestClock.adjust("11999 millis")
    assert.isUndefined(fiber.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    const error = yield* failure(Fiber.join(fiber), "ConnectFailed")
    if (error._tag !== "ConnectFailed") return
    const reasons = new Map(error.attempts.map(({ reason, server }) => [server, reason]))
    assert.match(reasons.get("a:2181") ?? "", /could not connect/)
    assert.match(reasons.get("b:2181") ?? "", /could not connect within 5000 ms/)
    assert.include(error.message, "a:2181: could not connect")
  })

  itOnNetwork("fails when the session to resume is not known any more and no other is wanted", function* (network) {
    const credentials = { id: 5n, password: Redacted.make(new Uint8Array(16)) }
    const fiber = yield* startSession(network, { session: credentials, sessionExpiry: "fail" })
    yield* network.welcome({ sessionId: 0n, timeOut: 0 })
    yield* failure(Fiber.join(fiber), "SessionExpired")
  })

  const invalid = [
    [{ servers: "" }, "servers"],
    [{ servers: "a:0x10" }, "servers"],
    [{ sessionTimeout: "0 seconds" }, "sessionTimeout"],
    [{ connectTimeout: 0 }, "connectTimeout"],
    [{ ensembleReset: "reset" }, "ensembleReset"],
    [{ requestTimeout: "-1 seconds" }, "requestTimeout"],
    [{ ownershipMargin: "-1 seconds" }, "ownershipMargin"],
    [{ ownershipMargin: "10 seconds" }, "ownershipMargin"],
    [{ ownershipProof: "any" as "server" }, "ownershipProof"],
    [{ allowReadOnly: "yes" as unknown as boolean }, "allowReadOnly"],
    [{ allowPlaintext: 1 as unknown as boolean }, "allowPlaintext"],
    [{ auth: "digest" as unknown as [] }, "auth"],
    [{ maxInFlight: 0 }, "maxInFlight"],
    [{ maxFrameSize: 1.5 }, "maxFrameSize"],
    [{ auth: [{ scheme: "", credentials: Redacted.make("x") }] }, "auth[0].scheme"],
    [{ auth: [digest("bob:x"), { scheme: "digest", credentials: "ann:secret" }] }, "auth[1].credentials"],
    [{ session: { id: 0n, password: Redacted.make(new Uint8Array(16)) } }, "session.id"],
    [{ session: { id: 1n << 64n, password: Redacted.make(new Uint8Array(16)) } }, "session.id"],
    [{ session: { id: 1n, password: Redacted.make(new Uint8Array(0)) } }, "session.password"]
  ] as const
  for (const [options, argument] of invalid) {
    itOnNetwork(`fails before a byte is sent when ${argument} is wrong`, function* (network) {
      const exit = yield* Effect.exit(Effect.flatMap(startSession(network, options as never), Fiber.join))
      const error = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
      assert.isTrue(error?._tag === "Fail" && error.error._tag === "InvalidArgument")
      if (error?._tag !== "Fail" || error.error._tag !== "InvalidArgument") return
      assert.include(error.error.argument, argument)
      assert.isNotEmpty(error.error.rule)
      assert.notInclude(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "secret")
      assert.lengthOf(network.dialled, 0)
    })
  }
})
