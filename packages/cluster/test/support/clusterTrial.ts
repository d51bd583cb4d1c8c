/**
 * A cluster of three processes on an ensemble of three whose members are killed, restarted, paused and cut off, while the
 * processes are cut off from members as well, killed and started again, and stopped for longer than their sessions.
 */
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as History from "@effect-zookeeper/test-kit/history/History"
import { holdsOf } from "@effect-zookeeper/test-kit/history/holds"
import * as Recorder from "@effect-zookeeper/test-kit/history/Recorder"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Nemesis from "@effect-zookeeper/test-kit/trial/Nemesis"
import * as WorkerProcess from "@effect-zookeeper/test-kit/trial/workerProcess"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { freePorts } from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import { DatabaseSync } from "node:sqlite"
import * as Path from "node:path"
import * as TrialJudge from "./trialJudge.ts"
import { Orders } from "./trialRunner.ts"

/** Milliseconds: long enough for work to stop on a busy machine, a tenth of it is for that. */
const SESSION_TIMEOUT = 6000
const RUNNERS = 3
/** Milliseconds between two faults of the same kind, at the most: without a pause there is nothing to lose. */
const PAUSE = 4000

const SINGLETONS = ["first", "second", "third"]

export interface Outcome {
  readonly operations: ReadonlyArray<History.Operation>
  readonly faults: ReadonlyArray<Nemesis.Fault>
  /** How many messages were sent and processed. */
  readonly messages: number
}

export interface Options {
  /** Each minute of faults at random has the next one. */
  readonly seed: number
  /** How many faults there are at least: first one round of them at once, then at random. */
  readonly faults: number
  /** After so many minutes no more begin. */
  readonly minutes: number
}

/**
 * Brings faults, and gives the history when the cluster is well again. After each minute it prints how far it is, and how to go
 * on from there. It ends at the first violation.
 */
export const run = Effect.fnUntraced(function* (options: Options) {
  const ensemble = yield* ZooKeeperEnsemble.make({
    links: true,
    tickTime: 200,
    config: ["syncLimit=6"],
    jvmFlags: Nemesis.jvmFlags
  })
  const folder = yield* TemporaryFolder.make("cluster-trial-")
  const files = { history: Path.join(folder, "history"), database: Path.join(folder, "messages.sqlite") }
  const recorder = Recorder.make({ client: "trial", write: yield* Recorder.toFile(files.history) })
  const read = makeReader(files.history)
  const runners = yield* Effect.forEach(yield* freePorts(RUNNERS), (port, number) =>
    makeRunner({ ...files, ensemble, number, port })
  )
  yield* Effect.forEach(runners, (runner) => runner.start, concurrently)
  // A fault of a runner that has nothing to lose shows nothing.
  yield* awaitCondition(() => new Set(openHolds(read()).map(({ acquire }) => acquire.client)).size === RUNNERS)

  const faults: Array<Nemesis.Fault> = [...(yield* atOnce(ensemble, runners, read))]
  const began = yield* Clock.currentTimeMillis
  for (let minutes = 0, seed = options.seed; faults.length < options.faults && minutes < options.minutes; seed++) {
    faults.push(...(yield* atRandom(ensemble, runners, recorder, seed)))
    minutes = ((yield* Clock.currentTimeMillis) - began) / 60_000
    const { violations } = TrialJudge.overlaps(read())
    const left = Math.max(0, options.faults - faults.length)
    yield* Console.log(
      `${faults.length} of ${options.faults} faults in ${minutes.toFixed(0)} minutes, ${violations.length} violations. ` +
        `ZK_SEED=${seed + 1} ZK_FAULTS=${left} goes on from here`
    )
    if (violations.length > 0) break
  }

  yield* Effect.forEach(runners, (runner) => runner.write("stop"))
  // What ran twice may have left something that is never done.
  if (TrialJudge.overlaps(read()).violations.length === 0) yield* awaitWell(read, files.database)
  return {
    operations: read(),
    faults,
    messages: countOf(files.database, "processed = 1 AND kind = 0")
  } satisfies Outcome
})

// ---- internal

const concurrently = { concurrency: "unbounded" } as const

type Ensemble = ZooKeeperEnsemble.ZooKeeperEnsemble
type Runner = Effect.Success<ReturnType<typeof makeRunner>>

interface Incarnation {
  readonly name: string
  readonly process: WorkerProcess.WorkerProcess
  readonly scope: Scope.Closeable
}

