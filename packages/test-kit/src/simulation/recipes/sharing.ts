/**
 * What several may hold at once: the read-write lock, the semaphore.
 *
 * @since 0.1.0
 */
import * as ReadWriteLock from "@effect-zookeeper/recipes/ReadWriteLock"
import * as Semaphore from "@effect-zookeeper/recipes/Semaphore"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Recipe, Stage } from "../RecipeWorld.ts"
import { Exclusion } from "./Exclusion.ts"

/**
 * Readers, writers, and writers that become readers.
 *
 * @category recipes
 * @since 0.1.0
 */
export const readWriteLock: Recipe = Effect.fnUntraced(function* (stage: Stage) {
  yield* Effect.orDie(stage.subjects[0]!.zk.create("/resource"))
  const exclusion = new Exclusion(stage, (kinds) => !kinds.includes("writer") || kinds.length === 1)
  return {
    play: Effect.fnUntraced(function* (subject) {
      const { read, write } = yield* ReadWriteLock.make("/recipe/lock", {
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
      })
      return Effect.gen(function* () {
        const options = yield* impatience(stage)
        const writing = write.withLock(
          (held) => Effect.andThen(exclusion.work(subject, "writer", held), read.acquire()),
          options
        )
        const rounds = [
          read.withLock((held) => exclusion.work(subject, "reader", held), options),
          write.withLock((held) => exclusion.work(subject, "writer", held), options),
          Effect.scoped(
            Effect.flatMap(writing, (held) => Effect.raceFirst(held.lost, exclusion.work(subject, "reader", held)))
          )
        ]
        yield* rounds[yield* Random.nextIntBetween(0, rounds.length - 1)]!
      })
    })
  }
})

/** @category recipes @since 0.1.0 */
export const semaphore: Recipe = Effect.fnUntraced(function* (stage: Stage) {
  yield* Effect.orDie(stage.subjects[0]!.zk.create("/resource"))
  const permits = 3
  const exclusion = new Exclusion(stage, (kinds) => kinds.length <= permits)
  return {
    play: Effect.fnUntraced(function* (subject) {
      const { withPermits } = yield* Semaphore.make("/recipe/semaphore", {
        permits,
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
      })
      return Effect.gen(function* () {
        const options = yield* impatience(stage)
        yield* withPermits(
          yield* Random.nextIntBetween(1, permits),
          (permits) =>
            Effect.forEach(permits, (held) => exclusion.work(subject, "holder", held), {
              concurrency: "unbounded",
              discard: true
            }),
          options
        )
      })
    })
  }
})

/** Some do not wait for ever, until there is peace. */
const impatience = Effect.fnUntraced(function* (stage: Stage) {
  const timeout = (yield* Random.nextBoolean) ? 0 : 2000
  return (yield* Random.next) < 0.2 && !stage.isPeace() ? { timeout } : {}
})
