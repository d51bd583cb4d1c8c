/** Clients that watch thousands of znodes, and what became of their watches. */
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ZooKeeperServer } from "../../src/ZooKeeperServer.ts"

export interface Client {
  readonly zk: ZooKeeper.Service
  /** The tags of all states since it was connected. */
  readonly states: ReadonlyArray<string>
}

/** A client in the Scope of the test. */
export const connect = Effect.fnUntraced(function* (options: ZooKeeper.Options) {
  const context = yield* Layer.build(Layer.fresh(ZooKeeper.layer(options)))
  const zk = Context.get(context, ZooKeeper.ZooKeeper)
  const states: Array<string> = []
  yield* Effect.forkScoped(
    Stream.runForEach(zk.session.states, ({ _tag }) => Effect.sync(() => states.push(_tag))),
    { startImmediately: true }
  )
  const client: Client = { zk, states }
  return client
})

/** A client of all servers whose session stands on this one. */
export const connectTo = Effect.fnUntraced(function* (
  server: ZooKeeperServer,
  options: ZooKeeper.Options
): Effect.fn.Return<Client, ZooKeeper.StartError, Scope.Scope> {
  const outer = yield* Effect.scope
  for (;;) {
    const scope = yield* Scope.fork(outer)
    const client = yield* Scope.provide(connect(options), scope)
    if (portOf(client) === server.port) return client
    yield* Scope.close(scope, Exit.void)
  }
})

/** On which port the session stands. */
export const portOf = ({ zk }: Client): number | undefined => Option.getOrUndefined(zk.session.server)?.port

const BATCH = 500

const paths = (parent: string, from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from }, (_, n) => `${parent}/${String(from + n).padStart(5, "0")}`)

const batches = (all: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from({ length: Math.ceil(all.length / BATCH) }, (_, n) => all.slice(n * BATCH, (n + 1) * BATCH))

/** Creates so many znodes below a new parent. */
export const createAll = Effect.fnUntraced(function* ({ zk }: Client, parent: string, count: number) {
  yield* zk.create(parent)
  for (const batch of batches(paths(parent, 0, count))) yield* zk.transaction(batch.map((path) => Op.create(path)))
})

/** Writes to some of them, again if the connection is lost. */
export const changeAll = ({ zk }: Client, parent: string, from: number, to: number) =>
  Effect.forEach(
    batches(paths(parent, from, to)),
    (batch) =>
      Effect.retry(zk.transaction(batch.map((path) => Op.setData(path, "changed"))), {
        while: ({ _tag }) => _tag === "ConnectionLoss",
        schedule: Schedule.spaced("50 millis")
      }),
    { discard: true }
  )

/** What became of watches. */
export interface Watching {
  readonly count: number
  told: number
  expired: number
}

/** Watches so many znodes once each. */
export const watchAll = Effect.fnUntraced(function* ({ zk }: Client, parent: string, count: number) {
  const watching: Watching = { count, told: 0, expired: 0 }
  const scope = yield* Effect.scope
  yield* Effect.forEach(
    paths(parent, 0, count),
    (path) =>
      Effect.flatMap(zk.getAndWatch(path), ({ changed }) =>
        Effect.forkIn(
          Effect.match(changed, {
            onSuccess: () => void watching.told++,
            onFailure: () => void watching.expired++
          }),
          scope,
          { startImmediately: true }
        )
      ),
    { concurrency: "unbounded", discard: true }
  )
  return watching
})

/** Milliseconds that something takes. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    yield* effect
    return (yield* Clock.currentTimeMillis) - began
  })

/** Waits until something holds; a minute at most. */
export const until = (condition: () => boolean) =>
  Effect.repeat(Effect.sleep("10 millis"), { until: condition }).pipe(
    Effect.timeoutOption("1 minute"),
    Effect.map(Option.isSome)
  )
