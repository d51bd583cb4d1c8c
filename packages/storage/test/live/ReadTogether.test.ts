/** Live trees of which many znodes are read in a request. */
import type { ZooKeeper } from "@effect-zookeeper/client"
import { isAtLeast } from "@effect-zookeeper/test-kit/TestServer"
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { TreeSource } from "../../src/index.ts"
import { describeOnServers, growTree } from "../support/liveTrees.ts"

/** Counts the requests of two kinds, and may have something happen before those that read many znodes. */
const readerOf = (zk: ZooKeeper.Service, before: Effect.Effect<unknown, unknown> = Effect.void) => {
  const counts = { get: 0, read: 0 }
  const reader: TreeSource.LiveReader = {
    ...zk,
    get: (path) => {
      counts.get++
      return zk.get(path)
    },
    read: (ops) => {
      counts.read++
      return Effect.andThen(Effect.orDie(before), zk.read(ops))
    }
  }
  return { counts, reader }
}

/** As on servers that cannot read together. */
const oneByOne = (zk: ZooKeeper.Service): TreeSource.LiveReader => ({
  ...zk,
  session: { ...zk.session, serverFeatures: { ...zk.session.serverFeatures, supports: () => false } }
})

const entriesOf = (zk: TreeSource.LiveReader) =>
  Effect.map(Stream.runCollect(TreeSource.live(zk, { path: "/app" }).entries), Arr.fromIterable)

describeOnServers("a live tree", (it) => {
  it("is the same, however many znodes are read in a request", function* ({ zk }) {
    yield* growTree(zk, "/app", 200).pipe(Random.withSeed("together"))
    const { counts, reader } = readerOf(zk)
    const found = yield* entriesOf(reader)
    assert.deepStrictEqual(found, yield* entriesOf(oneByOne(zk)))
    if (isAtLeast("3.6.0")) assert.isBelow(counts.get, found.length / 2)
  })

  it("takes a request for 64 znodes, and none for the data of empty ones", function* ({ zk }) {
    yield* zk.create("/app")
    yield* Effect.forEach(Arr.range(1, 128), (n) => zk.create(`/app/${n}`, { data: n % 2 === 0 ? "data" : "" }))
    const { counts, reader } = readerOf(zk)
    assert.lengthOf(yield* entriesOf(reader), 129)
    if (isAtLeast("3.6.0")) assert.deepStrictEqual(counts, { get: 1, read: 1 })
  })

  it("leaves znodes to requests of their own that together are large", function* ({ zk }) {
    yield* zk.create("/app")
    yield* Effect.forEach(Arr.range(1, 20), (n) =>
      zk.create(`/app/${n}`, { data: new Uint8Array(n === 7 ? 300_000 : 100_000) })
    )
    const { counts, reader } = readerOf(zk)
    assert.lengthOf(yield* entriesOf(reader), 21)
    if (isAtLeast("3.6.0")) assert.deepStrictEqual(counts, { get: 2, read: 10 })
  })

  it("has each znode as it was at one moment, although it changes between its ACL and its data", function* ({ zk }) {
    yield* zk.create("/app")
    yield* Effect.forEach(Arr.range(10, 40), (n) => zk.create(`/app/${n}`, { data: "0" }))
    yield* zk.create("/app/20/old", { data: "0" })
    const change = Effect.gen(function* () {
      yield* zk.set("/app/15", "1")
      yield* zk.create("/app/20/new", { data: "0" })
      yield* zk.delete("/app/20/old")
      yield* zk.delete("/app/30")
    })
    const { reader } = readerOf(zk, Effect.ignore(change))
    const found = new Map((yield* entriesOf(reader)).map((entry) => [entry.znode.path, entry]))
    const changed = found.get("/app/15")
    assert.strictEqual(new TextDecoder().decode(changed?.znode.data ?? undefined), String(changed?.znode.version))
    assert.strictEqual(changed?.znode.version, isAtLeast("3.6.0") ? 1 : 0)
    const below = [...found.keys()].filter((path) => path.startsWith("/app/20/"))
    assert.deepStrictEqual(below, isAtLeast("3.6.0") ? ["/app/20/new"] : ["/app/20/old"])
    assert.strictEqual(found.get("/app/20")?.numChildren, 1)
    assert.strictEqual(found.has("/app/30"), !isAtLeast("3.6.0"))
  })
})
