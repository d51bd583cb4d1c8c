/** A writer of numbered states, some of which do not decode, and readers that have to show the others in their order. */
import { Op } from "@effect-zookeeper/client"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as OneNumber from "@effect-zookeeper/test-kit/simulation/recipes/oneNumber"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { plant, withClient } from "./targets.ts"

const paths = ["/app/a", "/app/b", "/app/deep/c", "/app/list/0", "/app/list/1"]

interface Reader {
  readonly live: LiveConfig.LiveConfig<OneNumber.Value>
  readonly shown: ReadonlyArray<OneNumber.Value>
}

export class NumberedStates {
  /** Milliseconds from the begin of each write to each reader that showed its value. */
  readonly delays: Array<number> = []
  private readonly writer: ZooKeeper.Service
  /** Each attempt has a number of its own, so that one whose reply is lost is known by what is shown of it. */
  private readonly attempts: Array<{ readonly isGood: boolean; readonly begun: number }> = []
  private readonly readers: Array<Reader> = []

  constructor(writer: ZooKeeper.Service) {
    this.writer = writer
  }

  /** The first state. */
  get begin() {
    return Effect.gen({ self: this }, function* () {
      this.attempts.push({ isGood: true, begun: performance.now() })
      yield* plant(this.writer, Object.fromEntries(paths.map((path) => [path, "0"])))
      yield* this.writer.sync()
    })
  }

  /** Follows the states on a client, until the Scope closes. */
  follow(zk: ZooKeeper.Service) {
    return Effect.gen({ self: this }, function* () {
      yield* zk.sync()
      const live = yield* withClient(zk)(LiveConfig.make(OneNumber.config, { path: "/app" }))
      const shown: Array<OneNumber.Value> = []
      this.readers.push({ live, shown })
      yield* Effect.forkScoped(
        Stream.runForEach(live.changes, (value) =>
          Effect.sync(() => {
            shown.push(value)
            const begun = this.attempts[value.a]?.begun
            if (begun !== undefined && value.a > 0) this.delays.push(performance.now() - begun)
          })
        )
      )
    })
  }

  /** Writes one state after the other until the returned effect runs. */
  writeAll(pause: number): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      let isOver = false
      const writing = yield* Effect.forkScoped(
        Effect.gen({ self: this }, function* () {
          while (!isOver) {
            const result = yield* Effect.result(this.write)
            if (Result.isFailure(result)) {
              assert.include(["ConnectionLoss", "SessionExpired", "RequestTimeout"], result.failure._tag)
            }
            yield* Effect.sleep(pause)
          }
        })
      )
      return Effect.suspend(() => {
        isOver = true
        return Fiber.join(writing)
      })
    })
  }

  /** Writes a last state, waits until all readers show it, and judges all that they have shown. */
  get end() {
    return Effect.gen({ self: this }, function* () {
      do yield* Effect.retry(this.write, { times: 10 })
      while (this.attempts.at(-1)?.isGood !== true)
      const last = this.attempts.length - 1
      yield* awaitCondition(() => this.readers.every(({ live }) => live.current.a === last))
      yield* awaitCondition(() => this.readers.every(({ shown }) => shown.at(-1)?.a === last))
      for (const { shown } of this.readers) {
        const numbers = shown.map(({ a }) => a)
        assert.deepStrictEqual(
          shown.filter(({ a, b, deep, list }) => [b, deep.c, ...list].some((number) => number !== a)),
          []
        )
        assert.deepStrictEqual(
          numbers.filter((number) => this.attempts[number]?.isGood !== true),
          []
        )
        assert.deepStrictEqual(
          numbers,
          [...new Set(numbers)].toSorted((one, other) => one - other)
        )
        assert.isAbove(numbers.length, 10)
      }
      return { states: last, shown: this.readers.reduce((sum, { shown }) => sum + shown.length, 0) }
    })
  }

  private get write() {
    return Effect.suspend(() => {
      const number = this.attempts.length
      const isGood = number % 5 !== 0
      this.attempts.push({ isGood, begun: performance.now() })
      const ops = paths.map((path) => Op.setData(path, String(number)))
      return this.writer.transaction(isGood ? ops : [...ops, Op.setData("/app/b", "broken")])
    })
  }
}
