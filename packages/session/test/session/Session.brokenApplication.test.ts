/** Callbacks that throw, parts that die and credentials in the clear: no mistake of one caller stops a session. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { AuthInfo } from "../../src/Session.ts"
import * as Sasl from "../../src/Sasl.ts"
import { isServed } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork, type ServerSide } from "../support/MemoryNetwork.ts"
import {
  awaitState,
  startSession,
  connect,
  exists,
  remove,
  watchData,
  watchPersistently,
  passTimeAtEnd,
  digest,
  silent,
  itOnNetwork
} from "../support/session.ts"
import { now, settle } from "../support/time.ts"

const options = { servers: "a,b", sessionTimeout: "6 seconds" } as const
/** Calls that an application without types may write. */
const unredacted = { scheme: "digest", credentials: "ann:secret" } as unknown as AuthInfo

const bug = (): never => {
  throw new Error("a bug of the application")
}

/** Runs an effect as the Promise API does, and throws when it is told the outcome. */
const runThrowing = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<void> =>
  Effect.sync(() => void Effect.runCallback(effect, { onExit: bug }))

const existsFrame = (xid: number) => Frames.framed(Frames.replyWith(xid, 1n, Operations.exists, { stat: Frames.stat }))

const itConnected = testWith(it.effect, connect(options))

