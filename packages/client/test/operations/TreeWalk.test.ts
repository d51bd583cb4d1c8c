/** Walks over large, odd and changing subtrees on a real server, one by one and many znodes in a request. */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Acl, Op } from "../../src/index.ts"
import { NoAuth } from "../../src/Errors.ts"
import * as TreeWalk from "../../src/TreeWalk.ts"
import type * as ZooKeeper from "../../src/ZooKeeper.ts"
import { connectFresh, itInChroot } from "../support/clients.ts"

const walked = (zk: TreeWalk.Reads, path: string, options?: TreeWalk.Options) =>
  Effect.map(Stream.runCollect(TreeWalk.walk(zk, path, options)), Arr.fromIterable)

const pathsOf = (visited: ReadonlyArray<TreeWalk.Visited>) => visited.map(({ path }) => path)

/** Creates znodes as they are named, and gives the paths in the order of a walk. */
const createAll = (zk: ZooKeeper.Service, paths: ReadonlyArray<string>, data = "x") =>
  Effect.forEach(Arr.chunksOf(paths, 500), (some) => zk.transaction(some.map((path) => Op.create(path, { data }))))

/** Twenty families of twenty, and below the seventh of each another of twenty. */
const families = (): ReadonlyArray<string> => {
  const paths = ["/app"]
  for (let parent = 10; parent < 30; parent++) {
    paths.push(`/app/${parent}`)
    for (let child = 30; child < 50; child++) {
      paths.push(`/app/${parent}/${child}`)
      if (child === 36) for (let leaf = 50; leaf < 70; leaf++) paths.push(`/app/${parent}/36/${leaf}`)
    }
  }
  return paths
}

/** Counts the requests, and may have something happen before one of them. */
const counted = (zk: ZooKeeper.Service, before: (path: string) => Effect.Effect<void> = () => Effect.void) => {
  const counts = { single: 0, joint: 0, longest: 0 }
  const reads: TreeWalk.Reads = {
    stat: zk.stat,
    getChildrenWithStat: (path) => {
      counts.single++
      return Effect.andThen(before(path), zk.getChildrenWithStat(path))
    },
    read: (ops) => {
      counts.joint++
      counts.longest = Math.max(counts.longest, ops.length)
      return Effect.andThen(
        Effect.forEach(ops, ({ path }) => before(path)),
        zk.read(ops)
      )
    }
  }
  return { counts, reads }
}

