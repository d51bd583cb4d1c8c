/** The znodes that a storage leaves behind: to another one on its client, and to the session that follows. */
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { awaitCondition, eventually, now } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import { address, describeOnServers, ids, runner, shards } from "../support/targets.ts"

describeOnServers("a storage that is opened again on the same client", (test) => {
  test("has nothing of its runner deleted that the former one gives back late", function* ({ another, storageOn }) {
    const zk = yield* another()
    const heir = yield* storageOn(yield* another())
    const latch = Latch.makeUnsafe()
    const deleted = { locks: Deferred.makeUnsafe<void>(), registration: Deferred.makeUnsafe<void>() }
    const late = <A, E>(done: Deferred.Deferred<void>, request: Effect.Effect<A, E>) =>
      Effect.onExit(Effect.andThen(latch.await, request), () => Deferred.succeed(done, undefined))
    const slow: ZooKeeper.Service = {
      ...zk,
      session: zk.session,
      transaction: (ops) =>
        ops[0]?._tag === "Delete" ? late(deleted.locks, zk.transaction(ops)) : zk.transaction(ops),
      delete: (path, ...options) =>
        path.startsWith("/cluster/runners/")
          ? late(deleted.registration, zk.delete(path, ...options))
          : zk.delete(path, ...options)
    }
    const scope = yield* Scope.make()
    const former = yield* Scope.provide(storageOn(slow), scope)
    yield* former.register(runner(1), true)
    assert.deepStrictEqual(ids(yield* former.acquire(address(1), shards(1, 2))), [1, 2])
    yield* Scope.close(scope, Exit.void)

    const storage = yield* storageOn(zk)
    const starting = Effect.andThen(storage.register(runner(1), true), storage.acquire(address(1), shards(1, 2)))
    const started = yield* Effect.forkChild(starting, now)
    // Another runner of the client does not wait.
    assert.deepStrictEqual(ids(yield* storage.acquire(address(3), shards(3))), [3])
    yield* latch.open
    assert.deepStrictEqual(ids(yield* Fiber.join(started)), [1, 2])
    yield* Deferred.await(deleted.locks)
    yield* Deferred.await(deleted.registration)
    assert.deepStrictEqual(yield* heir.acquire(address(2), shards(1, 2)), [])
    assert.deepStrictEqual(ids(yield* storage.refresh(address(1), shards(1, 2))), [1, 2])
    assert.deepStrictEqual(yield* heir.getRunners, [[runner(1), true]])
  })
})

describeOnServers("a storage that is closed", (test) => {
  test("keeps no runner waiting by a call that comes afterwards", function* ({ another, storageOn }) {
    const zk = yield* another()
    const scope = yield* Scope.make()
    const closed = yield* Scope.provide(storageOn(zk), scope)
    yield* Scope.close(scope, Exit.void)
    yield* Effect.exit(closed.acquire(address(1), shards(1)))
    const storage = yield* storageOn(zk)
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(2))), [2])
  })
})

describeOnServers("a lock that the next session created for the one before", (test) => {
  test("is given back, also where its reply was lost", function* ({ another, expire, storageOn, zk: observer }) {
    const zk = yield* another()
    const lost = new ConnectionLoss({ operation: "create", path: "", maybeApplied: true, losses: 1 })
    let creates = 0
    let isCreated = false
    const lossy: ZooKeeper.Service = {
      ...zk,
      session: zk.session,
      transaction: (ops) => (ops[0]?._tag === "Create" && creates === 0 ? Effect.fail(lost) : zk.transaction(ops)),
      create: (path, options) =>
        Effect.suspend(() => {
          if (creates++ > 0) return zk.create(path, options)
          const before = zk.session.id
          return Effect.orDie(expire(zk)).pipe(
            Effect.andThen(
              Effect.orDie(awaitCondition(() => zk.session.id !== before && zk.session.state._tag === "Connected"))
            ),
            Effect.andThen(zk.create(path, options)),
            Effect.tap(() => Effect.sync(() => (isCreated = true))),
            Effect.andThen(Effect.fail(lost))
          )
        })
    }
    const storage = yield* storageOn(lossy)
    const locks = observer.getChildren("/cluster/shards")
    const first = yield* Effect.exit(storage.acquire(address(1), shards(1)))
    // On a slow machine, the storage is in its next session before the lock is there, and has it.
    const isOwned = Exit.isSuccess(first) && first.value.length > 0
    if (!isOwned) yield* eventually(locks, (names) => isCreated && names.length === 0)
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1))), [1])
  })
})
