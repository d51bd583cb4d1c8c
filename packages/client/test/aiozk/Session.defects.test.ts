/** The defects S1 to S13 of aiozk's sessions (see `Client.defects.test.ts`): the same accidents, with the right outcome. */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ScriptedServer from "@effect-zookeeper/test-kit/ScriptedServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import type { CreateError, TransactionFailed } from "../../src/Errors.ts"
import { Op as Transaction } from "../../src/index.ts"
import type { Service } from "../../src/ZooKeeper.ts"
import * as Faults from "../support/faults.ts"
import { Op } from "../support/faults.ts"
import * as Frames from "../../../session/test/support/frames.ts"
import { numbersBelow, connect, failure, text, now } from "../support/clients.ts"

describe("aiozk S1 and S2: a connection that ends", () => {
  for (const ending of ["fin", "rst"] as const) {
    Faults.itBehindProxyWith({ sessionTimeout: "30 seconds" })(
      `S1: with a ${ending} is noticed at once, long before any timeout, and the session goes on`,
      function* ({ proxy, zk }) {
        const { id } = zk.session
        yield* zk.create("/e", { mode: "ephemeral" })
        const [elapsed] = yield* Effect.timed(Faults.breakConnections(zk, proxy, ending))
        assert.isBelow(Duration.toMillis(elapsed), 8000)
        assert.strictEqual(zk.session.id, id)
        assert.strictEqual(Option.getOrThrow(yield* zk.stat("/e")).ephemeralOwner, id)
      }
    )
  }

  Faults.itBehindProxyWith({ sessionTimeout: "30 seconds" })("S1: half of it is enough", function* ({ proxy, zk }) {
    const handshakes = yield* Faults.countHandshakes(proxy)
    yield* proxy.halfClose("client")
    yield* proxy.awaitFrames({ direction: "down", op: "connect" }, handshakes + 1)
    assert.isTrue(yield* zk.exists("/"))
  })

  Faults.itBehindProxyWith({ sessionTimeout: "30 seconds" })(
    "S2: fails the writes in flight with ConnectionLoss at once, and answers the reads after it",
    function* ({ proxy, zk }) {
      yield* zk.create("/a", { data: "a" })
      yield* proxy.blackHole("down")
      const write = yield* Effect.forkChild(Effect.flip(zk.set("/a", "b")), now)
      const read = yield* Effect.forkChild(zk.getData("/a"), now)
      yield* proxy.awaitFrames({ direction: "down", op: Op.getData })
      yield* proxy.dropAll("fin")
      const [elapsed, error] = yield* Effect.timed(Fiber.join(write))
      assert.isBelow(Duration.toMillis(elapsed), 8000)
      assert.strictEqual(error._tag, "ConnectionLoss")
      assert.isTrue(error._tag === "ConnectionLoss" && error.maybeApplied)
      yield* proxy.heal
      assert.strictEqual(text(yield* Fiber.join(read)), "b")
    }
  )
})

describe("aiozk S3: a write whose reply is lost is not sent again silently", () => {
  itLive("S3: a sequential create makes one znode, and a transaction is applied once", function* () {
    const options = { mode: "persistentSequential" } as const
    const writes: ReadonlyArray<
      readonly [number, (zk: Service) => Effect.Effect<unknown, TransactionFailed | CreateError>]
    > = [
      [Op.create, (zk) => zk.create("/n-", options)],
      [Op.multi, (zk) => zk.transaction([Transaction.create("/n-", options)])]
    ]
    for (const [op, write] of writes) {
      const { proxy, zk } = yield* Faults.connectProxied("s3-sequential")
      yield* Faults.loseReply(proxy, op)
      const error = yield* failure(write(zk), "ConnectionLoss")
      assert.isTrue(error.maybeApplied)
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["n-0000000000"])
      assert.strictEqual(yield* Faults.countSent(proxy, op), 1)
    }
  })

  Faults.itBehindProxy(
    "S3: a write does not fail because of what it has done itself: create, delete, and a versioned set",
    function* ({ proxy, zk }) {
      yield* Faults.loseReply(proxy, Op.create)
      yield* failure(zk.create("/a"), "ConnectionLoss")
      yield* Faults.loseReply(proxy, Op.create)
      assert.strictEqual(yield* zk.create("/b", { data: "mine", idempotent: true }), "/b")
      assert.deepStrictEqual([...(yield* zk.getChildren("/"))].sort(), ["a", "b"])
      yield* Faults.loseReply(proxy, Op.setData)
      yield* failure(zk.set("/a", "1", 0), "ConnectionLoss")
      assert.strictEqual(Option.getOrThrow(yield* zk.stat("/a")).version, 1)
      yield* Faults.loseReply(proxy, Op.setData)
      assert.strictEqual((yield* zk.setData("/a", "2", { version: 1, idempotent: true })).version, 2)
      assert.strictEqual(yield* Faults.countSent(proxy, Op.setData), 2)
      yield* Faults.loseReply(proxy, Op.delete)
      yield* failure(zk.delete("/a"), "ConnectionLoss")
      assert.isFalse(yield* zk.exists("/a"))
      yield* Faults.loseReply(proxy, Op.delete)
      yield* zk.delete("/b", { idempotent: true })
      assert.isFalse(yield* zk.exists("/b"))
    }
  )

  Faults.itBehindProxy(
    "S3: a request that the server never saw is not sent again either, because the client cannot know",
    function* ({ proxy, zk }) {
      yield* proxy.rule({ match: { direction: "up", op: Op.create }, action: { _tag: "DropAndReset" } })
      const error = yield* failure(zk.create("/a"), "ConnectionLoss")
      assert.isTrue(error.maybeApplied)
      assert.isFalse(yield* zk.exists("/a"))
    }
  )
})