describe("a walk", () => {
  itInChroot("visits parents before children, and siblings by name, however many it asks for", function* ({ zk }) {
    const expected = families()
    yield* createAll(zk, expected)
    const single = yield* walked(zk, "/app")
    assert.deepStrictEqual(pathsOf(single), expected)
    for (const multiRead of [false, true]) {
      for (const concurrency of [Number.NaN, 1, 3, 256]) {
        assert.deepStrictEqual(yield* walked(zk, "/app", { concurrency, multiRead }), single)
      }
      assert.deepStrictEqual(pathsOf(yield* walked(zk, "/app", { maxDepth: 0, multiRead })), ["/app"])
      const below = expected.filter((path) => path.split("/").length < 5)
      assert.deepStrictEqual(pathsOf(yield* walked(zk, "/app", { maxDepth: 2, multiRead })), below)
      const descend = ({ path }: TreeWalk.Visited) => path === "/app" || path === "/app/12"
      assert.lengthOf(yield* walked(zk, "/app", { descend, multiRead }), 41)
    }
  })

  itInChroot("leaves out a znode that is deleted on the way, and fails if the first is not there", function* ({ zk }) {
    for (const multiRead of [false, true]) {
      yield* createAll(zk, families())
      // The nineteenth is not among those that are visited one by one.
      const { reads } = counted(zk, (path) =>
        path === "/app/28" ? Effect.ignore(zk.deleteAll("/app/28")) : Effect.void
      )
      const found = pathsOf(yield* walked(reads, "/app", { multiRead }))
      assert.deepStrictEqual(
        found,
        families().filter((path) => !path.startsWith("/app/28"))
      )
      yield* zk.deleteAll("/app")
      const error = yield* Effect.flip(walked(zk, "/app", { multiRead }))
      assert.strictEqual(error._tag, "NoNode")
    }
  })

  itInChroot("says which znodes may not be read", function* ({ zk }) {
    yield* createAll(zk, families())
    yield* zk.setAcl("/app/12/36", [Acl.world("cdwa")])
    const below = "/app/12/36/"
    for (const multiRead of [false, true]) {
      const found = yield* walked(zk, "/app", { multiRead })
      assert.deepStrictEqual(
        pathsOf(found),
        families().filter((path) => !path.startsWith(below))
      )
      assert.deepStrictEqual(pathsOf(found.filter(({ isForbidden }) => isForbidden)), ["/app/12/36"])
    }
  })

  itInChroot("hands on a znode without its stat where the ACL keeps that back, too", function* ({ zk }) {
    yield* createAll(zk, ["/app", "/app/a", "/app/b", "/app/b/below", "/app/c"])
    const forbidden = (path: string) => new NoAuth({ path, operation: "exists" })
    // As servers since 3.8.4 and 3.9.2 answer.
    const reads: TreeWalk.Reads = {
      stat: (path) => (path === "/app/b" ? Effect.fail(forbidden(path)) : zk.stat(path)),
      getChildrenWithStat: (path) => (path === "/app/b" ? Effect.fail(forbidden(path)) : zk.getChildrenWithStat(path)),
      read: zk.read
    }
    for (const multiRead of [false, true]) {
      const found = yield* walked(reads, "/app", { multiRead })
      assert.deepStrictEqual(pathsOf(found), ["/app", "/app/a", "/app/b", "/app/c"])
      assert.deepInclude(found[2], { stat: undefined, children: [], isForbidden: true })
      const totals = yield* Stream.runCollect(TreeWalk.totals(0)(Stream.fromIterable(found)))
      assert.deepStrictEqual(totals, [{ path: "/app", depth: 0, znodes: 4, bytes: 3 }])
    }
  })

  itInChroot("with skipTooLarge, goes on where a list of children is larger than allowed", function* () {
    const { zk } = yield* connectFresh("walk", { maxFrameSize: 16_384 })
    yield* createAll(zk, ["/app", "/app/a", "/app/b", "/app/c", "/app/c/below"])
    const names = Arr.makeBy(100, (index) => `/app/b/${"n".repeat(200)}-${index}`)
    for (const some of Arr.chunksOf(names, 25)) yield* createAll(zk, some)
    assert.strictEqual((yield* Effect.flip(walked(zk, "/app")))._tag, "FrameTooLarge")
    const found = yield* walked(zk, "/app", { skipTooLarge: true })
    assert.deepStrictEqual(pathsOf(found), ["/app", "/app/a", "/app/b", "/app/c", "/app/c/below"])
    assert.deepStrictEqual(pathsOf(found.filter(({ isTooLarge }) => isTooLarge)), ["/app/b"])
    assert.strictEqual(found[2]?.stat?.numChildren, 100)
  })

  itInChroot("with multiRead, asks once for 64 siblings", function* ({ zk }) {
    yield* createAll(zk, ["/app", ...Arr.makeBy(1_000, (index) => `/app/${index}`)])
    const { counts, reads } = counted(zk)
    assert.lengthOf(yield* walked(reads, "/app", { multiRead: true }), 1_001)
    if (TestServer.isAtLeast("3.6.0")) assert.deepStrictEqual(counts, { single: 5, joint: 16, longest: 64 })
  })

  itInChroot("with multiRead, asks one by one where siblings have much data", function* ({ zk }) {
    yield* createAll(zk, ["/app", ...Arr.makeBy(40, (index) => `/app/${index}`)], "x".repeat(5_000))
    const { counts, reads } = counted(zk)
    assert.lengthOf(yield* walked(reads, "/app", { multiRead: true }), 41)
    assert.deepStrictEqual(counts, { single: 41, joint: 0, longest: 0 })
  })

  itInChroot("with multiRead, goes on one by one after a reply that is larger than allowed", function* () {
    const { zk } = yield* connectFresh("walk", { maxFrameSize: 16_384 })
    const names = Arr.makeBy(60, (index) => `/app/${100 + index}`)
    yield* createAll(zk, ["/app", ...names.slice(0, 4)])
    yield* createAll(zk, names.slice(4), "x".repeat(1_000))
    const { counts, reads } = counted(zk)
    assert.deepStrictEqual(pathsOf(yield* walked(reads, "/app", { multiRead: true })), ["/app", ...names])
    if (TestServer.isAtLeast("3.6.0")) assert.deepStrictEqual(counts, { single: 61, joint: 1, longest: 56 })
  })
})
