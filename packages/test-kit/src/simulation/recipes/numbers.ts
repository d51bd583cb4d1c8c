/** Numbers of workers, which no two have at a time, and ids that are made from them. */
import * as Snowflake from "@effect-zookeeper/recipes/Snowflake"
import * as WorkerId from "@effect-zookeeper/recipes/WorkerId"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Environment, Recipe } from "../RecipeSimulation.ts"
import { MutualExclusion } from "./MutualExclusion.ts"

/** Any number of workers together, each with a number of its own. */
export const workerId: Recipe = (environment: Environment) =>
  Effect.sync(() => {
    const exclusion = new MutualExclusion(environment, (kinds) => new Set(kinds).size === kinds.length)
    return {
      play: Effect.fnUntraced(function* (client) {
        const { withWorkerId } = yield* WorkerId.make("/recipe/workers", {
          limit: 3,
          onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
        })
        return Effect.gen(function* () {
          const timeout = (yield* Random.nextBoolean) ? 0 : 2000
          const options = (yield* Random.next) < 0.2 && !environment.isFaultFree() ? { timeout } : undefined
          yield* withWorkerId((held) => exclusion.work(client, String(held.id), held), options)
        })
      }),
      mayBeClosedInside: true,
      judge: () => Effect.sync(() => exclusion.judge())
    }
  })

/** No id twice, and each larger than the one before. */
export const snowflake: Recipe = (environment: Environment) =>
  Effect.map(Random.nextBoolean, (isBehind) => {
    const given = new Set<bigint>()
    return {
      play: Effect.fnUntraced(function* ({ name }) {
        const { next } = yield* Snowflake.make("/recipe/ids", {
          reserve: yield* Random.nextIntBetween(1, 2000),
          // With the first, all clocks are behind, and time stands still.
          epoch: isBehind ? 1_800_000_000_000 : 0
        })
        return Effect.gen(function* () {
          let last = -1n
          for (let count = yield* Random.nextIntBetween(1, 20); count > 0; count--) {
            const id = yield* next
            if (given.has(id)) environment.addViolation(`${name} was given ${id}, which had been given before`)
            if (id <= last) environment.addViolation(`${name} was given ${id} after ${last}`)
            given.add(id)
            last = id
            if ((yield* Random.next) < 0.3) yield* Effect.sleep(yield* Random.nextBetween(0, 500))
          }
        })
      }),
      // The reserved times are znodes: ids begin anew without them.
      survivesDeletion: false
    }
  })
