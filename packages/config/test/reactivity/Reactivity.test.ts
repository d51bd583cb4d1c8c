import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Reactivity from "effect/reactivity/Reactivity"
import * as Stream from "effect/Stream"
import * as ZooKeeperReactivity from "../../src/ZooKeeperReactivity.ts"
import { describeOnServers, withClient } from "../support/targets.ts"

const options = { path: "/reactivity" }

/** Counts the runs of a query. */
const countRuns = (reactivity: Reactivity.Reactivity, keys: Parameters<Reactivity.Reactivity["query"]>[0]) =>
  Effect.gen(function* () {
    const count = { runs: 0 }
    const query = Effect.sync(() => ++count.runs)
    yield* Effect.forkScoped(Stream.runDrain(reactivity.stream(keys, query)))
    yield* awaitCondition(() => count.runs === 1)
    return count
  })

describeOnServers("reactivity", (test) => {
  test("invalidates in its process at once, and in others by ZooKeeper", function* ({ another, zk }) {
    const here = yield* withClient(zk)(ZooKeeperReactivity.make(options))
    const there = yield* withClient(yield* another())(ZooKeeperReactivity.make(options))
    const mine = yield* countRuns(here, ["users"])
    const theirs = yield* countRuns(there, ["users"])
    const others = yield* countRuns(there, ["orders"])
    for (let round = 1; round <= 5; round++) {
      yield* here.invalidate(["users"])
      yield* awaitCondition(() => mine.runs === round + 1 && theirs.runs === round + 1)
    }
    yield* there.mutation(["users"], Effect.void)
    yield* awaitCondition(() => mine.runs === 7 && theirs.runs === 7)
    assert.strictEqual(others.runs, 1)
  })

  test("knows records of keys", function* ({ another, zk }) {
    const here = yield* withClient(zk)(ZooKeeperReactivity.make(options))
    const there = yield* withClient(yield* another())(ZooKeeperReactivity.make(options))
    const one = yield* countRuns(there, { users: [1] })
    here.invalidateUnsafe({ users: [1] })
    yield* awaitCondition(() => one.runs >= 2)
    const two = yield* countRuns(there, { users: [2] })
    const before = one.runs
    // By the name alone, all of them.
    here.invalidateUnsafe(["users"])
    yield* awaitCondition(() => one.runs > before && two.runs === 2)
  })

  test("sends a batch when it has ended", function* ({ another, zk }) {
    const here = yield* withClient(zk)(ZooKeeperReactivity.make(options))
    const there = yield* withClient(yield* another())(ZooKeeperReactivity.make(options))
    const theirs = yield* countRuns(there, ["users"])
    yield* here.withBatch(
      Effect.gen(function* () {
        yield* here.mutation(["users"], Effect.void)
        yield* here.invalidate(["users"])
        yield* zk.sync("/")
        assert.isFalse(yield* zk.exists("/reactivity"))
        assert.strictEqual(theirs.runs, 1)
      })
    )
    yield* awaitCondition(() => theirs.runs === 2)
  })

  test("invalidates everything where events may be missing", function* ({ breakable, expire, zk }) {
    const here = yield* withClient(zk)(ZooKeeperReactivity.make(options))
    const { link, zk: mine } = yield* breakable()
    const there = yield* withClient(mine)(ZooKeeperReactivity.make(options))
    const theirs = yield* countRuns(there, ["users"])
    const others = yield* countRuns(there, [{ an: "object" }])
    yield* link.cut
    yield* here.invalidate(["users"])
    yield* link.heal
    yield* awaitCondition(() => theirs.runs >= 2 && others.runs >= 2)
    const before = mine.session.id
    const runs = theirs.runs
    yield* expire(mine)
    yield* awaitCondition(() => mine.session.id !== before && theirs.runs > runs)
    const after = theirs.runs
    yield* here.invalidate(["users"])
    yield* awaitCondition(() => theirs.runs > after)
  })

  test("sends what was invalidated in an outage when that is over", function* ({ breakable, zk }) {
    const here = yield* withClient(zk)(ZooKeeperReactivity.make(options))
    const { link, zk: mine } = yield* breakable()
    const there = yield* withClient(mine)(ZooKeeperReactivity.make(options))
    const theirs = yield* countRuns(here, ["users"])
    yield* link.cut
    yield* there.invalidate(["users"])
    yield* link.heal
    yield* awaitCondition(() => theirs.runs >= 2)
  })

  test("misses no invalidation of processes that invalidate the same key", function* ({ another, zk }) {
    const here = yield* withClient(zk)(ZooKeeperReactivity.make(options))
    const there = yield* withClient(yield* another())(ZooKeeperReactivity.make(options))
    let stored = 0
    const seen = { here: -1, there: -1 }
    for (const [name, reactivity] of [
      ["here", here],
      ["there", there]
    ] as const) {
      const query = Effect.sync(() => (seen[name] = stored))
      yield* Effect.forkScoped(Stream.runDrain(reactivity.stream(["n"], query)))
    }
    const change = (reactivity: Reactivity.Reactivity) =>
      reactivity
        .mutation(
          ["n"],
          Effect.sync(() => stored++)
        )
        .pipe(Effect.andThen(Effect.yieldNow), Effect.repeat({ times: 49 }))
    yield* Effect.all([change(here), change(there)], { concurrency: 2 })
    yield* awaitCondition(() => seen.here === 100 && seen.there === 100)
  })

  test("ends with its Scope", function* ({ another, zk }) {
    const mine = yield* another()
    const reactivity = yield* Effect.scoped(withClient(mine)(ZooKeeperReactivity.make(options)))
    reactivity.invalidateUnsafe(["users"])
    yield* eventually(zk.exists("/reactivity"), (exists) => !exists)
  })
})
