/**
 * Five processes use recipes on a real ensemble of three whose members are killed, stopped and cut off, while processes
 * themselves are stopped past their sessions; the history of all of them is what is judged.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Counter from "@effect-zookeeper/recipes/Counter"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as FaultProxy from "../FaultProxy.ts"
import * as History from "../history/History.ts"
import * as Recorded from "../history/operations.ts"
import * as Recorder from "../history/Recorder.ts"
import * as TemporaryFolder from "../TemporaryFolder.ts"
import * as ZooKeeperEnsemble from "../ZooKeeperEnsemble.ts"
import * as Nemesis from "./Nemesis.ts"
import { Orders } from "./recipeWorker.ts"
import type * as Trial from "./Trial.ts"
import * as WorkerProcess from "./workerProcess.ts"
import { clientOf } from "../conformance/Target.ts"

export interface Outcome {
  readonly operations: ReadonlyArray<History.Operation>
  readonly faults: ReadonlyArray<Nemesis.Fault>
  /** Workers that did not come to rest within half a minute after all was healed, with what they have printed. */
  readonly restless: ReadonlyArray<string>
  /** Contenders that were left when all had ended, with the sessions that own them and the servers that have them. */
  readonly orphans: ReadonlyArray<string>
  /** Contenders that some servers show and others do not: a client that waits for one of these waits because of its server. */
  readonly differing: ReadonlyArray<string>
}

/** Milliseconds: short, so that sessions expire in trials, and long enough for an election. */
const SESSION_TIMEOUT = 5000
const WORKERS = 5

export const run = Effect.fnUntraced(function* (options: Pick<Trial.Options, "seed" | "duration" | "every">) {
  const ensemble = yield* ZooKeeperEnsemble.make({ links: true, tickTime: 200, config: ["syncLimit=6"] })
  const folder = yield* TemporaryFolder.make("trial-")
  const history = Path.join(folder, "history")
  const write = yield* Recorder.toFile(history)
  const recorder = Recorder.make({ client: "trial", write })
  const zk = yield* clientOf(ZooKeeper.layer({ servers: ensemble.connectString, sessionTimeout: 20_000 }))
  yield* zk.create("/trial")
  for (const guarded of ["lock", "leader"]) yield* zk.create(`/trial/${guarded}-resource`)

  const workers: Array<Worker> = []
  for (let n = 1; n <= WORKERS; n++) workers.push(yield* startWorker(`worker-${n}`, ensemble, history))
  for (const { ready } of workers) yield* ready

  // Meanwhile one process after the other stands still for longer than its session.
  const freezing = yield* Effect.sleep("2 seconds").pipe(
    Effect.andThen(freezeOne(workers, write)),
    Effect.forever,
    Effect.forkChild
  )
  const duration = Duration.toMillis(Duration.fromInputUnsafe(options.duration))
  const faults = yield* Nemesis.run({
    ensemble,
    clients: workers,
    recorder,
    duration,
    every: Duration.toMillis(Duration.fromInputUnsafe(options.every)),
    sessionTimeout: SESSION_TIMEOUT
  }).pipe(Random.withSeed(options.seed))
  yield* Fiber.interrupt(freezing)

  const rested = yield* Effect.forEach(workers, (worker) => Effect.timeoutOption(worker.rest, "30 seconds"), {
    concurrency: "unbounded"
  })
  yield* total(recorder, zk, "/trial/counter", "curator")
  yield* total(recorder, zk, "/trial/exact", "exact")
  yield* drain(recorder, zk)
  const left = yield* contendersLeft(ensemble)
  yield* Effect.sleep("1 second")
  const differing = differingIn(left, yield* contendersLeft(ensemble), ensemble.servers.length)
  return {
    operations: History.fromLines(History.decodeLines(Fs.readFileSync(history, "utf8"))),
    faults,
    restless: workers.flatMap(({ name, printed }, index) =>
      Option.isNone(rested[index]!) ? [[name, ...printed()].join("\n")] : []
    ),
    orphans: [...left].map(describeContender),
    differing
  } satisfies Outcome
})

// ---- internal

type Worker = Effect.Success<ReturnType<typeof startWorker>>

