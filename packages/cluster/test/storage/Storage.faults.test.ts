/** Shards whose session is in trouble: lost replies, lost connections, expiries, calls that are given up. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { OwnershipUncertain, StorageTimeout } from "../../src/Errors.ts"
import {
  address,
  causeOf,
  describeOnServers,
  ids,
  interval,
  runner,
  sessionTimeout,
  shards,
  shardsUpTo
} from "../support/targets.ts"

/** Milliseconds that a call may take beyond its bound on a busy machine. */
const slack = 5000

describeOnServers("a storage whose connection is lost", (test) => {
  test("acquires and releases all the same, with one lock for each shard", function* ({ breakable, storageOn, zk }) {
    const { link, zk: broken } = yield* breakable()
    const storage = yield* storageOn(broken)
    const steps = [Operations.multi, Operations.getChildren, Operations.multiRead, Operations.sync, Operations.create]
    for (const step of steps) {
      for (const lose of [link.loseReply, link.loseRequest]) {
        yield* lose(step)
        const again = Effect.retry({ times: 20 })
        const acquired = yield* again(storage.acquire(address(1), shardsUpTo(120)))
        assert.lengthOf(acquired, 120, step.name)
        assert.lengthOf(yield* zk.getChildren("/cluster/shards"), 120)
        yield* lose(step)
        yield* again(storage.release(address(1), shards(7)[0]!))
        yield* again(storage.releaseAll(address(1)))
        yield* eventually(zk.getChildren("/cluster/shards"), (names) => names.length === 0)
      }
    }
  })

  test("adopts locks of its session whose create was not answered", function* ({ breakable, another, storageOn }) {
    const { link, zk: broken } = yield* breakable()
    const storage = yield* storageOn(broken)
    yield* (yield* storageOn(yield* another())).acquire(address(2), shards(3))
    yield* link.loseReply(Operations.multi)
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2, 3))), [1, 2])
  })

  test("gives back what it acquired for a caller who went away", function* ({ breakable, storageOn, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const storage = yield* storageOn(broken, { times: { shardLockExpiration: "20 seconds" } })
    yield* storage.acquire(address(1), shards(1))
    const children = zk.getChildrenWithStat("/cluster/shards")
    const { cversion } = (yield* children).stat
    yield* link.cut
    yield* awaitCondition(() => broken.session.state._tag === "Disconnected")
    const acquiring = yield* Effect.forkChild(storage.acquire(address(1), shards(1, 2, 3)), { startImmediately: true })
    yield* Effect.sleep("50 millis")
    yield* Fiber.interrupt(acquiring)
    yield* link.heal
    // Two creates and two deletes. It had the first one before.
    const after = yield* eventually(children, ({ stat }) => stat.cversion === cversion + 4)
    assert.deepStrictEqual(after.children, ["default:1"])
    assert.deepStrictEqual(ids(yield* storage.refresh(address(1), shards(1, 2, 3))), [1])
  })

  test("keeps its shards through a short outage", function* ({ breakable, storageOn, another }) {
    const { link, zk: broken } = yield* breakable()
    const storage = yield* storageOn(broken)
    yield* storage.register(runner(1), true)
    yield* storage.acquire(address(1), shards(1, 2))
    yield* link.cut
    yield* awaitCondition(() => broken.session.state._tag === "Disconnected")
    yield* Effect.sleep("300 millis")
    yield* link.heal
    yield* awaitCondition(() => broken.session.state._tag === "Connected")
    assert.deepStrictEqual(ids(yield* storage.refresh(address(1), shards(1, 2))), [1, 2])
    assert.deepStrictEqual(yield* (yield* storageOn(yield* another())).acquire(address(2), shards(1, 2)), [])
  })

  test("fails each call within the interval of the refreshes, and goes on afterwards", function* ({
    breakable,
    storageOn
  }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const storage = yield* storageOn(broken, { times: { shardLockExpiration: "20 seconds" } })
    yield* storage.register(runner(1), true)
    yield* storage.acquire(address(1), shards(1))
    yield* link.cut
    yield* awaitCondition(() => broken.session.state._tag === "Disconnected")
    const calls = {
      acquire: storage.acquire(address(1), shards(2)),
      release: storage.release(address(1), shards(1)[0]!),
      releaseAll: storage.releaseAll(address(1)),
      getRunners: storage.getRunners,
      register: storage.register(runner(2), true),
      unregister: storage.unregister(address(1)),
      setRunnerHealth: storage.setRunnerHealth(address(1), false)
    }
    yield* Effect.forEach(
      Object.entries(calls),
      ([method, call]) =>
        Effect.gen(function* () {
          const [elapsed, cause] = yield* Effect.timed(causeOf<unknown, never>(call))
          assert.instanceOf(cause, StorageTimeout, method)
          assert.deepInclude(cause, { method, path: "/cluster", session: "Disconnected", timeout: interval })
          assert.isBelow(Duration.toMillis(elapsed), interval + slack)
        }),
      { concurrency: "unbounded" }
    )
    yield* link.heal
    yield* eventually(Effect.exit(storage.refresh(address(1), [])), Exit.isSuccess)
    yield* eventually(Effect.exit(storage.releaseAll(address(1))), Exit.isSuccess)
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2))), [1, 2])
  })

  test("refuses a refresh before any other runner can have its shards", function* ({ breakable, another, storageOn }) {
    const { link, zk: broken } = yield* breakable()
    const storage = yield* storageOn(broken)
    const heir = yield* storageOn(yield* another())
    yield* storage.register(runner(1), true)
    yield* storage.acquire(address(1), shards(1, 2))
    yield* heir.register(runner(2), true)
    yield* link.cut
    let refusedAt = Number.POSITIVE_INFINITY
    const refreshing = Effect.gen(function* () {
      while (true) {
        yield* storage.refresh(address(1), shards(1, 2))
        yield* Effect.sleep(interval / 4)
      }
    })
    const owner = yield* Effect.forkChild(
      Effect.tap(causeOf(refreshing), () => Effect.sync(() => (refusedAt = performance.now())))
    )
    const acquired = yield* eventually(heir.acquire(address(2), shards(1, 2)), (all) => all.length === 2)
    const acquiredAt = performance.now()
    assert.deepStrictEqual(ids(acquired), [1, 2])
    const cause = yield* Fiber.join(owner)
    assert.instanceOf(cause, OwnershipUncertain)
    // A tenth of the session timeout to stop, and the time that Sharding takes to notice.
    assert.isAbove(acquiredAt - refusedAt, sessionTimeout / 10)
    yield* link.heal
    yield* eventually(Effect.exit(storage.refresh(address(1), [])), Exit.isSuccess)
    assert.deepStrictEqual(yield* storage.acquire(address(1), shards(1, 2)), [])
    // The release of what was lost touches no lock of others.
    yield* storage.releaseAll(address(1))
    assert.deepStrictEqual(ids(yield* heir.refresh(address(2), shards(1, 2))), [1, 2])
  })

  test("has lost its shards with a lapse, even if the session goes on", function* ({ breakable, storageOn }) {
    const { link, zk: broken } = yield* breakable()
    const storage = yield* storageOn(broken)
    yield* storage.register(runner(1), true)
    yield* storage.acquire(address(1), shards(1, 2))
    const sessionId = broken.session.id
    yield* link.cut
    const lapsed = Effect.exit(broken.session.ownership)
    yield* lapsed
    yield* link.heal
    yield* awaitCondition(() => broken.session.state._tag === "Connected")
    if (broken.session.id !== sessionId) return
    const cause = yield* causeOf(storage.refresh(address(1), shards(1)))
    assert.instanceOf(cause, OwnershipUncertain)
    assert.strictEqual(cause.reason, "lapsed")
    // The storage itself is well, and Sharding acquires what it has released.
    yield* eventually(Effect.exit(storage.refresh(address(1), [])), Exit.isSuccess)
    yield* storage.releaseAll(address(1))
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2))), [1, 2])
  })
})

