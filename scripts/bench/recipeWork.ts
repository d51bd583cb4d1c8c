/**
 * What recipes do in the benchmark, and beside each the bare operations that it cannot do without, by the same client.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as TreeCache from "@effect-zookeeper/recipes/TreeCache"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { maxInFlight, sessionTimeout } from "./contestant.ts"

/** `bare` are the operations alone. */
export type RecipeWork = "lock" | "lock, bare" | "contenders" | "contenders, bare" | "queue" | "queue, bare" | "tree"

/** The clients that want one lock at a time. */
export const contenders = 100

const item = new Uint8Array(100)

type Service = ZooKeeper.Service

/** One session, in which the work is done so many times; the same function does it again. */
export const openRecipes = async (servers: string) => {
  const runtime = ManagedRuntime.make(ZooKeeper.layer({ servers, sessionTimeout, maxInFlight }))
  const zk = await runtime.runPromise(ZooKeeper.ZooKeeper)
  return {
    run: (work: RecipeWork, path: string, count: number): Promise<void> =>
      Effect.runPromise(
        works[work](zk, path, count).pipe(
          Effect.provideService(ZooKeeper.ZooKeeper, zk),
          Effect.provideService(Scope.Scope, runtime.scope),
          Effect.asVoid
        )
      ),
    close: () => runtime.dispose()
  }
}

type Work = (
  zk: Service,
  path: string,
  count: number
) => Effect.Effect<unknown, unknown, ZooKeeper.ZooKeeper | Scope.Scope>

const works: Readonly<Record<RecipeWork, Work>> = {
  lock: Effect.fnUntraced(function* (_zk, path, count) {
    const lock = yield* Lock.make(path)
    yield* repeated(count, () => lock.withLock(Effect.void))
  }),

  "lock, bare": (zk, path, count) =>
    repeated(count, () =>
      zk.create(`${path}/bare-`, { mode: "ephemeralSequential" }).pipe(
        Effect.tap(() => zk.getChildren(path)),
        Effect.flatMap(zk.delete)
      )
    ),

  contenders: Effect.fnUntraced(function* (_zk, path, count) {
    const lock = yield* Lock.make(path)
    const contender = lock.withLock(Effect.void)
    yield* repeated(count / contenders, () => together(Array.from({ length: contenders }, () => contender)))
  }),

  "contenders, bare": (zk, path, count) => repeated(count / contenders, () => bareContenders(zk, path)),

  queue: Effect.fnUntraced(function* (_zk, path, count) {
    const queue = yield* Queue.make(path)
    yield* repeated(count, () => Effect.andThen(queue.offer(item), queue.take))
  }),

  "queue, bare": (zk, path, count) =>
    repeated(count, () =>
      zk.create(`${path}/bare-`, { data: item, mode: "persistentSequential" }).pipe(
        Effect.tap(() => zk.getChildren(path)),
        Effect.tap(zk.get),
        Effect.flatMap(zk.delete)
      )
    ),

  tree: (_zk, path) => TreeCache.make(path)
}

/** Each enters itself, looks who is there, watches the one before it, and deletes its znode when it is its turn. */
const bareContenders = Effect.fnUntraced(function* (zk: Service, path: string) {
  const own = yield* together(
    Array.from({ length: contenders }, () =>
      zk.create(`${path}/bare-`, { mode: "ephemeralSequential" }).pipe(Effect.tap(() => zk.getChildren(path)))
    )
  )
  const queue = own.toSorted()
  const watched = yield* together(queue.slice(0, -1).map((before) => zk.existsAndWatch(before)))
  for (const [index, mine] of queue.entries()) {
    yield* zk.delete(mine)
    const next = watched[index]
    if (next !== undefined) yield* next.changed
  }
})

const together = <A, E, R>(all: ReadonlyArray<Effect.Effect<A, E, R>>) => Effect.all(all, { concurrency: "unbounded" })

const repeated = <E, R>(count: number, work: () => Effect.Effect<unknown, E, R>): Effect.Effect<void, E, R> => {
  let done = 0
  return Effect.whileLoop({ while: () => done < count, body: work, step: () => void done++ })
}
