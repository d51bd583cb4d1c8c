/** Mistakes of callers, and late calls, and what a session still owes to the others: no mistake of one stops it. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { RequestPipeline } from "../../src/internal/requests/RequestPipeline.ts"
import { makeSession } from "../../src/internal/makeSession.ts"
import { PendingRequest } from "../../src/internal/requests/PendingRequest.ts"
import type { AuthInfo, PersistentWatchListener } from "../../src/Session.ts"
import * as Sasl from "../../src/Sasl.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork, type ServerSide } from "../support/MemoryNetwork.ts"
import {
  samePath,
  awaitState,
  startSession,
  connect,
  exists,
  get,
  type SessionService,
  watchData,
  watchPersistently,
  passTimeAtEnd
} from "../support/session.ts"

const now = { startImmediately: true } as const
const settle = TestClock.adjust("1 millis")
const options = { servers: "a,b", sessionTimeout: "6 seconds" } as const
const silent: PersistentWatchListener = { onEvent: () => {}, onEnd: () => {} }
const digest = (credentials: string): AuthInfo => ({ scheme: "digest", credentials: Redacted.make(credentials) })
/** Calls that an application without types may write. */
const unredacted = { scheme: "digest", credentials: "ann:secret" } as unknown as AuthInfo

const bug = (): never => {
  throw new Error("a bug of the application")
}

/** Runs an effect as the Promise API does, and throws when it is told the outcome. */
const runThrowing = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<void> =>
  Effect.sync(() => void Effect.runCallback(effect, { onExit: bug }))

const existsFrame = (xid: number) => Frames.framed(Frames.replyWith(xid, 1n, Operations.exists, { stat: Frames.stat }))

/** Asks for something that the server answers. */
const isServed = Effect.fnUntraced(function* (session: SessionService, server: ServerSide) {
  const fiber = yield* Effect.forkChild(exists(session, "/served"), now)
  server.sendRaw(existsFrame((yield* server.nextRequest).xid))
  yield* Fiber.join(fiber)
})

