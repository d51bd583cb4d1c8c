/**
 * Members that stop and are started again, as clients see it: with the znodes and sessions that they had.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import * as Session from "@effect-zookeeper/session/Session"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { assertEach, during, failure, now } from "@effect-zookeeper/test-kit/Expectations"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import { EmbeddedServer, layer, layerMemoryWith, type Options } from "../../src/EmbeddedServer.ts"

const client = (options: Session.SessionOptions = {}) =>
  Layer.provide(ZooKeeper.layerSession(), Session.layer({ sessionTimeout: "10 seconds", ...options }))

/** Tests with a server in memory and a client of it. */
const itIn = (options: Options = {}, servers?: string) =>
  testOn(
    it.effect,
    Layer.provideMerge(Layer.fresh(client({ servers })), layerMemoryWith(options)),
    Effect.all({ server: EmbeddedServer, zk: ZooKeeper.ZooKeeper })
  )

describe("a server that is stopped and started again", () => {
  itIn()(
    "has its znodes, its sessions and their ephemeral znodes, and goes on with its zxid",
    function* ({ server, zk }) {
      yield* zk.create("/kept")
      const path = yield* zk.create("/mine", { mode: "ephemeral" })
      const before = yield* server.snapshot
      yield* server.stop()
      assertEach(yield* server.sessions, ({ connected }) => connected, [false])
      const reading = yield* Effect.forkChild(zk.getChildren("/"), now)
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* server.sessions, 1, "no session ends while the server is stopped")
      yield* server.start()
      yield* Fiber.interrupt(reading)
      const other = yield* clientOf(client())
      assert.sameMembers([...(yield* other.getChildren("/"))], ["kept", path.slice(1), "zookeeper"])
      assert.strictEqual((yield* server.snapshot).zxid, before.zxid + 1n, "a session has been opened")
    }
  )

  itIn()("gives each session its full timeout again", function* ({ server, zk }) {
    yield* zk.create("/mine", { mode: "ephemeral" })
    yield* server.stop()
    yield* TestClock.adjust("9 seconds")
    yield* server.start()
    assert.isTrue(yield* during("9 seconds", zk.exists("/mine")))
    assert.strictEqual(zk.session.state._tag, "Connected")
  })

  itIn()("keeps the client's watches, which the client sets again", function* ({ server, zk }) {
    yield* zk.create("/a")
    const { changed } = yield* zk.getAndWatch("/a")
    yield* server.stop()
    yield* server.start()
    yield* during("5 seconds", zk.set("/a", "new"))
    assert.strictEqual((yield* changed).type, "NodeDataChanged")
  })

  itIn()("may be stopped and started twice, and refuses clients meanwhile", function* ({ server }) {
    yield* server.stop()
    yield* server.stop()
    const refused = clientOf(client({ connectTimeout: "1 second" }))
    const error = yield* during("5 seconds", failure(refused, "ConnectFailed"))
    assert.include(error.message, "stopped")
    yield* server.start()
    yield* server.start()
    yield* clientOf(client())
  })

  itIn()("is not paused any more", function* ({ server, zk }) {
    yield* zk.create("/a")
    yield* server.pause
    yield* server.stop()
    yield* server.start()
    assert.isTrue(yield* during("5 seconds", zk.exists("/a")))
  })
})

