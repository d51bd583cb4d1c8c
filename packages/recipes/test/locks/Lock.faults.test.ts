/** A lock whose connections are lost and whose sessions end: no orphan, no lost waiter, no two owners. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Held } from "../../src/Held.ts"
import { claim } from "../../src/internal/locks/ownership.ts"
import * as Lock from "../../src/Lock.ts"
import {
  awaitChildren,
  holdLock,
  assertLostWithSession,
  acquireAndReleaseOperations,
  countInside,
  untilHeld,
  endlessWork
} from "../support/holds.ts"
import { makeLock, awaitNoContenders } from "../support/locks.ts"
import {
  withClient,
  describeOnServers,
  awaitCondition,
  failure,
  awaitNextSession,
  outcome,
  awaitNoWatches,
  type RecipeTests,
  now
} from "../support/targets.ts"

const numberOfContenders = (zk: ZooKeeper.Service, count: number) => awaitChildren(zk, "/lock", count)

const policy = { onDisconnect: "continue", onRevoke: "continue" } as const

const connected = (zk: ZooKeeper.Service) => awaitCondition(() => zk.session.state._tag === "Connected")

/** The operation with which a server of that release creates the znode of a contender. */
const createOf = (it: RecipeTests) => (it.isAtLeast("3.5.0") ? Operations.create2 : Operations.create)

