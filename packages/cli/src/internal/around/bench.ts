/** `zk bench`: a load with an upper bound, and how long its requests took. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { parseDuration, parseSize } from "../frame/durations.ts"
import { Conflict, UsageError } from "../frame/errors.ts"
import { Printer, printAll } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, shown, table } from "../output/text.ts"
import { reportUnfinished } from "../output/unfinished.ts"
import { Latencies } from "./latencies.ts"

export interface Input {
  readonly path: string
  readonly rate: number
  readonly duration: string
  readonly concurrency: number
  readonly size: string
  readonly operations: string
  readonly giveUp: string
}

/** A load that the servers of an ensemble take beside their work. More is for a benchmark on servers of its own. */
const largestRate = 5000
const longest = Duration.minutes(10)
const largestSize = 100 * 1024

/** How many znodes are read and written. */
const znodes = 100

/**
 * Sends requests at a fixed rate, each at its moment, whether or not those before it were answered, and measures from that
 * moment: a server that stands still makes all requests late that it should have answered meanwhile. It stops when a second
 * of them has taken too long on average.
 */
export const bench = Effect.fnUntraced(function* (input: Input) {
  const { concurrency, path, rate } = input
  const { note } = yield* Printer
  const duration = yield* parseDuration("--duration", input.duration)
  const giveUp = yield* parseDuration("--give-up", input.giveUp)
  const size = yield* parseSize("--size", input.size)
  const names = yield* operationsOf(input.operations)
  yield* checkBounds({ rate, duration, size, concurrency })
  const zk = yield* (yield* Client).writer("bench")
  const root = yield* prepare(zk, path, size)
  const run = requests(zk, root, size)
  const seconds = Duration.toMillis(duration) / 1000
  yield* note(
    `${count(Math.ceil(rate * seconds), "request")} at ${rate} a second, below ${shown(root)}; Ctrl-C stops them`
  )
  const results = new Map(names.map((name) => [name, new Latencies()] as const))
  const start = yield* now
  const total = Math.ceil(rate * seconds)
  let next = 0
  let done = 0
  let tooSlow: string | undefined
  const worker = Effect.gen(function* () {
    while (next < total && tooSlow === undefined) {
      const index = next++
      const due = start + (index * 1000) / rate
      const early = due - (yield* now)
      if (early > 0) yield* Effect.sleep(early)
      const name = names[index % names.length] ?? "read"
      // A request that waits for those before it has begun when it was due; a timer may also end a little before.
      const begun = Math.min(due, yield* now)
      yield* run[name](index)
      results.get(name)?.add((yield* now) - begun)
      done++
    }
  })
  const watching = Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep("1 second")
      const mean = Math.max(...[...results.values()].map((latencies) => latencies.meanOfLast()))
      if (mean > Duration.toMillis(giveUp)) tooSlow = `the requests of a second took ${Math.round(mean)} ms on average`
    }
  })
  const print = Effect.gen(function* () {
    const took = ((yield* now) - start) / 1000
    yield* printResults([...results].map(([operation, latencies]) => latencies.summary(operation, took)))
  })
  const watcher = yield* Effect.forkChild(watching)
  const load = Effect.forEach(Array.from({ length: concurrency }).keys(), () => worker, {
    concurrency: "unbounded",
    discard: true
  })
  yield* withCount({ phase: "requests", done: Effect.sync(() => done), total: Effect.succeed(total) }, load).pipe(
    // A measurement up to Ctrl-C is worth something, too.
    reportUnfinished(Effect.suspend(() => (done === 0 ? Effect.void : Effect.ignore(print))))
  )
  yield* Fiber.interrupt(watcher)
  yield* print
  if (tooSlow !== undefined) {
    return yield* new Conflict({
      message: `stopped early, so as not to be a burden: ${tooSlow}; see --rate and --give-up`
    })
  }
})

// ---- internal

type Operation = "read" | "write" | "create"

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1_000_000)

const operationsOf = (text: string) =>
  Effect.forEach(text.split(","), (name) => {
    const known = (["read", "write", "create"] as const).find((one) => one === name.trim())
    return known === undefined
      ? Effect.fail(
          new UsageError({ message: `--operations ${JSON.stringify(text)}: choose of read, write and create` })
        )
      : Effect.succeed(known)
  })

const checkBounds = (given: {
  readonly rate: number
  readonly duration: Duration.Duration
  readonly size: number
  readonly concurrency: number
}) => {
  const mistake =
    given.rate < 1 || given.rate > largestRate
      ? `--rate has to be 1 to ${largestRate} requests a second`
      : Duration.toMillis(given.duration) < 1 || Duration.isGreaterThan(given.duration, longest)
        ? "--duration has to be 10 minutes at most"
        : given.size > largestSize
          ? "--size has to be 100k at most"
          : given.concurrency < 1 || given.concurrency > 1000
            ? "--concurrency has to be 1 to 1000"
            : undefined
  return mistake === undefined ? Effect.void : Effect.fail(new UsageError({ message: mistake }))
}

/** How long deleting its znodes may take. Without a connection it would go on until the session is over. */
const tidyingTime = "5 seconds"

/** A subtree of its own, which is deleted with the Scope; where it cannot be, somebody has to know. */
const prepare = (zk: Service, path: string, size: number) =>
  Effect.gen(function* () {
    const { note } = yield* Printer
    const root = yield* Effect.acquireRelease(
      zk.createWithParents(ZnodePath.join(path, "zk-bench-"), { mode: "persistentSequential" }),
      (root) =>
        Effect.interruptible(zk.deleteAll(root)).pipe(
          Effect.timeout(tidyingTime),
          Effect.catch(() => note(`${shown(root)} is left; \`zk rm -r\` deletes it`))
        )
    )
    yield* Effect.forEach(
      Array.from({ length: znodes }).keys(),
      (index) => zk.create(ZnodePath.join(root, String(index)), { data: new Uint8Array(size) }),
      { concurrency: 10, discard: true }
    )
    return root
  })

const requests = (zk: Service, root: string, size: number) => {
  const data = new Uint8Array(size)
  const at = (index: number) => ZnodePath.join(root, String(index % znodes))
  return {
    read: (index: number) => Effect.asVoid(zk.getData(at(index))),
    write: (index: number) => Effect.asVoid(zk.setData(at(index), data)),
    create: () =>
      Effect.flatMap(zk.create(ZnodePath.join(root, "new-"), { data, mode: "ephemeralSequential" }), (path) =>
        zk.delete(path)
      )
  } satisfies Record<Operation, unknown>
}

const printResults = (rows: ReadonlyArray<typeof Output.BenchResult.Type>) => {
  const header = ["operation", "requests", "a second", "mean", "p50", "p95", "p99", "max (ms)"]
  const lines = table([header, ...rows.map(cellsOf)]).split("\n")
  return printAll(Output.BenchResult, Stream.fromIterable(rows), (row) => {
    const index = rows.indexOf(row)
    return index === 0 ? `${lines[0] ?? ""}\n${lines[1] ?? ""}\n` : `${lines[index + 1] ?? ""}\n`
  })
}

const cellsOf = (row: typeof Output.BenchResult.Type) => [
  row.operation,
  String(row.requests),
  row.rate.toFixed(0),
  ...[row.mean, row.p50, row.p95, row.p99, row.max].map((millis) => millis.toFixed(1))
]
