/** What servers do that keep talking, hand out sessions and take them away: bounded effort, and no end but a real one. */
import { assert, describe, it } from "@effect/vitest"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as ScriptedServer from "@effect-zookeeper/test-kit/ScriptedServer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { SessionOptions } from "../../src/Session.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork, type ServerSide } from "../support/MemoryNetwork.ts"
import {
  samePath,
  awaitState,
  connect,
  connectLive,
  create,
  exists,
  get,
  set,
  type SessionService,
  watchData
} from "../support/session.ts"

const now = { startImmediately: true } as const
const settle = TestClock.adjust("1 millis")

const answerExists = (server: ServerSide, xid: number, zxid = 1n) =>
  server.replyWith(xid, zxid, Operations.exists, { stat: Frames.stat })

const isServed = Effect.fnUntraced(function* (session: SessionService, server: ServerSide) {
  const fiber = yield* Effect.forkChild(exists(session, "/served"), now)
  yield* settle
  const requests = yield* server.requests
  answerExists(server, requests.find(({ name }) => name === "exists")!.xid)
  yield* Fiber.join(fiber)
})

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

/** Passes so much virtual time step by step, as a real clock does. */
const pass = (millis: number) =>
  Effect.forEach(Array.from({ length: millis / 10 }), () => TestClock.adjust("10 millis"), { discard: true })

const gapsOf = (times: ReadonlyArray<number>) => times.slice(1).map((time, index) => time - times[index]!)

