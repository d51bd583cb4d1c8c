/**
 * A process whose clients own, or wait for, as much as they can: a lock, the leadership, permits, an item of a queue,
 * items of an allocator. Started by `IsolationTrial`, with its orders as JSON in the first argument. It says `ready`,
 * begins at a line of input, works until its input ends, and writes down when each of its guarded effects ran and had
 * stopped.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Allocator from "@effect-zookeeper/recipes/Allocator"
import * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as Semaphore from "@effect-zookeeper/recipes/Semaphore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Recorder from "../history/Recorder.ts"
import { endOfInput, lineOfInput, recordHold, run, say } from "./workerProgram.ts"

const Client = Schema.Struct({
  /** The client's name in the history. */
  name: Schema.String,
  /** A connect string. */
  servers: Schema.String,
  /** Milliseconds. */
  sessionTimeout: Schema.Number,
  /** The port of the member that its session has to be on at first. */
  member: Schema.optional(Schema.Int),
  /** Where it contends: below each path for one of each recipe. */
  paths: Schema.Array(Schema.String),
  /** Whether it contends again after a loss. */
  again: Schema.Boolean,
  ownershipProof: Schema.Literals(["quorum", "server"])
})

/** The orders of the process. */
export const Orders = Schema.fromJsonString(
  Schema.Struct({
    /** The file of the history. */
    history: Schema.String,
    clients: Schema.Array(Client)
  })
)

/** How many permits a semaphore has; each client wants all, one by one. */
export const PERMITS = 2

/** The items of an allocator: each of two members has one, and the one that is left has both. */
const ITEMS = ["a", "b"] as const

/** Milliseconds that a guarded effect needs to stop. */
const STOPPING = 100

const program = Effect.fnUntraced(function* (orders: typeof Orders.Type) {
  const write = yield* Recorder.toFile(orders.history)
  const state = { hasEnded: false }
  yield* say("ready")
  yield* lineOfInput
  const working = yield* Effect.forEach(orders.clients, (client) => contend(client, write, state), {
    concurrency: "unbounded",
    discard: true
  }).pipe(Effect.scoped, Effect.forkChild)
  yield* Effect.raceFirst(endOfInput, Fiber.join(working))
  state.hasEnded = true
  yield* Fiber.interrupt(working)
  yield* say("rested")
})

interface State {
  /** Whether the trial has ended: what is held is given back then, and was not taken away. */
  hasEnded: boolean
}

const contend = Effect.fnUntraced(function* (
  client: typeof Client.Type,
  write: Recorder.Options["write"],
  state: State
): Effect.fn.Return<void, ZooKeeper.StartError, Scope.Scope> {
  const zk = yield* connect(client)
  const recorder = Recorder.make({ client: client.name, write, session: () => zk.session.id.toString(16) })
  const guarded = (path: string, asked: { readonly token?: bigint | undefined; readonly limit?: number } = {}) =>
    recordHold(recorder, { path, ...asked }, Effect.never, () =>
      Effect.map(Effect.sleep(STOPPING), () => (state.hasEnded ? "release" : "lost"))
    )
  const works = client.paths.flatMap((path) => recipesBelow(path, guarded))
  yield* Effect.forEach(works, (work) => (client.again ? forEver(work) : Effect.ignore(Effect.scoped(work))), {
    concurrency: "unbounded",
    discard: true
  }).pipe(Effect.provideService(ZooKeeper.ZooKeeper, zk))
})

type Guarded = (
  path: string,
  asked?: { readonly token?: bigint | undefined; readonly limit?: number }
) => Effect.Effect<never>

/** One of each recipe, and two of what there are two of. */
const recipesBelow = (
  path: string,
  guarded: Guarded
): ReadonlyArray<Effect.Effect<unknown, unknown, ZooKeeper.ZooKeeper | Scope.Scope>> => [
  Effect.flatMap(Lock.make(`${path}/lock`), (lock) =>
    lock.withLock(({ fencingToken }) => guarded(`${path}/lock`, { token: fencingToken }))
  ),
  Effect.flatMap(LeaderElection.make(`${path}/election`), (election) =>
    election.whileLeader(({ fencingToken }) => guarded(`${path}/election`, { token: fencingToken }))
  ),
  ...Array.from({ length: PERMITS }, () =>
    Effect.flatMap(Semaphore.make(`${path}/semaphore`, { permits: PERMITS }), (semaphore) =>
      semaphore.withPermit(({ fencingToken }) => guarded(`${path}/semaphore`, { token: fencingToken, limit: PERMITS }))
    )
  ),
  Effect.flatMap(Queue.make(`${path}/queue`), (queue) => queue.consumeOne(() => guarded(`${path}/queue`))),
  Effect.flatMap(Allocator.make(`${path}/allocator`, { items: ITEMS, quiet: "300 millis" }), (allocator) =>
    allocator.whileAllocated((items) =>
      // Begun again when the other items change: one lock, and one token, may have several of these.
      Effect.forEach(items, (item) => guarded(`${path}/allocator/${item}`), { concurrency: "unbounded", discard: true })
    )
  )
]

const forEver = <E, R>(work: Effect.Effect<unknown, E, R | Scope.Scope>) =>
  Effect.forever(Effect.andThen(Effect.ignore(Effect.scoped(work)), Effect.sleep("100 millis")))

/** A client whose session is on the wanted member: which server comes first is a matter of chance. */
const connect = Effect.fnUntraced(function* ({
  member,
  ownershipProof,
  servers,
  sessionTimeout
}: typeof Client.Type): Effect.fn.Return<ZooKeeper.Service, ZooKeeper.StartError, Scope.Scope> {
  const outer = yield* Effect.scope
  for (;;) {
    const scope = yield* Scope.fork(outer)
    const layer = Layer.fresh(ZooKeeper.layer({ servers, sessionTimeout, ownershipProof }))
    const zk = Context.get(yield* Scope.provide(Layer.build(layer), scope), ZooKeeper.ZooKeeper)
    if (member === undefined || Option.getOrUndefined(zk.session.server)?.port === member) return zk
    yield* Scope.close(scope, Exit.void)
  }
})

if (import.meta.main) run(Orders, program)
