/** Rounds of faults: the values that are published are states that were committed, in their order. */
import { Op } from "@effect-zookeeper/client"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

const rounds = process.env["ZK_LONG"] === "1" ? 1000 : 12

/** One number in three places, and a list whose length goes with it. */
const config = Config.schema(
  Schema.Struct({
    a: Schema.Int,
    b: Schema.Int,
    deep: Schema.Struct({ c: Schema.Int }),
    list: Schema.Array(Schema.Int)
  })
)

const isWhole = ({ a, b, deep, list }: Config.Success<typeof config>) =>
  a === b && a === deep.c && list.length === (a % 3) + 1 && list.every((n) => n === a)

const stateOf = (n: number): Readonly<Record<string, string>> => {
  const list = Object.fromEntries(Array.from({ length: (n % 3) + 1 }, (_, index) => [`/app/list/${index}`, String(n)]))
  return { "/app/a": String(n), "/app/b": String(n), "/app/deep/c": String(n), ...list }
}

/** The transaction that leads from a state to another one. */
const step = (from: number, to: number, isBroken: boolean): ReadonlyArray<Op.Write> => {
  const before = stateOf(from)
  const after = stateOf(to)
  const written = Object.entries(after).map(([path, data]) =>
    path in before ? Op.setData(path, data) : Op.create(path, { data })
  )
  const gone = Object.keys(before).filter((path) => !(path in after))
  const broken = isBroken ? [Op.setData("/app/b", "broken")] : []
  return [...written, ...gone.map((path) => Op.delete(path)), ...broken]
}

describeOnServers("a live configuration under faults", (test) => {
  test("shows only states that were committed and decode, in their order", function* ({ breakable, expire, zk }) {
    yield* plant(zk, stateOf(0))
    const { link, zk: mine } = yield* breakable({ sessionTimeout: "4 seconds" })
    const live = yield* withClient(mine)(LiveConfig.make(config, { path: "/app" }))
    const shown: Array<Config.Success<typeof config>> = []
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
    for (let round = 0; round < rounds; round++) {
      const fault = yield* Random.nextIntBetween(0, 4)
      yield* Effect.repeat(write, { times: 3 })
      if (fault === 0) yield* link.cut
      else if (fault === 1) yield* Effect.forkChild(expire(mine))
      else if (fault === 2) yield* Effect.andThen(link.cut, link.heal)
      yield* Effect.repeat(write, { times: 3 })
      yield* link.heal
      if (round % 3 !== 0) yield* awaitCondition(() => live.status.freshness === "live")
    }
    yield* zk.transaction(step(n, n + 1, false))
    n++
    good.add(n)
    yield* awaitCondition(() => live.current.a === n && live.status.freshness === "live")
    yield* awaitCondition(() => shown.at(-1)?.a === n)
    const numbers = shown.map(({ a }) => a)
    assert.deepStrictEqual(
      shown.filter((value) => !isWhole(value)),
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