describe("a server that gives a session and closes at once", () => {
  const long = { sessionTimeout: "60 seconds", retry: Schedule.exponential("100 millis") } as const
  const answerAndCut = Effect.fnUntraced(function* (server: ServerSide) {
    answerExists(server, (yield* server.nextRequest).xid)
    yield* Effect.yieldNow
    server.cut()
  })

  for (const servers of ["a", "a,b,c"]) {
    it.effect(`after one reply is dialled rarer and rarer (servers: ${servers})`, () =>
      Effect.gen(function* () {
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
    )
  }

  for (const servers of ["a", "a,b,c"]) {
    it.effect(`by refusing to register watches is dialled rarer and rarer (servers: ${servers})`, () =>
      Effect.gen(function* () {
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
    )
  }

  it.effect("three times in a row is replaced at once each time; then not; after one that lasts, at once again", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...long, servers: "a" })
      let current = server
      for (let time = 0; time < 3; time++) {
        yield* isServed(session, current)
        current.cut()
        yield* settle
        assert.strictEqual(network.waiting, 1)
        current = yield* network.accept
        yield* current.greet()
      }
      yield* isServed(session, current)
      current.cut()
      yield* settle
      assert.strictEqual(network.waiting, 0)
      yield* TestClock.adjust("200 millis")
      current = yield* network.accept
      yield* current.greet()
      yield* isServed(session, current)
      yield* TestClock.adjust("1 second")
      current.cut()
      yield* settle
      assert.strictEqual(network.waiting, 1)
    })
  )

  it.effect("whenever it is asked one thing fails that read after eight connections, and nothing beside it", () =>
    Effect.gen(function* () {
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
    })
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
    const writing = yield* Effect.forkChild(Effect.zip(Effect.flip(create(session, "/a")), isOwner), now)
    const { xid } = yield* server.nextRequest
    server.reply(xid, 1n, code)
    const [error, ownedWhenTold] = yield* Fiber.join(writing)
    return { ...connected, deadline, owning, error, ownedWhenTold }
  })

  it.effect("over ends ownership, tells the caller, and is followed by a new one without asking for the old", () =>
    Effect.gen(function* () {
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
    })
  )

  it.effect("over is the end under fail, without another handshake", () =>
    Effect.gen(function* () {
      const { error, network, owning, session } = yield* refuse(-112, { sessionExpiry: "fail" })
      assert.strictEqual(error._tag, "SessionExpired")
      assert.strictEqual((yield* Fiber.join(owning))._tag, "OwnershipLost")
      yield* settle
      assert.strictEqual(session.info.state._tag, "Expired")
      assert.strictEqual((yield* Effect.flip(exists(session, "/x")))._tag, "SessionExpired")
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("elsewhere keeps it, and its deadline where it was", () =>
    Effect.gen(function* () {
      const { deadline, error, network, owning, session } = yield* refuse(-118)
      assert.deepInclude({ ...error }, { _tag: "ServerRefused", code: -118 })
      assert.strictEqual(session.info.deadline, deadline)
      assert.isUndefined(owning.pollUnsafe())
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
      yield* isServed(session, next)
      assert.isUndefined(owning.pollUnsafe())
    })
  )
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

  it.effect("that is not granted does not expire the session itself", () =>
    Effect.gen(function* () {
      const { network, session, third } = yield* standIn
      assert.strictEqual((yield* third.greet({ timeOut: 0, sessionId: 0n })).sessionId, 0n)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(session.info.id, 0x100n)
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
    })
  )

  it.effect("that is over does not expire the session itself", () =>
    Effect.gen(function* () {
      const { network, session, third } = yield* standIn
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
  )
})

it.effect("a name of three addresses of which two hang is reached before the session ends", () =>
  Effect.gen(function* () {
    const network = new MemoryNetwork()
    const addresses = [1, 2, 3].map((n) => ({ host: `10.0.0.${n}`, port: 2181 }))
    const session = yield* makeSession({
      servers: "zk",
      sessionTimeout: "4 seconds",
      session: (yield* connect()).session.info
    }).pipe(
      Effect.provideService(Transport, { ...network.transport, resolve: () => Effect.succeed(addresses) }),
      Effect.forkScoped
    )
    yield* Effect.addFinalizer(() => network.shutDown)
    network.set("10.0.0.1:2181", "hang")
    network.set("10.0.0.2:2181", "hang")
    // Those that hang are not waited for.
    yield* TestClock.adjust("500 millis")
    assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181", "10.0.0.2:2181", "10.0.0.3:2181"])
    const server = yield* network.accept
    assert.strictEqual((yield* server.greet()).sessionId, 0x100n)
    assert.strictEqual((yield* Fiber.join(session)).info.id, 0x100n)
  })
)

describe("a move to another server", () => {
  it.effect("does not keep a close from telling the server", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { network, server, session } = yield* Effect.provideService(connect(), Scope.Scope, scope)
      network.shutDown = Effect.void
      const reading = yield* Effect.forkChild(Effect.exit(exists(session, "/slow")), now)
      const { xid } = yield* server.nextRequest
      yield* session.updateServers("b")
      yield* settle
      server.answersCloseSession = false
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), now)
      yield* settle
      assert.isTrue(server.sawCloseSession)
      // The request that was on its way is still answered.
      answerExists(server, xid)
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(reading)))
      const goodbye = yield* server.nextRequest
      assert.strictEqual(goodbye.name, "closeSession")
      server.reply(goodbye.xid, 2n)
      yield* Fiber.join(closing)
    })
  )

  it.effect(
    "happens also when the list grows in a callback of the handshake, as its loss of ownership tells a holder",
    () =>
      Effect.gen(function* () {
        const { network, server, session } = yield* connect({ sessionTimeout: "30 seconds" })
        yield* isServed(session, server)
        const grown = ["a", ...Array.from({ length: 99 }, (_, n) => `b${n}`)].join(",")
        const holding = Effect.catch(session.info.ownership, () => session.updateServers(grown))
        const holder = yield* Effect.forkChild(Random.withSeed(holding, "leave"), now)
        yield* TestClock.adjust("5 seconds")
        server.cut()
        const second = yield* network.accept
        assert.isUndefined(holder.pollUnsafe())
        // By the shorter timeout nothing has been proved for too long.
        yield* second.greet({ timeOut: 4000 })
        yield* settle
        assert.isDefined(holder.pollUnsafe())
        const third = yield* network.accept
        assert.notStrictEqual(third.server, "a:2181")
        assert.strictEqual((yield* third.greet()).sessionId, 0x100n)
        yield* isServed(session, third)
      })
  )

  it.effect("off the list happens also when the list is replaced while its server is dialled", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ sessionTimeout: "30 seconds" })
      yield* isServed(session, server)
      server.cut()
      const second = yield* network.accept
      assert.strictEqual(second.server, "a:2181")
      yield* session.updateServers("b")
      yield* second.greet()
      yield* TestClock.adjust("1 second")
      const third = yield* network.accept
      assert.strictEqual(third.server, "b:2181")
      assert.strictEqual((yield* third.greet()).sessionId, 0x100n)
      yield* isServed(session, third)
      assert.deepStrictEqual(session.info.server, Option.some({ host: "b", port: 2181 }))
      assert.strictEqual(session.info.id, 0x100n)
      assert.isTrue(second.isLeft)
    })
  )
})

