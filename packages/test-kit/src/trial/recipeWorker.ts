/**
 * A process that uses recipes under faults, and records the results: started by `RecipeTrial`, with its orders as
 * JSON in the first argument. It works until its input ends, then comes to rest and exits.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Counter from "@effect-zookeeper/recipes/Counter"
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as Op from "@effect-zookeeper/client/Op"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Recorded from "../history/operations.ts"
import * as Recorder from "../history/Recorder.ts"
import { endOfInput, recordHold, run, say } from "./workerProgram.ts"

/** The orders of the process. */
export const Orders = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    /** A connect string. */
    servers: Schema.String,
    /** Milliseconds. */
    sessionTimeout: Schema.Number,
    /** The file of the history. */
    history: Schema.String,
    /** The recipes that it uses. */
    tasks: Schema.Array(Schema.Literals(["lock", "leader", "counter", "exact", "queue"]))
  })
)

const program = Effect.fnUntraced(function* (orders: typeof Orders.Type) {
  const write = yield* Recorder.toFile(orders.history)
  const { name, servers, sessionTimeout } = orders
  yield* work(name, write, orders.tasks).pipe(Effect.provide(ZooKeeper.layer({ servers, sessionTimeout })))
})

const work = Effect.fnUntraced(function* (
  client: string,
  write: Recorder.Options["write"],
  names: (typeof Orders.Type)["tasks"]
) {
  const zk = yield* ZooKeeper.ZooKeeper
  const recorder = Recorder.make({ client, write, session: () => zk.session.id.toString(16) })
  let stopped = false
  const loop = Effect.fnUntraced(function* (once: Effect.Effect<unknown, unknown>) {
    while (!stopped) {
      yield* Effect.ignore(once)
      yield* Effect.sleep(yield* Random.nextBetween(0, 40))
    }
  })
  const tasks = {
    lock: Effect.map(Lock.make("/trial/lock"), (lock) => lock.withLock(guarded(recorder, "/trial/lock"))),
    leader: Effect.map(LeaderElection.make("/trial/leader", { identifier: client }), (election) =>
      election.whileLeader(guarded(recorder, "/trial/leader"))
    ),
    counter: counting(recorder, "/trial/counter", "curator"),
    exact: counting(recorder, "/trial/exact", "exact"),
    queue: queueing(recorder)
  }
  const fibers = new Map<string, Fiber.Fiber<void>>()
  for (const name of names) fibers.set(name, yield* Effect.forkChild(loop(yield* tasks[name])))
  yield* say("ready")
  yield* endOfInput
  stopped = true
  // For the reader of a trial that does not come to rest.
  const explain = Effect.suspend(() => {
    const waiting = [...fibers].filter(([, fiber]) => fiber.pollUnsafe() === undefined).map(([name]) => name)
    const { id, state } = zk.session
    return say(`waits in ${waiting.join(", ")}, ${state._tag}, in session ${id.toString(16)}`)
  })
  yield* Effect.forkChild(Effect.delay(explain, "20 seconds"))
  yield* Fiber.awaitAll(fibers.values())
  yield* say("rested")
})

/** Holds it for a moment, with a write that only a holder may do; the hold ends when the first finalizer runs. */
const guarded = (recorder: Recorder.Recorder, path: string) => (held: Held) =>
  recordHold(
    recorder,
    { path, token: held.fencingToken },
    Effect.gen(function* () {
      yield* Effect.sleep(yield* Random.nextBetween(0, (yield* Random.nextBoolean) ? 20 : 400))
      const resource = `${path}-resource`
      yield* Effect.ignore(
        recorder.record(
          { f: "fenced", path: resource, token: held.fencingToken },
          held.transaction([Op.setData(resource, String(held.fencingToken))]),
          () => ({ token: held.fencingToken })
        )
      )
      yield* Effect.sleep(yield* Random.nextBetween(0, 20))
    }),
    (isSuccess) => Effect.succeed(isSuccess ? "release" : "lost")
  )

const counting = (recorder: Recorder.Recorder, path: string, layout: "curator" | "exact") =>
  Effect.map(Counter.make(path, { layout }), (counter) =>
    // An operation of its own each time.
    Effect.suspend(() => Recorded.add(recorder, path, counter, 1))
  )

/** Offers items, and consumes each at least once. */
const queueing = (recorder: Recorder.Recorder) =>
  Effect.map(Queue.make("/trial/queue"), (queue) =>
    Effect.gen(function* () {
      const value = recorder.unique()
      yield* recorder.record(
        { f: "offer", path: "/trial/queue", value },
        queue.offer(new TextEncoder().encode(value)),
        Recorded.noAnswer
      )
      yield* queue.consumeOne((item) =>
        Effect.sync(() => recorder.note({ f: "take", path: "/trial/queue", value: new TextDecoder().decode(item) }))
      )
    })
  )

if (import.meta.main) run(Orders, program)
