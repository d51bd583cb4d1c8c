import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import { begun } from "../support/barriers.ts"
import { awaitChildren, getChildrenOrNone } from "../support/holds.ts"
import { assertEach, withClient, describeOnServers, eventually, failure, eachAtOnce } from "../support/targets.ts"

const path = "/barrier"

const member = (zk: ZooKeeper.Service, size: number) => withClient(zk)(DoubleBarrier.make(path, { size }))

const names = (zk: ZooKeeper.Service) => getChildrenOrNone(zk, path)

const has = (zk: ZooKeeper.Service, count: number) => awaitChildren(zk, path, count)

describeOnServers("a double barrier", (it) => {
  it.inChroot("enters again when the znode of a waiting member is deleted", function* ({ another, zk }) {
    const waiting = yield* begun((yield* member(yield* another(), 2)).enter())
    yield* has(zk, 1)
    const [former] = yield* names(zk)
    yield* zk.delete(`${path}/${former}`)
    yield* eventually(names(zk), (members) => members.length === 1 && members[0] !== former)
    yield* (yield* member(yield* another(), 2)).enter()
    yield* waiting.ends
  })

  it.inChroot(
    "lets eight in when the eighth has come, and out when the eighth has left (aiozk 2)",
    function* ({ another, zk }) {
      const members = yield* Effect.forEach(Array.from({ length: 8 }), () =>
        Effect.flatMap(another(), (zk) => member(zk, 8))
      )
      const entering = yield* Effect.forEach(members.slice(1), ({ enter }) => begun(enter()))
      yield* has(zk, 7)
      assert.isFalse(entering.some(({ hasEnded }) => hasEnded()))
      yield* members[0]!.enter()
      yield* Effect.forEach(entering, ({ ends }) => ends)
      assert.include(yield* names(zk), "ready")
      const leaving = yield* Effect.forEach(members.slice(1), ({ leave }) => begun(leave()))
      // Either it is the lowest, which waits for the others, or the lowest waits for it.
      yield* eventually(names(zk), ({ length }) => length <= 3)
      assert.isFalse(leaving.some(({ hasEnded }) => hasEnded()))
      yield* members[0]!.leave()
      yield* Effect.forEach(leaving, ({ ends }) => ends)
      assert.deepStrictEqual(yield* names(zk), [])
    }
  )

  it.inChroot("counts no persistent znode with the name of a member, and waits for none", function* ({ another, zk }) {
    for (const id of ["00000000-e2bb-4255-8caf-4136c566a962", "ffffffff-e2bb-4255-8caf-4136c566a962"])
      yield* zk.createWithParents(`${path}/${id}`)
    const [first, second] = [yield* member(zk, 2), yield* member(yield* another(), 2)]
    assert.strictEqual((yield* failure(first.enter({ timeout: "100 millis" }), "WaitTimeout")).operation, "enter")
    const entering = yield* begun(first.enter())
    yield* second.enter()
    yield* entering.ends
    const leaving = yield* begun(first.leave())
    yield* second.leave()
    yield* leaving.ends
    // A `ready` that was left behind opens nothing, though it is younger than they are.
    yield* zk.createOrSet(`${path}/ready`, "")
    yield* failure(first.enter({ timeout: "100 millis" }), "WaitTimeout")
  })

  it.inChroot(
    "gives up the wait for others in time, and does not count any more (aiozk 5 and 6)",
    function* ({ another, zk }) {
      const first = yield* member(zk, 3)
      assert.strictEqual((yield* failure(first.enter({ timeout: 300 }), "WaitTimeout")).timeout, 300)
      assert.strictEqual((yield* failure(first.enter({ timeout: 0 }), "WaitTimeout")).timeout, 0)
      // On a busy machine a create may have been on its way: it is undone when its answer comes.
      yield* has(zk, 0)
      // Two are still too few, however often others have tried.
      const crowd = yield* Effect.forEach([1, 2], () => Effect.flatMap(another(), (zk) => member(zk, 3)))
      const outcomes = yield* eachAtOnce(crowd, ({ enter }) => Effect.flip(enter({ timeout: 500 })))
      assertEach(outcomes, ({ _tag }) => _tag, ["WaitTimeout", "WaitTimeout"])
      yield* has(zk, 0)
    }
  )

  it.inChroot(
    "has left when it gives up the wait for those inside, and waits on when asked again (aiozk 7)",
    function* ({ another, zk }) {
      // aiozk's second leave fails with a KeyError.
      const [one, two] = [yield* member(zk, 2), yield* member(yield* another(), 2)]
      yield* Effect.all([one.enter(), two.enter()], { concurrency: 2 })
      yield* failure(one.leave({ timeout: 300 }), "WaitTimeout")
      // On a busy machine its delete may be on its way still.
      yield* eventually(names(zk), (all) => all.filter((name) => name !== "ready").length === 1)
      yield* failure(one.leave({ timeout: 300 }), "WaitTimeout")
      const leaving = yield* begun(one.leave())
      yield* two.leave()
      yield* leaving.ends
      yield* one.leave()
    }
  )

  it.inChroot("is closed for a member that comes after all others have crashed", function* ({ another, zk }) {
    // aiozk's lets it through, and so does Curator's.
    const [a, b] = [yield* another(), yield* another()]
    yield* Effect.all([(yield* member(a, 2)).enter(), (yield* member(b, 2)).enter()], { concurrency: 2 })
    yield* Effect.all([a.session.detach, b.session.detach])
    for (const name of yield* names(zk)) if (name !== "ready") yield* zk.delete(`${path}/${name}`)
    assert.deepStrictEqual(yield* names(zk), ["ready"])
    const lone = yield* member(zk, 2)
    yield* failure(lone.enter({ timeout: 500 }), "WaitTimeout")
    // Together with another it opens the next generation.
    const entering = yield* begun(lone.enter())
    yield* has(zk, 2)
    assert.isFalse(entering.hasEnded())
    yield* (yield* member(yield* another(), 2)).enter()
    yield* entering.ends
  })

  it.inChroot(
    "does not count a member whose session has expired, and lets it enter again in the next one",
    function* ({ another, expire, zk }) {
      const other = yield* another()
      const first = yield* begun((yield* member(other, 3)).enter())
      const second = yield* begun((yield* member(zk, 3)).enter())
      yield* has(zk, 2)
      const before = yield* names(zk)
      yield* expire(other)
      yield* eventually(names(zk), (now) => now.length === 2 && now.some((name) => !before.includes(name)))
      assert.isFalse(first.hasEnded() || second.hasEnded())
      yield* (yield* member(yield* another(), 3)).enter()
      yield* first.ends
      yield* second.ends
    }
  )

  it.inChroot("admits members while others are inside, and more of them than its size", function* ({ another, zk }) {
    const members = yield* Effect.forEach(Array.from({ length: 5 }), () =>
      Effect.flatMap(another(), (zk) => member(zk, 2))
    )
    yield* eachAtOnce(members, ({ enter }) => enter())
    const leaving = yield* begun(members[0]!.leave())
    const late = yield* member(zk, 2)
    yield* late.enter({ timeout: "10 seconds" })
    assert.isFalse(leaving.hasEnded())
    yield* eachAtOnce([...members.slice(1), late], ({ leave }) => leave())
    yield* leaving.ends
    assert.deepStrictEqual(yield* names(zk), [])
  })

  it.inChroot("does not wait for members that come after it has left", function* ({ another, zk }) {
    const [one, two] = [yield* member(zk, 2), yield* member(yield* another(), 2)]
    yield* Effect.all([one.enter(), two.enter()], { concurrency: 2 })
    yield* failure(one.leave({ timeout: 200 }), "WaitTimeout")
    const late = yield* member(yield* another(), 2)
    yield* late.enter()
    yield* two.leave({ timeout: 200 }).pipe(Effect.ignore)
    yield* one.leave({ timeout: "10 seconds" })
    yield* late.leave({ timeout: "10 seconds" })
    assert.deepStrictEqual(
      (yield* names(zk)).filter((name) => name !== "ready"),
      []
    )
  })

  it.inChroot(
    "is not affected by znodes that are not members, nor by its own changes (Curator's testSpuriousWakeup)",
    function* ({ zk }) {
      const waiter = yield* begun((yield* member(zk, 2)).enter())
      yield* has(zk, 1)
      const [name] = yield* names(zk)
      yield* zk.create(`${path}/foreign`)
      yield* zk.set(`${path}/${name}`, "changed")
      yield* zk.create(`${path}/_c_00000000-5c1e-4d0a-8f3e-0c7a5b1d2e4f-lock-0000000001`)
      yield* failure(Effect.timeout(waiter.ends, 200), "TimeoutError")
      assert.isFalse(waiter.hasEnded())
      yield* (yield* member(zk, 2)).enter()
      yield* waiter.ends
    }
  )

  it.inChroot("survives lost connections while it enters and while it leaves", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const [one, two] = [yield* member(mine, 2), yield* member(zk, 2)]
    yield* link.loseReply(Operations.create2)
    const entering = yield* begun(one.enter())
    yield* has(zk, 1)
    yield* link.cut
    yield* two.enter()
    yield* link.heal
    yield* entering.ends
    const leaving = yield* begun(one.leave())
    yield* link.cut
    const other = yield* begun(two.leave())
    yield* link.heal
    yield* leaving.ends
    yield* other.ends
    assert.deepStrictEqual(yield* names(zk), [])
  })

  it.inChroot("leaves no znode behind when it is interrupted at any time", function* ({ another, zk }) {
    const mine = yield* another()
    for (let steps = 0; steps < 12; steps++) {
      const entering = yield* begun((yield* member(mine, 20)).enter())
      for (let step = 0; step < steps; step++) yield* mine.exists("/")
      yield* entering.stop
    }
    yield* has(zk, 0)
  })

  it.inChroot("understands the znodes of Curator's members", function* ({ another, zk }) {
    const curator = yield* another()
    const mine = yield* member(zk, 2)
    const entering = yield* begun(mine.enter())
    yield* has(zk, 1)
    const theirs = "/00000000-5c1e-4d0a-8f3e-0c7a5b1d2e4f"
    yield* curator.create(path + theirs, { mode: "ephemeral" })
    yield* curator.create(`${path}/ready`)
    yield* entering.ends
    const leaving = yield* begun(mine.leave())
    yield* has(zk, 2)
    assert.isFalse(leaving.hasEnded())
    yield* curator.delete(path + theirs)
    yield* leaving.ends
  })
})
