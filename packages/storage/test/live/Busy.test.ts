/** Live trees in which much happens while they are read. */
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { TreeSource } from "../../src/index.ts"
import { type Known, readZnode } from "../../src/internal/live/readZnode.ts"
import { TreeFollower } from "../../src/internal/live/TreeFollower.ts"
import { describeOnServers } from "../support/liveTrees.ts"

describeOnServers("a busy live tree", (it) => {
  it("has a parent whose children come between any two replies", function* ({ another, zk }) {
    const other = yield* another()
    yield* zk.create("/q", { data: "data" })
    yield* zk.create("/q/first")
    let lists = 0
    const busy: TreeSource.LiveReader = {
      ...zk,
      getChildrenWithStat: (path) =>
        Effect.andThen(
          Effect.orDie(other.create(`${path}/n-${++lists}`)),
          Effect.andThen(zk.sync(path), zk.getChildrenWithStat(path))
        )
    }
    const { children, entry } = yield* readZnode(busy, "/q").pipe(Effect.timeout("20 seconds"))
    assert.strictEqual(lists, 1)
    assert.sameMembers([...children], ["first", "n-1"])
    assert.strictEqual(entry.numChildren, 2)
    assert.strictEqual(entry.znode.cversion, 2)
    assert.strictEqual(entry.znode.pzxid, (yield* zk.getChildrenWithStat("/q")).stat.pzxid)
  })

  it("has data and ACL of one moment with the children", function* ({ another, zk }) {
    const other = yield* another()
    yield* zk.create("/q", { data: "before" })
    yield* zk.create("/q/first")
    let isFirst = true
    const busy: TreeSource.LiveReader = {
      ...zk,
      getChildrenWithStat: (path) =>
        Effect.suspend(() => {
          if (!isFirst) return zk.getChildrenWithStat(path)
          isFirst = false
          return Effect.andThen(
            Effect.orDie(other.setData(path, "after")),
            Effect.andThen(zk.sync(path), zk.getChildrenWithStat(path))
          )
        })
    }
    const { entry } = yield* readZnode(busy, "/q")
    assert.strictEqual(new TextDecoder().decode(entry.znode.data ?? undefined), "after")
    assert.strictEqual(entry.znode.version, 1)
  })

  it("is caught up in steps, each of which is taken before the next is read", function* ({ zk }) {
    yield* zk.create("/app")
    const paths = Arr.range(100, 199).map((n) => `/app/${n}`)
    yield* Effect.forEach(paths, (path) => zk.create(path, { data: "old" }))
    const known = new Map<string, Known>()
    const steps: Array<number> = []
    const gone: Array<string> = []
    let read = 0
    let most = 0
    const follower = new TreeFollower({
      zk: {
        ...zk,
        get: (path) => {
          most = Math.max(most, ++read)
          return zk.get(path)
        }
      },
      root: "/app",
      concurrency: 4,
      ownerOf: undefined,
      skipsUnreadable: false,
      known,
      onRead: (entries) =>
        Effect.sync(() => {
          steps.push(entries.length)
          read = 0
        }),
      onGone: (paths) =>
        Effect.sync(() => {
          gone.push(...paths)
        }),
      onVisited: () => {}
    })
    yield* follower.pass
    steps.length = 0
    read = 0
    most = 0
    yield* Effect.forEach(paths, (path) => zk.setData(path, "new"))
    yield* zk.delete("/app/100")
    yield* zk.create("/app/150/below")
    const changed = ["/app", ...paths, "/app/150/below"].toSorted()
    yield* follower.catchUp(changed)
    assert.isAtMost(Math.max(...steps), 4)
    assert.isAtMost(most, 4)
    assert.strictEqual(
      steps.reduce((sum, count) => sum + count, 0),
      101
    )
    assert.deepStrictEqual(gone, ["/app/100"])
    assert.strictEqual(known.size, 101)
  })
})
