/**
 * The benchmark in a few seconds: what `packages/client/BENCHMARKS.md` says of the client's own cost, with bounds so wide
 * that a busy machine does not reach them, and so narrow that a client three times as slow does.
 *
 * Processor time alone is compared, the least of several short rounds, of a process for each, by turns.
 */
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import type { Step } from "../../../../scripts/bench/contestant.ts"
import { contestantCommand, type Runner, startHelper, startRunner } from "../../../../scripts/bench/processes.ts"

/** More where the machine has time: the least of many is the client's own cost. */
const rounds = process.env["ZK_LONG"] === "1" ? 20 : 4

/** A busy machine gives these processes a tenth of a core each. */
const TIMEOUT = 180_000

const stub = Effect.map(
  Effect.acquireRelease(
    Effect.promise(() => startHelper("stub.ts")),
    (helper) => Effect.sync(helper.stop)
  ),
  ({ ports }) => `127.0.0.1:${ports[0]}`
)

const started = (module: string, servers: string) =>
  Effect.acquireRelease(
    Effect.promise(() => startRunner(contestantCommand(module, servers))),
    (runner) => Effect.promise(runner.stop)
  )

const names = ["floor", "effect", "promise"] as const

type Runners = ReadonlyArray<readonly [(typeof names)[number], Runner]>

/** Microseconds of processor time for one operation, of each contestant. */
const costs = Effect.fnUntraced(function* (runners: Runners, step: Step) {
  const least = { floor: Number.POSITIVE_INFINITY, effect: Number.POSITIVE_INFINITY, promise: Number.POSITIVE_INFINITY }
  const cost = (runner: Runner, count: number) =>
    Effect.map(
      Effect.promise(() => runner.ask({ job: "step", step: { ...step, count }, stride: 0 })),
      (sample) => sample.cpuMicros / sample.operations
    )
  // The compiler does its work here.
  for (const [, runner] of runners) yield* cost(runner, step.count * 4)
  for (let round = 0; round < rounds; round++) {
    for (const [name, runner] of runners) least[name] = Math.min(least[name], yield* cost(runner, step.count))
  }
  return least
})

describe("the client's own cost for an operation, against a server that answers at once", () => {
  itLive(
    "is no large multiple of the floor's, and that of a Promise no large multiple of an Effect's",
    { timeout: TIMEOUT },
    function* () {
      const servers = yield* stub
      const runners = yield* Effect.forEach(names, (name) =>
        Effect.map(started(name, servers), (runner) => [name, runner] as const)
      )
      const within = (what: string, ratio: number, bound: number) => assert.isBelow(ratio, bound, what)

      // 2 to 3 times where the machine is quiet, 4 where it is not; a Promise 1 to 1.2 times, 2.7 where it is not.
      const get = yield* costs(runners, { op: "get", path: "/bench", count: 10_000, inFlight: 64 })
      within("get, 64 in flight, to the floor", get.effect / get.floor, 8)
      within("get, 64 in flight, a Promise to an Effect", get.promise / get.effect, 4)

      // 4 to 8 times.
      const children = yield* costs(runners, { op: "children", path: "/bench", count: 30, inFlight: 1 })
      within("getChildren of 10,000 names, to the floor", children.effect / children.floor, 18)

      // Once to twice what a get costs. The floor looks at nothing but lengths here, and takes next to nothing.
      const set = yield* costs(runners, { op: "set", root: "/bench", count: 10_000, inFlight: 256 })
      within("set, 256 in flight, to a get", set.effect / get.effect, 4)
      within("set, 256 in flight, a Promise to an Effect", set.promise / set.effect, 4)
    }
  )
})
