/** A process observes its sessions: metrics that add up, and log lines that say whose they are. */
import { assert, describe } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { during } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as SessionMetrics from "../../src/SessionMetrics.ts"
import * as Frames from "../support/frames.ts"
import type { ServerSide } from "../support/MemoryNetwork.ts"
import { connect, exists, type SessionService, connectClosable, watchData, answered } from "../support/session.ts"
import { now, settle } from "../support/time.ts"
import { answerExists } from "../support/answers.ts"
import { itAlone } from "../support/logs.ts"

const options = { servers: "a,b", sessionTimeout: "9 seconds" } as const

const connectIn = connectClosable(options)

/** Asks so many times and has it answered. */
const ask = Effect.fnUntraced(function* (session: SessionService, server: ServerSide, times: number) {
  for (let time = 0; time < times; time++) {
    yield* answered(server, exists(session, "/x"), (xid) => answerExists(server, xid))
  }
})

const beat = Effect.fnUntraced(function* (servers: ReadonlyArray<ServerSide>) {
  yield* TestClock.adjust("3 seconds")
  for (const server of servers) {
    const pings = (yield* server.requests).filter(({ name }) => name === "ping")
    for (const _ of pings) server.reply(Operations.Xid.ping, 0n)
  }
  yield* settle
})

const count = (metric: Metric.Counter<number>) => Effect.map(Metric.value(metric), (state) => state.count)

const level = (metric: Metric.Gauge<number>) => Effect.map(Metric.value(metric), (state) => state.value)

const sessionsIn = (state: string) =>
  Effect.map(Metric.value(Metric.withAttributes(SessionMetrics.sessions, { state })), ({ value }) => value)

const countOf = (operation: string, outcome = "Ok") =>
  Effect.map(Metric.value(Metric.withAttributes(SessionMetrics.requests, { operation, outcome })), ({ count }) => count)

const measured = (operation: string) => Metric.value(Metric.withAttributes(SessionMetrics.duration, { operation }))

const received = (server: ServerSide) => server.received.slice(1).reduce((sum, frame) => sum + frame.length + 4, 0)

