import * as all from "@effect-zookeeper/recipes"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as RecipeSimulation from "@effect-zookeeper/test-kit/simulation/RecipeSimulation"
import * as recipes from "@effect-zookeeper/test-kit/simulation/recipes/index"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"

/** For each recipe; 100,000 are a matter of `scripts/simulate.ts`. */
const SEEDS = process.env["ZK_LONG"] === "1" ? 2000 : 6

it("there is a world for each recipe", () => {
  const made = Object.entries(all).flatMap(([name, it]) => (typeof it === "object" && "make" in it ? [name] : []))
  assert.isAbove(made.length, 15)
  const missing = made.filter((name) => !Object.hasOwn(recipes, name.charAt(0).toLowerCase() + name.slice(1)))
  assert.deepStrictEqual(missing, [])
})

describe("a recipe in simulated worlds", () => {
  for (const [name, recipe] of Object.entries(recipes)) {
    itLive(`${name} keeps P8 to P12`, { timeout: 900_000 }, function* () {
      let rounds = 0
      yield* Simulation.check(RecipeSimulation.simulation(recipe), {
        seeds: SEEDS,
        replay: (seed) => `node scripts/simulate.ts --recipe ${name} --seed ${seed}`,
        onResult: (result) => {
          if (result._tag === "Done" && result.exit._tag === "Success") rounds += readCompleted(result.exit.value)
        }
      })
      // A recipe that does nothing breaks no rule.
      assert.isAbove(rounds, SEEDS * 2)
    })
  }
})

const readCompleted = (value: unknown): number =>
  typeof value === "object" && value !== null && "completed" in value ? Number(value.completed) : 0
