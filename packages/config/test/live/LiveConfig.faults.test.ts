/** Rounds of faults: the values that are published are states that were committed, in their order. */
import { Op } from "@effect-zookeeper/client"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as OneNumber from "@effect-zookeeper/test-kit/simulation/recipes/oneNumber"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

const rounds = process.env["ZK_LONG"] === "1" ? 1000 : 12

const stateOf = (n: number) => OneNumber.stateOf("/app", n)

/** The transaction that leads from a state to another one. */
const step = (from: number, to: number, isBroken: boolean): ReadonlyArray<Op.Write> => {
  const { gone, writes } = OneNumber.changeOf(stateOf(from), stateOf(to))
  const broken = isBroken ? [Op.setData("/app/b", "broken")] : []
  return [...writes, ...gone.map((path) => Op.delete(path)), ...broken]
}

describeOnServers("a live configuration under faults", (test) => {
  test("shows only states that were committed and decode, in their order", function* ({ breakable, expire, zk }) {
    yield* plant(zk, stateOf(0))
    const { link, zk: mine } = yield* breakable({ sessionTimeout: "4 seconds" })
    const live = yield* withClient(mine)(LiveConfig.make(OneNumber.config, { path: "/app" }))
    const shown: Array<OneNumber.Value> = []
    yield* Effect.forkScoped(Stream.runForEach(live.changes, (value) => Effect.sync(() => shown.push(value))))
    const good = new Set([0])
    let n = 0
    const write = Effect.gen(function* () {
      const isBroken = (yield* Random.next) < 0.3
      yield* zk.transaction(step(n, n + 1, isBroken))
      n++
      if (!isBroken) good.add(n)
      yield* Effect.sleep((yield* Random.next) * 10)
    })
    /** A state that is shown, however many of those before it were passed over on a busy machine. */
    const settle = Effect.gen(function* () {
      yield* zk.transaction(step(n, n + 1, false))
      n++
      good.add(n)
      yield* awaitCondition(() => live.current.a === n && live.status.freshness === "live")
      yield* awaitCondition(() => shown.at(-1)?.a === n)
    })
    for (let round = 0; round < rounds; round++) {
      const fault = yield* Random.nextIntBetween(0, 4)
      yield* Effect.repeat(write, { times: 3 })
      if (fault === 0) yield* link.cut
      else if (fault === 1) yield* Effect.forkChild(expire(mine))
      else if (fault === 2) yield* Effect.andThen(link.cut, link.heal)
      yield* Effect.repeat(write, { times: 3 })
      yield* link.heal
      if (round % 3 !== 0) yield* settle
    }
    yield* settle
    const numbers = shown.map(({ a }) => a)
    assert.deepStrictEqual(
      shown.filter((value) => !OneNumber.isWhole(value)),
      []
    )
    assert.deepStrictEqual(
      numbers.filter((number) => !good.has(number)),
      []
    )
    assert.deepStrictEqual(
      numbers,
      [...new Set(numbers)].toSorted((one, other) => one - other)
    )
    assert.isAbove(numbers.length, rounds / 3)
  })
})