describe("a callback that throws when told", () => {
  it.effect("a reply disturbs no other: the others in the same chunk are answered, and those after them", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      yield* runThrowing(exists(session, "/throws"))
      const other = yield* Effect.forkChild(exists(session, "/other"), now)
      const [first, second] = [yield* server.nextRequest, yield* server.nextRequest]
      server.sendRaw(Buffer.concat([existsFrame(first.xid), existsFrame(second.xid)]))
      yield* Fiber.join(other)
      yield* isServed(session, server)
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("that its connection is lost hinders neither the others that lose theirs, nor the next connection", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      const write = () => session.request(Operations.deleteNode, { path: "/w", version: -1 }, "/w")
      yield* runThrowing(write())
      const other = yield* Effect.forkChild(Effect.flip(write()), now)
      yield* settle
      server.cut()
      assert.strictEqual((yield* Fiber.join(other))._tag, "ConnectionLoss")
      const next = yield* network.accept
      yield* next.greet()
      yield* isServed(session, next)
    })
  )

  it.effect("a timeout hinders neither the timeouts after it nor the session", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...options, requestTimeout: "1 second" })
      yield* runThrowing(exists(session, "/1"))
      const other = yield* Effect.forkChild(Effect.flip(exists(session, "/2")), now)
      yield* settle
      server.sendRaw(existsFrame((yield* server.nextRequest).xid))
      yield* server.nextRequest
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(other))._tag, "RequestTimeout")
    })
  )

  it.effect("a state, the event of a watch, or the end of ownership stops nothing", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      const changed = yield* watchData(session, server, "/a")
      const twice = [yield* watchData(session, server, "/a"), changed]
      yield* runThrowing(twice[0]!)
      const other = yield* Effect.forkChild(twice[1]!, now)
      yield* runThrowing(session.info.ownership)
      yield* runThrowing(awaitState(session, "Disconnected"))
      yield* settle
      server.send(Frames.notification(Frames.event.data, "/a"))
      assert.strictEqual((yield* Fiber.join(other)).type, "NodeDataChanged")
      const lost = yield* Effect.forkChild(
        Effect.flip(session.request(Operations.deleteNode, { path: "/w", version: -1 }, "/w")),
        now
      )
      yield* settle
      server.cut()
      yield* settle
      assert.strictEqual((yield* Fiber.join(lost))._tag, "ConnectionLoss")
      const ended = yield* Effect.forkChild(Effect.flip(session.info.ownership), now)
      const second = yield* network.accept
      yield* TestClock.adjust("5500 millis")
      assert.strictEqual((yield* Fiber.join(ended))._tag, "OwnershipLost")
      second.cut()
      yield* TestClock.adjust("10 seconds")
      const third = network.connections.at(-1)!
      yield* third.greet()
      yield* isServed(session, third)
    })
  )

  it.effect("that the session is there leaves it there", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      const context = yield* Effect.context<Scope.Scope>()
      yield* runThrowing(
        makeSession(options).pipe(Effect.provideService(Transport, network.transport), Effect.provide(context))
      )
      yield* passTimeAtEnd(network)
      const server = yield* network.accept
      yield* server.greet()
      yield* TestClock.adjust("1 second")
      assert.isFalse(server.isLeft)
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("that an identity is accepted keeps it from no other caller", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      yield* runThrowing(session.addAuth(digest("ann:secret")))
      const other = yield* Effect.forkChild(session.addAuth(digest("ann:secret")), now)
      yield* server.nextRequest
      yield* server.nextRequest
      server.reply(Operations.Xid.auth, 0n)
      yield* settle
      yield* Fiber.join(other)
      server.reply(Operations.Xid.auth, 0n)
      yield* isServed(session, server)
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("a state keeps it from no other", () =>
    Effect.gen(function* () {
      const { session } = yield* connect(options)
      const before = yield* Effect.forkChild(awaitState(session, "Closed"), now)
      yield* runThrowing(awaitState(session, "Closed"))
      const after = yield* Effect.forkChild(awaitState(session, "Closed"), now)
      yield* settle
      yield* session.info.detach
      yield* Fiber.join(before)
      yield* Fiber.join(after)
    })
  )

  it.effect("an event of a persistent watch keeps it from no other listener", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      yield* watchPersistently(session, server, "/a", false, { ...silent, onEvent: bug })
      const seen: Array<string> = []
      yield* watchPersistently(session, server, "/a", false, { ...silent, onEvent: ({ type }) => void seen.push(type) })
      server.send(Frames.notification(Frames.event.data, "/a"))
      yield* settle
      assert.deepStrictEqual(seen, ["NodeDataChanged"])
      yield* isServed(session, server)
      assert.lengthOf(network.dialled, 1)
    })
  )

  it.effect("the end of a persistent watch keeps it from no other listener, and the session from no end", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(options)
      yield* watchPersistently(session, server, "/a", false, { ...silent, onEnd: bug })
      const ends: Array<string> = []
      yield* watchPersistently(session, server, "/a", false, { ...silent, onEnd: ({ _tag }) => void ends.push(_tag) })
      const waiting = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), now)
      yield* session.info.detach
      assert.deepStrictEqual(ends, ["SessionClosed"])
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionClosed")
    })
  )
})

