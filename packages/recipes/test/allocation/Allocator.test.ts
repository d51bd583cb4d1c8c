import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Allocator from "../../src/Allocator.ts"
import * as Lock from "../../src/Lock.ts"
import { awaitChildren } from "../support/holds.ts"
import {
  withClient,
  describeOnServers,
  awaitCondition,
  eventually,
  failure,
  pullFrom,
  closable
} from "../support/targets.ts"

const path = "/shards"

const quiet = 100

const items = ["a", "b", "c", "d", "e", "f"]

/** A member that can go before the test ends. */
const member = (zk: ZooKeeper.Service, id: string, options?: Allocator.Options) =>
  Effect.map(
    closable(withClient(zk)(Allocator.make(path, { id, quiet, items, ...options }))),
    ([allocator, leave]) => ({ allocator, leave })
  )

const owns = (allocator: Allocator.Allocator, expected: ReadonlyArray<string>) =>
  awaitCondition(() => allocator.allocation.join() === expected.join())

/** Users of items at the moment; two users of one item are reported. */
const makeLedger = () => {
  const users = new Map<string, string>()
  const doubles: Array<string> = []
  /** Uses items until it is interrupted, and takes its time to stop. */
  const use =
    (who: string, stopping = 0) =>
    (items: ReadonlyArray<string>) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          for (const item of items) {
            const other = users.get(item)
            if (other !== undefined) doubles.push(`${item} of ${other} by ${who}`)
            users.set(item, who)
          }
        }),
        () => Effect.never,
        () =>
          Effect.andThen(
            Effect.sleep(stopping),
            Effect.sync(() => {
              for (const item of items) users.delete(item)
            })
          )
      )
  return { users, doubles, use }
}

describeOnServers("an allocator whose callback throws", (it) => {
  it.inChroot("gives up its items all the same, and closes", function* ({ zk }) {
    const { allocator, leave } = yield* member(zk, "m")
    yield* owns(allocator, items)
    const exit = yield* Effect.exit(
      allocator.whileAllocated((): Effect.Effect<void> => {
        throw new Error("a bug")
      })
    )
    assert.isTrue(Exit.isFailure(exit))
    assert.isTrue(Option.isSome(yield* Effect.timeoutOption(leave, "10 seconds")))
  })
})