describe("an ensemble", () => {
  const options = { members: 3, tickTime: "1 second" } as const

  itIn(options, "memory-1:2181")(
    "without a follower goes on, and the follower catches up when it is back",
    function* ({ server, zk }) {
      yield* server.stop(2)
      yield* zk.create("/a")
      yield* server.start(2)
      const third = yield* clientOf(client({ servers: "memory-3:2181" }))
      assert.isTrue(yield* third.exists("/a"))
      assert.strictEqual(yield* server.leader, 0)
    }
  )

  itIn(options)(
    "without its leader elects another, and its client goes on there with its session",
    function* ({ server, zk }) {
      yield* zk.create("/mine", { mode: "ephemeral" })
      const { id } = zk.session
      const { zxid } = yield* server.snapshot
      yield* server.stop(0)
      assert.strictEqual(yield* server.leader, 2)
      assert.isTrue(yield* during("10 seconds", zk.exists("/mine")))
      assert.strictEqual(zk.session.id, id)
      yield* zk.create("/next")
      assert.strictEqual((yield* server.snapshot).zxid >> 32n, (zxid >> 32n) + 1n, "a new epoch")
      yield* server.start(0)
      assert.strictEqual(yield* server.leader, 2, "the former leader follows")
    }
  )

  itIn(options)("without a majority answers no client and ends no session", function* ({ server, zk }) {
    yield* zk.create("/mine", { mode: "ephemeral" })
    yield* server.stop(1)
    yield* server.stop(2)
    const asked = yield* Effect.forkChild(zk.exists("/mine"), now)
    yield* TestClock.adjust("9 seconds")
    assert.isUndefined(asked.pollUnsafe())
    assert.isFalse(yield* server.expireSession(zk.session.id))
    yield* server.start(1)
    yield* TestClock.adjust("9 seconds")
    assert.isTrue(yield* Fiber.join(asked))
    assert.strictEqual(yield* server.leader, 1)
  })

  itIn(options)(
    "that is whole again after a partition may be stopped, and the partition is over",
    function* ({ server, zk }) {
      assert.isTrue(yield* server.isolate(0))
      yield* server.stop(2)
      assert.isFalse(yield* server.isolate(1), "a member is missing")
      assert.isFalse(yield* during("10 seconds", zk.exists("/a")))
      yield* server.start()
      assert.isTrue(yield* server.isolate(1))
      yield* server.rejoin
    }
  )
})

describe("an ensemble in read-only mode", () => {
  itIn({ members: 3, readOnlyMode: true }, "memory-1:2181")(
    "serves reads without a majority, and everything with one",
    function* ({ server, zk }) {
      yield* zk.create("/a")
      yield* server.stop(1)
      yield* server.stop(2)
      const other = yield* clientOf(client({ servers: "memory-1:2181", allowReadOnly: true }))
      assert.isTrue(yield* other.exists("/a"))
      assert.strictEqual((yield* failure(other.create("/b"), "ServerRefused")).name, "NotReadOnly")
      yield* server.start()
      assert.strictEqual(yield* during("10 seconds", zk.create("/b")), "/b")
    }
  )
})

describe("over TCP", () => {
  const refuses = (port: number) =>
    Effect.callback<boolean>((resume) => {
      const socket = Net.connect(port, "127.0.0.1")
      socket.once("connect", () => resume(Effect.succeed(false)))
      socket.once("error", () => resume(Effect.succeed(true)))
      return Effect.sync(() => socket.destroy())
    })

  testOn(
    it.live,
    layer({ members: 2 }),
    EmbeddedServer
  )("the system refuses connections to a stopped member, and it comes back at the same port", function* (server) {
    const ports = server.connectString.split(",").map((member) => Number(member.split(":")[1]))
    const zk = yield* clientOf(ZooKeeper.layer({ servers: server.connectString, sessionTimeout: "10 seconds" }))
    const path = yield* zk.create("/mine", { mode: "ephemeral" })
    yield* server.stop()
    for (const port of ports) assert.isTrue(yield* refuses(port))
    yield* server.start()
    for (const port of ports) assert.isFalse(yield* refuses(port))
    assert.isTrue(yield* zk.exists(path))
  })

  testOn(
    it.live,
    layer(),
    EmbeddedServer
  )("a port that was taken meanwhile is reported", function* (server) {
    const port = Number(server.connectString.split(":")[1])
    yield* server.stop()
    yield* Layer.build(Layer.fresh(layer({ port })))
    const error = yield* failure(server.start(), "ListenError")
    assert.include(error.message, `127.0.0.1:${port}`)
  })
})
