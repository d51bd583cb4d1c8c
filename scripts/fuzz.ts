/**
 * `npx -y pnpm@12 fuzz --cases 1000000 --seed 1`: so many inputs for everything that takes foreign bytes or text, and
 * one simulated session with a hostile server for each thousand of them. Stops at the first that does harm, and prints it
 * as hex with its seed.
 *
 * `--target "multi response"` keeps to targets whose name holds the text; `--replay 17` with it puts the one input of a
 * seed through the target again. `--seed` is the same for both, for it decides the valid inputs too.
 */
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Fuzz from "@effect-zookeeper/test-kit/fuzz/Fuzz"
import * as AdversarialServer from "@effect-zookeeper/test-kit/fuzz/AdversarialServer"
import * as targets from "@effect-zookeeper/test-kit/fuzz/targets"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { number, optionalNumber, runCommand, text, type Values } from "./runCommand.ts"

const flags = {
  cases: number("cases", "How many inputs, in all", 1_000_000),
  seed: number("seed", "The seed of all inputs", 1),
  target: text("target", "text", "Only the targets whose name holds the text", ""),
  replay: optionalNumber("replay", "The one input of this seed; with --target")
}

const WORLDS = "whole sessions"

const fuzz = Effect.fnUntraced(function* (config: Values<typeof flags>) {
  const { cases, replay, seed, target } = config
  const chosen = (yield* targets.make(seed)).filter(({ name }) => name.includes(target))
  if (Option.isSome(replay)) {
    for (const each of chosen) yield* again(each, replay.value)
    return
  }
  const started = performance.now()
  let done = 0
  for (const [index, each] of chosen.entries()) {
    // The rest is shared by the targets that are left, so that the sum is what was asked for.
    const share = Math.round((cases - done) / (chosen.length - index))
    const figures = yield* Fuzz.run(each, { cases: share, seed })
    done += figures.cases
    yield* line(each.name, figures.cases, figures.elapsed, `${percent(figures.accepted, figures.cases)} accepted`)
  }
  if (WORLDS.includes(target)) yield* worlds(Math.ceil(cases / 1000), seed)
  const took = performance.now() - started
  yield* Console.log(`${done} cases in ${(took / 1000).toFixed(1)} s: nothing is wrong`)
})

const again = Effect.fnUntraced(function* (target: Fuzz.Target, seed: number) {
  const { input, origin } = Fuzz.inputOf(target, seed)
  yield* Console.log(`${target.name}: ${origin} ${Buffer.from(input).toString("hex")}`)
  yield* Console.log(yield* Fuzz.replay(target, seed))
})

const worlds = Effect.fnUntraced(function* (seeds: number, from: number) {
  let broken = 0
  const report = yield* Simulation.check(AdversarialServer.run, {
    seeds,
    from,
    maxTime: "1 hour",
    onResult: (result) => {
      const { exit } = result as Extract<Simulation.Result<{ readonly broken: number }, unknown>, { _tag: "Done" }>
      if (exit?._tag === "Success") broken += exit.value.broken
    }
  })
  yield* line(WORLDS, report.seeds, report.elapsed, `${broken} broken frames`)
})

const line = (name: string, cases: number, millis: number, rest: string) =>
  Console.log(
    `${name.padEnd(32)} ${String(cases).padStart(9)} ${String(Math.round((cases * 1000) / millis)).padStart(9)} a second, ${rest}`
  )

const percent = (part: number, whole: number): string => `${Math.round((part * 100) / Math.max(whole, 1))}%`.padStart(4)

runCommand("fuzz", "Puts random inputs through everything that takes foreign bytes or text.", flags, fuzz)