/** A process that can be killed and started again, at the same address. */
const makeRunner = Effect.fnUntraced(function* (options: {
  readonly ensemble: Ensemble
  readonly history: string
  readonly database: string
  readonly number: number
  readonly port: number
}) {
  const { database, ensemble, history, number, port } = options
  const outer = yield* Effect.scope
  const proxies = yield* Effect.forEach(ensemble.servers, (server) => FaultProxy.make(server, { raw: true }))
  const servers = proxies.map(({ connectString }) => connectString).join(",")
  const write = yield* Recorder.toFile(history)
  let generation = 0
  let current: Incarnation | undefined
  const known = Effect.suspend(() => (current === undefined ? Effect.die("it does not run") : Effect.succeed(current)))
  return {
    proxies,
    /** That of the process which runs now. */
    name: () => current?.name,
    /** Whether a fault of the process is under way. */
    isHit: false,
    start: Effect.gen(function* () {
      // Each is a client of its own in the history.
      const name = `runner-${number}.${++generation}`
      const orders = { name, number, port, servers, sessionTimeout: SESSION_TIMEOUT, history, database }
      const scope = yield* Scope.fork(outer)
      const process = yield* WorkerProcess.start(
        name,
        new URL("trialRunner.ts", import.meta.url),
        yield* Effect.orDie(Schema.encodeEffect(Orders)(orders))
      ).pipe(Scope.provide(scope))
      current = { name, process, scope }
      yield* Effect.timeoutOrElse(process.hear("ready"), {
        duration: "90 seconds",
        orElse: () => Effect.die(new Error([`${name} does not start:`, ...process.printed()].join("\n")))
      })
    }),
    kill: Effect.flatMap(known, ({ name, scope }) =>
      Effect.andThen(
        Scope.close(scope, Exit.void),
        Effect.sync(() => Recorder.make({ client: name, write }).note({ f: "crash", path: "" }, `${name}.crash`))
      )
    ),
    /** Stops it for a time, in which it can learn of nothing. It writes that down when it goes on. */
    freeze: (time: Effect.Effect<void>) =>
      Effect.flatMap(known, ({ process: { pid } }) =>
        Effect.acquireUseRelease(
          Effect.sync(() => process.kill(pid, "SIGSTOP")),
          () => time,
          () => Effect.sync(() => process.kill(pid, "SIGCONT"))
        )
      ),
    cutOff: (time: Effect.Effect<void>) =>
      Effect.acquireUseRelease(
        Effect.forEach(proxies, (way) => way.blackHole("both")),
        () => time,
        () => Effect.forEach(proxies, (way) => way.heal)
      ),
    write: (line: string) => Effect.flatMap(known, ({ process }) => process.write(line))
  }
})

/**
 * One runner is cut off and one stopped, until a third one, which was killed, has what they had: a second longer, in which they
 * must not run it as well. A follower is killed and cut off meanwhile. An election would give all sessions more time.
 */
const atOnce = Effect.fnUntraced(function* (
  ensemble: Ensemble,
  [first, second, third]: ReadonlyArray<Runner>,
  read: Reader
) {
  if (first === undefined || second === undefined || third === undefined) return yield* Effect.die("three are needed")
  const [follower = ensemble.servers[0]!] = yield* ensemble.followers
  const taken = yield* Latch.make()
  const awaitTaken = Effect.andThen(taken.await, Effect.sleep("1 second"))
  const faults: Record<string, Effect.Effect<void, { readonly message: string }>> = {
    "runner cut off for longer than its session": first.cutOff(awaitTaken),
    "runner stopped for longer than its session": second.freeze(awaitTaken),
    "runner killed": Effect.gen(function* () {
      yield* third.kill
      yield* Effect.sleep("500 millis")
      yield* third.start
      const heir = third.name
      yield* awaitCondition(() => {
        const its = new Set(openHolds(read()).flatMap(({ acquire }) => (acquire.client === heir() ? acquire.path : [])))
        return SINGLETONS.every((name) => its.has(name))
      }).pipe(Effect.retry({ times: 2 }))
      yield* taken.open
    }),
    "follower killed and cut off": Effect.gen(function* () {
      yield* follower.kill
      yield* Effect.sleep("1 second")
      yield* follower.start
      yield* ensemble.awaitQuorum(RUNNERS)
      yield* Effect.acquireUseRelease(
        ensemble.isolate(follower),
        () => Effect.sleep("2 seconds"),
        () => ensemble.rejoin
      )
    })
  }
  const timed = Object.entries(faults).map(([name, fault]) =>
    Effect.map(Effect.timed(Effect.orDie(fault)), ([lasted]) => ({ name, at: 0, lasted: Duration.toMillis(lasted) }))
  )
  return yield* Effect.all(timed, concurrently)
})

