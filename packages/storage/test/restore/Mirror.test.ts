import { ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Session from "@effect-zookeeper/session/Session"
import { connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { Diff, Mirror, TreeSource } from "../../src/index.ts"
import { checkInterval, describeOnServers, growTree } from "../support/liveTrees.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** Random writes on a tree, with deletions and recreations. */
const churn = (zk: ZooKeeper.Service, root: string, writes: number) =>
  Effect.gen(function* () {
    const path = Effect.map(
      Effect.all([Random.nextIntBetween(0, 9), Random.nextIntBetween(0, 9)]),
      ([a, b]) => [`${root}/c${a}`, `${root}/c${a}/d${b}`] as const
    )
    yield* Effect.forEach(
      Array.from({ length: writes }),
      () =>
        Effect.gen(function* () {
          const [upper, lower] = yield* path
          switch (yield* Random.nextIntBetween(0, 5)) {
            case 0:
              yield* Effect.ignore(zk.delete(lower))
              break
            case 1:
              yield* Effect.ignore(zk.deleteAll(upper))
              break
            case 2:
              yield* Effect.ignore(zk.create(`${upper}/n-`, { mode: "ephemeralSequential" }))
              break
            default:
              yield* Effect.ignore(zk.createOrSet(lower, `${yield* Random.nextIntBetween(0, 1_000_000)}`))
          }
        }),
      { concurrency: 16, discard: true }
    )
  })

/** Waits until two subtrees are equal. */
const untilEqual = (source: ZooKeeper.Service, from: string, target: ZooKeeper.Service, to: string) =>
  Stream.runCollect(Diff.compare(TreeSource.live(source, { path: from }), TreeSource.live(target, { path: to }))).pipe(
    // The target is not there yet.
    Effect.catchTag("NoNode", (error) => Effect.succeed([error])),
    Effect.tap(() => Effect.sleep("10 millis")),
    Effect.repeat({ until: (differences) => differences.length === 0 }),
    Effect.timeout(isLong ? "10 minutes" : "40 seconds")
  )

describeOnServers("a mirror", (it) => {
  it(
    "follows writes, deletions and counters, and ends equal",
    { timeout: isLong ? 900_000 : 120_000 },
    function* ({ another, zk }) {
      yield* growTree(zk, "/from", 80).pipe(Random.withSeed("mirror"))
      yield* zk.create("/to")
      yield* zk.create("/to/extra")
      const target = yield* another()
      const statuses: Array<Mirror.Status> = []
      const mirror = yield* Mirror.run(zk, target, {
        path: "/from",
        targetPath: "/to",
        deletes: true,
        checkInterval,
        onStatus: (status) => statuses.push(status)
      }).pipe(Effect.forkScoped)
      yield* untilEqual(zk, "/from", target, "/to")
      yield* churn(zk, "/from", isLong ? 60_000 : 400).pipe(Random.withSeed("mirror"))
      yield* untilEqual(zk, "/from", target, "/to")
      assert.isTrue(yield* zk.exists("/from"))
      // The mirror says so when it has raised the numbers, too, and has seen the last event.
      yield* awaitCondition(() => statuses.at(-1)?.phase === "following" && statuses.at(-1)?.lag === 0)
      assert.isAbove(statuses.at(-1)!.written, 50)
      assert.strictEqual((yield* Metric.value(lagOf("/from", "/to"))).value, 0)
      for (const { path } of yield* pathsOf(zk, "/from")) {
        const before = yield* zk.createWithStat(`${path}/n-`, { mode: "persistentSequential" })
        const copy = `/to${path.slice("/from".length)}`
        yield* eventually(target.exists(`/to${before.path.slice("/from".length)}`), (exists) => exists)
        const after = yield* target.create(`${copy}/n-`, { mode: "persistentSequential" })
        assert.isAtLeast(numberOf(after), numberOf(before.path) + 1)
        break
      }
      yield* Fiber.interrupt(mirror)
    }
  )

  it("deletes nothing unless it is asked to", function* ({ zk }) {
    yield* zk.create("/from")
    yield* zk.create("/from/gone")
    yield* zk.create("/to")
    yield* zk.create("/to/own")
    yield* Mirror.run(zk, zk, { path: "/from", targetPath: "/to", checkInterval }).pipe(Effect.forkScoped)
    yield* eventually(zk.exists("/to/gone"), (exists) => exists)
    yield* zk.delete("/from/gone")
    yield* zk.create("/from/last")
    yield* eventually(zk.exists("/to/last"), (exists) => exists)
    assert.isTrue(yield* zk.exists("/to/gone"))
    assert.isTrue(yield* zk.exists("/to/own"))
  })

  it("is refused into the tree that it reads, and around it", function* ({ another, chroot, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/a/b")
    const root = yield* connectTo(yield* Target)
    const inA = yield* (yield* another()).withChroot("/a")
    const wrong = [
      [zk, zk, { path: "/a", targetPath: "/a/copy" }, "the copy would be copied again, without end"],
      [zk, zk, { path: "/", targetPath: "/copy" }, "without end"],
      [zk, zk, { path: "/a/b", targetPath: "/a", deletes: true }, "the copy would be written over it"],
      [zk, zk, { path: "/a" }, "must not be the tree that is read"],
      // Other sessions, with other chroots.
      [yield* another(), zk, { path: "/a", targetPath: "/a/b/c" }, "without end"],
      [zk, inA, { path: "/a", targetPath: "/copy" }, "without end"],
      [inA, zk, { path: "/b", targetPath: "/" }, "written over it"],
      [inA, root, { path: "/", targetPath: `${chroot}/a` }, "must not be the tree that is read"]
    ] as const
    for (const [from, to, options, rule] of wrong) {
      const error = yield* Effect.flip(Mirror.run(from, to, { ...options, checkInterval }))
      assert.deepInclude(error, { _tag: "InvalidArgument", argument: "targetPath" })
      assert.include(error.message, rule)
    }
    assert.deepStrictEqual(yield* zk.getChildren("/a"), ["b"])
    assert.deepStrictEqual(yield* zk.getChildren("/a/b"), [])
  })

  it("says which numbers it has not raised, and why, until they are", function* ({ zk }) {
    for (const path of ["/from", "/from/queue", "/from/gone"]) yield* zk.create(path)
    const raise = (path: string, count: number) =>
      Effect.forEach(
        Array.from({ length: count }),
        () => Effect.flatMap(zk.create(`${path}/n-`, { mode: "persistentSequential" }), (made) => zk.delete(made)),
        { discard: true }
      )
    yield* raise("/from/queue", 25)
    yield* raise("/from/gone", 12)
    let status: Mirror.Status | undefined
    yield* Mirror.run(zk, zk, {
      path: "/from",
      targetPath: "/to",
      maxRaise: 10,
      checkInterval: "200 millis",
      onStatus: (latest) => {
        status = latest
      }
    }).pipe(Effect.forkScoped)
    const limited = { _tag: "NotRaised", from: 0, reason: "limit" } as const
    yield* awaitCondition(() => status?.notRaised.length === 2)
    assert.sameDeepMembers(
      [...status!.notRaised],
      [
        { ...limited, path: "/to/queue", to: 25 },
        { ...limited, path: "/to/gone", to: 12 }
      ]
    )
    yield* zk.delete("/from/gone")
    yield* raise("/from/queue", 1)
    // With the last of these ten are left, which the mirror raises at once: one more would be raised by itself.
    yield* raise("/to/queue", 16)
    yield* awaitCondition(() => status?.notRaised.length === 0)
    assert.strictEqual(numberOf(yield* zk.create("/to/queue/n-", { mode: "persistentSequential" })), 26)
  })

  it(
    "catches up after lost connections on both sides",
    { timeout: isLong ? 900_000 : 120_000 },
    function* ({ chroot, zk }) {
      yield* growTree(zk, "/from", 30).pipe(Random.withSeed("links"))
      const server = yield* Target
      const fromLink = yield* server.link
      const toLink = yield* server.link
      const from = yield* connectTo(fromLink, { chroot })
      const to = yield* connectTo(toLink, { chroot })
      const options = { path: "/from", targetPath: "/to", deletes: true, checkInterval } as const
      yield* Mirror.run(from, to, options).pipe(Effect.forkScoped)
      for (let round = 0; round < (isLong ? 50 : 3); round++) {
        for (const link of [fromLink, toLink]) {
          yield* link.cut
          yield* churn(zk, "/from", 30).pipe(Random.withSeed(`links ${round}`))
          yield* link.heal
          yield* churn(zk, "/from", 30).pipe(Random.withSeed(`more ${round}`))
        }
      }
      yield* untilEqual(zk, "/from", zk, "/to")
    }
  )

  it("tells a zxid when the changes up to it are in the target, and not before", function* ({ zk }) {
    for (const path of ["/from", "/from/a", "/from/b"]) yield* zk.create(path)
    let isAwaited = false
    let changed: bigint | undefined
    // The event of a change comes together with the reply that tells the newest transaction.
    const from: ZooKeeper.Service = {
      ...zk,
      stat: (path) =>
        Effect.suspend(() => {
          if (!isAwaited) return zk.stat(path)
          isAwaited = false
          const change = Effect.map(zk.setData("/from/b", "second"), ({ mzxid }) => {
            changed = mzxid
          })
          return Effect.andThen(Effect.forkChild(change, { startImmediately: true }), zk.stat(path))
        })
    }
    const statuses: Array<Mirror.Status> = []
    let written: number | undefined
    yield* Mirror.run(from, zk, {
      path: "/from",
      targetPath: "/to",
      checkInterval,
      onStatus: (status) => {
        statuses.push(status)
        if (changed !== undefined && status.zxid >= changed) written ??= status.written
      }
    }).pipe(Effect.forkScoped)
    yield* awaitCondition(() => statuses.at(-1)?.phase === "following")
    const before = statuses.at(-1)!.written
    isAwaited = true
    yield* zk.setData("/from/a", "first")
    yield* awaitCondition(() => written !== undefined)
    assert.strictEqual(written, before + 2)
  })

  it("tells how far it is behind also while a side does not answer", function* ({ chroot, zk }) {
    yield* zk.create("/from")
    const server = yield* Target
    const [fromLink, toLink] = [yield* server.link, yield* server.link]
    const from = yield* connectTo(fromLink, { chroot })
    const to = yield* connectTo(toLink, { chroot })
    let latest: Mirror.Status | undefined
    const options = { path: "/from", targetPath: "/to", checkInterval } as const
    yield* Mirror.run(from, to, {
      ...options,
      onStatus: (status) => {
        latest = status
      }
    }).pipe(Effect.forkScoped)
    const isCurrent = () => latest?.phase === "following" && latest.lag === 0
    for (const [at, link] of [toLink, fromLink].entries()) {
      yield* awaitCondition(isCurrent)
      yield* link.cut
      yield* zk.create(`/from/${at}`)
      yield* awaitCondition(() => (latest?.lag ?? 0) > 1000)
      yield* link.heal
      yield* eventually(zk.exists(`/to/${at}`), (exists) => exists)
    }
    yield* awaitCondition(isCurrent)
  })
})

describe("a mirror between ensembles", () => {
  it.live("goes to the same path, also where both have the same transactions", () =>
    Effect.gen(function* () {
      const ensemble = Effect.gen(function* () {
        const zk = Context.get(yield* Layer.build(Layer.fresh(memory)), ZooKeeper.ZooKeeper)
        yield* zk.create("/a")
        return zk
      })
      const [from, to] = [yield* ensemble, yield* ensemble]
      yield* from.create("/a/b")
      yield* Effect.forkScoped(Mirror.run(from, to, { path: "/a" }))
      yield* eventually(to.exists("/a/b"), (exists) => exists)
    })
  )
})

const memory = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer()), Layer.provide(EmbeddedServer.layerMemory))

const lagOf = (path: string, targetPath: string) => Metric.withAttributes(Mirror.lag, { path, targetPath })

const pathsOf = (zk: ZooKeeper.Service, path: string) =>
  Stream.runCollect(Stream.map(TreeSource.live(zk, { path }).entries, ({ znode }) => znode)).pipe(
    Effect.map((znodes) => znodes.filter(({ owner }) => owner === 0n))
  )

const numberOf = (path: string): number => Number(path.slice(-10))
