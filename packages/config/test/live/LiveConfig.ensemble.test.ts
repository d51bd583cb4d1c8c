/**
 * Live configurations on a real ensemble whose members are killed and started again: readers move between members that lag
 * behind each other, and writes are lost with the leader.
 */
import { Op } from "@effect-zookeeper/client"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import * as OneNumber from "@effect-zookeeper/test-kit/simulation/recipes/oneNumber"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { plant, withClient } from "../support/targets.ts"

const rounds = process.env["ZK_LONG"] === "1" ? 100 : 2
const readers = 4

const paths = ["/app/a", "/app/b", "/app/deep/c", "/app/list/0", "/app/list/1"]

describe("live configurations on an ensemble of three", () => {
  it.live(
    "show only committed states, in their order, while members are killed",
    () =>
      Effect.gen(function* () {
        const ensemble = yield* ZooKeeperEnsemble.make()
        const connect = Effect.map(
          Layer.build(Layer.fresh(ZooKeeper.layer({ servers: ensemble.connectString, sessionTimeout: "6 seconds" }))),
          Context.get(ZooKeeper.ZooKeeper)
        )
        const writer = yield* connect
        yield* plant(writer, Object.fromEntries(paths.map((path) => [path, "0"])))
        yield* writer.sync()

        const shown = yield* Effect.forEach(Array.from({ length: readers }), () =>
          Effect.gen(function* () {
            const zk = yield* connect
            yield* zk.sync()
            const live = yield* withClient(zk)(LiveConfig.make(OneNumber.config, { path: "/app" }))
            const values: Array<OneNumber.Value> = []
            yield* Effect.forkScoped(Stream.runForEach(live.changes, (value) => Effect.sync(() => values.push(value))))
            return { live, values }
          })
        )

        // Each attempt has a number of its own, so that one whose reply is lost is known by what is shown of it.
        const attempted = new Map<number, "good" | "broken">([[0, "good"]])
        let n = 0
        let isOver = false
        const write = Effect.gen(function* () {
          const number = ++n
          const isBroken = number % 5 === 0
          attempted.set(number, isBroken ? "broken" : "good")
          const ops = paths.map((path) => Op.setData(path, String(number)))
          yield* writer.transaction(isBroken ? [...ops, Op.setData("/app/b", "broken")] : ops)
        })
        const writing = yield* Effect.forkChild(
          Effect.gen(function* () {
            while (!isOver) {
              const result = yield* Effect.result(write)
              if (Result.isFailure(result)) {
                const known = ["ConnectionLoss", "SessionExpired", "RequestTimeout"]
                assert.include(known, result.failure._tag)
              }
              yield* Effect.sleep("20 millis")
            }
          })
        )

        for (let round = 0; round < rounds; round++) {
          yield* Effect.sleep("500 millis")
          const victim = round % 2 === 0 ? yield* ensemble.leader : (yield* ensemble.followers)[0]!
          yield* victim.kill
          yield* Effect.sleep("1 second")
          yield* victim.launch
          yield* ensemble.awaitQuorum(3)
        }
        isOver = true
        yield* Fiber.join(writing)
        // A last state that all have to reach.
        yield* Effect.retry(write, { times: 10 })
        while (attempted.get(n) === "broken") yield* Effect.retry(write, { times: 10 })
        yield* awaitCondition(() => shown.every(({ live }) => live.current.a === n))
        yield* awaitCondition(() => shown.every(({ values }) => values.at(-1)?.a === n))

        for (const { values } of shown) {
          const numbers = values.map(({ a }) => a)
          assert.deepStrictEqual(
            values.filter(({ a, b, deep, list }) => [b, deep.c, ...list].some((number) => number !== a)),
            []
          )
          assert.deepStrictEqual(
            numbers.filter((number) => attempted.get(number) !== "good"),
            []
          )
          assert.deepStrictEqual(
            numbers,
            [...new Set(numbers)].toSorted((one, other) => one - other)
          )
          assert.isAbove(numbers.length, 10)
        }
      }).pipe(Effect.scoped),
    120_000 + rounds * 20_000
  )
})