describe("aiozk S4 and S5: a handshake that goes wrong", () => {
  Faults.itBehindProxy(
    "S4: when it is reset anywhere the session stays the same, with its ephemerals",
    function* ({ beside, proxy, zk }) {
      const { id } = zk.session
      yield* zk.create("/e", { mode: "ephemeral" })
      const states = yield* Faults.recordStates(zk)
      // Before the answer, within its length, within it, and right behind it.
      for (const after of [0, 2, 4, 20, 41]) {
        const { accepted } = yield* proxy.seen
        yield* proxy.cutNext({ direction: "down", after, ending: "rst" })
        yield* proxy.dropAll("rst")
        yield* proxy.awaitSeen((seen) => seen.accepted >= accepted + 2)
        yield* Faults.awaitState(zk, "Connected")
        assert.isTrue(yield* zk.exists("/"))
      }
      assert.strictEqual(zk.session.id, id)
      assert.notInclude(states, "Expired")
      assert.strictEqual(Option.getOrThrow(yield* beside.stat("/e")).ephemeralOwner, id)
    }
  )

  Faults.itBehindProxy(
    "S4: servers that lag behind are passed over, and the session is kept",
    function* ({ chroot, proxy }) {
      // A server whose clients have seen more than it has closes the connection without an answer.
      const lagging = yield* ScriptedServer.make((connection) => Effect.andThen(connection.nextFrame, connection.close))
      const zk = yield* connect({
        servers: `${lagging.connectString},${proxy.connectString}${chroot}`,
        retry: Faults.RETRY_SOON
      })
      const { id } = zk.session
      yield* zk.create("/e", { mode: "ephemeral" })
      const before = yield* lagging.accepted
      for (const _ of numbersBelow(3)) yield* Faults.breakConnections(zk, proxy)
      assert.isAtLeast((yield* lagging.accepted) - before, 3)
      assert.strictEqual(zk.session.id, id)
      assert.isTrue(yield* zk.exists("/e"))
    }
  )

  Faults.itBehindProxy(
    "S5: when it stalls another server is tried, and the session is kept",
    function* ({ chroot, proxy }) {
      const other = yield* FaultProxy.make(TestServer.target())
      const zk = yield* connect({
        servers: `${proxy.connectString},${other.connectString}${chroot}`,
        sessionTimeout: "3 seconds",
        retry: Faults.RETRY_SOON
      })
      const { id } = zk.session
      yield* zk.create("/e", { mode: "ephemeral" })
      const states = yield* Faults.recordStates(zk)
      const isOther = Option.getOrThrow(zk.session.server).port === other.port
      const [current, next] = isOther ? [other, proxy] : [proxy, other]
      const { accepted } = yield* next.seen
      yield* next.accept("hang")
      yield* current.dropAll("rst")
      yield* next.awaitSeen((seen) => seen.accepted > accepted)
      assert.isTrue(yield* zk.exists("/e"))
      assert.strictEqual(zk.session.id, id)
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Connected"])
    }
  )

  Faults.itBehindProxyWith({ sessionTimeout: "1 second" })(
    "S5: and its end is reported to all listeners, before there is another",
    function* ({ proxy, zk }) {
      const { id } = zk.session
      yield* zk.create("/e", { mode: "ephemeral" })
      const states = yield* Faults.recordStates(zk)
      const { changed } = yield* zk.getAndWatch("/e")
      const watching = yield* Effect.forkChild(Effect.flip(changed), now)
      const owning = yield* Effect.forkChild(Effect.flip(zk.session.ownership), now)
      yield* proxy.accept("hang")
      yield* proxy.dropAll("rst")
      const waiting = yield* Effect.forkChild(Effect.flip(zk.exists("/e")), now)
      assert.strictEqual((yield* Fiber.join(owning))._tag, "OwnershipLost")
      assert.strictEqual(zk.session.id, id)
      assert.strictEqual((yield* Fiber.join(watching))._tag, "SessionExpired")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionExpired")
      yield* proxy.heal
      yield* proxy.dropAll("rst")
      yield* Faults.awaitCondition(() => states.filter((state) => state === "Connected").length === 2)
      assert.notStrictEqual(zk.session.id, id)
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Expired", "Connecting", "Connected"])
      assert.isFalse(yield* Faults.eventually(zk.exists("/e"), (there) => !there))
    }
  )
})

