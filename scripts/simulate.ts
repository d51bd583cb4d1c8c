/**
 * `node scripts/simulate.ts --seeds 100000 --from 1`: the client's properties in so many worlds; stops at the first seed
 * that fails, and says how to see it again. `--processes 2` shares the work.
 *
 * `--seed 17` runs one world and prints its trace. `--recipe lock` takes the worlds of a recipe, `--recipe all` those of
 * each in turn.
 */
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as ClientSimulation from "@effect-zookeeper/test-kit/simulation/ClientSimulation"
import * as RecipeSimulation from "@effect-zookeeper/test-kit/simulation/RecipeSimulation"
import * as recipes from "@effect-zookeeper/test-kit/simulation/recipes/index"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { fileURLToPath } from "node:url"
import { number, optionalNumber, reported, runCommand, type Values } from "./runCommand.ts"
import { fail, runInTerminal } from "./steps.ts"

const flags = {
  seeds: number("seeds", "How many worlds", 1000),
  from: number("from", "The first seed", 1),
  processes: number("processes", "How many processes share the work", 1),
  seed: optionalNumber("seed", "One world alone, with its trace"),
  recipe: Flag.Literals("recipe", ["all", ...Object.keys(recipes)]).pipe(
    Flag.withDescription("The worlds of a recipe, or those of each in turn"),
    Flag.optional
  )
}

/** A thing that is simulated, and the arguments that choose it. */
interface SimulatedThing {
  readonly name: string
  readonly args: string
  readonly world: Effect.Effect<unknown, unknown, Simulation.Simulation>
}

const client: SimulatedThing = { name: "the client", args: "", world: ClientSimulation.simulation }

const ofRecipe = (name: string): SimulatedThing => {
  const recipe = Object.entries(recipes).find(([known]) => known === name)?.[1]
  if (recipe === undefined) throw new Error(`no recipe ${name}; there are ${Object.keys(recipes).join(", ")}`)
  return { name, args: `--recipe ${name} `, world: RecipeSimulation.simulation(recipe) }
}

const subjectsOf = (recipe: string | undefined): ReadonlyArray<SimulatedThing> =>
  recipe === undefined ? [client] : recipe === "all" ? Object.keys(recipes).map(ofRecipe) : [ofRecipe(recipe)]

const replay = Effect.fnUntraced(function* (subject: SimulatedThing, seed: number) {
  const result = Simulation.run(subject.world, { seed, record: true })
  for (const { text, time } of result.trace) yield* Console.log(`${time.toFixed(3).padStart(12)} ${text}`)
  const problem = Simulation.problemOf(result)
  yield* Console.log(`seed ${seed}, trace ${result.traceHash}: ${result.steps} steps, ${result.time.toFixed(0)} ms`)
  yield* problem === undefined ? Console.log("nothing is wrong") : reported(fail(problem.reason))
})

const check = Effect.fnUntraced(function* ({ args, name, world }: SimulatedThing, seeds: number, from: number) {
  let runs = 0
  const report = yield* Simulation.check(world, {
    seeds,
    from,
    replay: (seed) => `node scripts/simulate.ts ${args}--seed ${seed}`,
    onResult: () => {
      if (++runs % 1000 === 0) process.stdout.write(`${runs} of ${seeds} from ${from}\n`)
    }
  })
  const hours = (report.virtualTime / 3_600_000).toFixed(1)
  const rate = Math.round((report.seeds * 1000) / report.elapsed)
  const took = `${hours} hours in ${(report.elapsed / 1000).toFixed(1)} s`
  yield* Console.log(`${name}: ${report.seeds} worlds from seed ${from}, ${took} (${rate} a second): nothing is wrong`)
})

/** This script again, for a part of the seeds; its exit code. */
const part = (recipe: string | undefined, seeds: number, from: number) => {
  const chosen = recipe === undefined ? [] : ["--recipe", recipe]
  const args = [fileURLToPath(import.meta.url), ...chosen, "--seeds", String(seeds), "--from", String(from)]
  return runInTerminal(process.execPath, args, process.cwd())
}

const share = Effect.fnUntraced(function* (recipe: string | undefined, seeds: number, from: number, processes: number) {
  const each = Math.ceil(seeds / processes)
  const parts = Array.from({ length: processes }, (_, index) =>
    part(recipe, Math.min(each, seeds - index * each), from + index * each)
  )
  const codes = yield* Effect.all(parts, { concurrency: "unbounded" })
  if (codes.some((code) => code !== 0)) process.exitCode = 1
})

const simulate = Effect.fnUntraced(function* (config: Values<typeof flags>) {
  const { from, processes, seeds } = config
  const recipe = Option.getOrUndefined(config.recipe)
  const seed = Option.getOrUndefined(config.seed)
  if (processes > 1 && seed === undefined) return yield* share(recipe, seeds, from, processes)
  for (const subject of subjectsOf(recipe)) {
    if (seed !== undefined) yield* replay(subject, seed)
    else {
      const worlds = check(subject, seeds, from)
      yield* reported(Effect.catch(worlds, ({ message }) => fail(`${subject.name}: ${message}`)))
    }
  }
})

runCommand(
  "simulate",
  "Runs the client, or recipes, in worlds that a seed decides, until one of them fails",
  flags,
  simulate
)
