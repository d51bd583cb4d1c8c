/** A lock within a lock: the same one again, and several at once. */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Lock from "../../src/Lock.ts"
import { type Held } from "../../src/Held.ts"
import { awaitChildren, holdLock, untilHeld, endlessWork, countInside } from "../support/holds.ts"
import { makeLock, succeedWithHeld, awaitNoContenders } from "../support/locks.ts"
import { withClient, describeOnServers, failure, outcome, now, atOnce } from "../support/targets.ts"

describeOnServers("re-entrancy", (it) => {
  it.inChroot(
    "holds in the fiber tree, and nowhere else (by design, where aiozk 36 refuses)",
    function* ({ another, zk }) {
      const lock = yield* makeLock(zk)
      const same = yield* makeLock(zk)
      const other = yield* makeLock(yield* another())
      yield* lock.withLock((outer) =>
        Effect.gen(function* () {
          const inner = yield* same.withLock(succeedWithHeld, { timeout: 0 })
          assert.strictEqual(inner.path, outer.path)
          const forked = yield* Effect.forkChild(lock.withLock(succeedWithHeld, { timeout: 0 }))
          assert.strictEqual((yield* Fiber.join(forked)).path, outer.path)
          // Not with another client, and not by `acquire`: these wait in the queue.
          assert.strictEqual(yield* outcome(other.withLock(Effect.void, { timeout: 0 })), "LockTimeout")
          assert.strictEqual(yield* outcome(Effect.scoped(lock.acquire({ timeout: 0 }))), "LockTimeout")
          // The inner one released nothing.
          assert.isTrue(yield* zk.exists(outer.path))
        })
      )
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot("ends with the release: a fiber that goes on waits in the queue", function* ({ another, zk }) {
    const lock = yield* makeLock(zk)
    const go = yield* Deferred.make<void>()
    const later = yield* lock.withLock(
      Effect.forkDetach(Effect.andThen(Deferred.await(go), lock.withLock(Effect.void, { timeout: 0 })), now)
    )
    yield* untilHeld(holdLock(yield* makeLock(yield* another())))
    yield* Deferred.succeed(go, undefined)
    assert.strictEqual(yield* outcome(Fiber.join(later)), "LockTimeout")
  })

  it.inChroot("stops a fiber that goes on before the lock is given back", function* ({ zk }) {
    const lock = yield* makeLock(zk)
    let stoppedBefore = false
    const later = yield* lock.withLock((held) =>
      Effect.gen(function* () {
        const stop = Effect.gen(function* () {
          yield* Effect.sleep(30)
          stoppedBefore = yield* Effect.orDie(zk.exists(held.path))
        })
        const { began, work } = yield* endlessWork<Held>(stop)
        const guest = yield* Effect.forkDetach(lock.withLock(work))
        yield* began
        return guest
      })
    )
    assert.strictEqual((yield* failure(Fiber.join(later), "LockLost")).reason, "released")
    assert.isTrue(stoppedBefore)
    yield* awaitNoContenders(zk)
  })
})

describeOnServers("several locks at once", (it) => {
  it.inChroot("are acquired in one order, so that no client waits in a circle", function* ({ another, zk }) {
    const other = yield* another()
    const [a, b] = [yield* withClient(zk)(Lock.make("/a")), yield* withClient(zk)(Lock.make("/b"))]
    const [a2, b2] = [yield* withClient(other)(Lock.make("/a")), yield* withClient(other)(Lock.make("/b"))]
    const body = countInside(1).inside(1)
    const rounds = Array.from({ length: 5 }, () => [
      Lock.withLocks([a, b, a], body),
      Lock.withLocks([b2, a2], body, { timeout: "20 seconds" })
    ])
    yield* atOnce(rounds.flat())
    yield* a.withLock(Effect.void)
    const lost = Lock.withLocks(
      [b, a],
      Effect.gen(function* () {
        const [first] = yield* a.contenders
        yield* zk.delete(first!.path)
        return yield* Effect.never
      })
    )
    assert.strictEqual((yield* failure(lost, "LockLost")).reason, "deleted")
    for (const path of ["/a", "/b"]) {
      yield* awaitChildren(zk, path, 0)
    }
  })

  it.inChroot("are two when they have the same path under different roots", function* ({ zk }) {
    yield* zk.create("/one")
    yield* zk.create("/two")
    const one = yield* makeLock(yield* zk.withChroot("/one"))
    const two = yield* makeLock(yield* zk.withChroot("/two"))
    yield* Lock.withLocks(
      [one, two],
      Effect.gen(function* () {
        assert.lengthOf(yield* zk.getChildren("/one/lock"), 1)
        assert.lengthOf(yield* zk.getChildren("/two/lock"), 1)
      })
    )
  })
})