describe("a server that talks and answers nothing", () => {
  it.effect("is left after twice the timeout, and not before", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
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
  )

  for (const { bytes, patient } of [
    { bytes: 1200, patient: true },
    { bytes: 900, patient: false }
  ]) {
    it.effect(`is ${patient ? "waited for" : "left"} while a large reply comes at ${bytes} bytes a second`, () =>
      Effect.gen(function* () {
        const { server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
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
      })
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

  const logged = () => {
    const warnings: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Warn" && !String(message).startsWith("connection lost")) warnings.push(String(message))
    })
    return { warnings, layer: Logger.layer([logger]) }
  }

  it.effect("but pings is left for another after two timeouts, with a warning, and writes fail with their fate", () => {
    const { layer, warnings } = logged()
    return Effect.gen(function* () {
      const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
      const writing = yield* Effect.forkChild(Effect.flip(set(session, "/x", "1")), now)
      const reading = yield* Effect.forkChild(exists(session, "/x"), now)
      yield* pongs(server, 11_500)
      assert.isFalse(server.isLeft)
      assert.deepStrictEqual(warnings, [])
      yield* pongs(server, 2500)
      assert.isTrue(server.isLeft)
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0]!, /[ab]:2181: pings are answered, but the oldest request \(setData\)/)
      assert.deepInclude(yield* Fiber.join(writing), { _tag: "ConnectionLoss", maybeApplied: true })
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
      yield* settle
      answerExists(next, (yield* next.requests).find(({ name }) => name === "exists")!.xid)
      yield* Fiber.join(reading)
    }).pipe(Effect.provide(layer))
  })

  it.effect("but pings is left as well while more is asked of it, so that no ping is due", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
      const ask = Effect.forkChild(Effect.ignore(set(session, "/x", "1")), now)
      // The events keep it from being silent.
      const talk = Effect.sync(() => server.send(Frames.notification(Frames.event.data, "/nobody")))
      for (let n = 0; n < 23; n++) yield* Effect.all([ask, talk, pongs(server, 500)])
      assert.isFalse(server.isLeft)
      for (let n = 0; n < 6 && !server.isLeft; n++) yield* Effect.all([ask, talk, pongs(server, 500)])
      assert.isTrue(server.isLeft)
    })
  )

  it.effect("but pings is left as well where it is credentials that it does not answer", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
      const adding = yield* Effect.forkChild(
        session.addAuth({ scheme: "digest", credentials: Redacted.make("bob:secret") }),
        now
      )
      yield* pongs(server, 14_500)
      assert.isTrue(server.isLeft)
      const next = yield* network.accept
      yield* next.greet()
      assert.strictEqual((yield* next.nextRequest).name, "auth")
      next.reply(Operations.Xid.auth, 0n)
      yield* Fiber.join(adding)
    })
  )

  it.effect("for a while but pings is kept where each reply comes within two timeouts of the one before", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ servers: "a,b", sessionTimeout: "6 seconds" })
      const reading = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 4 }), () => exists(session, "/x"), { concurrency: "unbounded" }),
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
  )

  it.live("byte by byte on a real socket is left after about twice the timeout", () =>
    Effect.gen(function* () {
      const gone: Array<number> = []
      const start = yield* Clock.currentTimeMillis
      const scripted = yield* ScriptedServer.make((connection) =>
        Effect.gen(function* () {
          const hello = yield* Effect.fromResult(
            Jute.decode(Handshake.connectRequest, yield* connection.nextFrame)
          ).pipe(Effect.orDie)
          yield* connection.send(
            Jute.encode(Handshake.connectResponse, {
              protocolVersion: 0,
              timeOut: 1500,
              sessionId: 7n,
              passwd: hello.passwd,
              readOnly: false
            })
          )
          const { xid } = Frames.decodeRequest(yield* connection.nextFrame)
          const frame = Frames.framed(
            Frames.replyWith(xid, 1n, Operations.getData, { data: new Uint8Array(500), stat: Frames.stat })
          )
          const trickle = Effect.forEach(frame, (byte) =>
            Effect.andThen(connection.sendRaw(Uint8Array.of(byte)), Effect.sleep("300 millis"))
          )
          yield* Effect.raceFirst(trickle, Effect.forever(connection.nextFrame)).pipe(
            Effect.ensuring(
              Effect.map(Clock.currentTimeMillis, (time) => {
                gone.push(time - start)
              })
            )
          )
        })
      )
      const session = yield* connectLive({ servers: scripted.connectString, sessionTimeout: "1500 millis" })
      yield* Effect.forkScoped(get(session, "/slow"))
      yield* awaitState(session, "Disconnected")
      yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => gone.length > 0 })
      assert.isAtLeast(gone[0]!, 3000)
      assert.isBelow(gone[0]!, 5500)
    })
  )
})

