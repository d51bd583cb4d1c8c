/**
 * A follower without its leader, and a leader without followers, with a tick of 2 seconds, a `syncLimit` of 5, and
 * sessions of 4 seconds.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { EmbeddedServer, layerMemoryWith } from "../../src/EmbeddedServer.ts"
import { passwordOf } from "../../src/internal/state/Sessions.ts"
import { open } from "../support/harness.ts"
import { dial, type MemoryClient } from "../support/memoryClient.ts"

const PING = { xid: Operations.Xid.ping, err: 0 }

const node = (path: string, flags = 0) => ({ path, data: null, acl: open, flags })

/** Time passes, and each of these sends a ping once a second. */
const pass = Effect.fnUntraced(function* (seconds: number, ...alive: ReadonlyArray<MemoryClient>) {
  for (let second = 0; second < seconds; second++) {
    for (const { ping } of alive) yield* ping
    yield* TestClock.adjust("1 second")
  }
})

/** A session that another connection goes on with. */
const resume = (member: number, { session }: MemoryClient) => dial(member, session(), passwordOf(session()!))

const ids = Effect.flatMap(EmbeddedServer, ({ sessions }) => Effect.map(sessions, (all) => all.map(({ id }) => id)))

/** A test with an ensemble of three. */
const itInEnsemble = testOn(it.effect, layerMemoryWith({ members: 3 }), EmbeddedServer)

describe("a follower without its leader", () => {
  itInEnsemble("answers pings and reads, and lets writes and the requests behind them wait", function* (server) {
    const client = yield* dial(1)
    const other = yield* dial(1)
    yield* pass(1)
    assert.isTrue(yield* server.isolate(1))
    yield* client.ping
    yield* client.send(Operations.exists, { path: "/", watch: false }, 1)
    yield* client.send(Operations.create, node("/a"), 2)
    yield* client.ping
    yield* pass(1, other)
    assert.deepStrictEqual(client.answers(), [PING, { xid: 1, err: 0 }])
    assert.deepStrictEqual(other.answers(), [PING])
    // What would be refused waits as well.
    yield* other.send(Operations.deleteNode, { path: "/none", version: -1 }, 3)
    yield* pass(1, other)
    assert.deepStrictEqual(other.answers(), [])
  })

  itInEnsemble(
    "does not hear that the others have ended its sessions, and closes them after syncLimit ticks",
    function* (server) {
      const owner = yield* dial(1)
      const watcher = yield* dial(2)
      yield* pass(1)
      yield* owner.send(Operations.create, node("/e", 1), 1)
      yield* pass(1, owner, watcher)
      yield* server.isolate(1)
      yield* pass(8, owner, watcher)
      assert.notInclude(yield* ids, owner.session()!)
      assert.include(yield* ids, watcher.session()!)
      assert.isUndefined((yield* server.snapshot).tree.get("/e"))
      // Here it is still there, and the session as well.
      owner.answers()
      yield* owner.send(Operations.exists, { path: "/e", watch: false }, 2)
      yield* pass(1, owner, watcher)
      assert.deepStrictEqual(owner.answers(), [{ xid: 2, err: 0 }, PING])
      yield* pass(2, watcher)
      assert.isTrue(owner.isClosed())
      // It serves no client now, and the others serve all.
      const refused = yield* resume(1, watcher)
      yield* pass(1, watcher)
      assert.isTrue(refused.isClosed())
      assert.isUndefined(refused.session())
      watcher.answers()
      yield* watcher.send(Operations.create, node("/b"), 3)
      yield* pass(1, watcher)
      assert.deepStrictEqual(watcher.answers(), [{ xid: 3, err: 0 }, PING])
      yield* server.rejoin
      const client = yield* dial(1)
      yield* client.send(Operations.exists, { path: "/e", watch: false }, 1)
      yield* client.send(Operations.exists, { path: "/b", watch: false }, 2)
      yield* pass(1)
      assert.deepStrictEqual(client.answers(), [
        { xid: 1, err: codes.NoNode },
        { xid: 2, err: 0 }
      ])
    }
  )

  itInEnsemble("lets handshakes wait, because it asks its leader", function* (server) {
    const client = yield* dial(2)
    yield* pass(1)
    yield* server.isolate(1)
    const fresh = yield* dial(1)
    const resumed = yield* resume(1, client)
    yield* pass(2, client)
    assert.deepStrictEqual([fresh.session(), resumed.session()], [undefined, undefined])
    yield* server.rejoin
    yield* pass(1)
    assert.isDefined(fresh.session())
    assert.strictEqual(resumed.session(), client.session())
  })

  itInEnsemble(
    "applies the waiting requests when the link is back in time, and closes sessions that have ended",
    function* (server) {
      const lost = yield* dial(1)
      yield* pass(1)
      yield* server.isolate(1)
      yield* pass(4, lost)
      // Its session ends soon, and that of the other one has just begun.
      const moved = yield* dial(2)
      yield* pass(1, lost)
      const back = yield* resume(1, moved)
      yield* pass(1, lost)
      yield* lost.send(Operations.create, node("/late"), 1)
      yield* pass(1)
      assert.notInclude(yield* ids, lost.session()!)
      assert.isFalse(lost.isClosed())
      yield* server.rejoin
      yield* back.send(Operations.create, node("/kept"), 1)
      yield* pass(1)
      assert.isTrue(lost.isClosed())
      assert.deepStrictEqual(back.answers(), [{ xid: 1, err: 0 }])
      const { tree } = yield* server.snapshot
      assert.isUndefined(tree.get("/late"))
      assert.isDefined(tree.get("/kept"))
    }
  )
})

