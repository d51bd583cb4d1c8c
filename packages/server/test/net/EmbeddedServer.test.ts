/**
 * The client of this repository on the server without a socket, under a clock that stands still unless it is moved.
 */
import { Op, ZooKeeper } from "@effect-zookeeper/client"
import * as Session from "@effect-zookeeper/session/Session"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { now, atOnce, during, failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { EmbeddedServer, layer, layerMemory, layerMemoryWith, type Options } from "../../src/EmbeddedServer.ts"

/** Reads more at once than a server lets wait for one peer, and then still hears of what happens. */
const readMuch = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.create("/large", { data: new Uint8Array(200_000).fill(7) })
  const { changed } = yield* zk.getAndWatch("/large")
  const read = yield* atOnce(Effect.replicate(zk.getData("/large"), 100))
  assert.isTrue(read.every((data) => data.length === 200_000 && data[199_999] === 7))
  yield* zk.delete("/large")
  assert.strictEqual((yield* changed).type, "NodeDeleted")
})

const client = (options: ZooKeeper.Options = {}) =>
  Layer.provide(ZooKeeper.layerSession(options), Session.layer(options))

/** A server in memory and a client on it. */
const world = (options: Options = {}, clientOptions: ZooKeeper.Options = {}) =>
  Layer.provideMerge(client(clientOptions), layerMemoryWith(options))

/** Another client of the same server, in the test's Scope. */
const another = (options: ZooKeeper.Options = {}) => clientOf(client(options))

/** A test with a server in memory and a client on it. */
const itIn = (options?: Options, clientOptions?: ZooKeeper.Options) =>
  testOn(it.effect, world(options, clientOptions), Effect.all({ server: EmbeddedServer, zk: ZooKeeper.ZooKeeper }))

const itInWorld = itIn()

const itOverTcp = testOn(it.live, layer(), Effect.void)
const itInMemory = testOn(it.effect, layerMemory, Effect.void)

describe("clients in the same process", () => {
  itInWorld("an ephemeral znode is gone when its client has closed", function* ({ zk }) {
    yield* Effect.scoped(Effect.flatMap(another(), (other) => other.create("/e", { mode: "ephemeral" })))
    assert.isFalse(yield* zk.exists("/e"))
    const server = yield* EmbeddedServer
    assert.lengthOf(yield* server.sessions, 1)
  })

  itInWorld("a client that is disconnected comes back with its session and its watches", function* ({ server, zk }) {
    const path = yield* zk.create("/e", { mode: "ephemeral" })
    const { changed } = yield* zk.getAndWatch(path)
    const [before] = yield* server.sessions
    yield* server.disconnectAll
    const again = yield* Effect.forkChild(zk.set(path, "again"))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.await(again)
    const [after] = yield* server.sessions
    assert.strictEqual(after?.id, before?.id)
    assert.deepStrictEqual(after?.ephemerals, [path])
    assert.isTrue(after?.connected)
    yield* zk.set(path, "more")
    assert.strictEqual((yield* changed).type, "NodeDataChanged")
  })

  itIn({ members: 3 })("several members have their own names, and a client finds one of them", function* ({ zk }) {
    const transport = yield* Transport.Transport
    assert.strictEqual(transport.defaultServers, "memory-1:2181,memory-2:2181,memory-3:2181")
    assert.strictEqual(yield* zk.create("/x"), "/x")
  })

  itInMemory("a server that is not there is reported", function* () {
    const transport = yield* Transport.Transport
    const address = { host: "elsewhere", port: 2181 }
    const error = yield* Effect.flip(transport.connect(address, address))
    assert.include(error.message, "only memory:2181")
  })
})