it.effect(
  "the ensemble is behind when nothing but silent refusals come: a refused connection begins the time anew",
  () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({
        servers: "a",
        sessionTimeout: "10 minutes",
        connectTimeout: "10 seconds"
      })
      const writing = yield* Effect.forkChild(set(session, "/x", "y"), now)
      server.replyWith((yield* server.nextRequest).xid, 5n, Operations.setData, { stat: Frames.stat })
      yield* Fiber.join(writing)
      const closing = yield* Effect.forkScoped(
        Effect.forever(Effect.flatMap(network.accept, (side) => Effect.map(side.nextHello, () => side.cut())))
      )
      server.cut()
      yield* TestClock.adjust("8 seconds")
      network.set("a:2181", "refuse")
      yield* TestClock.adjust("8 seconds")
      network.set("a:2181", "accept")
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(session.info.state._tag, "Disconnected")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(session.info.state._tag, "EnsembleBehind")
      yield* Fiber.interrupt(closing)
    })
)

it.effect("an operation that a server lacked is tried there again after ten minutes", () =>
  Effect.gen(function* () {
    const { network, server, session } = yield* connect({ servers: "a", sessionTimeout: "2 hours" })
    const whoAmI = session.request(Operations.whoAmI, undefined, "")
    const first = yield* Effect.forkChild(Effect.flip(whoAmI), now)
    server.reply((yield* server.nextRequest).xid, -1n, -6)
    yield* Fiber.join(first)
    const next = yield* network.accept
    yield* next.greet()
    yield* settle
    assert.isFalse(session.info.serverFeatures.supports("whoAmI"))
    yield* TestClock.adjust("599 seconds")
    yield* Effect.flip(whoAmI)
    assert.lengthOf(yield* next.requests, 0)
    yield* TestClock.adjust("1 seconds")
    assert.isTrue(session.info.serverFeatures.supports("whoAmI"))
    const again = yield* Effect.forkChild(whoAmI, now)
    const { name, xid } = yield* next.nextRequest
    assert.strictEqual(name, "whoAmI")
    next.replyWith(xid, 1n, Operations.whoAmI, { clientInfo: [] })
    yield* Fiber.join(again)
    assert.lengthOf(network.dialled, 2)
  })
)

it.effect("an event at an invalid path is skipped", () =>
  Effect.gen(function* () {
    const { network, server, session } = yield* connect({ servers: "a,b" })
    const seen: Array<string> = []
    const listener = { onEvent: (event: { readonly path: string }) => void seen.push(event.path), onEnd: () => {} }
    const adding = yield* Effect.forkScoped(
      session.watchPersistently(samePath("/a"), { recursive: true, listener }),
      now
    )
    server.replyWith((yield* server.nextRequest).xid, 1n, Operations.addWatch, { err: 0 })
    yield* Fiber.join(adding)
    for (const path of ["", "a", "/a/", "/a//b", "/a/../b", "/a/b"]) {
      server.send(Frames.notification(Frames.event.created, path))
    }
    yield* settle
    assert.deepStrictEqual(seen, ["/a/b"])
    yield* isServed(session, server)
    assert.lengthOf(network.dialled, 1)
  })
)