describeOnServers("a storage whose session is replaced", (test) => {
  test("has lost all shards at once, and owns what it acquires afterwards", function* ({ another, expire, storageOn }) {
    const zk = yield* another()
    const storage = yield* storageOn(zk)
    yield* storage.register(runner(1), true)
    yield* storage.acquire(address(1), shardsUpTo(20))
    const before = zk.session.id
    yield* expire(zk)
    yield* awaitCondition(() => zk.session.id !== before && zk.session.state._tag === "Connected")
    const cause = yield* causeOf(storage.refresh(address(1), shards(20)))
    assert.instanceOf(cause, OwnershipUncertain)
    assert.strictEqual(cause.reason, "replaced")
    assert.include(cause.message, "has expired")
    // Every refresh says so for a while, so that Sharding notices; then the storage is well.
    assert.instanceOf(yield* causeOf(storage.refresh(address(1), [])), OwnershipUncertain)
    yield* eventually(Effect.exit(storage.refresh(address(1), [])), Exit.isSuccess)
    assert.instanceOf(yield* causeOf(storage.refresh(address(1), shards(20))), OwnershipUncertain)
    yield* storage.releaseAll(address(1))
    assert.deepStrictEqual(yield* storage.refresh(address(1), shardsUpTo(20)), [])
    assert.strictEqual(Number(yield* storage.register(runner(1), true)), 0)
    assert.lengthOf(yield* storage.acquire(address(1), shardsUpTo(20)), 20)
    assert.lengthOf(yield* storage.refresh(address(1), shardsUpTo(20)), 20)
  })

  test("acquires in the new session when the old one ends meanwhile", function* ({ another, expire, storageOn }) {
    const zk = yield* another()
    const storage = yield* storageOn(zk)
    yield* storage.acquire(address(1), shards(1))
    yield* expire(zk)
    // A busy machine may need longer than one call to connect the new session.
    const acquired = yield* eventually(Effect.exit(storage.acquire(address(1), shards(2))), Exit.isSuccess)
    assert.deepStrictEqual(Exit.map(acquired, ids), Exit.succeed([2]))
    const refreshed = yield* eventually(Effect.exit(storage.refresh(address(1), shards(2))), Exit.isSuccess)
    assert.deepStrictEqual(refreshed, Exit.succeed(shards(2)))
  })

  test("waits for the locks of a former session of its address, and never deletes them", function* ({
    another,
    storageOn,
    zk
  }) {
    const scope = yield* Scope.make()
    const former = yield* Scope.provide(another({ sessionTimeout: "3 seconds" }), scope)
    const before = yield* Scope.provide(storageOn(former, { times: { shardLockRefreshInterval: 1000 } }), scope)
    yield* before.register(runner(1), true)
    yield* before.acquire(address(1), shards(1, 2))
    // As a process that is killed.
    yield* former.session.detach
    const storage = yield* storageOn(yield* another())
    const { czxid } = (yield* zk.get("/cluster/shards/default:1")).stat
    yield* storage.register(runner(1), true)
    assert.deepStrictEqual(yield* storage.acquire(address(1), shards(1, 2)), [])
    yield* storage.release(address(1), shards(1)[0]!)
    yield* storage.releaseAll(address(1))
    yield* storage.unregister(address(1))
    assert.strictEqual((yield* zk.get("/cluster/shards/default:1")).stat.czxid, czxid)
    assert.lengthOf(yield* zk.getChildren("/cluster/runners"), 1)
    yield* eventually(storage.acquire(address(1), shards(1, 2)), (acquired) => acquired.length === 2)
    yield* Scope.close(scope, Exit.void)
  })
})