describe("time", () => {
  itInWorld("a session that is silent ends, and a watch on its ephemeral znode fires", function* ({ server, zk }) {
    const mine = (yield* server.sessions)[0]!.id
    const other = yield* another({ sessionTimeout: "4 seconds" })
    yield* other.create("/e", { mode: "ephemeral" })
    const { changed } = yield* zk.existsAndWatch("/e")
    const silent = (yield* server.sessions).find(({ id }) => id !== mine)!.id
    assert.isTrue(yield* server.expireSession(silent))
    assert.isFalse(yield* server.expireSession(silent))
    assert.strictEqual((yield* changed).type, "NodeDeleted")
    // The other client ends before its server does.
  })

  itIn({}, { sessionTimeout: "4 seconds" })(
    "the heartbeats of a client keep its session, for as long as it likes",
    function* ({ server, zk }) {
      yield* zk.create("/e", { mode: "ephemeral" })
      for (let minute = 0; minute < 60; minute++) yield* TestClock.adjust("1 second")
      const [session] = yield* server.sessions
      assert.deepStrictEqual(session?.ephemerals, ["/e"])
    }
  )

  itInWorld("a container goes once it has become empty", function* ({ zk }) {
    yield* zk.create("/c", { mode: "container" })
    yield* zk.create("/c/child")
    yield* zk.delete("/c/child")
    yield* TestClock.adjust("59 seconds")
    assert.isTrue(yield* zk.exists("/c"))
    yield* TestClock.adjust("1 second")
    assert.isFalse(yield* zk.exists("/c"))
  })
})

describe("controls", () => {
  itInWorld("a reply that is dropped leaves the write applied and its client in doubt", function* ({ server, zk }) {
    yield* server.dropReply({ operation: "create", path: "/x" })
    yield* failure(zk.create("/x"), "ConnectionLoss")
    const found = yield* Effect.forkChild(zk.exists("/x"))
    yield* TestClock.adjust("10 seconds")
    assert.isTrue(yield* Fiber.join(found))
  })

  itInWorld("a request that is dropped is not done", function* ({ server, zk }) {
    yield* server.dropRequest({ path: "/x" })
    assert.strictEqual((yield* Effect.flip(zk.create("/x")))._tag, "ConnectionLoss")
    assert.isFalse(yield* during("10 seconds", zk.exists("/x")))
  })

  itInWorld(
    "a request is answered with an error that a test has chosen, as often as it says",
    function* ({ server, zk }) {
      yield* server.answerWith({ operation: "create2" }, "QuotaExceeded", 1)
      yield* server.answerWith({ operation: "create" }, "QuotaExceeded", 1)
      assert.strictEqual((yield* Effect.flip(zk.create("/x")))._tag, "QuotaExceeded")
      yield* server.clearFaults
      yield* zk.create("/x")
    }
  )

  itInWorld("counters have the values that a test gives them", function* ({ server, zk }) {
    yield* zk.create("/s")
    assert.isTrue(yield* server.setSequence("/s", 2147483647))
    assert.strictEqual(yield* zk.create("/s/n-", { mode: "persistentSequential" }), "/s/n-2147483647")
    assert.isTrue(yield* server.setVersion("/s", 2147483647))
    assert.strictEqual((yield* zk.set("/s", "x", 2147483647)).version, -2147483648)
    assert.isFalse(yield* server.setVersion("/none", 1))
  })

  itInWorld("a paused server answers nothing, lets nothing expire, and then goes on", function* ({ server, zk }) {
    yield* server.pause
    const asked = yield* Effect.forkChild(zk.create("/x"))
    yield* TestClock.adjust("1 second")
    assert.isUndefined(asked.pollUnsafe())
    yield* server.resume
    assert.strictEqual(yield* Fiber.join(asked), "/x")
  })

  it.effect("answers that are too many at once come one after the other", () => Effect.provide(readMuch, world()))

  itInWorld("requests that wait for their peer to read are answered after a pause too", function* ({ server, zk }) {
    yield* zk.create("/large", { data: new Uint8Array(200_000) })
    let answered = 0
    const read = Effect.tap(zk.getData("/large"), () => Effect.sync(() => answered++))
    const asked = yield* Effect.forkChild(atOnce(Effect.replicate(read, 100)))
    while (answered === 0) yield* Effect.yieldNow
    yield* server.pause
    assert.isBelow(answered, 100)
    yield* TestClock.adjust("1 second")
    assert.isBelow(answered, 100)
    yield* server.resume
    yield* Fiber.join(asked)
    assert.strictEqual(answered, 100)
  })

  itIn({}, { maxInFlight: 1 })(
    "a read that had to wait for its turn leaves a stream of events at its path as it is",
    function* ({ server, zk }) {
      yield* zk.create("/x")
      const ready = Latch.makeUnsafe(false)
      const events = zk.events("/x", { onReady: () => void ready.openUnsafe() }).pipe(Stream.take(2), Stream.runCollect)
      const seen = yield* Effect.forkChild(events, now)
      yield* ready.await
      yield* server.pause
      const first = yield* Effect.forkChild(zk.get("/"), now)
      const second = yield* Effect.forkChild(zk.getAndWatch("/x"), now)
      yield* server.resume
      yield* Fiber.join(first)
      const { changed } = yield* Fiber.join(second)
      yield* zk.set("/x", "one")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
      yield* zk.set("/x", "two")
      assert.lengthOf(yield* Fiber.join(seen), 2)
    }
  )

  itInWorld("a snapshot brings back the former state", function* ({ server, zk }) {
    yield* zk.create("/kept", { data: "one" })
    const snapshot = yield* server.snapshot
    yield* zk.set("/kept", "two")
    yield* zk.create("/late")
    yield* server.restore(snapshot)
    const [data, late] = yield* during("10 seconds", Effect.all([zk.getData("/kept"), zk.exists("/late")]))
    assert.strictEqual(new TextDecoder().decode(data), "one")
    assert.isFalse(late)
  })

  itInMemory("a read-only member serves clients that accept it", function* () {
    const server = yield* EmbeddedServer
    yield* server.setReadOnly(true)
    const zk = yield* another({ allowReadOnly: true })
    assert.deepStrictEqual([...(yield* zk.getChildren("/"))], ["zookeeper"])
    assert.strictEqual((yield* Effect.flip(zk.create("/x")))._tag, "ServerRefused")
  })

  itIn({}, { sessionTimeout: "1 hour" })("sessions are listed as they were negotiated", function* ({ server }) {
    const [session] = yield* server.sessions
    assert.strictEqual(Duration.toMillis(session!.timeout), 40_000)
  })
})

