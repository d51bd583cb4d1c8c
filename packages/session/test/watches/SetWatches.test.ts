/** Watches and identities are told to each new connection, as the servers bear it. */
import { assert, describe } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Frames from "../support/frames.ts"
import type { Request } from "../support/frames.ts"
import type { MemoryNetwork, ServerSide } from "../support/MemoryNetwork.ts"
import {
  samePath,
  awaitState,
  startSession,
  connect,
  get,
  watchData,
  watchPersistently,
  answered,
  digest,
  reconnect,
  silent,
  two,
  itConnected,
  itOnNetwork
} from "../support/session.ts"
import { now } from "../support/time.ts"

const watched = Effect.fnUntraced(function* (options: Parameters<typeof connect>[0]) {
  const { network, server, session } = yield* connect({ ...two, ...options })
  for (let index = 0; index < 200; index++) {
    const { changed } = yield* answered(server, session.watchExists(samePath(`/${index}${"n".repeat(1000)}`)), (xid) =>
      server.reply(xid, 1n, -101)
    )
    yield* Effect.forkChild(changed, now)
  }
  const nextPackets = Effect.gen(function* () {
    const next = yield* reconnect(network, session)
    const requests = yield* next.requests
    return { next, packets: requests.filter(({ name }) => name === Operations.setWatches.name) }
  })
  return { server, nextPackets }
})

describe("packets of watches", () => {
  itEffect("are halved when a connection is lost with them, until the server accepts them", function* () {
    const { nextPackets, server } = yield* watched({})
    server.cut()
    const first = yield* nextPackets
    assert.lengthOf(first.packets, 2)
    first.next.cut()
    yield* TestClock.adjust("1 second")
    const second = yield* nextPackets
    // One at a time, so that it is known which of them a connection is lost with.
    const sent = [...second.packets]
    assert.lengthOf(sent, 1)
    for (let packet = sent[0]; packet !== undefined;) {
      second.next.reply(packet.xid, 1n)
      yield* TestClock.adjust("1 millis")
      const [following] = yield* second.next.requests
      packet = following
      if (packet !== undefined) sent.push(packet)
    }
    assert.lengthOf(sent, 4)
    yield* TestClock.adjust("2 seconds")
    // The next server gets the pieces that one server accepted.
    second.next.cut()
    assert.lengthOf((yield* nextPackets).packets, 4)
  })

  itEffect("have what is watched by then, and the newest zxid, at each of many reconnections", function* () {
    const { network, server, session } = yield* connect(two)
    const waiting: Array<Fiber.Fiber<unknown, unknown>> = []
    const watch = Effect.fnUntraced(function* (at: ServerSide, path: string) {
      waiting.push(yield* Effect.forkChild(yield* watchData(session, at, path), now))
    })
    /** The next connection, with the packets on it and a reply that has this zxid. */
    const next = Effect.fnUntraced(function* (from: ServerSide, zxid: bigint) {
      from.cut()
      yield* TestClock.adjust("2 seconds")
      const to = yield* reconnect(network, session)
      const packets = yield* to.requests
      for (const { xid } of packets) to.reply(xid, zxid)
      yield* TestClock.adjust("2 seconds")
      const told = packets
        .filter(({ name }) => name === Operations.setWatches.name)
        .map(({ body }) => [body.relativeZxid, body.dataWatches])
      return { to, told }
    })
    for (const path of ["/a", "/b"]) yield* watch(server, path)
    const first = yield* next(server, 0x20n)
    assert.deepStrictEqual(first.told, [[0x10n, ["/a", "/b"]]])
    const second = yield* next(first.to, 0x30n)
    assert.deepStrictEqual(second.told, [[0x20n, ["/a", "/b"]]])
    yield* watch(second.to, "/c")
    const third = yield* next(second.to, 0x40n)
    assert.deepStrictEqual(third.told, [[0x30n, ["/a", "/b", "/c"]]])
    third.to.send(Frames.notification(Frames.event.data, "/a"))
    yield* Fiber.join(waiting[0]!)
    const fourth = yield* next(third.to, 0x50n)
    assert.deepStrictEqual(fourth.told, [[0x40n, ["/b", "/c"]]])
    // The caller has gone before the event came.
    yield* Fiber.interrupt(waiting[1]!)
    const fifth = yield* next(fourth.to, 0x60n)
    assert.deepStrictEqual(fifth.told, [[0x50n, ["/c"]]])
  })

  itEffect("are no larger than maxRequestSize", function* () {
    const { nextPackets, server } = yield* watched({ maxRequestSize: 20_000 })
    server.cut()
    assert.lengthOf((yield* nextPackets).packets, 11)
  })
})

/** The next connection, after whatever pause the session makes; undefined when it makes none any more. */
const nextServer = Effect.fnUntraced(function* (network: MemoryNetwork) {
  for (let waited = 0; network.waiting === 0 && waited < 100; waited++) yield* TestClock.adjust("100 millis")
  return network.waiting === 0 ? undefined : yield* network.accept
})

/**
 * Serves connection after connection: closes on each request that `isFatal`, and answers all others, until there is nothing
 * more to answer. How many connections were lost.
 */
