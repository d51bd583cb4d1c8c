/** The configurations of an ensemble, which all pages of a cluster share. */
import type { EnsembleConfig } from "@effect-zookeeper/client/Models"
import { NoAuth } from "@effect-zookeeper/client/Errors"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { makeConfigurations } from "../../src/internal/ensemble/config.ts"

const config = (version: bigint): EnsembleConfig => ({ version, members: [], raw: "" })

describe("the configurations of an ensemble", () => {
  itEffect("are asked for once for all pages, which also get those from before they looked", function* () {
    const configurations = makeConfigurations()
    let asked = 0
    let version = 1n
    const events = yield* configurations.follow(Effect.sync(() => (asked++, config(version))))
    const watch = (count: number) =>
      Effect.forkChild(
        Stream.runCollect(Stream.take(events, count)).pipe(
          Effect.map((seen) => seen.map(({ seen, version }) => [version, seen]))
        ),
        { startImmediately: true }
      )
    const first = yield* watch(2)
    yield* TestClock.adjust("7 seconds")
    version = 2n
    yield* TestClock.adjust("7 seconds")
    const later = yield* watch(2)
    yield* TestClock.adjust("5 seconds")
    const both = [
      [1n, 0],
      [2n, 10_000]
    ]
    assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(later)], [both, both])
    assert.strictEqual(asked, 4)
  })

  itEffect("outlive the session in which they were seen", function* () {
    const configurations = makeConfigurations()
    for (const version of [1n, 2n]) {
      yield* Effect.scoped(
        Effect.andThen(configurations.follow(Effect.succeed(config(version))), TestClock.adjust("1 second"))
      )
    }
    const events = yield* configurations.follow(Effect.never)
    const seen = yield* Stream.runCollect(Stream.take(events, 2))
    assert.deepStrictEqual(
      seen.map(({ version }) => version),
      [1n, 2n]
    )
  })

  itEffect("that may not be read are a failure, until they may", function* () {
    let answer: Effect.Effect<EnsembleConfig, NoAuth> = Effect.fail(
      new NoAuth({ operation: "getData", path: "/zookeeper/config" })
    )
    const events = yield* makeConfigurations().follow(Effect.suspend(() => answer))
    yield* TestClock.adjust("1 second")
    const failed = yield* Effect.flip(Stream.runDrain(events))
    assert.strictEqual(failed._tag, "Forbidden")
    answer = Effect.succeed(config(1n))
    yield* TestClock.adjust("5 seconds")
    const seen = yield* Stream.runCollect(Stream.take(events, 1))
    assert.deepStrictEqual(seen, [{ version: 1n, seen: 5000, members: [] }])
  })
})
