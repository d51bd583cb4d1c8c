/** What tests of caches ask again and again. */
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ServerRefused } from "@effect-zookeeper/client/Errors"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { CacheEvent } from "../../src/CacheEvent.ts"
import { text } from "./targets.ts"

/** `Created /a 1`, as short as a test wants to read it. */
export const describeEvent = (event: CacheEvent): string =>
  Match.valueTags(event, {
    Created: ({ path, znode }) => `+${path} ${text(znode.data)}`.trimEnd(),
    Updated: ({ old, path, znode }) => `*${path} ${text(old.data)}>${text(znode.data)}`,
    Deleted: ({ path }) => `-${path}`,
    Synced: ({ size }) => `synced ${size}`,
    Freshness: ({ freshness }) => freshness,
    Unreadable: ({ error, path }) => `unreadable ${path} ${error._tag}`,
    Full: ({ maxNodes }) => `full ${maxNodes}`
  })

/**
 * Follows a stream from its beginning: what it tells, as text, and what replaying it gives. That it can be replayed, a
 * parent before its children and each old value as it was, is asserted at each step.
 */
export const followChanges = Effect.fnUntraced(function* <E>(changes: Stream.Stream<CacheEvent, E>, root: string) {
  const events: Array<string> = []
  const replayed = new Map<string, DataAndStat>()
  const step = (event: CacheEvent) => {
    events.push(describeEvent(event))
    if (event._tag === "Created") {
      assert.isFalse(replayed.has(event.path), `${event.path} is created twice`)
      if (event.path !== root) assert.isTrue(replayed.has(ZnodePath.parent(event.path)!), `${event.path} has no parent`)
      replayed.set(event.path, event.znode)
    } else if (event._tag === "Updated") {
      assert.strictEqual(replayed.get(event.path)?.stat.mzxid, event.old.stat.mzxid, event.path)
      assert.isTrue(event.znode.stat.mzxid > event.old.stat.mzxid)
      replayed.set(event.path, event.znode)
    } else if (event._tag === "Deleted") {
      assert.strictEqual(replayed.get(event.path)?.stat.mzxid, event.old.stat.mzxid, event.path)
      for (const path of replayed.keys()) assert.isFalse(path.startsWith(`${event.path}/`), `${path} stays behind`)
      replayed.delete(event.path)
    }
  }
  const fiber = yield* Effect.forkScoped(
    Stream.runForEach(changes, (event) => Effect.sync(() => step(event))),
    { startImmediately: true }
  )
  return { events, replayed, fiber, eventsSince: (from: number) => events.slice(from) }
})

/** All that is at and below a path. */
export const readTree = (zk: ZooKeeper.Service, root: string): Effect.Effect<Map<string, DataAndStat>, Error> =>
  Effect.gen(function* () {
    const tree = new Map<string, DataAndStat>()
    const paths = [root]
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      const at = yield* Effect.result(Effect.all([zk.get(path), zk.getChildren(path)]))
      if (Result.isFailure(at)) {
        if (at.failure._tag === "NoNode") continue
        return yield* Effect.fail(at.failure)
      }
      const [znode, children] = at.success
      tree.set(path, znode)
      for (const name of children.toSorted()) paths.push(ZnodePath.join(path, name))
    }
    return tree
  })

/** As data that can be compared: what is there, by its path, with all of its Stat unless `brief`. */
export const comparable = (entries: Iterable<readonly [string, DataAndStat]>, brief = false): Record<string, string> =>
  Object.fromEntries(
    [...entries]
      .map(([path, { data, stat }]) => {
        const { cversion, czxid, mzxid, numChildren, pzxid, version } = stat
        const seen = brief ? [czxid, mzxid] : [czxid, mzxid, pzxid, version, cversion, numChildren]
        return [path, `${text(data)} ${seen.join(" ")}`] as const
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )

/** A client whose server knows no persistent watches. */
export const withoutPersistentWatches = (zk: ZooKeeper.Service): ZooKeeper.Service => ({
  ...zk,
  session: zk.session,
  events: (path) =>
    Stream.fail(new ServerRefused({ operation: "addWatch", path, code: codes.Unimplemented, name: "Unimplemented" }))
})

/** The ways of watching, and the client of each. */
export const watchingWays: ReadonlyArray<readonly [how: string, mode: typeof withoutPersistentWatches]> = [
  ["a persistent watch", (zk) => zk],
  ["one-shot watches", withoutPersistentWatches]
]

/** A client that counts the znodes that it reads: how many of them at once, and in a request. */
export const countReads = (zk: ZooKeeper.Service) => {
  const count = { get: 0, stat: 0, list: 0, now: 0, most: 0, requests: 0, widest: 0 }
  const counting = <A, E>(kind: "get" | "stat" | "list", effect: Effect.Effect<A, E>, znodes = 1) =>
    Effect.suspend(() => {
      count[kind] += znodes
      count.requests++
      count.widest = Math.max(count.widest, znodes)
      count.now += znodes
      count.most = Math.max(count.most, count.now)
      return Effect.ensuring(
        effect,
        Effect.sync(() => void (count.now -= znodes))
      )
    })
  const service: ZooKeeper.Service = {
    ...zk,
    session: zk.session,
    get: (path) => counting("get", zk.get(path)),
    read: (ops) => counting("get", zk.read(ops), ops.length),
    stat: (path) => counting("stat", zk.stat(path)),
    getChildrenWithStat: (path) => counting("list", zk.getChildrenWithStat(path))
  }
  return { count, zk: service }
}
