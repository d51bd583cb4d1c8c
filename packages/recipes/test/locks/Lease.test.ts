import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Op from "@effect-zookeeper/client/Op"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { LockLost } from "../../src/Errors.ts"
import * as Lease from "../../src/Lease.ts"
import { withClient, describeOnServers, eventually, failure, atOnce, closable } from "../support/targets.ts"
import { endlessWork } from "../support/holds.ts"

const lease = (zk: ZooKeeper.Service, options?: Partial<Lease.Options>) =>
  withClient(zk)(Lease.make("/lease", { duration: "1 minute", ...options }))

const soon = { duration: "1 second" } as const

describeOnServers("a lease", (it) => {
  it.inChroot("is held by one of ten who try at once (aiozk grants ten)", function* ({ another, zk }) {
    const clients = [zk, yield* another(), yield* another()]
    const tries = Array.from({ length: 10 }, (_, index) =>
      Effect.flatMap(lease(clients[index % 3]!), ({ obtain }) => obtain)
    )
    const got = yield* atOnce(tries)
    assert.lengthOf(got.filter(Option.isSome), 1)
    assert.lengthOf(yield* (yield* lease(zk)).holders, 1)
  })

  it.inChroot(
    "is held by as many as the limit says, and free again when it is given back",
    function* ({ another, zk }) {
      const { holders, obtain } = yield* lease(zk, { limit: 2, identifier: "me" })
      const theirs = yield* lease(yield* another(), { limit: 2, identifier: "they" })
      const [mine, giveBack] = yield* closable(Effect.map(obtain, Option.getOrThrow))
      assert.isTrue(Option.isSome(yield* theirs.obtain))
      assert.isTrue(Option.isNone(yield* theirs.obtain))
      assert.deepStrictEqual((yield* holders).map(({ identifier }) => identifier).toSorted(), ["me", "they"])
      yield* giveBack
      assert.strictEqual((yield* failure(mine.lost, "LockLost")).reason, "released")
      assert.isTrue(Option.isSome(yield* theirs.obtain))
    }
  )

  it.inChroot(
    "ends by itself: what it guards is interrupted, and another gets it with a larger token",
    function* ({ another, zk }) {
      const mine = yield* lease(zk, soon)
      const theirs = yield* lease(yield* another(), soon)
      let finalized = false
      const { began, work } = yield* endlessWork<Lease.HeldLease>(Effect.sync(() => (finalized = true)))
      const working = yield* Effect.forkChild(mine.withLease(work))
      const held = yield* began
      yield* failure(theirs.withLease(Effect.void, { timeout: 0 }), "LockTimeout")
      const token = yield* theirs.withLease((held) =>
        Effect.sync(() => {
          // No client has it before its former holder has stopped.
          assert.isTrue(finalized)
          return held.fencingToken
        })
      )
      assert.isAbove(Number(token), Number(held.fencingToken))
      assert.strictEqual((yield* failure(Fiber.join(working), "LockLost")).reason, "expired")
      // The write of a former holder is refused.
      assert.instanceOf(yield* Effect.flip(held.transaction([Op.create("/late")])), LockLost)
      assert.isFalse(yield* zk.exists("/late"))
    }
  )

  it.inChroot(
    "is renewed for as long as its holder likes, and fences with the version of the last renewal",
    function* ({ zk }) {
      const { withLease } = yield* lease(zk, soon)
      yield* withLease((held) =>
        Effect.gen(function* () {
          for (let times = 0; times < 5; times++) {
            yield* Effect.sleep("250 millis")
            yield* held.renew
            assert.isAbove(yield* held.remaining, 300)
          }
          yield* held.transaction([Op.create("/in-time")])
        })
      )
      assert.isTrue(yield* zk.exists("/in-time"))
    }
  )

  it.inChroot("is not renewed when it is over", function* ({ zk }) {
    const { obtain } = yield* lease(zk, { duration: 200 })
    const held = Option.getOrThrow(yield* obtain)
    yield* failure(held.lost, "LockLost")
    assert.strictEqual((yield* failure(held.renew, "LockLost")).reason, "expired")
  })

  it.inChroot(
    "outlives the session of its holder, and is anybody's after its time",
    function* ({ another, expire, zk }) {
      const other = yield* another()
      // Longer than the end of the session takes on a busy machine.
      const held = Option.getOrThrow(yield* (yield* lease(other, { duration: "3 seconds" })).obtain)
      yield* expire(other)
      const mine = yield* lease(zk, soon)
      yield* failure(mine.withLease(Effect.void, { timeout: 0 }), "LockTimeout")
      yield* mine.withLease(Effect.void, { timeout: "10 seconds" })
      assert.strictEqual((yield* failure(held.lost, "LockLost")).reason, "expired")
    }
  )

  it.inChroot(
    "is taken once when the reply of the write is lost, and given back when that reply is lost",
    function* ({ breakable, zk }) {
      const { link, zk: shaky } = yield* breakable()
      const mine = yield* lease(shaky)
      yield* mine.withLease(Effect.void)
      yield* link.loseReply(Operations.multi)
      yield* mine.withLease(() => link.loseReply(Operations.multi), { timeout: "10 seconds" })
      const onlooker = yield* lease(zk)
      yield* eventually(onlooker.holders, (all) => all.length === 0)
    }
  )

  it.inChroot("is given back when its caller is interrupted meanwhile", function* ({ zk }) {
    const { holders, obtain } = yield* lease(zk)
    for (let steps = 0; steps < 20; steps++) {
      const asking = yield* Effect.forkChild(Effect.scoped(obtain), { startImmediately: true })
      for (let step = 0; step < steps; step++) yield* Effect.yieldNow
      yield* Fiber.interrupt(asking)
      yield* eventually(holders, (all) => all.length === 0)
    }
  })

  it.inChroot("says so when another program writes there", function* ({ zk }) {
    const endless = '{"version":1,"identifier":"","duration":1e999,"nonce":"n"}'
    for (const data of ["1737600000.123", endless]) {
      yield* zk.createOrSet("/lease/lease-0", data)
      const { obtain } = yield* lease(zk)
      assert.strictEqual((yield* failure(obtain, "DataInvalid")).path, "/lease/lease-0")
    }
  })

  it.inChroot("has the time of a renewal whose caller did not wait for it, and no more", function* ({ breakable }) {
    const { link, zk } = yield* breakable()
    const { obtain } = yield* lease(zk, { duration: "20 seconds" })
    const held = Option.getOrThrow(yield* obtain)
    const before = yield* zk.stat(held.path)
    yield* link.loseReply(Operations.multi)
    yield* Effect.timeoutOption(held.renew, "1 millis")
    const applied = yield* eventually(
      Effect.map(zk.stat(held.path), Option.getOrThrow),
      ({ version }) => version > Option.getOrThrow(before).version
    )
    yield* held.renew
    // A write of its own, and not the one before taken for it: others count from what was written.
    const written = Option.getOrThrow(yield* zk.stat(held.path))
    assert.isTrue(written.mzxid > applied.mzxid)
    yield* held.transaction([Op.create("/fenced")])
  })

  it.inChroot("is renewed beside its transactions, which do not take a renewal for another holder", function* ({ zk }) {
    const { obtain } = yield* lease(zk)
    const held = Option.getOrThrow(yield* obtain)
    const both = [0, 1, 2, 3].flatMap((n) => [
      held.renew,
      Effect.asVoid(held.transaction([Op.create(`/written-${n}`)]))
    ])
    yield* atOnce(both)
  })

  it.inChroot(
    "is lost to its holder when its znodes are deleted, and nothing that it has fits the new znodes",
    function* ({ another, zk }) {
      const mine = yield* lease(yield* another())
      const theirs = yield* lease(yield* another())
      const former = Option.getOrThrow(yield* mine.obtain)
      assert.isTrue(Option.isNone(yield* theirs.obtain))
      yield* zk.deleteAll("/lease")
      // As many writes as the former holder has seen: the versions are the same again.
      const now = Option.getOrThrow(yield* theirs.obtain)
      assert.isTrue(now.fencingToken > former.fencingToken)
      assert.strictEqual((yield* failure(former.lost, "LockLost")).reason, "deleted")
      yield* failure(former.transaction([Op.create("/late")]), "LockLost")
      yield* failure(former.renew, "LockLost")
      yield* now.transaction([Op.create("/in-time")])
      yield* now.renew
      assert.lengthOf(yield* theirs.holders, 1)
    }
  )

  it.inChroot(
    "is not renewed by a former holder that has not been told of it yet",
    function* ({ another, breakable, zk }) {
      const { link, zk: cutOff } = yield* breakable()
      const former = Option.getOrThrow(yield* (yield* lease(cutOff)).obtain)
      const theirs = yield* lease(yield* another())
      yield* link.cut
      yield* zk.deleteAll("/lease")
      const now = Option.getOrThrow(yield* theirs.obtain)
      // Asked before the connection is back, so before anything is told.
      const renewing = yield* Effect.forkChild(former.renew, { startImmediately: true })
      const writing = yield* Effect.forkChild(former.transaction([Op.create("/late")]), { startImmediately: true })
      yield* link.heal
      yield* failure(Fiber.join(renewing), "LockLost")
      yield* failure(Fiber.join(writing), "LockLost")
      yield* now.transaction([Op.create("/in-time")])
    }
  )

  it.inChroot("leaves nothing but its free slots behind, however its holders end", function* ({ another, zk }) {
    const { withLease } = yield* lease(zk, { duration: 200 })
    yield* withLease(Effect.void)
    assert.deepStrictEqual(yield* zk.getChildren("/lease/lease-0"), [])
    // One that is never given back, and runs out.
    const other = yield* another()
    const held = Option.getOrThrow(yield* (yield* lease(other, { duration: 200 })).obtain)
    yield* failure(held.lost, "LockLost")
    yield* withLease(Effect.void, { timeout: "10 seconds" })
    assert.deepStrictEqual(yield* zk.getChildren("/lease/lease-0"), [])
  })

  it.inChroot("refuses an invalid duration or limit", function* ({ zk }) {
    assert.strictEqual((yield* failure(lease(zk, { duration: 0 }), "InvalidArgument")).argument, "duration")
    for (const limit of [0, 0.5, Number.NaN]) {
      assert.strictEqual((yield* failure(lease(zk, { limit }), "InvalidArgument")).argument, "limit")
    }
  })
})
