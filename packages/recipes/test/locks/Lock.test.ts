import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Op from "@effect-zookeeper/client/Op"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Held } from "../../src/Held.ts"
import { awaitChange } from "../../src/internal/shared/requests.ts"
import * as Lock from "../../src/Lock.ts"
import { getChildrenOrNone, holdLock, untilHeld, endlessWork } from "../support/holds.ts"
import { makeLock, succeedWithHeld, awaitNoContenders } from "../support/locks.ts"
import {
  assertEach,
  withClient,
  describeOnServers,
  eventually,
  failure,
  outcome,
  text,
  closable
} from "../support/targets.ts"

describeOnServers("a lock", (it) => {
  it.inChroot("is held by one, and its znode goes when it is released (aiozk 33, 34)", function* ({ zk }) {
    const lock = yield* makeLock(zk, { identifier: "me" })
    const seen = yield* lock.withLock((held) =>
      Effect.gen(function* () {
        const stat = Option.getOrThrow(yield* zk.stat(held.path))
        assert.strictEqual(stat.czxid, held.fencingToken)
        assert.strictEqual(stat.ephemeralOwner, zk.session.id)
        return yield* lock.contenders
      })
    )
    assertEach(seen, ({ identifier }) => text(identifier), ["me"])
    assert.deepStrictEqual(yield* getChildrenOrNone(zk, "/lock"), [])
    assert.deepStrictEqual(yield* lock.contenders, [])
  })

  it.since("3.5.1")("creates its parents as containers", function* ({ zk }) {
    const lock = yield* withClient(zk)(Lock.make("/deep/down/lock"))
    assert.deepStrictEqual(yield* lock.contenders, [])
    assert.strictEqual(yield* lock.withLock(Effect.succeed(1)), 1)
    yield* eventually(zk.exists("/deep"), (there) => !there)
  })

  it.inChroot("refuses an invalid path, and an invalid timeout (aiozk 44)", function* ({ zk }) {
    for (const path of ["lock", "/lock/", "/a//b", "/", ""]) {
      assert.strictEqual(yield* outcome(withClient(zk)(Lock.make(path))), "InvalidArgument", path)
    }
    const lock = yield* makeLock(zk)
    assert.strictEqual(yield* outcome(lock.withLock(Effect.void, { timeout: -1 })), "InvalidArgument")
    assert.isFalse(yield* zk.exists("/lock"))
  })

  it.inChroot(
    "refuses a try while another holds it, and leaves no znode (aiozk acquires it: 1.11)",
    function* ({ another, zk }) {
      const mine = yield* makeLock(zk)
      const theirs = yield* makeLock(yield* another())
      const [, release] = yield* closable(mine.acquire({ timeout: 0 }))
      for (let tries = 0; tries < 3; tries++) {
        const busy = yield* failure(theirs.withLock(Effect.die("not held"), { timeout: 0 }), "LockTimeout")
        assert.strictEqual(busy.timeout, 0)
        assert.include(busy.message, "/lock is held by another")
      }
      yield* eventually(getChildrenOrNone(zk, "/lock"), (names) => names.length === 1)
      yield* release
      assert.strictEqual(yield* theirs.withLock(Effect.succeed("held"), { timeout: 0 }), "held")
    }
  )

  it.inChroot(
    "fails when it is not acquired in time, leaves no znode, and is free afterwards (aiozk 32, 35, 40)",
    function* ({ another, watches, zk }) {
      const first = yield* untilHeld(holdLock(yield* makeLock(zk)))
      const theirs = yield* makeLock(yield* another())
      const start = performance.now()
      const late = yield* failure(Effect.scoped(theirs.acquire({ timeout: "300 millis" })), "LockTimeout")
      const took = performance.now() - start
      assert.strictEqual(late.timeout, 300)
      assert.isAtLeast(took, 290)
      assert.isBelow(took, 10_000)
      yield* eventually(getChildrenOrNone(zk, "/lock"), (names) => names.length === 1)
      yield* first.release
      yield* theirs.withLock(Effect.void, { timeout: "20 seconds" })
      yield* awaitNoContenders(zk, watches)
    }
  )

  it.inChroot("can be acquired again, each time with a larger token (aiozk 37)", function* ({ zk }) {
    const lock = yield* makeLock(zk)
    let last = 0n
    for (let times = 0; times < 3; times++) {
      const token = yield* lock.withLock(({ fencingToken }) => Effect.succeed(fencingToken))
      assert.isTrue(token > last)
      last = token
    }
    // Even when its parent is another one.
    yield* Effect.ignore(zk.delete("/lock"))
    assert.isTrue((yield* lock.withLock(({ fencingToken }) => Effect.succeed(fencingToken))) > last)
  })

  it.inChroot(
    "has a contender for each acquisition of one object (by design, where aiozk 42 refuses; 43)",
    function* ({ zk }) {
      const lock = yield* makeLock(zk)
      const first = yield* holdLock(lock)
      const { path } = yield* first.held
      const second = yield* holdLock(lock)
      const all = yield* eventually(lock.contenders, (all) => all.length === 2)
      assert.strictEqual(all[0]!.path, path)
      // Paths of the client, under its chroot; names are what the server lists.
      assert.isTrue(all.every(({ path }) => ZnodePath.parent(path) === "/lock"))
      assert.sameMembers(
        all.map(({ path }) => ZnodePath.name(path)),
        [...(yield* getChildrenOrNone(zk, "/lock"))]
      )
      yield* first.release
      assert.strictEqual((yield* second.held).path, all[1]!.path)
      yield* second.release
    }
  )

  it.inChroot(
    "goes round among its contenders, one at a time and in the order of arrival (aiozk 38)",
    function* ({ another, zk }) {
      const clients = [zk, yield* another(), yield* another()]
      const first = yield* untilHeld(holdLock(yield* makeLock(zk)))
      let inside = 0
      const order: Array<number> = []
      const fibers: Array<Fiber.Fiber<void, unknown>> = []
      const { contenders } = yield* makeLock(zk)
      for (let id = 0; id < 8; id++) {
        const lock = yield* makeLock(clients[id % clients.length]!)
        const body = Effect.gen(function* () {
          assert.strictEqual(++inside, 1)
          order.push(id)
          yield* Effect.sleep(2)
          inside--
        })
        fibers.push(yield* Effect.forkChild(lock.withLock(body)))
        yield* eventually(contenders, (all) => all.length === id + 2)
      }
      yield* first.release
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepStrictEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot("gives the result of the effect, and is released however that ends", function* ({ zk }) {
    const lock = yield* makeLock(zk)
    assert.strictEqual(yield* Effect.flip(lock.withLock(Effect.fail("no"))), "no")
    assert.isTrue(Exit.isFailure(yield* Effect.exit(lock.withLock(Effect.die("bug")))))
    const first = yield* untilHeld(holdLock(lock))
    yield* Fiber.interrupt(first.fiber)
    yield* awaitNoContenders(zk)
  })
})

describeOnServers("a waiter", (it) => {
  it.inChroot(
    "that is interrupted leaves no znode and no watch (aiozk leaves both: R2; kazoo test_lock_cancel)",
    function* ({ another, watches, zk }) {
      const first = yield* untilHeld(holdLock(yield* makeLock(zk)))
      const { contenders, withLock } = yield* makeLock(yield* another())
      const waiting = yield* Effect.forkChild(withLock(Effect.void))
      yield* eventually(contenders, (all) => all.length === 2)
      const third = yield* holdLock(yield* makeLock(yield* another()))
      yield* eventually(contenders, (all) => all.length === 3)
      yield* Fiber.interrupt(waiting)
      yield* eventually(getChildrenOrNone(zk, "/lock"), (names) => names.length === 2)
      // The one behind it does not take its going for the holder's.
      assert.isFalse(yield* third.isHeld)
      yield* first.release
      yield* third.held
      yield* third.release
      yield* awaitNoContenders(zk, watches)
    }
  )

  it.inChroot("whose predecessor has gone by the time it looks does not wait (aiozk 39)", function* ({ watches, zk }) {
    yield* awaitChange(zk, "/gone")
    assert.strictEqual(yield* watches, 0)
  })

  it.inChroot(
    "ignores znodes that are not contenders (kazoo test_get_predecessor), and respects those of other layouts",
    function* ({ zk }) {
      yield* zk.create("/lock")
      for (const name of ["config", "lock-", "other-0000000000", "lock-12", "latch-0000000000"]) {
        yield* zk.create(`/lock/${name}`)
      }
      const lock = yield* makeLock(zk)
      yield* lock.withLock(Effect.void, { timeout: 0 })
      const hex = "0123456789abcdef0123456789abcdef"
      for (const prefix of [`${hex}__lock__`, `lock-${hex}-`, `_c_${hex}-lock-`, "lock-"]) {
        const path = yield* zk.create(`/lock/${prefix}`, { mode: "ephemeralSequential" })
        assert.strictEqual(yield* outcome(lock.withLock(Effect.void, { timeout: 0 })), "LockTimeout", prefix)
        yield* zk.delete(path)
      }
      yield* lock.withLock(Effect.void, { timeout: 0 })
    }
  )

  it.inChroot("waits again when its own znode is deleted", function* ({ another, zk }) {
    const first = yield* holdLock(yield* makeLock(zk))
    const { path } = yield* first.held
    const second = yield* holdLock(yield* makeLock(yield* another()))
    const names = yield* eventually(getChildrenOrNone(zk, "/lock"), (names) => names.length === 2)
    const other = names.find((name) => name !== ZnodePath.name(path))!
    yield* zk.delete(ZnodePath.join("/lock", other))
    yield* first.release
    assert.notStrictEqual(ZnodePath.name((yield* second.held).path), other)
    yield* second.release
  })

  it.inChroot(
    "fails with the server's refusal, and leaves no znode (Curator testNodeDeletedCleanlyWithFaults)",
    function* ({ zk }) {
      // To create and delete, but not to list.
      yield* zk.create("/lock", {
        acl: [Acl.world("cda")]
      })
      const lock = yield* makeLock(zk)
      assert.strictEqual(yield* outcome(lock.withLock(Effect.void)), "NoAuth")
      // Newer servers want READ for a Stat.
      yield* zk.setAcl("/lock", Acl.open)
      yield* eventually(Effect.map(zk.stat("/lock"), Option.getOrThrow), ({ numChildren }) => numChildren === 0)
    }
  )
})

describeOnServers("a holder", (it) => {
  it.inChroot("is interrupted when its znode is deleted, and LockLost comes when it has finished", function* ({ zk }) {
    const lock = yield* makeLock(zk)
    let finalized = false
    const finalize = Effect.sync(() => (finalized = true))
    const { began, work } = yield* endlessWork<Held>(Effect.andThen(Effect.sleep(20), finalize))
    const fiber = yield* Effect.forkChild(lock.withLock(work))
    const { path } = yield* began
    yield* zk.setData(path, "what is written there is none of its business")
    yield* zk.delete(path)
    const lost = yield* failure(Fiber.join(fiber), "LockLost")
    assert.strictEqual(lost.reason, "deleted")
    assert.include(lost.message, "its znode was deleted")
    assert.isTrue(finalized)
  })

  it.inChroot(
    "that acquired it learns of the loss, and its release afterwards is no error (aiozk 41)",
    function* ({ watches, zk }) {
      const lock = yield* makeLock(zk)
      const [held, release] = yield* closable(lock.acquire())
      yield* zk.delete(held.path)
      assert.strictEqual((yield* failure(held.lost, "LockLost")).reason, "deleted")
      yield* release
      const [released, releaseAgain] = yield* closable(lock.acquire({ timeout: 0 }))
      yield* releaseAgain
      assert.strictEqual((yield* failure(released.lost, "LockLost")).reason, "released")
      yield* awaitNoContenders(zk, watches)
    }
  )

  it.inChroot(
    "writes behind the check of its znode: the results are its own, and so is the index of a failure",
    function* ({ zk }) {
      const lock = yield* makeLock(zk)
      yield* zk.create("/result")
      yield* lock.withLock((held) =>
        Effect.gen(function* () {
          const [stat, path] = yield* held.transaction([Op.setData("/result", "1"), Op.create("/made")])
          assert.strictEqual(stat.version, 1)
          assert.strictEqual(path, "/made")
          const refused = yield* failure(
            held.transaction([Op.setData("/result", "2"), Op.create("/made"), Op.delete("/result")]),
            "TransactionFailed"
          )
          assert.strictEqual(refused.index, 1)
          assert.strictEqual(refused.error._tag, "NodeExists")
          assert.lengthOf(refused.results, 3)
          assert.deepStrictEqual(yield* held.transaction([]), [])
        })
      )
      assert.strictEqual(text(yield* zk.getData("/result")), "1")
    }
  )

  it.inChroot(
    "whose hold is over is refused when it writes, whatever it knows of its loss",
    function* ({ another, zk }) {
      yield* zk.create("/result")
      const lock = yield* makeLock(zk)
      const former = yield* lock.withLock(succeedWithHeld)
      assert.strictEqual(
        (yield* failure(former.transaction([Op.setData("/result", "late")]), "LockLost")).reason,
        "released"
      )
      const held = yield* lock.acquire()
      yield* Effect.flatMap(another(), (other) => other.delete(held.path))
      const lost = yield* failure(held.transaction([Op.setData("/result", "late")]), "LockLost")
      assert.strictEqual(lost.path, held.path)
      // It knows now.
      yield* failure(held.lost, "LockLost")
      assert.strictEqual(text(yield* zk.getData("/result")), "")
    }
  )
})