describe("aiozk S6 to S9: watches across reconnections", () => {
  for (const direction of ["up", "down"] as const) {
    Faults.itBehindProxy(
      `S6: the connection may be lost while they are registered again (${direction})`,
      function* ({ beside, proxy, zk }) {
        yield* zk.create("/a")
        const { changed } = yield* zk.getAndWatch("/a")
        const rule = yield* proxy.rule({
          match: { direction, op: Op.setWatches },
          action: { _tag: "DropAndReset" },
          count: 3
        })
        yield* proxy.dropAll("rst")
        yield* rule.awaitHits(3)
        assert.isTrue(yield* zk.exists("/a"))
        yield* beside.set("/a", "1")
        assert.strictEqual((yield* changed).type, "NodeDataChanged")
      }
    )
  }

  Faults.itBehindProxy(
    "S7 and S9: nothing fires without a change, and a change fires each once",
    function* ({ beside, proxy, zk }) {
      yield* zk.create("/a")
      const watched = [
        (yield* zk.getAndWatch("/a")).changed,
        (yield* zk.existsAndWatch("/a")).changed,
        (yield* zk.getChildrenAndWatch("/a")).changed,
        (yield* zk.existsAndWatch("/none")).changed
      ]
      const fired: Array<string> = []
      for (const [index, changed] of watched.entries()) {
        yield* Effect.forkScoped(
          Effect.map(changed, ({ path, type }) => fired.push(`${index} ${type} ${path}`)),
          now
        )
      }
      for (const _ of numbersBelow(3)) {
        yield* Faults.breakConnections(zk, proxy)
        // Whatever the server replays comes before this answer.
        yield* zk.sync()
      }
      assert.deepStrictEqual(fired, [])
      assert.strictEqual(yield* Faults.countFrames(proxy, { direction: "down", op: "notification" }), 0)
      yield* beside.set("/a", "1")
      yield* beside.create("/a/b")
      yield* beside.create("/none")
      yield* Faults.awaitCondition(() => fired.length === 4)
      assert.deepStrictEqual(fired, [
        "0 NodeDataChanged /a",
        "1 NodeDataChanged /a",
        "2 NodeChildrenChanged /a",
        "3 NodeCreated /none"
      ])
    }
  )

  Faults.itBehindProxy(
    "S8: a deletion is reported, whether it came after the reconnection or before it",
    function* ({ beside, proxy, zk }) {
      yield* zk.create("/later")
      yield* zk.create("/meanwhile")
      const later = yield* zk.existsAndWatch("/later")
      const meanwhile = yield* zk.existsAndWatch("/meanwhile")
      const created = yield* zk.existsAndWatch("/created")
      yield* Faults.cutOff(proxy)
      yield* Faults.awaitState(zk, "Disconnected")
      yield* beside.delete("/meanwhile")
      yield* beside.create("/created")
      yield* proxy.accept("forward")
      assert.deepStrictEqual(yield* Effect.map(meanwhile.changed, ({ path, type }) => [type, path]), [
        "NodeDeleted",
        "/meanwhile"
      ])
      assert.strictEqual((yield* created.changed).type, "NodeCreated")
      yield* beside.delete("/later")
      assert.strictEqual((yield* later.changed).type, "NodeDeleted")
    }
  )

  Faults.itBehindProxy(
    "S9: many watches are registered in packets that servers take",
    function* ({ beside, chroot, proxy, zk }) {
      const name = (index: number) => `/${"w".repeat(150)}${index}`
      const watched = yield* eachAtOnce(numbersBelow(1500), (index) => zk.existsAndWatch(name(index)))
      yield* Faults.breakConnections(zk, proxy)
      yield* zk.sync()
      assert.strictEqual(yield* Faults.watchesBelow(chroot), 1500)
      const { frames } = yield* proxy.seen
      const packets = frames.filter(({ direction, op }) => direction === "up" && op === Op.setWatches)
      assert.isAtLeast(packets.length, 2)
      assert.isTrue(packets.every(({ length }) => length <= 128 * 1024 + 100))
      for (const index of [0, 700, 1499]) {
        yield* beside.create(name(index))
        assert.strictEqual((yield* watched[index]!.changed).type, "NodeCreated")
      }
    }
  )
})

