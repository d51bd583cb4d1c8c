/** Walks over large, odd and changing subtrees. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TreeWalk from "../../src/TreeWalk.ts"

const client = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer()), Layer.provide(EmbeddedServer.layerMemory))

const walked = (zk: ZooKeeper.Service, path: string, options?: TreeWalk.Options) =>
  TreeWalk.walk(zk, path, options).pipe(
    Stream.runCollect,
    Effect.map((found) => found.map(({ path }) => path))
  )

describe("a walk", () => {
  it.live("visits parents before children, and siblings by name, however many it asks for at a time", () =>
    Effect.gen(function* () {
      const zk = yield* ZooKeeper.ZooKeeper
      const expected: Array<string> = ["/app"]
      yield* zk.create("/app")
      for (let parent = 10; parent < 20; parent++) {
        yield* zk.create(`/app/${parent}`)
        expected.push(`/app/${parent}`)
        for (let child = 10; child < 30; child++) {
          yield* zk.create(`/app/${parent}/${child}`)
          expected.push(`/app/${parent}/${child}`)
        }
      }
      for (const concurrency of [1, 3, 256]) {
        assert.deepStrictEqual(yield* walked(zk, "/app", { concurrency }), expected)
      }
      assert.deepStrictEqual(yield* walked(zk, "/app", { maxDepth: 0 }), ["/app"])
      const descend = ({ path }: TreeWalk.Visited) => path === "/app"
      assert.strictEqual((yield* walked(zk, "/app", { descend })).length, 11)
    }).pipe(Effect.provide(client))
  )

  it.live("leaves out a znode that is deleted on the way", () =>
    Effect.gen(function* () {
      const zk = yield* ZooKeeper.ZooKeeper
      yield* zk.ensurePath("/app/a")
      yield* zk.ensurePath("/app/b")
      const racing: Pick<ZooKeeper.Service, "getChildrenWithStat" | "stat"> = {
        stat: zk.stat,
        getChildrenWithStat: (path) =>
          path === "/app/a"
            ? Effect.andThen(Effect.orDie(zk.delete("/app/a")), zk.getChildrenWithStat(path))
            : zk.getChildrenWithStat(path)
      }
      const found = yield* TreeWalk.walk(racing, "/app").pipe(Stream.runCollect)
      assert.deepStrictEqual(
        found.map(({ path }) => path),
        ["/app", "/app/b"]
      )
    }).pipe(Effect.provide(client))
  )
})
