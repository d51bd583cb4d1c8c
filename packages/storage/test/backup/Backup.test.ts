import { Acl, Op, ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Session from "@effect-zookeeper/session/Session"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { Backup, BackupFile, Restore, TreeSource } from "../../src/index.ts"
import { describeOnServers, differences, growTree, interruptedAfter, lowerCounters } from "../support/liveTrees.ts"

const isLong = process.env["ZK_LONG"] === "1"

const none = { Create: 0, Overwrite: 0, Same: 0, Leave: 0, Skip: 0, Raise: 0, NotRaised: 0 }

describeOnServers("a backup", (it) => {
  it("has the whole tree, and is restored as it was", function* ({ file, zk }) {
    const paths = yield* growTree(zk, "/app", 150).pipe(Random.withSeed("whole"))
    const { header, passes, resumed } = yield* Backup.make(zk, file("app.ndjson.gz"), { path: "/app" })
    assert.deepInclude(header, { path: "/app", isConsistent: true, ephemerals: 0, unreadable: [] })
    assert.strictEqual(header.znodes, paths.length)
    assert.strictEqual(resumed, 0)
    assert.isAtLeast(passes, 1)
    assert.isFalse(Fs.existsSync(file("app.ndjson.gz.partial")))
    const source = yield* TreeSource.backup(file("app.ndjson.gz"))
    assert.deepStrictEqual(yield* differences(source, TreeSource.live(zk, { path: "/app" }), { counters: true }), [])

    const summary = yield* Restore.run(source, zk, { path: "/restored/app" })
    assert.deepInclude(summary, { Create: paths.length, Leave: 0, Skip: 0, NotRaised: 0 })
    const restored = TreeSource.live(zk, { path: "/restored/app" })
    assert.deepStrictEqual(yield* differences(source, restored, { counters: true }), [])
    assert.deepStrictEqual(yield* Restore.run(source, zk, { path: "/restored/app" }), { ...none, Same: paths.length })
  })

  it("is of one moment, although the tree is written to all the time", { timeout: 60_000 }, function* ({ file, zk }) {
    yield* growTree(zk, "/app", 100).pipe(Random.withSeed("moment"))
    yield* zk.create("/app/0-first", { data: "0" })
    yield* zk.create("/app/zz-last", { data: "0" })
    let written = 0
    // Between two writes there is time for some requests, however slow the machine is.
    const write = Effect.suspend(() =>
      zk.transaction([Op.setData("/app/0-first", `${++written}`), Op.setData("/app/zz-last", `${written}`)])
    ).pipe(
      Effect.timed,
      Effect.flatMap(([took]) => Effect.sleep(Duration.sum(Duration.times(took, 10), Duration.millis(10)))),
      Effect.forever
    )
    const writer = yield* Effect.forkChild(write)
    // The first write is there when the second one begins.
    yield* awaitCondition(() => written > 1)
    const { header } = yield* Backup.make(zk, file("app.ndjson"), { path: "/app" })
    yield* Fiber.interrupt(writer)
    assert.isTrue(header.isConsistent)
    const values = new Map<string, string>()
    yield* Stream.runForEach(BackupFile.read(file("app.ndjson")), ({ znode }) =>
      Effect.sync(() => values.set(znode.path, new TextDecoder().decode(znode.data ?? new Uint8Array(0))))
    )
    assert.isAbove(Number(values.get("/app/0-first")), 0)
    assert.strictEqual(values.get("/app/0-first"), values.get("/app/zz-last"))
    assert.isTrue(BigInt(header.to) >= BigInt(header.from))
  })

  it("goes on after an interruption at any moment, and reads only what has changed since", function* ({ file, zk }) {
    const paths = yield* growTree(zk, "/app", 120).pipe(Random.withSeed("resume"))
    const name = file("app.ndjson.gz")
    yield* interruptedAfter(zk, Math.floor(paths.length / 2), (limited) =>
      Backup.make(limited, name, { path: "/app", concurrency: 4 })
    )
    assert.isFalse(Fs.existsSync(name))
    // A process that is killed leaves half of a line.
    Fs.appendFileSync(`${name}.partial`, '{"path":"/app/half","acl":[')
    yield* zk.setData(paths[1]!, "changed meanwhile")
    yield* zk.deleteAll(paths.at(-1)!)
    yield* zk.create("/app/new", { data: "new" })
    let reads = 0
    const counted: typeof zk = {
      ...zk,
      get: (path) =>
        Effect.andThen(
          Effect.sync(() => reads++),
          zk.get(path)
        )
    }
    const { header, resumed } = yield* Backup.make(counted, name, { path: "/app" })
    assert.isAbove(resumed, 0)
    assert.isBelow(reads, header.znodes)
    assert.isTrue(header.isConsistent)
    const source = yield* TreeSource.backup(name)
    assert.deepStrictEqual(yield* differences(source, TreeSource.live(zk, { path: "/app" }), { counters: true }), [])
  })

  it("is not mixed with the rest of another one, and replaces no file", function* ({ file, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/b")
    const name = file("one.ndjson")
    yield* interruptedAfter(zk, 0, (limited) => Backup.make(limited, name, { path: "/a" }))
    const mixed = yield* Effect.flip(Backup.make(zk, name, { path: "/b" }))
    assert.include(mixed.message, "complete that one, or remove the file")
    yield* Backup.make(zk, name, { path: "/b", resume: false })
    const refused = yield* Effect.flip(Backup.make(zk, name, { path: "/b" }))
    assert.include(refused.message, "it exists already")
    yield* Backup.make(zk, name, { path: "/a", overwrite: true })
    assert.strictEqual((yield* BackupFile.readHeader(name)).path, "/a")
  })

  it("is not mixed with that of another chroot, whose znodes have the same transactions", function* ({ file, zk }) {
    yield* zk.transaction([Op.create("/one"), Op.create("/two")])
    yield* zk.transaction([Op.create("/one/x", { data: "1" }), Op.create("/two/x", { data: "2" })])
    const name = file("x.ndjson")
    yield* interruptedAfter(yield* zk.withChroot("/one"), 1, (one) => Backup.make(one, name, { concurrency: 1 }))
    const error = yield* Effect.flip(Backup.make(yield* zk.withChroot("/two"), name, {}))
    assert.include(error.message, "another path or chroot")
  })

  it("tells how much of the file is written", function* ({ file, zk }) {
    yield* zk.create("/app")
    for (let index = 0; index < 8; index++) yield* zk.create(`/app/${index}`, { data: "x".repeat(150_000) })
    const written: Array<number> = []
    const { header } = yield* Backup.make(zk, file("app.ndjson.gz"), {
      path: "/app",
      onProgress: ({ done, phase, total }) => {
        if (phase !== "writing") return
        assert.strictEqual(total, 9)
        written.push(done)
      }
    })
    assert.strictEqual(header.znodes, 9)
    assert.deepStrictEqual(
      written,
      written.toSorted((a, b) => a - b)
    )
    assert.isAbove(new Set(written).size, 3)
    assert.deepStrictEqual([written[0], written.at(-1)], [0, 9])
  })

  it("has nothing of a znode that may no longer be read, and names it", function* ({ file, zk }) {
    for (const path of ["/app", "/app/x", "/app/x/below"]) yield* zk.create(path, { data: "1" })
    yield* zk.create("/app/y")
    const name = file("app.ndjson")
    yield* interruptedAfter(zk, 3, (limited) => Backup.make(limited, name, { path: "/app", concurrency: 1 }))
    for (const path of ["/app/x", "/app/y"]) yield* zk.setAcl(path, [Acl.world("cdwa")])
    const { header, resumed } = yield* Backup.make(zk, name, { path: "/app", unreadable: "skip" })
    assert.isAbove(resumed, 1)
    assert.deepStrictEqual(header.unreadable, ["/app/x", "/app/y"])
    assert.deepStrictEqual(yield* pathsIn(name), ["/app"])
  })

  it("has nothing below a znode that may no longer be read in the last moment", function* ({ file, zk }) {
    for (const path of ["/app", "/app/x", "/app/x/below"]) yield* zk.create(path, { data: "1" })
    let phase = "before"
    let hasWritten = false
    const changing: typeof zk = {
      ...zk,
      get: (path) => {
        if (hasWritten || path !== "/app/x") return zk.get(path)
        hasWritten = true
        // So that the tree is looked at again.
        return Effect.andThen(Effect.orDie(zk.setData("/app", "2")), zk.get(path))
      },
      sync: (path) => {
        if (phase !== "checking") return zk.sync(path)
        phase = "done"
        const change = Effect.andThen(zk.setAcl("/app/x", [Acl.world("cdwa")]), zk.create("/app/x/new"))
        return Effect.andThen(Effect.orDie(change), zk.sync(path))
      }
    }
    const { header } = yield* Backup.make(changing, file("app.ndjson"), {
      path: "/app",
      unreadable: "skip",
      onProgress: (progress) => {
        if (phase !== "done") phase = progress.phase
      }
    })
    assert.deepStrictEqual(header.unreadable, ["/app/x"])
    assert.deepStrictEqual(yield* pathsIn(file("app.ndjson")), ["/app"])
  })

  it("does not name a znode that may be read again, or that is gone", function* ({ file, zk }) {
    yield* zk.create("/app")
    for (const path of ["/app/x", "/app/gone"]) yield* zk.create(path, { acl: [Acl.world("cdwa")] })
    let isChanged = false
    const changing: typeof zk = {
      ...zk,
      get: (path) =>
        Effect.tapError(zk.get(path), () => {
          if (isChanged || path !== "/app/x") return Effect.void
          isChanged = true
          return Effect.orDie(Effect.andThen(zk.setAcl("/app/x", Acl.open), zk.delete("/app/gone")))
        })
    }
    const { header, passes } = yield* Backup.make(changing, file("app.ndjson"), {
      path: "/app",
      concurrency: 1,
      unreadable: "skip"
    })
    assert.isAbove(passes, 1)
    assert.deepStrictEqual(header.unreadable, [])
    assert.deepStrictEqual(yield* pathsIn(file("app.ndjson")), ["/app", "/app/x"])
  })

  it("lists ephemeral znodes, and a restore skips them", function* ({ another, file, zk }) {
    yield* zk.create("/app")
    yield* zk.create("/app/lock")
    const other = yield* another()
    yield* other.create("/app/lock/held", { mode: "ephemeral", data: "mine" })
    const { header } = yield* Backup.make(zk, file("app.ndjson"), { path: "/app" })
    assert.strictEqual(header.ephemerals, 1)
    const source = yield* TreeSource.backup(file("app.ndjson"))
    const steps: Array<Restore.Step> = []
    yield* Restore.run(source, zk, { path: "/copy", onStep: (step) => steps.push(step) })
    assert.deepInclude(steps, { _tag: "Skip", path: "/copy/lock/held", session: other.session.id })
    assert.deepStrictEqual(yield* zk.getChildren("/copy/lock"), [])
    assert.deepStrictEqual(yield* differences(source, TreeSource.live(zk, { path: "/copy" })), [])
  })

  it("fails at a znode that may not be read, or leaves it out and names it", function* ({ another, file, zk }) {
    yield* zk.create("/app")
    yield* zk.create("/app/secret")
    yield* zk.create("/app/secret/below")
    yield* zk.setAcl("/app/secret", [{ perms: 2, scheme: "world", id: "anyone" }])
    const error = yield* Effect.flip(Backup.make(zk, file("app.ndjson"), { path: "/app" }))
    assert.strictEqual(error._tag, "NoAuth")
    const { header } = yield* Backup.make(zk, file("app.ndjson"), { path: "/app", unreadable: "skip" })
    assert.deepStrictEqual(header.unreadable, ["/app/secret"])
    assert.strictEqual(header.znodes, 1)
    const all = yield* Backup.make(yield* another({ isSuper: true }), file("all.ndjson"), { path: "/app" })
    assert.strictEqual(all.header.znodes, 3)
  })

  it("of a root leaves out the znodes of the servers", function* ({ file, zk }) {
    yield* zk.create("/zookeeper")
    yield* zk.create("/zookeeper/quota")
    yield* zk.create("/app")
    const { header } = yield* Backup.make(zk, file("all.ndjson"))
    assert.strictEqual(header.znodes, 2)
  })

  it(
    "in seeded rounds: interrupted at a random moment, resumed, restored into an empty and into a used tree",
    { timeout: isLong ? 1_200_000 : 90_000 },
    function* ({ file, zk }) {
      for (let seed = 0; seed < (isLong ? 100 : 4); seed++) {
        yield* Effect.gen(function* () {
          const root = `/round-${seed}`
          const paths = yield* growTree(zk, root, 60)
          const name = file(`${seed}.ndjson${seed % 2 === 0 ? ".gz" : ""}`)
          const moment = Random.nextIntBetween(0, 80)
          yield* interruptedAfter(zk, yield* moment, (limited) =>
            Backup.make(limited, name, { path: root, concurrency: 8 })
          )
          yield* growTree(zk, root, 10)
          yield* Effect.ignore(zk.deleteAll(paths[(yield* moment) % paths.length] ?? root)).pipe(
            Effect.when(Effect.succeed(paths.length > 1 && seed % 3 === 0))
          )
          if (!(yield* zk.exists(root))) yield* growTree(zk, root, 20)
          if (!Fs.existsSync(name)) yield* Backup.make(zk, name, { path: root })
          else yield* Backup.make(zk, name, { path: root, overwrite: true })
          const source = yield* TreeSource.backup(name)

          // Into an empty tree, interrupted twice.
          for (let times = 0; times < 2; times++) {
            yield* interruptedAfter(zk, yield* Random.nextIntBetween(0, 6), (limited) =>
              Restore.run(source, limited, { path: `/empty-${seed}` })
            )
          }
          yield* Restore.run(source, zk, { path: `/empty-${seed}` })
          const empty = TreeSource.live(zk, { path: `/empty-${seed}` })
          assert.deepStrictEqual(yield* differences(source, empty, { counters: true }), [], `seed ${seed}`)

          // Into a used one, whose own znodes stay.
          const used = yield* growTree(zk, `/used-${seed}`, 30)
          yield* Restore.run(source, zk, { path: `/used-${seed}`, overwrite: "always" })
          const live = TreeSource.live(zk, { path: `/used-${seed}` })
          assert.deepStrictEqual(yield* lowerCounters(source, live), [], `seed ${seed}`)
          const left = yield* differences(source, live)
          assert.isTrue(
            left.every(({ _tag }) => _tag === "OnlyRight"),
            JSON.stringify(left)
          )
          for (const path of used) assert.isTrue(yield* zk.exists(path))
        }).pipe(Random.withSeed(`round ${seed}`))
      }
    }
  )
})

const pathsIn = (file: string) => Stream.runCollect(Stream.map(BackupFile.read(file), ({ znode }) => znode.path))

describe("a backup that is completed from another ensemble", () => {
  it.live("has the data of that one alone, though both have the same transactions", () =>
    Effect.gen(function* () {
      const folder = yield* TemporaryFolder.make("storage-")
      const ensemble = Effect.fnUntraced(function* (data: string) {
        const zk = Context.get(yield* Layer.build(Layer.fresh(memory)), ZooKeeper.ZooKeeper)
        for (const path of ["/app", "/app/a", "/app/b"]) yield* zk.create(path, { data })
        // Servers know times to the millisecond.
        yield* Effect.sleep("5 millis")
        return zk
      })
      const [first, second] = [yield* ensemble("first"), yield* ensemble("second")]
      const file = `${folder}/app.ndjson`
      yield* interruptedAfter(first, 2, (limited) => Backup.make(limited, file, { path: "/app", concurrency: 1 }))
      yield* Backup.make(second, file, { path: "/app" })
      const data: Array<string> = []
      yield* Stream.runForEach(BackupFile.read(file), ({ znode }) =>
        Effect.sync(() => data.push(new TextDecoder().decode(znode.data ?? new Uint8Array(0))))
      )
      assert.deepStrictEqual(data, ["second", "second", "second"])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})

const memory = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer()), Layer.provide(EmbeddedServer.layerMemory))