const startWorker = Effect.fnUntraced(function* (
  name: string,
  ensemble: ZooKeeperEnsemble.ZooKeeperEnsemble,
  history: string
) {
  const proxies = yield* Effect.forEach(ensemble.servers, (server) => FaultProxy.make(server, { raw: true }))
  const orders = yield* Effect.orDie(
    Schema.encodeEffect(Orders)({
      name,
      servers: proxies.map(({ connectString }) => connectString).join(","),
      sessionTimeout: SESSION_TIMEOUT,
      history,
      tasks: ["lock", "leader", "counter", "exact", "queue"]
    })
  )
  const { endInput, hear, pid, printed } = yield* WorkerProcess.start(name, "recipeWorker.ts", orders)
  return {
    name,
    proxies,
    pid,
    ready: hear("ready"),
    printed,
    /** Lets it finish, and end. */
    rest: Effect.asVoid(Effect.andThen(endInput, hear("rested")))
  }
})

/** Stops a process for longer than its session: another may own what it holds meanwhile, and it cannot know. */
const freezeOne = Effect.fnUntraced(function* (workers: ReadonlyArray<Worker>, write: Recorder.Options["write"]) {
  const { name, pid } = workers[yield* Random.nextIntBetween(0, workers.length - 1)]!
  const began = Recorder.monotonic()
  const line = { id: `${name}.pause.${began}`, client: name, session: "", f: "pause", path: "" } as const
  yield* Effect.acquireUseRelease(
    Effect.sync(() => process.kill(pid, "SIGSTOP")),
    () => Effect.sleep(SESSION_TIMEOUT * 1.5),
    () =>
      Effect.sync(() => {
        process.kill(pid, "SIGCONT")
        write({ ...line, type: "invoke", at: began })
        // After it wakes, it still has to learn of it.
        write({ ...line, type: "ok", at: Recorder.monotonic() + 500_000 })
      })
  )
})

const total = (recorder: Recorder.Recorder, zk: ZooKeeper.Service, path: string, layout: Counter.Layout) =>
  Counter.make(path, { layout }).pipe(
    Effect.flatMap((counter) => Recorded.total(recorder, zk, path, counter)),
    Effect.provideService(ZooKeeper.ZooKeeper, zk)
  )

/** Contenders, each with the connect strings of the servers that show it. */
type Contenders = ReadonlyMap<string, ReadonlySet<string>>

/** What each server shows, after everything that was committed before. */
const contendersLeft = Effect.fnUntraced(function* ({ servers }: ZooKeeperEnsemble.ZooKeeperEnsemble) {
  const found = new Map<string, Set<string>>()
  for (const { connectString } of servers) {
    const zk = yield* clientOf(ZooKeeper.layer({ servers: connectString, sessionTimeout: 20_000 }))
    for (const parent of ["/trial/lock", "/trial/leader"]) {
      yield* zk.sync(parent)
      // The container of an empty queue goes away.
      const names = yield* Effect.catchTag(zk.getChildren(parent), "NoNode", () => Effect.succeed([]))
      for (const name of names) {
        const stat = yield* zk.stat(`${parent}/${name}`)
        if (Option.isNone(stat)) continue
        const contender = `${parent}/${name} of session ${stat.value.ephemeralOwner.toString(16)}`
        found.set(contender, (found.get(contender) ?? new Set()).add(connectString))
      }
    }
  }
  return found satisfies Contenders
}, Effect.scoped)

/**
 * The contenders that some servers show and others do not, now and before. A member of ZooKeeper 3.8.0 that was killed or
 * restarted under load may have missed a transaction that the others have applied ("Current zxid ... is <= ..." in its log).
 */
const differingIn = (before: Contenders, now: Contenders, servers: number): ReadonlyArray<string> =>
  [...now]
    .filter(([contender, at]) => {
      const former = before.get(contender)
      return (
        former !== undefined &&
        at.size < servers &&
        former.size < servers &&
        [...at].every((server) => former.has(server))
      )
    })
    .map(describeContender)

const describeContender = ([contender, at]: readonly [string, ReadonlySet<string>]): string =>
  `${contender}, at ${[...at].join(" and ")}`

/** Empties the queue: the items that are left are taken now. */
const drain = (recorder: Recorder.Recorder, zk: ZooKeeper.Service) =>
  Effect.gen(function* () {
    const queue = yield* Queue.make("/trial/queue")
    while (true) {
      const item = yield* queue.poll
      if (Option.isNone(item)) return
      recorder.note({ f: "take", path: "/trial/queue", value: new TextDecoder().decode(item.value) })
    }
  }).pipe(Effect.provideService(ZooKeeper.ZooKeeper, zk))
