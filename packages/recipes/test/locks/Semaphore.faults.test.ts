/** A semaphore whose waiters give up, whose connections are lost, and whose sessions end: no orphan, never too many. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type { Held } from "../../src/Held.ts"
import {
  awaitChildren,
  getChildrenOrNone,
  countInside,
  assertLostWithSession,
  acquireAndReleaseOperations,
  untilHeld,
  endlessWork
} from "../support/holds.ts"
import { makeSemaphore, holdPermits, awaitNoPermits, awaitLeases } from "../support/semaphores.ts"
import {
  assertEach,
  describeOnServers,
  failure,
  awaitNextSession,
  awaitNoWatches,
  now,
  atOnce
} from "../support/targets.ts"

describeOnServers("a semaphore under faults", (it) => {
  it.inChroot(
    "is left without a znode by a waiter that is interrupted (Curator testInterruptAcquire)",
    function* ({ another, watches, zk }) {
      const one = yield* untilHeld(holdPermits(yield* makeSemaphore(zk, 1)))
      const theirs = yield* makeSemaphore(yield* another(), 1)
      const waiting = yield* Effect.forkChild(theirs.withPermit(Effect.void))
      yield* awaitLeases(zk, 2)
      const next = yield* holdPermits(theirs)
      yield* awaitChildren(zk, "/semaphore/locks", 2)
      yield* Fiber.interrupt(waiting)
      yield* awaitLeases(zk, 2)
      yield* one.release
      yield* next.held
      yield* next.release
      yield* awaitNoPermits(zk, watches)
    }
  )

  it.inChroot(
    "is asked again by a waiter whose lease or lock was deleted (Curator testNoOrphanedNodes)",
    function* ({ another, zk }) {
      const one = yield* holdPermits(yield* makeSemaphore(zk, 1))
      const [{ path }] = (yield* one.held) as readonly [Held]
      const waiter = yield* holdPermits(yield* makeSemaphore(yield* another(), 1))
      yield* awaitLeases(zk, 2)
      for (const name of yield* getChildrenOrNone(zk, "/semaphore/leases")) {
        if (!path.endsWith(name)) yield* zk.delete(`/semaphore/leases/${name}`)
      }
      yield* awaitLeases(zk, 2)
      yield* awaitChildren(zk, "/semaphore/locks", 1)
      for (const name of yield* getChildrenOrNone(zk, "/semaphore/locks")) yield* zk.delete(`/semaphore/locks/${name}`)
      yield* awaitChildren(zk, "/semaphore/locks", 1)
      yield* awaitLeases(zk, 2)
      yield* one.release
      const [held] = yield* waiter.held
      assertEach(yield* getChildrenOrNone(zk, "/semaphore/leases"), (name) => `/semaphore/leases/${name}`, [held!.path])
      yield* waiter.release
      yield* awaitNoPermits(zk)
    }
  )

  it.inChroot(
    "is asked again by a waiter whose session has ended (kazoo test_handle_session_loss)",
    function* ({ another, expire, zk }) {
      const one = yield* untilHeld(holdPermits(yield* makeSemaphore(zk, 1)))
      const other = yield* another({ sessionTimeout: "4 seconds" })
      const waiter = yield* holdPermits(yield* makeSemaphore(other, 1))
      yield* awaitLeases(zk, 2)
      const before = other.session.id
      yield* expire(other)
      yield* awaitNextSession(other, before)
      yield* awaitLeases(zk, 2)
      assert.isFalse(yield* waiter.isHeld)
      yield* one.release
      yield* waiter.held
      yield* waiter.release
      yield* awaitNoPermits(zk)
    }
  )

  it.inChroot(
    "has a permit for others when the session of its holder ends, and the holder learns of it",
    function* ({ another, expire, zk }) {
      const other = yield* another({ sessionTimeout: "4 seconds" })
      const theirs = yield* holdPermits(yield* makeSemaphore(other, 2), 2)
      const before = yield* theirs.held
      const mine = yield* holdPermits(yield* makeSemaphore(zk, 2), 2)
      yield* awaitLeases(zk, 4)
      yield* expire(other)
      const after = yield* mine.held
      assert.isTrue(after.every(({ fencingToken }) => before.every((former) => former.fencingToken < fencingToken)))
      yield* assertLostWithSession(Fiber.join(theirs.fiber))
      yield* mine.release
      yield* awaitNoPermits(zk)
    }
  )

  it.inChroot("stops a holder that is cut off before another has the permit", function* ({ breakable, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "2 seconds" })
    const theirs = yield* makeSemaphore(broken, 1)
    const mine = yield* makeSemaphore(zk, 1)
    let stopped = Number.POSITIVE_INFINITY
    const { began, work } = yield* endlessWork<Held>(Effect.sync(() => (stopped = performance.now())))
    const guarded = yield* Effect.forkChild(theirs.withPermit(work))
    yield* began
    const waiting = yield* Effect.forkChild(mine.withPermit(Effect.sync(() => performance.now())))
    yield* awaitLeases(zk, 2)
    yield* link.cut
    const acquired = yield* Fiber.join(waiting)
    assert.isTrue(stopped < acquired, `stopped at ${stopped}, acquired at ${acquired}`)
    assert.strictEqual((yield* failure(Fiber.join(guarded), "LockLost")).reason, "session")
  })

  it.inChroot(
    "never has more holders than permits, whichever connection is lost at whichever step",
    function* ({ another, breakable, watches, zk }) {
      const { link, zk: broken } = yield* breakable()
      const [rival, mine] = [yield* makeSemaphore(yield* another(), 3), yield* makeSemaphore(broken, 3)]
      const counter = countInside(3)
      for (const step of [...acquireAndReleaseOperations, Operations.getChildren2, Operations.multiRead]) {
        for (const lose of [link.loseReply, link.loseRequest]) {
          yield* lose(step)
          yield* atOnce(
            Array.from({ length: 6 }, (_, index) => {
              const permits = 1 + (index % 2)
              const semaphore = index % 2 === 0 ? mine : rival
              return semaphore.withPermits(permits, counter.inside(permits), { timeout: "25 seconds" })
            })
          )
          yield* awaitNoPermits(zk)
        }
      }
      yield* awaitNoWatches(watches)
    }
  )

  it.inChroot(
    "never has more holders than permits with fifty clients that come, give up and lose their sessions",
    function* ({ another, expire, watches, zk }) {
      const options = { sessionTimeout: "4 seconds" } as const
      const clients = [yield* another(options), yield* another(options), yield* another(options)]
      const limit = 3
      // Holders by session: an expired session's permits are free before its holder learns of it.
      const inside = new Map<object, bigint>()
      const enter = (key: object, client: ZooKeeper.Service) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            inside.set(key, client.session.id)
            const current = new Set(clients.map(({ session }) => session.id))
            assert.isAtMost([...inside.values()].filter((id) => current.has(id)).length, limit)
          }),
          () => Effect.flatMap(Random.next, (random) => Effect.sleep(random * 6)),
          () => Effect.sync(() => inside.delete(key))
        )
      const visitor = Effect.fnUntraced(function* (index: number) {
        const client = clients[index % clients.length]!
        const semaphore = yield* makeSemaphore(client, limit)
        yield* Effect.sleep((yield* Random.next) * 60)
        const timeout = index % 4 === 0 ? 0 : index % 4 === 1 ? (yield* Random.next) * 80 : undefined
        yield* Effect.ignore(semaphore.withPermit(enter({}, client), { timeout }))
      })
      const crowd = yield* Effect.forkChild(
        atOnce(
          Array.from({ length: 50 }, (_, index) =>
            index % 5 === 0 ? Effect.asVoid(Effect.timeoutOption(visitor(index), 40)) : visitor(index)
          )
        )
      )
      yield* Effect.sleep(20)
      yield* expire(clients[0]!)
      yield* Effect.sleep(40)
      yield* expire(clients[1]!)
      yield* Fiber.join(crowd).pipe(Effect.timeout("25 seconds"))
      yield* awaitNoPermits(zk, watches)
    }
  )

  it.inChroot(
    "is left without a znode by an acquisition that is interrupted at any moment",
    function* ({ another, watches, zk }) {
      const mine = yield* makeSemaphore(zk, 2)
      const rival = yield* makeSemaphore(yield* another(), 2)
      const counter = countInside(2)
      for (let round = 0; round < 40; round++) {
        const behind = yield* Effect.forkChild(rival.withPermit(counter.inside(1)))
        const interrupted = yield* Effect.forkChild(mine.withPermits(2, counter.inside(2)), now)
        if (round < 12) for (let turn = 0; turn < round; turn++) yield* Effect.yieldNow
        else yield* Effect.sleep((round - 12) * 0.4)
        yield* Fiber.interrupt(interrupted)
        yield* Fiber.join(behind).pipe(Effect.timeout("20 seconds"))
      }
      yield* awaitNoPermits(zk, watches)
    }
  )
})