describe("a callback that throws when told", () => {
  itEffect("a reply disturbs no other: the others in the same chunk are answered, and those after them", function* () {
    const { network, server, session } = yield* connect(options)
    yield* runThrowing(exists(session, "/throws"))
    const other = yield* Effect.forkChild(exists(session, "/other"), now)
    const [first, second] = [yield* server.nextRequest, yield* server.nextRequest]
    server.sendRaw(Buffer.concat([existsFrame(first.xid), existsFrame(second.xid)]))
    yield* Fiber.join(other)
    yield* isServed(session, server)
    assert.lengthOf(network.dialled, 1)
  })

  itConnected(
    "that its connection is lost hinders neither the others that lose theirs, nor the next connection",
    function* ({ network, server, session }) {
      yield* runThrowing(remove(session, "/w"))
      const other = yield* Effect.forkChild(Effect.flip(remove(session, "/w")), now)
      yield* settle
      server.cut()
      assert.strictEqual((yield* Fiber.join(other))._tag, "ConnectionLoss")
      const next = yield* network.welcome()
      yield* isServed(session, next)
    }
  )

  itEffect("a timeout hinders neither the timeouts after it nor the session", function* () {
    const { server, session } = yield* connect({ ...options, requestTimeout: "1 second" })
    yield* runThrowing(exists(session, "/1"))
    const other = yield* Effect.forkChild(Effect.flip(exists(session, "/2")), now)
    yield* settle
    server.sendRaw(existsFrame((yield* server.nextRequest).xid))
    yield* server.nextRequest
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual((yield* Fiber.join(other))._tag, "RequestTimeout")
  })

  itEffect("a state, the event of a watch, or the end of ownership stops nothing", function* () {
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
    const lost = yield* Effect.forkChild(Effect.flip(remove(session, "/w")), now)
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

  itOnNetwork("that the session is there leaves it there", function* (network) {
    const context = yield* Effect.context<Scope.Scope>()
    yield* runThrowing(
      makeSession(options).pipe(Effect.provideService(Transport, network.transport), Effect.provide(context))
    )
    yield* passTimeAtEnd(network)
    const server = yield* network.welcome()
    yield* TestClock.adjust("1 second")
    assert.isFalse(server.isLeft)
    assert.lengthOf(network.dialled, 1)
  })

  itConnected("that an identity is accepted keeps it from no other caller", function* ({ network, server, session }) {
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

  itConnected("a state keeps it from no other", function* ({ session }) {
    const before = yield* Effect.forkChild(awaitState(session, "Closed"), now)
    yield* runThrowing(awaitState(session, "Closed"))
    const after = yield* Effect.forkChild(awaitState(session, "Closed"), now)
    yield* settle
    yield* session.info.detach
    yield* Fiber.join(before)
    yield* Fiber.join(after)
  })

  itEffect("an event of a persistent watch keeps it from no other listener", function* () {
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

  itEffect("the end of a persistent watch keeps it from no other listener, and the session from no end", function* () {
    const { server, session } = yield* connect(options)
    yield* watchPersistently(session, server, "/a", false, { ...silent, onEnd: bug })
    const ends: Array<string> = []
    yield* watchPersistently(session, server, "/a", false, { ...silent, onEnd: ({ _tag }) => void ends.push(_tag) })
    const waiting = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), now)
    yield* session.info.detach
    assert.deepStrictEqual(ends, ["SessionClosed"])
    assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionClosed")
  })
})

describe("a part of the application that dies:", () => {
  itOnNetwork("a mechanism at the first connection is a ConnectFailed that names the server", function* (network) {
    const sasl = { name: "X", begin: () => Effect.die("secret") }
    const fiber = yield* startSession(network, { connectTimeout: "2 seconds", sasl })
    yield* Effect.forkChild(Effect.forever(Effect.flatMap(network.accept, (server) => server.greet())))
    yield* TestClock.adjust("2 seconds")
    const error = yield* failure(Fiber.join(fiber), "ConnectFailed")
    assert.include(error.message, "a:2181: a defect while connecting")
    assert.notInclude(error.message, "secret")
  })

  itEffect("a mechanism at a later connection costs that try only", function* () {
    let turn = 0
    const exchange = { initial: new Uint8Array(0), answer: () => Effect.undefined }
    const begins = () => (turn++ === 1 ? bug() : Effect.succeed(exchange))
    const answer = Effect.fnUntraced(function* (server: ServerSide) {
      const { xid } = yield* server.nextRequest
      server.replyWith(xid, 0n, Operations.sasl, { token: new Uint8Array(0) })
    })
    const network = yield* MemoryNetwork.make
    const fiber = yield* startSession(network, { ...options, sasl: { name: "X", begin: begins } })
    const first = yield* network.welcome()
    yield* answer(first)
    const session = yield* Fiber.join(fiber)
    first.cut()
    yield* network.welcome()
    yield* TestClock.adjust("1 second")
    const third = yield* network.welcome()
    yield* answer(third)
    yield* isServed(session, third)
  })

  for (const part of ["connect", "resolve"] as const) {
    itOnNetwork(`a transport whose ${part} dies costs that try only`, function* (network) {
      const broken = { is: true }
      const { transport } = network
      network.transport = {
        ...transport,
        [part]: (...args: [never, never]) =>
          Effect.suspend<unknown, unknown, unknown>(() => (broken.is ? bug() : transport[part](...args)))
      } as Transport["Service"]
      const fiber = yield* startSession(network, { connectTimeout: "5 seconds" })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(fiber.pollUnsafe())
      broken.is = false
      // The longest pause, a quarter of the session timeout, may have begun just before.
      yield* TestClock.adjust("3 seconds")
      const server = yield* network.welcome()
      yield* isServed(yield* Fiber.join(fiber), server)
    })
  }

  itEffect("credentials in the clear that are added later are refused, and the session goes on", function* () {
    const { network, server, session } = yield* connect(options)
    const error = yield* Effect.flip(session.addAuth(unredacted))
    assert.deepInclude({ ...error }, { _tag: "InvalidArgument", argument: "credentials" })
    assert.notInclude(`${error.message}${JSON.stringify(error)}`, "secret")
    server.cut()
    const next = yield* network.welcome()
    yield* isServed(session, next)
  })

  itEffect("a SASL password in the clear is a SaslError, not printed", function* () {
    const mechanism = Sasl.digestMd5({ username: "ann", password: "secret" as unknown as Redacted.Redacted<string> })
    const error = yield* failure(mechanism.begin({ host: "a", port: 2181 }), "SaslError")
    assert.notInclude(error.message, "secret")
  })
})