describeOnServers("a lock whose connection is lost", (it) => {
  it.inChroot(
    "is acquired by one znode when the reply to its create is lost (aiozk 30 and R1; Curator testMissedResponseOnESCreate)",
    function* ({ breakable, zk }) {
      const { link, zk: broken } = yield* breakable()
      const lock = yield* makeLock(broken)
      yield* link.loseReply(createOf(it))
      yield* lock.withLock(
        Effect.flatMap(zk.getChildren("/lock"), (names) => Effect.sync(() => assert.lengthOf(names, 1))),
        { timeout: "20 seconds" }
      )
      yield* awaitNoContenders(zk)
      yield* (yield* makeLock(zk)).withLock(Effect.void, { timeout: "20 seconds" })
    }
  )

  it.inChroot(
    "is acquired all the same when it fails while it lists the contenders (aiozk 31 gives up)",
    function* ({ breakable, zk }) {
      const { link, zk: broken } = yield* breakable()
      yield* link.loseReply(Operations.getChildren2)
      yield* (yield* makeLock(broken)).withLock(Effect.void, { timeout: "20 seconds" })
      yield* (yield* makeLock(zk)).withLock(Effect.void, { timeout: "20 seconds" })
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot(
    "has one owner and no orphan, whichever step of acquiring and releasing it is",
    function* ({ another, breakable, watches, zk }) {
      const { link, zk: broken } = yield* breakable()
      const rival = yield* makeLock(yield* another())
      const lock = yield* makeLock(broken)
      const body = countInside(1).inside(1)
      for (const step of acquireAndReleaseOperations) {
        for (const lose of [link.loseReply, link.loseRequest]) {
          // Behind another, so that all steps come.
          const first = yield* untilHeld(holdLock(rival))
          yield* lose(step)
          const working = yield* Effect.forkChild(lock.withLock(body, { timeout: "25 seconds" }))
          yield* Effect.sleep(10)
          const after = yield* Effect.forkChild(rival.withLock(body, { timeout: "25 seconds" }))
          yield* Effect.sleep(10)
          yield* first.release
          yield* Fiber.join(working)
          yield* Fiber.join(after)
          // Those without an owner are deleted in the background.
          yield* awaitNoContenders(zk)
        }
      }
      yield* awaitNoWatches(watches)
    }
  )

  it.inChroot(
    "leaves nothing when it is given up before the fate of its create is known (Curator testProtectedCreateNodeDeletion)",
    function* ({ breakable, zk }) {
      yield* zk.create("/lock")
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
      const lock = yield* makeLock(broken)
      yield* link.loseReply(createOf(it))
      const acquiring = yield* Effect.forkChild(lock.withLock(Effect.die("held"), { timeout: "300 millis" }))
      yield* numberOfContenders(zk, 1)
      yield* link.cut
      assert.strictEqual(yield* outcome(Fiber.join(acquiring)), "LockTimeout")
      assert.lengthOf(yield* zk.getChildren("/lock"), 1)
      yield* link.heal
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot(
    "goes on waiting, and gets the lock that was released meanwhile (aiozk hangs: S8)",
    function* ({ breakable, watches, zk }) {
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
      const first = yield* untilHeld(holdLock(yield* makeLock(zk)))
      const second = yield* holdLock(yield* makeLock(broken))
      yield* numberOfContenders(zk, 2)
      // Before and after: a reconnection alone, and one that missed the release.
      yield* link.cut
      yield* link.heal
      yield* connected(broken)
      assert.isFalse(yield* second.isHeld)
      yield* link.cut
      yield* first.release
      yield* link.heal
      yield* second.held
      yield* second.release
      yield* awaitNoContenders(zk, watches)
    }
  )

  it.inChroot(
    "is released in the background, and no client waits for the one that is cut off",
    function* ({ breakable, zk }) {
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
      const first = yield* untilHeld(holdLock(yield* makeLock(broken)))
      const second = yield* holdLock(yield* makeLock(zk))
      yield* numberOfContenders(zk, 2)
      yield* link.cut
      const start = performance.now()
      yield* first.release
      assert.isBelow(performance.now() - start, 8_000)
      assert.isFalse(yield* second.isHeld)
      yield* link.heal
      // Long before the session of the one would have ended.
      yield* second.held
      assert.isBelow(performance.now() - start, 15_000)
      yield* second.release
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot("fails in time although no server answers, and blocks no other contender", function* ({ breakable, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const lock = yield* makeLock(broken)
    yield* link.cut
    const start = performance.now()
    assert.strictEqual(yield* outcome(lock.withLock(Effect.die("held"), { timeout: "300 millis" })), "LockTimeout")
    assert.isBelow(performance.now() - start, 8_000)
    yield* link.heal
    yield* (yield* makeLock(zk)).withLock(Effect.void, { timeout: "10 seconds" })
    yield* lock.withLock(Effect.void, { timeout: "10 seconds" })
  })

  it.inChroot("is lost at once under `stop`, and kept otherwise", function* ({ breakable }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const strict = yield* holdLock(yield* withClient(broken)(Lock.make("/strict", { onDisconnect: "stop" })))
    const patient = yield* holdLock(yield* makeLock(broken))
    yield* strict.held
    yield* patient.held
    yield* link.cut
    const lost = yield* failure(Fiber.join(strict.fiber).pipe(Effect.timeout("10 seconds")), "LockLost")
    assert.strictEqual(lost.reason, "disconnected")
    yield* link.heal
    yield* connected(broken)
    yield* patient.release
    // It may be acquired again.
    const again = yield* untilHeld(holdLock(yield* withClient(broken)(Lock.make("/strict", { onDisconnect: "stop" }))))
    yield* again.release
  })
})

describeOnServers("a lock whose session ends", (it) => {
  it.inChroot("passes to a waiter with a larger token, and its holder is told", function* ({ another, expire, zk }) {
    const other = yield* another()
    const theirs = yield* holdLock(yield* makeLock(other))
    const { fencingToken, lost } = yield* theirs.held
    const mine = yield* holdLock(yield* makeLock(zk))
    yield* numberOfContenders(zk, 2)
    yield* expire(other)
    assert.isTrue((yield* mine.held).fencingToken > fencingToken)
    yield* assertLostWithSession(lost)
    yield* assertLostWithSession(Fiber.join(theirs.fiber))
  })

  it.inChroot(
    "is queued for again by a waiter of the same session (kazoo test_lock_reconnect; aiozk goes on as owner: R4)",
    function* ({ another, expire, zk }) {
      const shared = yield* another()
      const holder = yield* untilHeld(holdLock(yield* makeLock(shared)))
      const waiter = yield* holdLock(yield* makeLock(shared))
      yield* numberOfContenders(zk, 2)
      const before = shared.session.id
      yield* expire(shared)
      yield* assertLostWithSession(Fiber.join(holder.fiber))
      const { path } = yield* waiter.held
      const stat = Option.getOrThrow(yield* zk.stat(path))
      assert.strictEqual(stat.ephemeralOwner, shared.session.id)
      assert.notStrictEqual(stat.ephemeralOwner, before)
      yield* waiter.release
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot(
    "has one znode, of the new session, when the old one ends before the reply to its create is sought (Curator testProtectionWithKilledSession)",
    function* ({ breakable, expire, zk }) {
      yield* zk.create("/lock")
      const { link, zk: broken } = yield* breakable()
      const before = broken.session.id
      yield* link.loseReply(createOf(it))
      const holder = yield* holdLock(yield* makeLock(broken))
      yield* numberOfContenders(zk, 1)
      yield* link.cut
      yield* expire(broken)
      yield* link.heal
      const { path } = yield* holder.held
      const names = yield* zk.getChildren("/lock")
      assert.lengthOf(names, 1)
      const { ephemeralOwner } = Option.getOrThrow(yield* zk.stat(path))
      assert.strictEqual(ephemeralOwner, broken.session.id)
      assert.notStrictEqual(ephemeralOwner, before)
      yield* holder.release
    }
  )

  it.inChroot("ends the wait of contenders whose session has no successor", function* ({ another, expire, zk }) {
    yield* untilHeld(holdLock(yield* makeLock(zk)))
    const other = yield* another({ sessionExpiry: "fail" })
    const waiting = yield* Effect.forkChild((yield* makeLock(other)).withLock(Effect.void))
    yield* numberOfContenders(zk, 2)
    yield* expire(other)
    assert.strictEqual(yield* outcome(Fiber.join(waiting)), "SessionExpired")
    yield* numberOfContenders(zk, 1)
  })

  it.inChroot(
    "stops what it guards before another can have it, when its holder is cut off",
    function* ({ breakable, zk }) {
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "2 seconds" })
      const theirs = yield* makeLock(broken)
      const mine = yield* makeLock(zk)
      let stopped = Number.POSITIVE_INFINITY
      const { began, work } = yield* endlessWork<Held>(Effect.sync(() => (stopped = performance.now())))
      const guarded = yield* Effect.forkChild(theirs.withLock(work))
      const held = yield* began
      const waiting = yield* Effect.forkChild(
        mine.withLock(() => Effect.sync(() => performance.now())),
        now
      )
      yield* numberOfContenders(zk, 2)
      yield* link.cut
      const acquired = yield* Fiber.join(waiting)
      assert.isTrue(stopped < acquired, `stopped at ${stopped}, acquired at ${acquired}`)
      assert.strictEqual((yield* failure(Fiber.join(guarded), "LockLost")).reason, "session")
      // Its late writes are refused, in the next session too.
      yield* link.heal
      assert.strictEqual(yield* outcome(held.transaction([])), "LockLost")
    }
  )
})

describeOnServers("a znode of another session", (it) => {
  it.inChroot(
    "is claimed only by its owner, however it comes to be at the head of the queue",
    function* ({ another, expire, watches, zk }) {
      const other = yield* another()
      const scope = yield* Effect.scope
      const path = yield* other.createWithParents("/lock/_c_x-lock-", { mode: "ephemeralSequential" })
      assert.isUndefined(yield* claim(zk, path, policy, scope))
      const holding = yield* claim(other, path, policy, scope)
      assert.strictEqual(holding?.path, path)
      // Taken up again by its former owner, under the next session.
      const before = other.session.id
      yield* expire(other)
      yield* assertLostWithSession(holding!.lost)
      const left = yield* zk.createWithParents("/lock/_c_x-lock-", { mode: "ephemeralSequential" })
      yield* awaitNextSession(other, before)
      assert.isUndefined(yield* claim(other, left, policy, scope))
      assert.isUndefined(yield* claim(other, path, policy, scope))
      yield* awaitNoWatches(watches)
    }
  )
})

describeOnServers("an acquisition", (it) => {
  it.inChroot(
    "that is interrupted at any moment leaves no znode and no watch, and blocks no other contender",
    function* ({ another, watches, zk }) {
      const rival = yield* makeLock(yield* another())
      const lock = yield* makeLock(zk)
      let inside = 0
      const body = Effect.acquireUseRelease(
        Effect.sync(() => assert.strictEqual(++inside, 1)),
        () => Effect.sleep(1),
        () => Effect.sync(() => void inside--)
      )
      for (let round = 0; round < 60; round++) {
        const behind = yield* Effect.forkChild(rival.withLock(body), { startImmediately: round % 2 === 0 })
        const interrupted = yield* Effect.forkChild(lock.withLock(body), now)
        // Each round a little later: by turns of the fibers first, by time afterwards.
        if (round < 20) for (let turn = 0; turn < round; turn++) yield* Effect.yieldNow
        else yield* Effect.sleep((round - 20) * 0.25 + (yield* Random.next))
        yield* Fiber.interrupt(interrupted)
        yield* Fiber.join(behind).pipe(Effect.timeout("20 seconds"))
      }
      yield* awaitNoContenders(zk)
      assert.strictEqual(inside, 0)
      yield* awaitNoWatches(watches)
    }
  )

  it.inChroot(
    "that is interrupted while the connection comes and goes leaves nothing either",
    function* ({ breakable, watches, zk }) {
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
      const lock = yield* makeLock(broken)
      for (let round = 0; round < 16; round++) {
        const step = acquireAndReleaseOperations[round % acquireAndReleaseOperations.length]!
        yield* round % 8 < 4 ? link.loseReply(step) : link.loseRequest(step)
        const interrupted = yield* Effect.forkChild(lock.withLock(Effect.sleep(3)), now)
        yield* Effect.sleep((yield* Random.next) * 12)
        yield* Fiber.interrupt(interrupted)
      }
      yield* lock.withLock(Effect.void, { timeout: "20 seconds" })
      yield* awaitNoContenders(zk, watches)
    }
  )
})
