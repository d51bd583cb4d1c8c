/**
 * `node scripts/simulate.ts --seeds 100000 --from 1`: the client's properties in that many worlds, with two processes where
 * there are two cores; stops at the first seed that fails, and says how to see it again.
 *
 * `--seed 17` runs one world and prints its trace.
 */
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as ClientWorld from "@effect-zookeeper/test-kit/simulation/ClientWorld"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const numberOf = (name: string): number | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? undefined : Number(process.argv[at + 1])
}

const replay = Effect.fnUntraced(function* (seed: number) {
  const result = Simulation.run(ClientWorld.world, { seed, record: true })
  for (const { text, time } of result.trace) yield* Console.log(`${time.toFixed(3).padStart(12)} ${text}`)
  const problem = Simulation.problemOf(result)
  yield* Console.log(`seed ${seed}, trace ${result.traceHash}: ${result.steps} steps, ${result.time.toFixed(0)} ms`)
  if (problem === undefined) return yield* Console.log("nothing is wrong")
  process.exitCode = 1
  yield* Console.error(problem.reason)
})

const check = Effect.fnUntraced(function* (seeds: number, from: number) {
  let completed = 0
  let runs = 0
  const report = yield* Simulation.check(ClientWorld.world, {
    seeds,
    from,
    replay: (seed) => `node scripts/simulate.ts --seed ${seed}`,
    onResult: (result) => {
      if (result._tag === "Done" && result.exit._tag === "Success")
        completed += (result.exit.value as { completed: number }).completed
      if (++runs % 1000 === 0) process.stdout.write(`${runs} of ${seeds}\n`)
    }
  })
  const hours = (report.virtualTime / 3_600_000).toFixed(1)
  const rate = Math.round((report.seeds * 1000) / report.elapsed)
  yield* Console.log(
    `${report.seeds} worlds from seed ${from}, ${hours} hours in ${(report.elapsed / 1000).toFixed(1)} s (${rate} a second), ${completed} operations: nothing is wrong`
  )
})

const seed = numberOf("seed")
const program = (seed === undefined ? check(numberOf("seeds") ?? 1000, numberOf("from") ?? 1) : replay(seed)).pipe(
  Effect.catch((failure) =>
    Effect.andThen(
      Console.error(failure.message),
      Effect.sync(() => (process.exitCode = 1))
    )
  )
)

NodeRuntime.runMain(program)