/** Faults of members, of the ways to them, and of processes of two kinds, all at the same time, for a minute. */
const atRandom = Effect.fnUntraced(function* (
  ensemble: Ensemble,
  runners: ReadonlyArray<Runner>,
  recorder: Recorder.Recorder,
  seed: number
) {
  const duration = 60_000
  const until = (yield* Clock.currentTimeMillis) + duration
  const common = { ensemble, clients: runners, recorder, duration, every: PAUSE, sessionTimeout: SESSION_TIMEOUT }
  const kinds = {
    members: Nemesis.run({ ...common, of: "members" }),
    ways: Nemesis.run({ ...common, of: "clients" }),
    killing: disturbing(runners, until, ({ kill, start }) =>
      Effect.gen(function* () {
        yield* kill
        // Started again before its session has ended, or after.
        yield* Effect.sleep(yield* Random.nextBetween(0, (yield* Random.nextBoolean) ? 500 : SESSION_TIMEOUT))
        yield* start
        return "runner killed"
      })
    ),
    freezing: disturbing(runners, until, ({ freeze }) =>
      Effect.gen(function* () {
        const isLong = yield* Random.nextBoolean
        yield* freeze(Effect.sleep(SESSION_TIMEOUT * (isLong ? 1.6 : yield* Random.nextBetween(0.1, 0.8))))
        return `runner stopped ${isLong ? "for longer than its session" : "for a while"}`
      })
    )
  }
  // Each has a seed of its own: what one decides does not depend on how far the others are.
  const seeded = Object.entries(kinds).map(([kind, faults]) => Random.withSeed(faults, `${seed} ${kind}`))
  return (yield* Effect.all(seeded, concurrently)).flat()
})

/** Faults of processes, one after the other, each of one that has none. A fault gives its name. */
const disturbing = Effect.fnUntraced(function* (
  runners: ReadonlyArray<Runner>,
  until: number,
  fault: (runner: Runner) => Effect.Effect<string>
) {
  const faults: Array<Nemesis.Fault> = []
  const first = yield* Clock.currentTimeMillis
  while (true) {
    yield* Effect.sleep(yield* Random.nextBetween(0, PAUSE))
    const began = yield* Clock.currentTimeMillis
    if (began >= until) return faults
    const [runner] = yield* Random.shuffle(runners.filter(({ isHit }) => !isHit))
    if (runner === undefined) continue
    runner.isHit = true
    const name = yield* fault(runner)
    runner.isHit = false
    faults.push({ name, at: began - first, lasted: (yield* Clock.currentTimeMillis) - began })
  }
})

type Reader = () => ReadonlyArray<History.Operation>

/** The history so far. Each line is decoded once, for what goes through the proxies waits meanwhile. */
const makeReader = (history: string): Reader => {
  const lines: Array<History.Line> = []
  let read = 0
  return () => {
    const bytes = Fs.readFileSync(history).subarray(read)
    const end = bytes.lastIndexOf(10) + 1
    lines.push(...History.decodeLines(bytes.toString("utf8", 0, end)))
    read += end
    return History.fromLines(lines)
  }
}

/** Of those that run now. */
const openHolds = (operations: ReadonlyArray<History.Operation>) =>
  holdsOf(operations).filter(({ to }) => !Number.isFinite(to))

/** Waits until each singleton runs, and each message that was sent is processed. */
const awaitWell = (read: Reader, database: string) =>
  Effect.sync(() => {
    const running = openHolds(read())
    const missing = SINGLETONS.filter((name) => running.filter(({ acquire }) => acquire.path === name).length !== 1)
    // The next tick of the cron is a request without a reply as well, but is not due.
    const left = countOf(database, "processed = 0 AND kind = 0 AND deliver_at IS NULL")
    return { missing, left }
  }).pipe(
    Effect.filterOrFail(
      ({ left, missing }) => left === 0 && missing.length === 0,
      ({ left, missing }) => new Error(`${left} messages are not processed; these do not run: ${missing.join(", ")}`)
    ),
    Effect.retry({ times: 120, schedule: Schedule.spaced("1 second") })
  )

/** How many messages there are of a kind. */
const countOf = (database: string, condition: string): number => {
  const connection = new DatabaseSync(database, { readOnly: true })
  try {
    return Number(
      connection.prepare(`SELECT COUNT(*) AS count FROM cluster_messages WHERE ${condition}`).get()?.["count"]
    )
  } finally {
    connection.close()
  }
}