describe("a part of the application that dies:", () => {
  it.effect("a mechanism at the first connection is a ConnectFailed that names the server", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      const sasl = { name: "X", begin: () => Effect.die("secret") }
      const fiber = yield* startSession(network, { connectTimeout: "2 seconds", sasl })
      yield* Effect.forkChild(Effect.forever(Effect.flatMap(network.accept, (server) => server.greet())))
      yield* TestClock.adjust("2 seconds")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error._tag, "ConnectFailed")
      assert.include(error.message, "a:2181: a defect while connecting")
      assert.notInclude(error.message, "secret")
    })
  )

  it.effect("a mechanism at a later connection costs that try only", () =>
    Effect.gen(function* () {
      let turn = 0
      const exchange = { initial: new Uint8Array(0), answer: () => Effect.undefined }
      const begins = () => (turn++ === 1 ? bug() : Effect.succeed(exchange))
      const answer = Effect.fnUntraced(function* (server: ServerSide) {
        const { xid } = yield* server.nextRequest
        server.replyWith(xid, 0n, Operations.sasl, { token: new Uint8Array(0) })
      })
      const network = new MemoryNetwork()
      const fiber = yield* startSession(network, { ...options, sasl: { name: "X", begin: begins } })
      const first = yield* network.accept
      yield* first.greet()
      yield* answer(first)
      const session = yield* Fiber.join(fiber)
      first.cut()
      yield* (yield* network.accept).greet()
      yield* TestClock.adjust("1 second")
      const third = yield* network.accept
      yield* third.greet()
      yield* answer(third)
      yield* isServed(session, third)
    })
  )

  for (const part of ["connect", "resolve"] as const) {
    it.effect(`a transport whose ${part} dies costs that try only`, () =>
      Effect.gen(function* () {
        const network = new MemoryNetwork()
        const broken = { is: true }
        const transport = {
          ...network.transport,
          [part]: (...args: [never, never]) =>
            Effect.suspend<unknown, unknown, unknown>(() => (broken.is ? bug() : network.transport[part](...args)))
        } as Transport["Service"]
        const fiber = yield* makeSession({ servers: "a", connectTimeout: "5 seconds" }).pipe(
          Effect.provideService(Transport, transport),
          Effect.forkScoped
        )
        yield* Effect.addFinalizer(() => network.shutDown)
        yield* TestClock.adjust("1 second")
        assert.isUndefined(fiber.pollUnsafe())
        broken.is = false
        // The longest pause, a quarter of the session timeout, may have begun just before.
        yield* TestClock.adjust("3 seconds")
        const server = yield* network.accept
        yield* server.greet()
        yield* isServed(yield* Fiber.join(fiber), server)
      })
    )
  }

  it.effect("credentials in the clear are refused before a byte is sent, and not printed", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      const exit = yield* Fiber.await(yield* startSession(network, { auth: [digest("bob:x"), unredacted] }))
      assert.isTrue(Exit.isFailure(exit))
      const printed = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
      assert.include(printed, "auth[1].credentials")
      assert.notInclude(printed, "secret")
      assert.lengthOf(network.dialled, 0)
    })
  )

  it.effect("credentials in the clear that are added later are refused, and the session goes on", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      const error = yield* Effect.flip(session.addAuth(unredacted))
      assert.deepInclude({ ...error }, { _tag: "InvalidArgument", argument: "credentials" })
      assert.notInclude(`${error.message}${JSON.stringify(error)}`, "secret")
      server.cut()
      const next = yield* network.accept
      yield* next.greet()
      yield* isServed(session, next)
    })
  )

  it.effect("a SASL password in the clear is a SaslError, not printed", () =>
    Effect.gen(function* () {
      const mechanism = Sasl.digestMd5({ username: "ann", password: "secret" as unknown as Redacted.Redacted<string> })
      const error = yield* Effect.flip(mechanism.begin({ host: "a", port: 2181 }))
      assert.strictEqual(error._tag, "SaslError")
      assert.notInclude(error.message, "secret")
    })
  )
})

it.effect("a refused addWatch leaves the one-shot watches of its path whole", () =>
  Effect.gen(function* () {
    const { network, server, session } = yield* connect(options)
    const changed = yield* Effect.forkChild(yield* watchData(session, server, "/a"), now)
    const adding = yield* Effect.forkScoped(
      Effect.flip(session.watchPersistently(samePath("/a"), { recursive: false, listener: silent })),
      now
    )
    // In the same chunk comes a child watch that was sent when addWatch already was.
    const reading = yield* Effect.forkChild(session.watchChildren(samePath("/a")), now)
    const refused = yield* server.nextRequest
    assert.strictEqual(refused.name, "addWatch")
    server.reply(refused.xid, 0x11n, -127)
    assert.deepInclude({ ...(yield* Fiber.join(adding)) }, { _tag: "ServerRefused", code: -127 })

    yield* TestClock.adjust("1 second")
    const current = server.isLeft ? yield* network.accept : server
    if (current !== server) yield* current.greet()
    yield* settle
    // Only what the server was asked to watch can fire.
    const requests = yield* current.requests
    const registered = requests.find(({ name }) => name === "setWatches")
    assert.deepStrictEqual(registered?.body.dataWatches, ["/a"])
    const children = requests.find(({ name }) => name === "getChildren2")
    assert.isTrue(children?.body.watch)
    current.reply(registered!.xid, 0x11n)
    current.replyWith(children!.xid, 0x12n, Operations.getChildren2, { children: [], stat: Frames.stat })
    const childChanged = yield* Effect.forkChild((yield* Fiber.join(reading)).changed, now)
    current.send(Frames.notification(Frames.event.child, "/a"))
    assert.strictEqual((yield* Fiber.join(childChanged)).type, "NodeChildrenChanged")
    current.send(Frames.notification(Frames.event.data, "/a"))
    assert.strictEqual((yield* Fiber.join(changed)).type, "NodeDataChanged")
  })
)

