import * as Op from "@effect-zookeeper/client/Op"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { awaitChildren, countInside, untilHeld } from "../support/holds.ts"
import { makeSemaphore, holdPermits, awaitNoPermits, awaitLeases } from "../support/semaphores.ts"
import {
  assertEach,
  describeOnServers,
  awaitCondition,
  eventually,
  failure,
  outcome,
  text,
  awaitNoWatches,
  now,
  closable,
  atOnce,
  eachAtOnce
} from "../support/targets.ts"

describeOnServers("a semaphore", (it) => {
  it.inChroot(
    "gives one permit of one to ten contenders at once (aiozk grants ten: 1.11)",
    function* ({ another, zk }) {
      const clients = [zk, yield* another(), yield* another()]
      const gate = yield* Deferred.make<void>()
      const tries = Array.from({ length: 10 }, (_, index) =>
        Effect.flatMap(makeSemaphore(clients[index % 3]!, 1), ({ withPermit }) =>
          withPermit(Deferred.await(gate), { timeout: index % 2 === 0 ? 0 : "1 second" })
        )
      )
      const fibers: Array<Fiber.Fiber<string>> = []
      for (const attempt of tries) fibers.push(yield* Effect.forkChild(outcome(attempt), now))
      yield* awaitCondition(() => fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length >= 9)
      yield* awaitLeases(zk, 1)
      yield* Deferred.succeed(gate, undefined)
      const outcomes = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(outcomes.toSorted(), [...Array.from({ length: 9 }, () => "LockTimeout"), "success"])
      yield* awaitNoPermits(zk)
    }
  )

  it.inChroot("admits a waiter when either of two holders goes", function* ({ another, watches, zk }) {
    const mine = yield* makeSemaphore(zk, 2)
    const theirs = yield* makeSemaphore(yield* another(), 2)
    for (const first of [0, 1]) {
      const holders = [yield* holdPermits(mine), yield* holdPermits(theirs)]
      for (const { held } of holders) assert.match((yield* held)[0]!.path, /leases\/_c_[-0-9a-f]{36}-lease-\d{10}$/)
      const waiter = yield* holdPermits(theirs)
      yield* awaitLeases(zk, 3)
      assert.isFalse(yield* waiter.isHeld)
      yield* holders[first]!.release
      yield* waiter.held
      yield* holders[1 - first]!.release
      yield* waiter.release
      yield* awaitNoPermits(zk)
    }
    yield* awaitNoWatches(watches)
  })

  it.inChroot(
    "gives each permit a token and a loss of its own, and refuses the writes of its former holder",
    function* ({ zk }) {
      const semaphore = yield* makeSemaphore(zk, 3, { identifier: "me" })
      assert.strictEqual(yield* semaphore.available, 3)
      assert.deepStrictEqual(yield* semaphore.holders, [])
      const [[held, one], release] = yield* closable(Effect.all([semaphore.acquireMany(2), semaphore.acquire()]))
      assert.strictEqual(new Set([...held, one].map(({ fencingToken }) => fencingToken)).size, 3)
      assert.strictEqual(yield* semaphore.available, 0)
      assertEach(yield* semaphore.holders, ({ identifier }) => text(identifier), ["me", "me", "me"])
      yield* held[1]!.transaction([Op.create("/made")])
      yield* zk.delete(held[0]!.path)
      assert.strictEqual((yield* failure(held[0]!.lost, "LockLost")).reason, "deleted")
      assert.strictEqual(yield* outcome(held[0]!.transaction([Op.delete("/made")])), "LockLost")
      yield* held[1]!.transaction([Op.delete("/made")])
      assert.strictEqual(yield* semaphore.available, 1)
      yield* release
      assert.strictEqual((yield* failure(one.lost, "LockLost")).reason, "released")
      assert.strictEqual(yield* semaphore.available, 3)
      yield* awaitNoPermits(zk)
    }
  )

  it.inChroot("interrupts the effect that several permits guard when one of them is lost", function* ({ zk }) {
    const working = yield* holdPermits(yield* makeSemaphore(zk, 3), 3)
    const held = yield* working.held
    yield* zk.delete(held[1]!.path)
    const lost = yield* failure(Fiber.join(working.fiber), "LockLost")
    assert.strictEqual(lost.path, held[1]!.path)
    yield* awaitNoPermits(zk)
  })

  it.inChroot(
    "gives several permits together or not at all, and no client waits in a circle for them",
    function* ({ another, zk }) {
      const mine = yield* makeSemaphore(zk, 3)
      const theirs = yield* makeSemaphore(yield* another(), 3)
      const one = yield* untilHeld(holdPermits(theirs))
      assert.strictEqual(yield* outcome(mine.withPermits(3, Effect.void, { timeout: 0 })), "LockTimeout")
      yield* awaitLeases(zk, 1)
      assert.strictEqual(yield* outcome(mine.withPermits(3, Effect.void, { timeout: 50 })), "LockTimeout")
      yield* awaitLeases(zk, 1)
      const all = yield* holdPermits(mine, 3)
      yield* awaitLeases(zk, 4)
      // In the queue behind it: what is left is not for those who come later.
      const late = yield* holdPermits(theirs)
      yield* awaitChildren(zk, "/semaphore/locks", 2)
      assert.isFalse(yield* late.isHeld)
      yield* one.release
      assert.lengthOf(yield* all.held, 3)
      assert.isFalse(yield* late.isHeld)
      yield* all.release
      yield* late.held
      yield* late.release
      const counter = countInside(3)
      yield* atOnce(
        Array.from({ length: 12 }, (_, index) => {
          const permits = 1 + (index % 3)
          return (index % 2 === 0 ? mine : theirs).withPermits(permits, counter.inside(permits))
        })
      )
      yield* awaitNoPermits(zk)
    }
  )

  it.inChroot("refuses invalid numbers", function* ({ zk }) {
    for (const permits of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
      assert.strictEqual(yield* outcome(makeSemaphore(zk, permits)), "InvalidArgument")
    }
    const semaphore = yield* makeSemaphore(zk, 2)
    for (const permits of [0, 3, 1.5]) {
      assert.strictEqual(yield* outcome(Effect.scoped(semaphore.acquireMany(permits))), "InvalidArgument")
    }
    assert.strictEqual(yield* outcome(makeSemaphore(zk, { at: "no path", initial: 1 })), "InvalidArgument")
    assert.isFalse(yield* zk.exists("/semaphore"))
  })

  it.inChroot(
    "refuses a client with another number, as long as others hold permits (kazoo's ValueError)",
    function* ({ another, zk }) {
      const two = yield* makeSemaphore(zk, 2)
      const three = yield* makeSemaphore(yield* another(), 3)
      const one = yield* untilHeld(holdPermits(two))
      for (const timeout of [0, "20 seconds"] as const) {
        const refused = yield* failure(three.withPermit(Effect.die("held"), { timeout }), "PermitsMismatch")
        assert.deepStrictEqual([refused.path, refused.permits, refused.others], ["/semaphore", 3, 2])
      }
      yield* awaitLeases(zk, 1)
      // It holds up no client.
      yield* two.withPermit(Effect.void, { timeout: "20 seconds" })
      yield* one.release
      yield* three.withPermits(3, Effect.void)
      const other = yield* untilHeld(holdPermits(three))
      assert.strictEqual(yield* outcome(two.withPermit(Effect.void)), "PermitsMismatch")
      yield* other.release
    }
  )

  it.inChroot("leaves alone znodes that another program has written beside it", function* ({ zk }) {
    yield* zk.createWithParents("/semaphore/leases", { data: "10.0.0.1" })
    yield* zk.create("/semaphore/leases/README")
    const semaphore = yield* makeSemaphore(zk, 1)
    yield* semaphore.withPermit(Effect.void, { timeout: 0 })
    assert.strictEqual(text(yield* zk.getData("/semaphore/leases")), "10.0.0.1")
    // A lease of Curator's.
    const path = yield* zk.create("/semaphore/leases/_c_0f3a-lease-", { mode: "ephemeralSequential" })
    assert.strictEqual(yield* outcome(semaphore.withPermit(Effect.void, { timeout: 0 })), "LockTimeout")
    yield* zk.delete(path)
    yield* semaphore.withPermit(Effect.void, { timeout: 0 })
  })

  it.inChroot(
    "takes the limit from a znode: raised from one to three it releases two waiters, lowered it revokes none",
    function* ({ another, watches, zk }) {
      const shared = { at: "/limits/semaphore", initial: 1 }
      const mine = yield* makeSemaphore(zk, shared)
      const theirs = yield* makeSemaphore(yield* another(), shared)
      assert.strictEqual(yield* mine.available, 1)
      const first = yield* untilHeld(holdPermits(mine))
      const waiters = [
        yield* holdPermits(theirs),
        yield* holdPermits(mine),
        yield* holdPermits(theirs),
        yield* holdPermits(mine)
      ]
      yield* awaitChildren(zk, "/semaphore/locks", 4)
      yield* zk.setData(shared.at, new Uint8Array([0, 0, 0, 3]))
      const held = yield* eventually(
        Effect.filter(waiters, ({ isHeld }) => isHeld),
        (held) => held.length === 2
      )
      // The next one waits with a lease of its own, and no more are let in.
      yield* awaitLeases(zk, 4)
      yield* Effect.sleep(50)
      assert.lengthOf(yield* Effect.filter(waiters, ({ isHeld }) => isHeld), 2)
      yield* zk.setData(shared.at, new Uint8Array([0, 0, 0, 1]))
      yield* first.release
      yield* Effect.sleep(30)
      for (const { fiber } of held) assert.isUndefined(fiber.pollUnsafe())
      for (const { release } of held) yield* release
      // In the order of their line, which is that of the server, not of the sessions here.
      yield* eachAtOnce(
        waiters.filter((waiter) => !held.includes(waiter)),
        (waiter) => Effect.andThen(waiter.held, waiter.release)
      )
      yield* awaitNoPermits(zk, watches)
      yield* zk.setData(shared.at, "three")
      const invalid = yield* failure(mine.withPermit(Effect.void), "DataInvalid")
      assert.strictEqual(invalid.path, shared.at)
      yield* awaitNoPermits(zk)
    }
  )
})
