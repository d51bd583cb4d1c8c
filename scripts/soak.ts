/**
 * `npx -y pnpm@12 soak --minutes 30`: clients at a steady load on a real ensemble of three, with a fault every ten seconds,
 * to see that memory, handles, watches and fibers stay what they are. In the end the history is checked, too.
 *
 * A sample is taken and printed before each fault, when the one before is over.
 */
import { check, summary } from "@effect-zookeeper/test-kit/history/check"
import { decodeLines, fromLines } from "@effect-zookeeper/test-kit/history/History"
import * as Recorder from "@effect-zookeeper/test-kit/history/Recorder"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Nemesis from "@effect-zookeeper/test-kit/trial/Nemesis"
import * as ResourceTrend from "@effect-zookeeper/test-kit/trial/ResourceTrend"
import * as Trial from "@effect-zookeeper/test-kit/trial/Trial"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { number, runCommand, type Values } from "./runCommand.ts"
import { fail } from "./steps.ts"

const flags = {
  minutes: number("minutes", "For how long", 30),
  seed: number("seed", "The seed of the faults", 1)
}

const soak = Effect.fnUntraced(function* ({ minutes, seed }: Values<typeof flags>) {
  const file = Path.join(yield* TemporaryFolder.make("soak-"), "history.jsonl")
  const write = yield* Recorder.toFile(file)
  const samples: Array<ResourceTrend.Sample> = []
  const begun = process.uptime()
  const outcome = yield* Trial.run({
    seed,
    duration: minutes * 60_000,
    every: "10 seconds",
    pace: "100 millis",
    write,
    between: Effect.fnUntraced(function* (ensemble) {
      const sample = yield* ResourceTrend.sample(Trial.watchesOf(ensemble))
      samples.push(sample)
      const { at, code, external, fibers, handles, heap, rss, serverWatches, watches } = sample
      yield* Console.log(
        `${(at - begun).toFixed(0).padStart(5)} s: heap ${mebibytes(heap)}, code ${mebibytes(code)}, external ${mebibytes(external)}, rss ` +
          `${mebibytes(rss)}, handles ${handles}, fibers ${fibers}, watches ${watches} (servers: ${serverWatches})`
      )
    })
  }).pipe(Metric.enableRuntimeMetrics, Effect.provideService(References.MinimumLogLevel, "Error"))

  const trends = ResourceTrend.trends(samples)
  const operations = fromLines(decodeLines(Fs.readFileSync(file, "utf8")))
  const verdict = check(operations, { watches: { tolerance: 100_000 } })
  yield* Console.log(
    `${minutes} minutes, seed ${seed}: ${summary(operations)}\n` +
      `${outcome.faults.length} faults: ${Nemesis.summary(outcome.faults)}\n` +
      `${ResourceTrend.table(trends)}\n` +
      `${verdict.violations.length} violations, ${verdict.undecided.length} undecided, ${verdict.excused.length} excused, ` +
      `${outcome.watchesLeft} watches left at the servers`
  )
  const wrong = [
    ...verdict.violations,
    ...verdict.undecided,
    ...outcome.surprises,
    ...trends.filter(({ isFlat }) => !isFlat).map(({ quantity }) => `${quantity} did not stay flat`),
    ...(outcome.watchesLeft === 0 ? [] : [`${outcome.watchesLeft} watches were left at the servers`])
  ]
  if (wrong.length > 0) return yield* fail(wrong.slice(0, 10).join("\n"))
}, Effect.scoped)

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

runCommand("soak", "Clients at work on a real ensemble under faults, for long: does anything grow?", flags, soak)
