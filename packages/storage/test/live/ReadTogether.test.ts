/** Live trees of which many znodes are read in a request. */
import { Acl, Op, type ZooKeeper } from "@effect-zookeeper/client"
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import { connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import { isAtLeast } from "@effect-zookeeper/test-kit/TestServer"
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { Backup, Restore, TreeSource } from "../../src/index.ts"
import type { Entry } from "../../src/internal/live/model.ts"
import type { Known } from "../../src/internal/live/readZnode.ts"
import { TreeFollower } from "../../src/internal/live/TreeFollower.ts"
import { describeOnServers, growTree } from "../support/liveTrees.ts"

/** Counts the requests of some kinds, and may have something happen before those that read many znodes. */
const readerOf = (zk: ZooKeeper.Service, before: Effect.Effect<unknown, unknown> = Effect.void) => {
  const counts = { get: 0, read: 0 }
  const others = { getAcl: 0, getChildrenWithStat: 0 }
  const reader: ZooKeeper.Service = {
    ...zk,
    get: (path) => {
      counts.get++
      return zk.get(path)
    },
    getAcl: (path) => {
      others.getAcl++
      return zk.getAcl(path)
    },
    getChildrenWithStat: (path) => {
      others.getChildrenWithStat++
      return zk.getChildrenWithStat(path)
    },
    read: (ops) => {
      counts.read++
      return Effect.andThen(Effect.orDie(before), zk.read(ops))
    }
  }
  return { counts, others, reader }
}

/** Counts the connections that a client loses from now on. */
const countLosses = Effect.fnUntraced(function* ({ session }: ZooKeeper.Service) {
  const lost = { times: 0 }
  yield* session.states.pipe(
    Stream.runForEach(({ _tag }) =>
      Effect.sync(() => {
        if (_tag === "Disconnected") lost.times++
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  return lost
})

/** A tree of small znodes, half of which can grow, and a client whose replies have room for a group as it was. */
const growing = Effect.fnUntraced(function* (zk: ZooKeeper.Service, chroot: string) {
  const paths = Arr.range(100, 611).map((n) => `/app/${n}`)
  yield* zk.transaction([Op.create("/app"), ...paths.map((path) => Op.create(path, { data: "data" }))])
  const half = paths.filter((_, index) => index % 2 === 0)
  const data = new Uint8Array(30_000)
  const grow = Effect.forEach(
    Arr.chunksOf(half, 30),
    (some) => zk.transaction(some.map((path) => Op.setData(path, data))),
    { discard: true }
  )
  const client = yield* connectTo(yield* Target, { chroot, maxFrameSize: 300_000 })
  return { client, grow, grown: half, lost: yield* countLosses(client) }
})

const sorted = (entries: Iterable<Entry>) => [...entries].toSorted((a, b) => (a.znode.path < b.znode.path ? -1 : 1))

/** Follows the tree of `/app` in passes, each of which gives the paths of what has come, changed or gone. */
const followerOf = (zk: TreeSource.LiveReader) => {
  const entries = new Map<string, Entry>()
  const follower = new TreeFollower({
    zk,
    root: "/app",
    concurrency: 256,
    ownerOf: undefined,
    skipsUnreadable: false,
    known: new Map<string, Known>(),
    onRead: (some) =>
      Effect.sync(() => {
        for (const entry of some) entries.set(entry.znode.path, entry)
      }),
    onGone: (paths) =>
      Effect.sync(() => {
        for (const path of paths) entries.delete(path)
      }),
    onVisited: () => {}
  })
  return { entries, pass: Effect.map(follower.pass, (changed) => [...changed].toSorted()) }
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

  it("is read with the ACLs that several clients ask for, each for a part of them", function* ({ chroot, zk }) {
    yield* growTree(zk, "/app", 200).pipe(Random.withSeed("shared"))
    const expected = yield* entriesOf(zk)
    const target = yield* Target
    const more = [yield* connectTo(target, { chroot }), yield* connectTo(target, { chroot })].map((one) =>
      readerOf(one)
    )
    const { others, reader } = readerOf(zk)
    const aclReaders = more.map(({ reader }) => reader)
    const shared = TreeSource.live(reader, { path: "/app", aclReaders }).entries
    assert.deepStrictEqual(Arr.fromIterable(yield* Stream.runCollect(shared)), expected)
    const asked = [others, ...more.map(({ others }) => others)].map(({ getAcl }) => getAcl)
    if (isAtLeast("3.6.0")) for (const count of asked) assert.isAbove(count, expected.length / 10)
  })

  it("is as its own client reads it, whatever another one that asks for ACLs says", function* ({ zk }) {
    const paths = ["/app", ...Arr.range(100, 150).map((n) => `/app/${n}`)]
    for (const [index, path] of paths.entries()) yield* zk.create(path, { data: index % 2 === 0 ? "" : "data" })
    // A server that lags behind: these ACLs and Stats are of before.
    const before = new Map(
      yield* Effect.forEach(paths, (path) => Effect.map(zk.getAcl(path), (acl) => [path, acl] as const))
    )
    const late: TreeSource.LiveReader = { ...zk, getAcl: (path) => Effect.succeed(before.get(path)!) }
    const deaf: TreeSource.LiveReader = {
      ...zk,
      getAcl: (path) => Effect.fail(new ConnectionLoss({ path, operation: "getAcl", maybeApplied: false }))
    }
    for (const path of paths) {
      yield* zk.set(path, "newer")
      yield* zk.setAcl(path, [{ perms: 15, scheme: "world", id: "anyone" }])
    }
    const expected = yield* entriesOf(zk)
    for (const aclReaders of [[late], [deaf], [late, deaf, late]]) {
      const { entries } = TreeSource.live(zk, { path: "/app", aclReaders })
      assert.deepStrictEqual(Arr.fromIterable(yield* Stream.runCollect(entries)), expected)
      // The same of a restore that looks at what is there.
      const source = { ...TreeSource.live(zk, { path: "/app" }), client: undefined }
      const steps = Stream.runCollect(Restore.plan(source, zk, { aclReaders }))
      assert.deepStrictEqual([...new Set(Arr.map(yield* steps, ({ _tag }) => _tag))], ["Same"])
    }
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

  it("is looked at again with a request for 64 znodes, and only what has changed is read", function* ({ zk }) {
    yield* zk.create("/app")
    const paths = Arr.range(100, 299).map((n) => `/app/${n}`)
    yield* Effect.forEach(paths, (path) => zk.create(path, { data: "data" }))
    yield* zk.create("/app/100/old", { data: "0" })
    yield* zk.setData("/app/110", new Uint8Array(5_000))
    const { counts, others, reader } = readerOf(zk)
    const { entries, pass } = followerOf(reader)
    assert.lengthOf(yield* pass, 202)
    Object.assign(counts, { get: 0, read: 0 })
    Object.assign(others, { getAcl: 0, getChildrenWithStat: 0 })
    assert.deepStrictEqual(yield* pass, [])
    // By themselves: the root, its only grandchild, and what is large.
    const expected = { get: 0, read: 4, getAcl: 0, getChildrenWithStat: 3 }
    if (isAtLeast("3.6.0")) assert.deepStrictEqual({ ...counts, ...others }, expected)

    yield* zk.setData("/app/120", "1")
    yield* zk.setAcl("/app/130", Acl.readOnly)
    yield* zk.delete("/app/140")
    yield* zk.delete("/app/100/old")
    yield* zk.create("/app/100/new")
    yield* zk.create("/app/150/first", { data: "0" })
    yield* zk.delete("/app/160")
    yield* zk.create("/app/160", { data: "data" })
    const changed = ["/app", "/app/100", "/app/100/new", "/app/100/old", "/app/120", "/app/130", "/app/140", "/app/150"]
    assert.deepStrictEqual(yield* pass, [...changed, "/app/150/first", "/app/160"])
    assert.deepStrictEqual(sorted(entries.values()), sorted(yield* entriesOf(oneByOne(zk))))
    assert.deepStrictEqual(yield* pass, [])
  })

  it("has no znode as it was known, although it changes while it is looked at again", function* ({ zk }) {
    yield* zk.create("/app")
    const paths = Arr.range(10, 60).map((n) => `/app/${n}`)
    yield* Effect.forEach(paths, (path) => zk.create(path, { data: "0" }))
    yield* zk.create("/app/20/old", { data: "0" })
    let change: Effect.Effect<unknown, unknown> = Effect.void
    const { reader } = readerOf(
      zk,
      Effect.suspend(() => {
        const once = change
        change = Effect.void
        return once
      })
    )
    const { entries, pass } = followerOf(reader)
    yield* pass
    change = Effect.andThen(
      zk.transaction([Op.setData("/app/15", "1"), Op.create("/app/20/new"), Op.delete("/app/20/old")]),
      zk.delete("/app/30")
    )
    yield* pass
    yield* pass
    assert.deepStrictEqual(sorted(entries.values()), sorted(yield* entriesOf(oneByOne(zk))))
  })

  it("costs one connection in a pass in which many znodes have grown", function* ({ chroot, zk }) {
    const { client, grow, grown, lost } = yield* growing(zk, chroot)
    const { counts, reader } = readerOf(client)
    const { entries, pass } = followerOf(reader)
    yield* pass
    yield* grow
    assert.deepStrictEqual(yield* pass, grown)
    assert.strictEqual(lost.times, isAtLeast("3.6.0") ? 1 : 0)
    assert.deepStrictEqual(sorted(entries.values()), sorted(yield* entriesOf(oneByOne(zk))))
    // The next pass knows how large they are.
    counts.read = 0
    assert.deepStrictEqual(yield* pass, [])
    assert.strictEqual(lost.times, isAtLeast("3.6.0") ? 1 : 0)
    if (isAtLeast("3.6.0")) assert.isAbove(counts.read, 3)
  })

  it("costs one connection in all passes of a client whose replies have no room for a group", function* ({
    chroot,
    zk
  }) {
    const paths = Arr.range(100, 299).map((n) => `/app/${n}`)
    const data = new Uint8Array(2000)
    yield* zk.transaction([Op.create("/app"), ...paths.map((path) => Op.create(path, { data }))])
    const client = yield* connectTo(yield* Target, { chroot, maxFrameSize: 50_000 })
    const lost = yield* countLosses(client)
    const { counts, reader } = readerOf(client)
    const { entries, pass } = followerOf(reader)
    assert.lengthOf(yield* pass, 201)
    counts.read = 0
    assert.deepStrictEqual(yield* pass, [])
    assert.strictEqual(lost.times, isAtLeast("3.6.0") ? 1 : 0)
    if (isAtLeast("3.6.0")) assert.isAbove(counts.read, 10)
    assert.deepStrictEqual(sorted(entries.values()), sorted(yield* entriesOf(oneByOne(zk))))
  })

  it("costs one connection in a restore in which many znodes grow", function* ({ chroot, file, zk }) {
    const { client, grow, grown, lost } = yield* growing(zk, chroot)
    yield* Backup.make(zk, file("app.ndjson"), { path: "/app" })
    const source = yield* TreeSource.backup(file("app.ndjson"))
    // After their sizes were seen, and before they are read.
    const { reader } = readerOf(client, yield* Effect.cached(grow))
    const left = isAtLeast("3.6.0") ? grown.length : 0
    assert.deepInclude(yield* Restore.run(source, reader), { Create: 0, Overwrite: 0, Same: 513 - left, Leave: left })
    assert.strictEqual(lost.times, isAtLeast("3.6.0") ? 1 : 0)
  })

  it("is compared with a backup by a request for 64 znodes, before it is restored", function* ({ file, zk }) {
    yield* zk.create("/app")
    yield* Effect.forEach(Arr.range(100, 227), (n) => zk.create(`/app/${n}`, { data: "data" }))
    yield* Backup.make(zk, file("app.ndjson"), { path: "/app" })
    const source = yield* TreeSource.backup(file("app.ndjson"))
    yield* zk.setData("/app/150", "newer")
    yield* zk.delete("/app/151")
    const { counts, reader } = readerOf(zk)
    assert.deepInclude(yield* Restore.run(source, reader), { Create: 1, Overwrite: 0, Same: 127, Leave: 1 })
    if (isAtLeast("3.6.0")) assert.isBelow(counts.get + counts.read, 10)
  })

  it("is asked for data and ACLs at once when it is compared, for their size is known", function* ({ file, zk }) {
    yield* zk.create("/app")
    yield* Effect.forEach(Arr.range(100, 227), (n) => zk.create(`/app/${n}`, { data: "data" }))
    yield* Backup.make(zk, file("app.ndjson"), { path: "/app" })
    const source = yield* TreeSource.backup(file("app.ndjson"))
    const isAsked = yield* Latch.make(!isAtLeast("3.6.0"))
    const waiting: ZooKeeper.Service = {
      ...zk,
      getAcl: (path) => Effect.andThen(isAsked.await, zk.getAcl(path)),
      read: (ops) => Effect.andThen(isAsked.open, zk.read(ops))
    }
    assert.deepInclude(yield* Restore.run(source, waiting), { Create: 0, Same: 129, Leave: 0 })
  })
})