it.effect("a refused addWatch on a path without other watches costs nothing and leaves nothing to give back", () =>
  Effect.gen(function* () {
    const { server, session } = yield* connect(options)
    const adding = yield* Effect.forkScoped(
      Effect.flip(session.watchPersistently(samePath("/a"), { recursive: true, listener: silent })),
      now
    )
    server.reply((yield* server.nextRequest).xid, 1n, -127)
    assert.strictEqual((yield* Fiber.join(adding))._tag, "ServerRefused")
    yield* settle
    assert.lengthOf(yield* server.requests, 0)
    assert.isFalse(server.isLeft)
  })
)

describe("a result without a caller", () => {
  const ask = (exchange: RequestPipeline, onLoss: "wait" | "fail" = "fail") => {
    const data = new Uint8Array(100_000)
    const request = new PendingRequest(Operations.setData, { path: "/x", data, version: -1 }, "/x", onLoss, 0, () => {})
    exchange.send(request)
    return request
  }
  const make = () => new RequestPipeline({ maxInFlight: 10, maxRequestSize: 1_048_575 }, 1, (run) => run())

  it("gives up its payload in an outage when its time is over", () => {
    const exchange = make()
    const request = ask(exchange)
    exchange.timeOut(0)
    assert.strictEqual(exchange.waitingCount, 1)
    assert.isUndefined(request.request)
  })

  it("gives up its payload in an outage when its caller goes", () => {
    const exchange = make()
    const request = ask(exchange)
    exchange.abandon(request)
    assert.strictEqual(exchange.waitingCount, 1)
    assert.isUndefined(request.request)
  })
})

describe("a call in the moment of an expiry", () => {
  it.effect(
    "that a watch reports is served by the next session, and so is a caller that learns of it from another request",
    () =>
      Effect.gen(function* () {
        const { network, server, session } = yield* connect(options)
        const changed = yield* watchData(session, server, "/a")
        const again = exists(session, "/again")
        const byWatch = yield* Effect.forkChild(
          Effect.catch(changed, () => again),
          now
        )
        server.cut()
        yield* settle
        const byRequest = yield* Effect.forkChild(
          Effect.catch(get(session, "/b"), () => again),
          now
        )
        const byIdentity = yield* Effect.forkChild(
          Effect.catch(session.addAuth(digest("ann:secret")), () => again),
          now
        )
        yield* (yield* network.accept).greet({ timeOut: 0, sessionId: 0n })
        const next = yield* network.accept
        yield* next.greet({ sessionId: 0x200n })
        yield* settle
        const requests = yield* next.requests
        // A request that was not answered in the old session is shown to the new one.
        assert.deepStrictEqual(
          requests.map(({ name }) => name),
          ["auth", "exists", "exists", "exists"]
        )
        assert.strictEqual(new TextDecoder().decode(requests[0]?.body.auth), "ann:secret")
        for (const { name, xid } of requests) if (name === "exists") next.sendRaw(existsFrame(xid))
        yield* Fiber.join(byWatch)
        yield* Fiber.join(byRequest)
        yield* Fiber.join(byIdentity)
        assert.strictEqual(session.info.id, 0x200n)
      })
  )
})

describe("an identity that is added", () => {
  it.effect("is waited for no longer than any request, and shown to the next server all the same", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...options, requestTimeout: "2 seconds" })
      const adding = yield* Effect.forkChild(Effect.flip(session.addAuth(digest("ann:secret"))), now)
      yield* server.nextRequest
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(adding.pollUnsafe())
      yield* settle
      assert.deepInclude({ ...(yield* Fiber.join(adding)) }, { _tag: "RequestTimeout", operation: "auth" })
      server.cut()
      const next = yield* network.accept
      yield* next.greet()
      assert.strictEqual((yield* next.nextRequest).name, "auth")
      next.reply(Operations.Xid.auth, 0n)
      yield* isServed(session, next)
    })
  )

  it.effect("is not waited for beyond the session, and shown to the server of the next one", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(options)
      const adding = yield* Effect.forkChild(Effect.flip(session.addAuth(digest("ann:secret"))), now)
      server.cut()
      yield* (yield* network.accept).greet({ timeOut: 0, sessionId: 0n })
      assert.strictEqual((yield* Fiber.join(adding))._tag, "SessionExpired")
      const next = yield* network.accept
      yield* next.greet({ sessionId: 0x200n })
      assert.strictEqual((yield* next.nextRequest).name, "auth")
    })
  )
})
