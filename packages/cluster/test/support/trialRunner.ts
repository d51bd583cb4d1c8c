/**
 * A runner of `clusterTrial.ts`: a process with entities, singletons and a cron, which writes down when each of them began and
 * had stopped. It says `ready`, sends persisted messages until a line of input, and exits with its parent.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import type * as History from "@effect-zookeeper/test-kit/history/History"
import * as Recorder from "@effect-zookeeper/test-kit/history/Recorder"
import { endOfInput, lineOfInput, run, say } from "@effect-zookeeper/test-kit/trial/workerProgram"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { type ClusterRunner, type Running, startRunner } from "./clusters.ts"
import * as Sqlite from "./sqlite.ts"

/** The orders of the process. */
export const Orders = Schema.fromJsonString(
  Schema.Struct({
    /** The process in the history. */
    name: Schema.String,
    number: Schema.Int,
    port: Schema.Int,
    /** A connect string. */
    servers: Schema.String,
    /** Milliseconds. */
    sessionTimeout: Schema.Number,
    /** The file of the history. */
    history: Schema.String,
    /** The file of the messages. */
    database: Schema.String
  })
)

/** How many accounts there are, and so how many entities. */
export const ACCOUNTS = 24

const program = Effect.fnUntraced(
  function* ({ database, history, name, number, port, servers, sessionTimeout }: typeof Orders.Type) {
    const write = yield* Recorder.toFile(history)
    const zk = yield* clientOf(ZooKeeper.layer({ servers, sessionTimeout, connectTimeout: "infinity" }))
    yield* Effect.forkScoped(recordStandstills(name, write, sessionTimeout))
    const recorder = Recorder.make({ client: name, write, session: () => zk.session.id.toString(16) })
    const runner = yield* startRunner({
      number,
      port,
      zk,
      // A process that stands still may have locked the database. A runner that waited for it would stand still as well.
      database: yield* Layer.build(Sqlite.layer(database, { busyTimeout: 50 })),
      running: { enter: entering(recorder) },
      totals: new Map(),
      ticks: [],
      expiration: sessionTimeout
    })
    yield* say("ready")
    let stopped = false
    yield* Effect.forkScoped(Effect.whileLoop({ while: () => !stopped, body: () => send(runner, recorder), step() {} }))
    const quiet = Effect.flatMap(lineOfInput, () => {
      stopped = true
      return Effect.never
    })
    yield* Effect.raceFirst(quiet, endOfInput)
    // A shutdown in order may take as long as Effect waits for its entities and for silent peers.
    process.exit()
  },
  Effect.scoped,
  // The database may be locked at the start.
  Effect.sandbox,
  Effect.tapError((cause) => Effect.logError("could not start", cause)),
  Effect.retry({ times: 40, schedule: Schedule.spaced("500 millis") }),
  Effect.provideService(References.MinimumLogLevel, "Error")
)

/** Records a hold for as long as its Scope is open. */
const entering =
  (recorder: Recorder.Recorder): Running["enter"] =>
  (path) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const hold = recorder.unique()
        recorder.note({ f: "acquire", path }, hold)
        return hold
      }),
      (hold) => Effect.sync(() => recorder.note({ f: "release", path, of: hold }))
    )

/**
 * Records each time in which the process stood still for longer than its session has to spare, and what it needs afterwards
 * to stop what it lost: a second and a half of its own time, in which it has refused five refreshes. A busy machine, or a
 * database, may give that late.
 */
const recordStandstills = Effect.fnUntraced(function* (
  client: string,
  write: (line: History.Line) => void,
  sessionTimeout: number
) {
  const turn = 10
  let turnsToWake = 0
  let count = 0
  const note = (type: "invoke" | "ok", at: number) =>
    write({ id: `${client}.pause.${count}`, type, at, client, session: "", f: "pause", path: "" })
  let previous = Recorder.monotonic()
  while (true) {
    yield* Effect.sleep(turn)
    const now = Recorder.monotonic()
    if (now - previous > (sessionTimeout / 10) * 1000) {
      if (turnsToWake === 0) {
        count++
        note("invoke", previous)
      }
      turnsToWake = 1500 / turn
    } else if (turnsToWake > 0 && --turnsToWake === 0) note("ok", now)
    previous = now
  }
})

/** Some messages at once, to any accounts. A caller waits for a while; the messages are processed all the same. */
const send = (runner: ClusterRunner, recorder: Recorder.Recorder) =>
  Effect.forEach(
    [1, 2, 3],
    () =>
      Effect.flatMap(Random.nextIntBetween(1, ACCOUNTS), (account) =>
        runner.add(`account-${account}`, recorder.unique(), 1).pipe(Effect.timeout("2 seconds"), Effect.ignore)
      ),
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.andThen(Effect.sleep("200 millis")))

if (import.meta.main) run(Orders, program)