describe("metrics", () => {
  itAlone("add up over the sessions of a process, and gauges fall to zero with the last of them", function* () {
    const one = yield* connectIn
    const two = yield* connectIn
    yield* ask(one.session, one.server, 3)
    yield* ask(two.session, two.server, 2)
    const changed = yield* watchData(one.session, one.server, "/w")
    yield* watchData(two.session, two.server, "/w")
    const watching = yield* Effect.forkChild(Effect.exit(changed), now)
    yield* Effect.forkChild(Effect.exit(exists(one.session, "/unanswered")), now)
    yield* Effect.forkChild(Effect.exit(exists(two.session, "/unanswered")), now)
    yield* beat([one.server, two.server])
    assert.strictEqual(yield* countOf("exists"), 5)
    assert.strictEqual(yield* countOf("getData"), 2)
    assert.strictEqual((yield* measured("exists")).count, 5)
    assert.strictEqual((yield* measured("getData")).count, 2)
    assert.strictEqual(yield* level(SessionMetrics.inFlight), 2)
    assert.strictEqual(yield* level(SessionMetrics.waiting), 0)
    assert.strictEqual(yield* level(SessionMetrics.watches), 2)
    assert.strictEqual(yield* sessionsIn("Connected"), 2)
    assert.strictEqual(yield* count(SessionMetrics.connectionsLost), 0)

    one.server.send(Frames.notification(Frames.event.data, "/w"))
    yield* Fiber.join(watching)
    one.server.cut()
    yield* settle
    assert.strictEqual(yield* count(SessionMetrics.events), 1)
    assert.strictEqual(yield* level(SessionMetrics.watches), 1)
    assert.strictEqual(yield* count(SessionMetrics.connectionsLost), 1)
    assert.strictEqual(yield* sessionsIn("Connected"), 1)
    assert.strictEqual(yield* sessionsIn("Disconnected"), 1)
    assert.strictEqual(yield* level(SessionMetrics.inFlight), 1)
    assert.strictEqual(yield* level(SessionMetrics.waiting), 1)
    yield* during("4 seconds", Effect.andThen(one.close, two.close))
    for (const state of ["Connecting", "Connected", "Disconnected", "Closed"]) {
      assert.strictEqual(yield* sessionsIn(state), 0, state)
    }
    assert.strictEqual(yield* level(SessionMetrics.inFlight), 0)
    assert.strictEqual(yield* level(SessionMetrics.waiting), 0)
    assert.strictEqual(yield* level(SessionMetrics.watches), 0)
    assert.strictEqual(yield* count(SessionMetrics.sessionsExpired), 0)
  })

  itAlone("show the operation, the outcome and the seconds of each request", function* () {
    const { close, server, session } = yield* connectIn
    yield* ask(session, server, 1)
    const missing = yield* Effect.forkChild(Effect.exit(exists(session, "/none")), now)
    const { xid } = yield* server.nextRequest
    yield* TestClock.adjust("1500 millis")
    server.reply(xid, 1n, -101)
    yield* Fiber.join(missing)
    yield* close
    assert.strictEqual(yield* countOf("exists"), 1)
    assert.strictEqual(yield* countOf("exists", "NoNode"), 1)
    const { max, sum } = yield* measured("exists")
    assert.strictEqual(max, 1.5)
    assert.strictEqual(sum, 1.5)
  })

  itAlone(
    "do not count the proofs of ownership, also where the answer to one makes the next due at once",
    function* () {
      const { server, session } = yield* connect({ ...options, sessionTimeout: "16 seconds" })
      yield* TestClock.adjust("2 seconds")
      yield* ask(session, server, 1)
      yield* TestClock.adjust("3 seconds")
      yield* Effect.forkScoped(session.info.ownership, now)
      const { name, xid } = yield* server.nextRequest
      assert.strictEqual(name, "multi")
      assert.strictEqual(yield* level(SessionMetrics.inFlight), 0)
      // It comes so late that it confirms too little.
      yield* TestClock.adjust("1500 millis")
      server.replyWith(xid, 2n, Operations.multi, [{ operation: "check", response: undefined }])
      yield* settle
      assert.strictEqual(yield* level(SessionMetrics.inFlight), 0)
      yield* TestClock.adjust("1 second")
      assert.isTrue((yield* server.requests).some(({ name }) => name === "multi"))
      assert.strictEqual(yield* level(SessionMetrics.inFlight), 0)
    }
  )

  itAlone("count all bytes, also those between the last heartbeat and the close", function* () {
    const { close, server, session } = yield* connectIn
    yield* ask(session, server, 2)
    yield* close
    assert.isTrue(server.sawCloseSession)
    assert.strictEqual(yield* count(SessionMetrics.bytesSent), received(server))
    // The answer to the handshake, two of `exists`, and the one to closeSession, each with its length.
    assert.strictEqual(yield* count(SessionMetrics.bytesReceived), 4 + 37 + 2 * (4 + 16 + 68) + 4 + 16)
  })

  itAlone("count a session that has expired, and the one that follows it as another", function* () {
    const { close, network, server } = yield* connectIn
    server.cut()
    yield* network.welcome({ timeOut: 0, sessionId: 0n })
    yield* network.welcome({ sessionId: 0x200n })
    yield* settle
    assert.strictEqual(yield* count(SessionMetrics.sessionsExpired), 1)
    assert.strictEqual(yield* sessionsIn("Connected"), 1)
    assert.strictEqual(yield* sessionsIn("Disconnected"), 0)
    yield* close
    assert.strictEqual(yield* sessionsIn("Connected"), 0)
  })
})

describe("log lines", () => {
  /** Lines with what they are annotated with. */
  const gather = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
    const lines: Array<{ readonly text: string; readonly session: unknown; readonly server: unknown }> = []
    const logger = Logger.make(({ fiber, message }) => {
      const annotations = fiber.getRef(References.CurrentLogAnnotations)
      lines.push({
        text: String(message),
        session: annotations["zookeeper.session"],
        server: annotations["zookeeper.server"]
      })
    })
    yield* effect.pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
    return lines
  })

  itEffect("say of which session and of which server they speak", function* () {
    const lines = yield* gather(
      Effect.gen(function* () {
        const { network, server, session } = yield* connect({
          servers: "a",
          sessionTimeout: "9 seconds",
          grant: { sessionId: -256n }
        })
        yield* ask(session, server, 1)
        network.set("a:2181", "refuse")
        server.cut()
        yield* TestClock.adjust("150 millis")
        network.set("a:2181", "accept")
        yield* TestClock.adjust("5 seconds")
        yield* network.welcome({ timeOut: 0, sessionId: 0n })
        yield* settle
      })
    )
    const session = "0xffffffffffffff00"
    const line = (text: string) => lines.find((candidate) => candidate.text.includes(text))
    assert.deepInclude(line("connection lost"), { session, server: "a:2181" })
    assert.deepInclude(line("no session"), { session, server: "a:2181" })
    assert.deepInclude(line("expired"), { session, server: "none" })
  })

  itEffect("say so also for errors that a caller threw", function* () {
    const lines = yield* gather(
      Effect.gen(function* () {
        const { server, session } = yield* connect({ servers: "a", sessionTimeout: "9 seconds" })
        Effect.runCallback(exists(session, "/x"), {
          onExit: () => {
            throw new Error("a bug of the application")
          }
        })
        yield* settle
        server.reply((yield* server.nextRequest).xid, 1n, -101)
        yield* settle
      })
    )
    const line = lines.find(({ text }) => text.includes("thrown"))
    assert.deepInclude(line, { session: "0x100", server: "a:2181" })
  })
})
