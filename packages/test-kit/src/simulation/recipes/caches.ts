/**
 * Caches: without faults they equal the servers' znodes, a replay of their events equals their content, and when they
 * are closed they emit no more.
 */
import type { CacheChange, CacheEvent } from "@effect-zookeeper/recipes/CacheEvent"
import * as ChildrenCache from "@effect-zookeeper/recipes/ChildrenCache"
import * as NodeCache from "@effect-zookeeper/recipes/NodeCache"
import * as TreeCache from "@effect-zookeeper/recipes/TreeCache"
import type { DataAndStat, ZooKeeper } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeperClient from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Recipe, Environment } from "../RecipeSimulation.ts"
import type { SimulatedClient } from "../SimulatedClient.ts"
import { textOf } from "./text.ts"

const root = "/recipe/t"

type Entries = Iterable<readonly [path: string, znode: DataAndStat]>

/** The common part of all caches. */
interface Cache {
  readonly holds: () => Entries
  readonly changes: Stream.Stream<CacheEvent, unknown>
  readonly readThrough: Effect.Effect<unknown, unknown>
  /** Whether the cache has to hold a path. */
  readonly isOurs: (path: string) => boolean
  /** Of which no parent is told. */
  readonly top: string
}

type MakeCache = Effect.Effect<Cache, unknown, ZooKeeper | Scope.Scope>

export const nodeCache: Recipe = (environment) =>
  Effect.sync(() => {
    const path = `${root}/a`
    return caching(
      environment,
      Effect.map(NodeCache.make(path, { jitter: "100 millis" }), ({ changes, get, readThrough }) => ({
        holds: () => Option.toArray(get()).map((znode) => [path, znode] as const),
        changes,
        readThrough,
        isOurs: (other) => other === path,
        top: path
      }))
    )
  })

export const childrenCache: Recipe = (environment) =>
  Effect.sync(() =>
    caching(
      environment,
      Effect.map(ChildrenCache.make(root, { jitter: "100 millis" }), ({ changes, get }) => ({
        holds: () => [...get()].map(([name, znode]) => [ZnodePath.join(root, name), znode] as const),
        changes,
        readThrough: Effect.void,
        isOurs: (path) => ZnodePath.parent(path) === root,
        top: root
      }))
    )
  )

export const treeCache: Recipe = (environment) =>
  Effect.sync(() =>
    caching(
      environment,
      Effect.map(TreeCache.make(root, { jitter: "100 millis", concurrency: 2 }), (cache) => ({
        holds: () => cache.snapshot.entries(),
        changes: cache.changes,
        readThrough: cache.readThrough(`${root}/a`),
        isOurs: (path) => path === root || path.startsWith(`${root}/`),
        top: root
      }))
    )
  )

// ---- internal

const caching = (environment: Environment, make: MakeCache) => ({
  play: Effect.fnUntraced(function* (client: SimulatedClient) {
    const addViolation = (what: string) => environment.addViolation(`${client.name}: ${what}`)
    const own = yield* Scope.fork(yield* Effect.scope)
    const cache = yield* Effect.provideService(make, Scope.Scope, own)
    const replay = new Replay(cache.top, addViolation)
    const follow = Stream.runForEach(cache.changes, (event) => Effect.sync(() => replay.step(event)))
    yield* Effect.forkScoped(follow, { startImmediately: true })
    return Effect.gen(function* () {
      yield* mutate(client.zk)
      if ((yield* Random.next) < 0.2) yield* Effect.timeout(cache.readThrough, "2 seconds")
      if (!environment.isFaultFree()) return
      // Others have not finished yet.
      while (true) {
        const znodes = shown([...(yield* environment.znodes)].filter(([path]) => cache.isOurs(path)))
        if (shown(held(cache.holds())) === znodes && shown(held(replay.known)) === znodes) break
        yield* Effect.sleep("20 millis")
      }
      yield* Scope.close(own, Exit.void)
      replay.isClosed = true
      yield* Effect.sleep("300 millis")
    })
  }),
  expected: ["TimeoutError"]
})

/** Follows the events of a cache, and checks that each step leads on from the last. */
class Replay {
  readonly known = new Map<string, DataAndStat>()
  isClosed = false
  private readonly top: string
  private readonly addViolation: (what: string) => void

  constructor(top: string, addViolation: (what: string) => void) {
    this.top = top
    this.addViolation = addViolation
  }

  step(event: CacheEvent): void {
    if (this.isClosed) this.addViolation(`${event._tag} was told after the end`)
    switch (event._tag) {
      case "Created": {
        const { path, znode } = event
        const parent = ZnodePath.parent(path)
        if (this.known.has(path)) this.addViolation(`${path} is created twice`)
        if (path !== this.top && parent !== this.top && !this.known.has(parent ?? "")) {
          this.addViolation(`${path} is created before its parent`)
        }
        return void this.known.set(path, znode)
      }
      case "Updated": {
        this.compare(event)
        const { old, path, znode } = event
        if (znode.stat.mzxid <= old.stat.mzxid) this.addViolation(`${path} went back to ${znode.stat.mzxid}`)
        return void this.known.set(path, znode)
      }
      case "Deleted": {
        this.compare(event)
        const { path } = event
        if ([...this.known.keys()].some((other) => other.startsWith(`${path}/`))) {
          this.addViolation(`${path} is deleted before its children`)
        }
        return void this.known.delete(path)
      }
    }
  }

  private compare({ _tag, old, path }: Exclude<CacheChange, { readonly _tag: "Created" }>): void {
    const known = this.known.get(path)?.stat.mzxid
    if (known !== old.stat.mzxid) this.addViolation(`${path} is ${_tag} from ${old.stat.mzxid}, and was ${known}`)
  }
}

interface Seen {
  readonly data: Uint8Array | null
  readonly czxid: bigint
  readonly mzxid: bigint
}

const held = (entries: Entries): Iterable<readonly [string, Seen]> =>
  [...entries].map(([path, { data, stat }]) => [path, { data, czxid: stat.czxid, mzxid: stat.mzxid }] as const)

const shown = (entries: Iterable<readonly [string, Seen]>): string =>
  [...entries]
    .map(([path, { czxid, data, mzxid }]) => `${path} ${textOf(data)} ${czxid} ${mzxid}`)
    .toSorted()
    .join("\n")

/** Does something to the tree, and does not mind if it cannot be done. */
const mutate = (zk: ZooKeeperClient.Service) =>
  Effect.gen(function* () {
    let path = root
    const depth = yield* Random.nextIntBetween(0, 3)
    for (let level = 0; level < depth; level++) path += (yield* Random.nextBoolean) ? "/a" : "/b"
    const data = String(yield* Random.nextIntBetween(0, 3))
    switch (yield* Random.nextIntBetween(0, 5)) {
      case 0:
        return yield* zk.set(path, data)
      case 1:
        return yield* zk.delete(path)
      case 2:
        return yield* zk.deleteAll(path)
      case 3:
        yield* zk.delete(path)
        return yield* zk.create(path, { data })
      default:
        return yield* zk.createWithParents(path, { data })
    }
  }).pipe(Effect.ignore)