describe("signs of life at a follower", () => {
  itInEnsemble(
    "reach the leader half a tick later at most, and not from one that was cut off before",
    function* (server) {
      const [reported, unreported] = [yield* dial(2), yield* dial(1)]
      yield* TestClock.adjust("1500 millis")
      // Both would live until 6 seconds without these.
      yield* reported.ping
      yield* unreported.ping
      yield* TestClock.adjust("400 millis")
      yield* server.isolate(1)
      yield* TestClock.adjust("4200 millis")
      assert.deepStrictEqual(yield* ids, [reported.session()!])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* ids, [])
    }
  )
})

describe("a leader without followers", () => {
  itInEnsemble("answers pings, reads and old sessions, and commits nothing, nor do the others", function* (server) {
    const [client, other, follower] = [yield* dial(0), yield* dial(0), yield* dial(1)]
    yield* pass(1)
    yield* server.isolate(0)
    yield* client.send(Operations.exists, { path: "/", watch: false }, 1)
    yield* follower.send(Operations.exists, { path: "/", watch: false }, 1)
    const resumed = yield* resume(0, other)
    const fresh = yield* dial(0)
    yield* pass(8, client, follower)
    assert.deepInclude(client.answers(), { xid: 1, err: 0 })
    assert.deepInclude(follower.answers(), { xid: 1, err: 0 })
    assert.strictEqual(resumed.session(), other.session())
    assert.isTrue(other.isClosed())
    assert.isUndefined(fresh.session())
    // Nothing ends without a quorum.
    assert.include(yield* ids, other.session()!)
    yield* client.send(Operations.create, node("/a"), 2)
    yield* follower.send(Operations.create, node("/b"), 2)
    yield* pass(1)
    assert.deepStrictEqual([client.answers(), follower.answers()], [[], []])
  })

  itInEnsemble(
    "answers a sync while it has proposed nothing, and so an old state after the others have gone on",
    function* (server) {
      const [owner, other, follower] = [yield* dial(0), yield* dial(0), yield* dial(1)]
      yield* pass(1)
      yield* server.isolate(0)
      yield* pass(11, owner, other, follower)
      assert.strictEqual(yield* server.leader, 2)
      const again = yield* resume(1, follower)
      yield* again.send(Operations.create, node("/b"), 1)
      for (const client of [owner, other]) client.answers()
      yield* owner.send(Operations.sync, { path: "/" }, 2)
      yield* owner.send(Operations.exists, { path: "/b", watch: false }, 3)
      yield* TestClock.adjust("100 millis")
      assert.deepInclude(again.answers(), { xid: 1, err: 0 })
      assert.deepStrictEqual(owner.answers(), [
        { xid: 2, err: 0 },
        { xid: 3, err: codes.NoNode }
      ])
      // So does one that has moved there, of which the others know nothing.
      const moved = yield* resume(0, other)
      yield* moved.send(Operations.sync, { path: "/" }, 1)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(moved.answers(), [{ xid: 1, err: 0 }])
      // With a proposal outstanding it waits for that.
      yield* moved.send(Operations.create, node("/c"), 2)
      yield* owner.send(Operations.sync, { path: "/" }, 4)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(owner.answers(), [])
      yield* pass(1)
      assert.isTrue(owner.isClosed())
    }
  )

  itInEnsemble(
    "steps down when the others have elected another one, which gives every session its full time",
    function* (server) {
      const [owner, follower] = [yield* dial(0), yield* dial(1)]
      yield* pass(1)
      yield* owner.send(Operations.create, node("/e", 1), 1)
      yield* pass(1)
      owner.answers()
      const { zxid } = yield* server.snapshot
      yield* server.isolate(0)
      yield* pass(10, owner, follower)
      assert.isTrue(follower.isClosed())
      yield* pass(1, owner)
      assert.strictEqual(yield* server.leader, 2)
      // It does not know yet.
      assert.isFalse(owner.isClosed())
      assert.strictEqual(owner.answers().length, 11)
      yield* pass(1, owner)
      assert.isTrue(owner.isClosed())
      const again = yield* resume(1, follower)
      yield* pass(2, again)
      assert.strictEqual(again.session(), follower.session())
      assert.include(yield* ids, owner.session()!)
      yield* pass(2, again)
      assert.deepStrictEqual(yield* ids, [follower.session()!])
      yield* again.send(Operations.create, node("/b"), 1)
      yield* pass(1, again)
      const after = yield* server.snapshot
      assert.isUndefined(after.tree.get("/e"))
      assert.isDefined(after.tree.get("/b"))
      assert.isTrue(after.zxid >> 32n > zxid >> 32n)
      // It follows when it is back.
      assert.isFalse(yield* server.isolate(1))
      yield* server.rejoin
      const there = yield* dial(0)
      yield* there.send(Operations.exists, { path: "/b", watch: false }, 1)
      yield* there.send(Operations.create, node("/c"), 2)
      yield* pass(1)
      assert.deepStrictEqual(there.answers(), [
        { xid: 1, err: 0 },
        { xid: 2, err: 0 }
      ])
    }
  )

  itInEnsemble("goes on when its followers are back in time, with the waiting requests", function* (server) {
    const [client, follower, silent] = [yield* dial(0), yield* dial(1), yield* dial(2)]
    yield* pass(1)
    yield* server.isolate(0)
    yield* client.send(Operations.create, node("/a"), 1)
    yield* pass(4)
    yield* follower.ping
    yield* server.rejoin
    yield* follower.send(Operations.create, node("/b"), 1)
    yield* pass(1)
    assert.deepStrictEqual(client.answers(), [{ xid: 1, err: 0 }])
    assert.deepStrictEqual(follower.answers(), [PING, { xid: 1, err: 0 }])
    assert.strictEqual(yield* server.leader, 0)
    yield* pass(2, follower)
    assert.notInclude(yield* ids, silent.session()!)
  })

  itInEnsemble("is one of the others again at once, if the link is back while they elect", function* (server) {
    const owner = yield* dial(0)
    yield* pass(1)
    yield* server.isolate(0)
    yield* pass(10, owner)
    yield* server.rejoin
    yield* pass(3, owner)
    assert.isTrue(owner.isClosed())
    assert.strictEqual(yield* server.leader, 2)
    assert.isTrue(yield* server.isolate(2))
    yield* server.rejoin
    const client = yield* resume(0, owner)
    yield* client.send(Operations.create, node("/a"), 1)
    yield* pass(1)
    assert.deepStrictEqual(client.answers(), [{ xid: 1, err: 0 }])
  })
})