describeOnServers("an allocator", (it) => {
  it.inChroot("divides the items among the members, and again when they change", function* ({ another, zk }) {
    const a = yield* member(zk, "a")
    yield* owns(a.allocator, items)
    const b = yield* member(yield* another(), "b")
    yield* owns(a.allocator, ["a", "c", "e"])
    yield* owns(b.allocator, ["b", "d", "f"])
    const c = yield* member(yield* another(), "c")
    yield* owns(a.allocator, ["a", "d"])
    yield* owns(b.allocator, ["b", "e"])
    yield* owns(c.allocator, ["c", "f"])
    assert.deepStrictEqual([...(yield* c.allocator.members).keys()].toSorted(), ["a", "b", "c"])
    yield* b.leave
    yield* owns(a.allocator, ["a", "c", "e"])
    yield* owns(c.allocator, ["b", "d", "f"])
    assert.deepStrictEqual(b.allocator.allocation, [])
  })

  it.inChroot("never has an item used by two members, however long they take to stop", function* ({ another, zk }) {
    const { doubles, use, users } = makeLedger()
    const crowd = yield* Effect.forEach(["a", "b", "c", "d"], (id) =>
      Effect.gen(function* () {
        const { allocator, leave } = yield* member(id === "a" ? zk : yield* another(), id)
        const using = yield* Effect.forkChild(allocator.whileAllocated(use(id, 50)))
        yield* awaitCondition(() => users.size === items.length)
        return { leave, using }
      })
    )
    yield* awaitCondition(() => new Set(users.values()).size === 4)
    for (const { leave, using } of crowd.slice(1)) {
      yield* leave
      yield* failure(Fiber.join(using), "SessionClosed")
    }
    yield* eventually(
      Effect.sync(() => [...users.values()]),
      (who) => who.length === items.length && who.every((id) => id === "a")
    )
    assert.deepStrictEqual(doubles, [])
  })

  it.inChroot("interrupts a member that is cut off before another has its items", function* ({ breakable, zk }) {
    const { doubles, use, users } = makeLedger()
    const { link, zk: other } = yield* breakable({ sessionTimeout: "2 seconds" })
    const a = yield* member(other, "a")
    yield* Effect.forkChild(a.allocator.whileAllocated(use("a")))
    yield* owns(a.allocator, items)
    const b = yield* member(zk, "b")
    yield* Effect.forkChild(b.allocator.whileAllocated(use("b")))
    yield* owns(b.allocator, ["b", "d", "f"])
    yield* link.cut
    yield* owns(b.allocator, items)
    assert.deepStrictEqual(a.allocator.allocation, [])
    yield* link.heal
    yield* owns(a.allocator, ["a", "c", "e"])
    yield* owns(b.allocator, ["b", "d", "f"])
    yield* awaitCondition(() => users.size === items.length)
    assert.deepStrictEqual(doubles, [])
  })

  it.inChroot("has its items again in the next session", function* ({ another, expire, zk }) {
    const other = yield* another()
    const a = yield* member(other, "a")
    const b = yield* member(zk, "b")
    yield* owns(a.allocator, ["a", "c", "e"])
    const next = yield* pullFrom(a.allocator.changes)
    assert.deepStrictEqual(yield* next, ["a", "c", "e"])
    yield* expire(other)
    // A server may tell of the znodes that end with a session one by one before it closes the connection.
    let left: ReadonlyArray<string> = ["a", "c", "e"]
    while (left.length > 0) {
      const rest = yield* next
      assert.deepStrictEqual(
        rest,
        left.filter((item) => rest.includes(item))
      )
      assert.isBelow(rest.length, left.length)
      left = rest
    }
    yield* owns(a.allocator, ["a", "c", "e"])
    yield* owns(b.allocator, ["b", "d", "f"])
  })

  it.inChroot("divides again when a member joins while it waits for an item", function* ({ another, zk }) {
    // kazoo's test_race_condition_new_partitioner_steals_the_lock.
    const outsider = yield* withClient(yield* another())(Lock.make(`${path}/locks/item-a`))
    const [, release] = yield* closable(outsider.acquire())
    const a = yield* member(zk, "b")
    yield* eventually(outsider.contenders, ({ length }) => length === 2)
    assert.deepStrictEqual(a.allocator.allocation, [])
    const b = yield* member(yield* another(), "a")
    // The item that is stolen is the other's now.
    yield* owns(a.allocator, ["b", "d", "f"])
    yield* release
    yield* owns(b.allocator, ["a", "c", "e"])
  })

  it.inChroot("keeps the items that stay its own, and their work, until it has the rest", function* ({ another, zk }) {
    const first = (members: ReadonlyArray<string>, items: ReadonlyArray<string>) => new Map([[members[0]!, items]])
    const a = yield* member(zk, "a", { assign: first })
    const seen: Array<ReadonlyArray<string>> = []
    const fiber = yield* Effect.forkChild(
      a.allocator.whileAllocated((items) =>
        Effect.andThen(
          Effect.sync(() => seen.push(items)),
          Effect.never
        )
      )
    )
    yield* owns(a.allocator, items)
    const token = Option.map(a.allocator.held("a"), ({ fencingToken }) => fencingToken)
    assert.isTrue(Option.isSome(token))
    const b = yield* member(yield* another(), "b", { assign: first })
    yield* eventually(a.allocator.members, ({ size }) => size === 2)
    yield* Effect.sleep(5 * quiet)
    assert.deepStrictEqual(b.allocator.allocation, [])
    assert.deepStrictEqual(
      Option.map(a.allocator.held("a"), ({ fencingToken }) => fencingToken),
      token
    )
    assert.deepStrictEqual(seen, [items])
    yield* Fiber.interrupt(fiber)
    yield* a.leave
    assert.isTrue(Option.isNone(a.allocator.held("a")))
    yield* owns(b.allocator, items)
  })

  it.inChroot(
    "divides the set that is kept in ZooKeeper, and follows additions and removals",
    function* ({ another, zk }) {
      // aiozk's add, remove and update fail, all three of them.
      const a = yield* member(zk, "a", { items: undefined })
      const b = yield* member(yield* another(), "b", { items: undefined })
      assert.deepStrictEqual(yield* a.allocator.items, [])
      yield* a.allocator.update(() => ["x", "z", "y", "x"])
      yield* owns(a.allocator, ["x", "z"])
      yield* owns(b.allocator, ["y"])
      yield* Effect.all([b.allocator.add("a/b"), a.allocator.add(""), a.allocator.remove("x")], { concurrency: 3 })
      assert.deepStrictEqual(yield* b.allocator.items, ["", "a/b", "y", "z"])
      yield* owns(a.allocator, ["", "y"])
      yield* owns(b.allocator, ["a/b", "z"])
      yield* failure((yield* member(zk, "c")).allocator.add("x"), "InvalidArgument")
    }
  )

  it.inChroot(
    "fails with the error of the effect, and runs an effect that ends again at the next allocation",
    function* ({ another, zk }) {
      const a = yield* member(zk, "a")
      const seen: Array<number> = []
      const second = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        a.allocator.whileAllocated(({ length }) => {
          seen.push(length)
          return seen.length === 2
            ? Effect.andThen(Deferred.succeed(second, undefined), Effect.fail("enough"))
            : Effect.void
        })
      )
      yield* owns(a.allocator, items)
      yield* member(yield* another(), "b")
      yield* Deferred.await(second)
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), "enough")
      assert.deepStrictEqual(seen, [6, 3])
    }
  )

  it.inChroot("fails for its users when its set cannot be read", function* ({ zk }) {
    yield* zk.createWithParents(`${path}/items`, { data: "no set" })
    const a = yield* member(zk, "a", { items: undefined })
    yield* failure(
      a.allocator.whileAllocated(() => Effect.never),
      "DataInvalid"
    )
    assert.deepStrictEqual(a.allocator.allocation, [])
  })

  it.inChroot("leaves nothing behind", function* ({ zk }) {
    for (let round = 0; round < 3; round++) {
      const { allocator, leave } = yield* member(zk, "a")
      if (round > 0) yield* owns(allocator, items)
      yield* leave
    }
    yield* awaitChildren(zk, `${path}/members`, 0)
    for (const item of items) yield* awaitChildren(zk, `${path}/locks/item-${item}`, 0)
  })
})
