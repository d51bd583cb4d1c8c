/** Clients of a real ensemble under faults, and the judgement of their results. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { Line } from "../history/History.ts"
import * as Recorded from "../history/operations.ts"
import * as Recorder from "../history/Recorder.ts"
import * as ZooKeeperEnsemble from "../ZooKeeperEnsemble.ts"
import * as TrialClient from "./TrialClient.ts"
import * as Nemesis from "./Nemesis.ts"

export interface Options {
  readonly seed: number
  /** For how long faults come. */
  readonly duration: Duration.Input
  /** From one fault to the next, if it is over by then. */
  readonly every: Duration.Input
  /** How many clients; 4 by default. */
  readonly clients?: number | undefined
  /** The longest pause of a worker between two requests; 40 milliseconds by default. */
  readonly pace?: Duration.Input | undefined
  readonly write: (line: Line) => void
  /** Runs before each fault but the first, when the one before is long over. */
  readonly between?: ((ensemble: ZooKeeperEnsemble.ZooKeeperEnsemble) => Effect.Effect<void>) | undefined
}

export interface Outcome {
  readonly faults: ReadonlyArray<Nemesis.Fault>
  /** Problems beside those that the history shows: errors that no fault explains, and requests that never ended. */
  readonly surprises: ReadonlyArray<string>
  /** Watches that the servers still had when every client had ended all of them. */
  readonly watchesLeft: number
}

/** Milliseconds: short, so that sessions expire in trials, and long enough for an election. */
const SESSION_TIMEOUT = 5000

/** Starts an ensemble and its clients, brings faults, lets all come to rest, and ends them. */
export const run = Effect.fnUntraced(function* (options: Options) {
  const ensemble = yield* ZooKeeperEnsemble.make({ links: true, tickTime: 200, startTimeout: "3 minutes" })
  const recorder = Recorder.make({ client: "nemesis", write: options.write })
  const pace = Duration.toMillis(Duration.fromInputUnsafe(options.pace ?? "40 millis"))
  const scope = yield* Scope.fork(yield* Effect.scope)
  const clients: Array<TrialClient.TrialClient> = []
  for (let n = 1; n <= (options.clients ?? 4); n++) {
    const connecting = TrialClient.connect({
      name: `client-${n}`,
      ensemble,
      write: options.write,
      sessionTimeout: SESSION_TIMEOUT,
      pace
    })
    clients.push(yield* Scope.provide(connecting, scope))
  }
  yield* TrialClient.prepare(clients[0]!)
  for (const { start } of clients) yield* start

  const faults = yield* Nemesis.run({
    ensemble,
    clients,
    recorder,
    duration: Duration.toMillis(Duration.fromInputUnsafe(options.duration)),
    every: Duration.toMillis(Duration.fromInputUnsafe(options.every)),
    between: options.between?.(ensemble),
    sessionTimeout: SESSION_TIMEOUT
  }).pipe(Random.withSeed(options.seed))

  const surprises: Array<string> = []
  const finished = yield* Effect.forEach(clients, (client) => client.finish("30 seconds"), { concurrency: "unbounded" })
  finished.forEach((isDone, index) => {
    if (!isDone) surprises.push(`${clients[index]!.name}: requests did not end within 30 seconds after all was healed`)
  })
  yield* rest(clients)
  for (const client of clients) yield* client.leave
  const watchesLeft = yield* Effect.repeat(watchesOf(ensemble), {
    until: (count) => count === 0,
    schedule: Schedule.spaced("200 millis"),
    times: 50
  }).pipe(Effect.andThen(watchesOf(ensemble)))
  return {
    faults,
    surprises: [...surprises, ...clients.flatMap((client) => client.surprises)],
    watchesLeft
  } satisfies Outcome
})

/** The watches of all members. */
export const watchesOf = (ensemble: ZooKeeperEnsemble.ZooKeeperEnsemble): Effect.Effect<number> =>
  Effect.forEach(ensemble.servers, (server) =>
    server.fourLetterWord("wchs").pipe(
      Effect.map((text) => Number(/Total watches:(\d+)/.exec(text)?.[1] ?? 0)),
      Effect.orElseSucceed(() => 0)
    )
  ).pipe(Effect.map((counts) => counts.reduce((sum, count) => sum + count, 0)))

// ---- internal

/** Every client sees the newest state, and no ephemeral is left of sessions that have ended. */
const rest = Effect.fnUntraced(function* (clients: ReadonlyArray<TrialClient.TrialClient>) {
  const [first] = clients
  if (first === undefined) return
  const { recorder, zk } = first
  // Every watch that is open has something to tell.
  for (const path of TrialClient.registers) {
    yield* Effect.retry(Recorded.write(recorder, zk, path), { times: 3 })
  }
  for (const client of clients) {
    for (const path of TrialClient.registers) yield* Effect.retry(client.readNewest(path), { times: 3 })
  }
  const living = new Set(clients.map((client) => client.zk.session.id))
  for (const client of clients) client.recorder.note({ f: "alive", path: "" })
  const found = Effect.gen(function* () {
    yield* zk.sync("/")
    const names = yield* zk.getChildren(TrialClient.ephemerals)
    return yield* Effect.forEach(names, (name) =>
      Effect.map(zk.stat(`${TrialClient.ephemerals}/${name}`), (stat) => ({ name, stat }))
    )
  })
  // The servers' clocks began anew with each leader.
  const isClean = (all: Effect.Success<typeof found>) =>
    all.every(({ stat }) => stat._tag === "None" || living.has(stat.value.ephemeralOwner))
  const left = yield* Effect.repeat(found, {
    until: isClean,
    times: 100,
    schedule: Schedule.spaced("200 millis")
  }).pipe(Effect.andThen(found))
  for (const { name } of left) {
    const path = `${TrialClient.ephemerals}/${name}`
    yield* recorder
      .record({ f: "read", path, ephemeral: true, synced: true }, zk.get(path), ({ stat }) => ({
        owner: TrialClient.sessionName(stat.ephemeralOwner)
      }))
      .pipe(Effect.ignore)
  }
  yield* Effect.sleep("500 millis")
})