const serve = Effect.fnUntraced(function* (network: MemoryNetwork, isFatal: (request: Request) => boolean) {
  for (let lost = 0; lost < 40; lost++) {
    const server = yield* nextServer(network)
    if (server === undefined) return { lost, server }
    yield* server.greet()
    let isLost = false
    for (let quiet = 0; quiet < 3 && !isLost; quiet++) {
      yield* TestClock.adjust("1 millis")
      for (const request of yield* server.requests) {
        quiet = 0
        isLost ||= isFatal(request)
        if (isLost) break
        if (request.name === Operations.getData.name) server.reply(request.xid, 0x20n, -101)
        else server.reply(request.xid, 0x20n)
      }
    }
    if (!isLost) return { lost, server }
    server.cut()
  }
  return yield* Effect.die("connections are lost for ever")
})

const names = (request: Request): ReadonlyArray<string> =>
  Object.values(request.body as Record<string, unknown>).flatMap((value) => (Array.isArray(value) ? value : []))

const isFatalAt = (path: string) => (request: Request) =>
  (request.name === Operations.setWatches.name || request.name === Operations.setWatches2.name) &&
  names(request).includes(path)

const givenUp = { _tag: "ConnectionLoss", path: "/fatal", losses: 8, maybeApplied: false } as const

describe("a watch that no server accepts", () => {
  itEffect("is given up with an error after eight lost connections, and the others and all else go on", function* () {
    const { network, server, session } = yield* connect(two)
    const others: Array<Fiber.Fiber<unknown, unknown>> = []
    for (let index = 0; index < 40; index++) {
      const changed = yield* watchData(session, server, `/other/${index}`)
      others.push(yield* Effect.forkChild(changed, now))
    }
    const fatal = yield* Effect.forkChild(yield* watchData(session, server, "/fatal"), now)
    server.cut()
    const read = yield* Effect.forkChild(Effect.flip(get(session, "/read")), now)
    const { lost, server: last } = yield* serve(network, isFatalAt("/fatal"))
    assert.isAtLeast(lost, 9)
    assert.isAtMost(lost, 20)
    const error = yield* Effect.flip(Fiber.join(fatal))
    assert.deepInclude({ ...error }, givenUp)
    assert.include(error.message, "jute.maxbuffer")
    assert.strictEqual((yield* Fiber.join(read))._tag, "NoNode")
    for (const other of others) assert.isUndefined(other.pollUnsafe())
    // The next server is told of the others in one packet, and of this one never again.
    last?.cut()
    const next = yield* nextServer(network)
    yield* next!.greet()
    yield* TestClock.adjust("1 millis")
    const requests = yield* next!.requests
    assert.lengthOf(requests, 1)
    assert.lengthOf(names(requests[0]!), 40)
  })

  itConnected("tells the listener of a persistent one", function* ({ network, server, session }) {
    const ends: Array<unknown> = []
    const calm = { ...silent, onEnd: () => assert.fail("another watch has ended") }
    yield* watchPersistently(session, server, "/fatal", true, { ...silent, onEnd: (reason) => void ends.push(reason) })
    yield* watchPersistently(session, server, "/other", false, calm)
    server.cut()
    yield* serve(network, isFatalAt("/fatal"))
    assert.lengthOf(ends, 1)
    assert.deepInclude(ends[0], givenUp)
  })

  itEffect("is not mistaken for another where connections are lost for other reasons", function* () {
    const { network, server, session } = yield* connect(two)
    const changed = yield* Effect.forkChild(yield* watchData(session, server, "/innocent"), now)
    server.cut()
    // Behind the watch, a read that the server closes on.
    const read = yield* Effect.forkChild(Effect.flip(get(session, "/large")), now)
    yield* serve(network, ({ name }) => name === Operations.getData.name)
    assert.strictEqual((yield* Fiber.join(read))._tag, "ConnectionLoss")
    assert.isUndefined(changed.pollUnsafe())
  })
})

describe("credentials that a server closes on", () => {
  const large = digest("large:secret")
  const isFatal = (request: Request) =>
    request.name === Operations.auth.name &&
    new TextDecoder().decode(request.body.auth as Uint8Array) === "large:secret"

  itEffect("fail addAuth after eight lost connections, and all else goes on", function* () {
    const { network, server, session } = yield* connect(two)
    const added = yield* Effect.forkChild(Effect.flip(session.addAuth(large)), now)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* server.nextRequest).name, "auth")
    server.cut()
    const { lost } = yield* serve(network, isFatal)
    assert.strictEqual(lost, 8)
    const error = yield* Fiber.join(added)
    assert.strictEqual(error._tag, "AuthFailed")
    assert.include(error.message, "jute.maxbuffer")
    assert.notInclude(error.message, "secret")
    yield* awaitState(session, "Connected")
  })

  itOnNetwork("end the session where it counts on them", function* (network) {
    const fiber = yield* startSession(network, { ...two, connectTimeout: "10 minutes", auth: [large] })
    const { lost } = yield* serve(network, isFatal)
    assert.strictEqual(lost, 9)
    const error = yield* Effect.flip(Fiber.join(fiber))
    assert(error._tag === "AuthFailed")
    assert.include(error.message, "jute.maxbuffer")
  })

  itEffect("are refused where they are larger than maxRequestSize", function* () {
    const { session } = yield* connect({ ...two, maxRequestSize: 2000 })
    const error = yield* Effect.flip(session.addAuth(digest(`a:${"x".repeat(2000)}`)))
    assert(error._tag === "InvalidArgument")
    assert.strictEqual(error.argument, "credentials")
    assert.include(error.message, "maxRequestSize")
    assert.notInclude(error.message, "xxx")
  })
})
