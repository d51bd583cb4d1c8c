/** Whatever happens to connections, sessions and znodes: what a cache holds in the end is what the server has. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { ZooKeeper } from "@effect-zookeeper/client"
import * as ChildrenCache from "../../src/ChildrenCache.ts"
import * as NodeCache from "../../src/NodeCache.ts"
import * as TreeCache from "../../src/TreeCache.ts"
import { comparable, followChanges, withoutPersistentWatches, readTree, watchingWays } from "../support/caches.ts"
import { withClient, describeOnServers, makeChroot, awaitNoWatches, inScope } from "../support/targets.ts"

const isLong = process.env["ZK_LONG"] === "1"
const seeds = Array.from({ length: isLong ? 20 : 2 }, (_, n) => n + 1)
const steps = isLong ? 3000 : 400

const oneOf = <A>(all: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, all.length - 1), (index) => all[index]!)

const names = ["a", "b", "c"]

/** A path of up to three levels below the root, or the root. */
const anyPath = Effect.gen(function* () {
  let path = "/t"
  const depth = yield* oneOf([0, 1, 1, 2, 2, 2, 3, 3, 3])
  for (let level = 0; level < depth; level++) path += `/${yield* oneOf(names)}`
  return path
})

/** Does something to the tree, and does not mind if that is not possible. */
const mutate = (zk: ZooKeeper.Service, n: number) =>
  Effect.gen(function* () {
    const path = yield* anyPath
    const what = yield* oneOf(["create", "create", "create", "set", "set", "delete", "deleteAll", "again"])
    const tooMuch = path === "/t" && n % 20 !== 0
    switch (what) {
      case "create":
        return yield* zk.create(path, { data: String(n) })
      case "set":
        return yield* zk.set(path, String(n))
      case "delete":
        return yield* zk.delete(path)
      case "deleteAll":
        return tooMuch ? undefined : yield* zk.deleteAll(path)
      case "again":
        yield* zk.delete(path)
        return yield* zk.create(path, { data: "same" })
    }
  }).pipe(Effect.ignore)

describeOnServers("caches", (it) => {
  for (const seed of seeds) {
    for (const [name, mode] of watchingWays) {
      it.effect(
        `end with the current state, and so does a replay of their events, by ${name}, seed ${seed} (row 40)`,
        { timeout: isLong ? 300_000 : 90_000 },
        function* () {
          yield* Effect.gen(function* () {
            const { breakable, expire, watches, zk } = yield* makeChroot
            yield* inScope(function* () {
              const { link, zk: breaking } = yield* breakable({ sessionTimeout: "4 seconds" })
              const mine = mode(breaking)
              yield* zk.create("/t", { data: "0" })
              const tree = yield* withClient(mine)(TreeCache.make("/t", { jitter: 20, concurrency: 4 }))
              const shallow = yield* withClient(mine)(TreeCache.make("/t", { jitter: 20, maxDepth: 2 }))
              const children = yield* withClient(mine)(ChildrenCache.make("/t", { jitter: 20 }))
              const node = yield* withClient(mine)(NodeCache.make("/t/a/b", { jitter: 20 }))
              const treeTold = yield* followChanges(tree.changes, "/t")
              const shallowTold = yield* followChanges(shallow.changes, "/t")
              const nodeTold = yield* followChanges(node.changes, "/t/a/b")
              const trouble = yield* Effect.forkChild(
                Effect.gen(function* () {
                  for (let round = 0; ; round++) {
                    yield* Effect.sleep(yield* Random.nextBetween(10, 60))
                    if (round % 4 === 3) yield* expire(mine)
                    else {
                      yield* link.cut
                      yield* Effect.sleep(yield* Random.nextBetween(0, 20))
                      yield* link.heal
                    }
                  }
                })
              )
              for (let n = 1; n <= steps; n++) yield* mutate(zk, n)
              yield* Fiber.interrupt(trouble)
              yield* link.heal
              yield* Effect.catchTag(zk.create("/t"), "NodeExists", () => Effect.void)
              yield* zk.set("/t", "last")
              const serverTree = yield* readTree(zk, "/t")
              const all = comparable(serverTree)
              const upTo = (depth: number, brief = false) =>
                comparable(
                  [...serverTree].filter(([path]) => path.split("/").length - 2 <= depth),
                  brief
                )
              // Of the deepest level one-shot watches do not tell that children came or went.
              const isOld = mode === withoutPersistentWatches || !it.isAtLeast("3.6.0")
              const { ["/t"]: _root, ...level } = upTo(1, isOld)
              const single = [...serverTree].filter(([path]) => path === "/t/a/b")
              const expected = {
                tree: all,
                shallow: upTo(2, isOld),
                children: level,
                node: comparable(single, isOld),
                treeTold: comparable(serverTree, true),
                shallowTold: upTo(2, true),
                nodeTold: comparable(single, true)
              }
              const seen = () => ({
                tree: comparable(tree.snapshot.entries()),
                shallow: comparable(shallow.snapshot.entries(), isOld),
                children: comparable(
                  [...children.get()].map(([name, znode]) => [`/t/${name}`, znode] as const),
                  isOld
                ),
                node: comparable(
                  Option.toArray(node.get()).map((znode) => ["/t/a/b", znode] as const),
                  isOld
                ),
                treeTold: comparable(treeTold.replayed, true),
                shallowTold: comparable(shallowTold.replayed, true),
                nodeTold: comparable(nodeTold.replayed, true)
              })
              const isSettled = Effect.sync(() => Equal.equals(seen(), expected))
              yield* Effect.repeat(isSettled, { until: (is) => is, schedule: Schedule.spaced("20 millis") }).pipe(
                Effect.timeoutOption("40 seconds")
              )
              const standing = [tree.freshness, mine.session.state._tag]
              assert.deepStrictEqual(seen(), expected, `its state: ${standing.join()}`)
              for (const { fiber } of [treeTold, shallowTold, nodeTold]) assert.isUndefined(fiber.pollUnsafe())
            })
            yield* awaitNoWatches(watches)
          }).pipe(Random.withSeed(seed))
        }
      )
    }
  }
})