describe("over TCP", () => {
  itOverTcp("answers that are too many at once come one after the other", function* () {
    const { connectString } = yield* EmbeddedServer
    yield* Effect.provide(readMuch, ZooKeeper.layer({ servers: connectString }))
  })
})

describe("a request that waits for a connection", () => {
  itInWorld("sends what the caller's buffer held at the call", function* ({ server, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/b")
    const buffer = new TextEncoder().encode("first ")
    yield* server.pause
    yield* server.disconnectAll
    while (zk.session.state._tag === "Connected") yield* Effect.yieldNow
    const waiting: ReadonlyArray<Fiber.Fiber<unknown, unknown>> = [
      yield* Effect.forkChild(zk.set("/a", buffer), now),
      yield* Effect.forkChild(zk.transaction([Op.setData("/b", buffer)]), now),
      yield* Effect.forkChild(zk.create("/c", { data: buffer }), now),
      yield* Effect.forkChild(zk.create("/d", { data: buffer, idempotent: true }), now)
    ]
    buffer.fill(0)
    yield* server.resume
    yield* TestClock.adjust("1 second")
    yield* Effect.forEach(waiting, (fiber) => Fiber.await(fiber))
    for (const path of ["/a", "/b", "/c", "/d"]) {
      assert.strictEqual(new TextDecoder().decode(yield* zk.getData(path)), "first ")
    }
  })
})