// The other cases of test_watchers.py are those of `dataChanges` and `childrenChanges` in the conformance suite ("streams of
// values", "after a lost connection"), and of its one-shot watches.
describe("aiozk test_watchers.py", () => {
  itLive(
    "a thousand watches all report that the session was lost while the process stood still (test_multi_watcher)",
    function* () {
      const server = yield* ZooKeeperServer.make({ tickTime: 100 })
      const proxy = yield* FaultProxy.make(server)
      const { root: other } = yield* Faults.makeChroot("multi", server.connectString)
      const zk = yield* connect({
        servers: proxy.connectString,
        sessionTimeout: "1 second",
        retry: Faults.RETRY_SOON
      })
      const { id } = zk.session
      yield* other.create("/m")
      // Not ephemeral ones: a server that ends a session tells its watches of them before it closes the connection.
      yield* eachAtOnce(numbersBelow(1000), (index) => zk.create(`/m/${index}`))
      yield* other.create("/own")
      yield* eachAtOnce(numbersBelow(1000), (index) => zk.create(`/own/${index}`, { mode: "ephemeral" }))
      const outcomes = yield* eachAtOnce(numbersBelow(1000), (index) =>
        Effect.flatMap(zk.getAndWatch(`/m/${index}`), ({ changed }) => Effect.forkScoped(Effect.flip(changed), now))
      )
      // The server goes by its own clock: by the end of this it has given the session up.
      const until = performance.now() + 1600
      while (performance.now() < until);
      const errors = yield* Effect.forEach(outcomes, Fiber.join)
      assert.isTrue(errors.every((error) => error._tag === "SessionExpired" && error.sessionId === id))
      yield* Faults.awaitState(zk, "Connected")
      assert.notStrictEqual(zk.session.id, id)
      yield* zk.sync()
      assert.deepStrictEqual(yield* zk.getChildren("/own"), [])
    }
  )
})

describe("aiozk S10 to S13: frames", () => {
  Faults.itBehindProxyWith({ sessionTimeout: "30 seconds" })(
    "S10: an end within a frame is an end, without a busy loop",
    function* ({ proxy, zk }) {
      yield* zk.create("/a", { data: "a" })
      const rule = yield* proxy.rule({
        match: { direction: "down", op: Op.getData },
        action: { _tag: "SetLength", length: 10_000 }
      })
      const read = yield* Effect.forkChild(zk.getData("/a"), now)
      yield* rule.awaitHits()
      yield* proxy.accept("refuse")
      yield* proxy.dropAll("fin")
      yield* Faults.awaitState(zk, "Disconnected")
      // With nowhere to go it rests.
      const before = process.cpuUsage()
      yield* Effect.sleep("500 millis")
      const { system, user } = process.cpuUsage(before)
      assert.isBelow(user + system, 350_000)
      yield* proxy.accept("forward")
      assert.strictEqual(text(yield* Fiber.join(read)), "a")
    }
  )

  Faults.itBehindProxy(
    "S12: a request that is too large is refused at once, and the connection goes on",
    function* ({ proxy, zk }) {
      const error = yield* failure(zk.create("/a", { data: new Uint8Array(2_000_000) }), "FrameTooLarge")
      assert.strictEqual(error.path, "/a")
      assert.isAbove(error.size, 2_000_000)
      assert.isAbove(error.size, error.limit)
      assert.isFalse(yield* zk.exists("/a"))
      assert.strictEqual(yield* Faults.countSent(proxy, Op.create), 0)
      assert.strictEqual(yield* Faults.countHandshakes(proxy), 1)
      // The largest that a server takes passes.
      yield* zk.create("/b", { data: new Uint8Array(1_000_000) })
      assert.lengthOf(yield* zk.getData("/b"), 1_000_000)
    }
  )

  Faults.itBehindProxy(
    "S13: events of the connection itself, sent by a server, and twice, change nothing",
    function* ({ beside, proxy, zk }) {
      yield* zk.create("/a")
      const states = yield* Faults.recordStates(zk)
      const { changed } = yield* zk.getAndWatch("/a")
      const event = Jute.encode(Jute.codec(Records.WatcherEvent), { type: -1, state: 0, path: "" })
      for (const _ of numbersBelow(2)) yield* proxy.inject("down", Frames.reply(-1, -1n, 0, event))
      assert.isTrue(yield* zk.exists("/a"))
      yield* beside.set("/a", "1")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
      assert.deepStrictEqual(states, ["Connected"])
    }
  )
})
