/** Changes at the worst moment, and writes whose replies never came, after which a mirror must be right. */
import { Acl, ConnectionLoss, Op, SessionExpired, type ZooKeeper } from "@effect-zookeeper/client"
import type { DataAndStat } from "@effect-zookeeper/client/Models"
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Mirror } from "../../src/index.ts"
import { checkInterval, describeOnServers } from "../support/liveTrees.ts"

const options = { path: "/from", targetPath: "/to", deletes: true, checkInterval } as const

/** A mirror that has looked at the whole tree once, and how often it has begun to do so again. */
const following = Effect.fnUntraced(function* (from: ZooKeeper.Service, to: ZooKeeper.Service) {
  const looks = { begun: 0 }
  let isFollowing = false
  const mirror = yield* Mirror.run(from, to, {
    ...options,
    onStatus: ({ phase }) => {
      if (phase === "catchingUp" && isFollowing) looks.begun++
      isFollowing = phase === "following"
    }
  }).pipe(Effect.forkScoped)
  yield* awaitCondition(() => isFollowing)
  return { looks, mirror }
})

const textAt = (zk: ZooKeeper.Service, path: string) =>
  zk.getData(path).pipe(
    Effect.map((data) => new TextDecoder().decode(data)),
    Effect.catchTag("NoNode", () => Effect.succeed("none"))
  )

const isGone = (zk: ZooKeeper.Service, path: string) => eventually(zk.exists(path), (exists) => !exists)

describeOnServers("a mirror in an unlucky moment", (it) => {
  it("deletes a parent that was gone before its child was seen to be", function* ({ zk }) {
    for (const path of ["/from", "/from/p", "/from/p/c"]) yield* zk.create(path)
    const [isRead, mayRead] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    let isSlow = false
    const slow: ZooKeeper.Service = {
      ...zk,
      get: (path) =>
        isSlow && path === "/from/p"
          ? Deferred.succeed(isRead, undefined).pipe(
              Effect.andThen(Deferred.await(mayRead)),
              Effect.andThen(zk.get(path))
            )
          : zk.get(path)
    }
    yield* following(slow, zk)
    yield* eventually(zk.exists("/to/p/c"), (exists) => exists)
    isSlow = true
    yield* zk.create("/from/p/new")
    yield* Deferred.await(isRead)
    // The new child was read by now, and its parent is read when all of it is gone.
    yield* zk.sync("/")
    yield* zk.deleteAll("/from/p")
    yield* Deferred.succeed(mayRead, undefined)
    yield* isGone(zk, "/to/p")
  })

  it("has no copy of a znode that has become ephemeral", function* ({ zk }) {
    yield* zk.create("/from")
    yield* zk.create("/from/x")
    yield* zk.create("/from/y")
    yield* zk.create("/from/y/z")
    yield* following(zk, zk)
    yield* eventually(zk.exists("/to/y/z"), (exists) => exists)
    yield* zk.transaction([Op.delete("/from/x"), Op.create("/from/x", { mode: "ephemeral" })])
    yield* zk.deleteAll("/from/y")
    yield* zk.create("/from/y", { mode: "ephemeral" })
    yield* isGone(zk, "/to/x")
    yield* isGone(zk, "/to/y")
    yield* zk.delete("/from/x")
    yield* zk.create("/from/x", { data: "again" })
    yield* eventually(textAt(zk, "/to/x"), (text) => text === "again")
  })

  it("writes again what was deleted in the target, when it fails there", function* ({ zk }) {
    for (const path of ["/from", "/from/p", "/from/p/q", "/from/p/q/r"]) yield* zk.create(path)
    yield* following(zk, zk)
    yield* eventually(zk.exists("/to/p/q/r"), (exists) => exists)
    yield* zk.deleteAll("/to/p")
    yield* zk.create("/from/p/q/new")
    yield* eventually(zk.exists("/to/p/q/new"), (exists) => exists)
    yield* eventually(zk.exists("/to/p/q/r"), (exists) => exists)
  })

  it("mends at its next look what others have done in the target", function* ({ zk }) {
    yield* zk.create("/from")
    for (const name of ["x", "y", "z"]) yield* zk.create(`/from/${name}`, { data: name })
    yield* Mirror.run(zk, zk, { ...options, checkInterval: "200 millis" }).pipe(Effect.forkScoped)
    yield* eventually(textAt(zk, "/to/z"), (text) => text === "z")
    yield* zk.set("/to/x", "of another")
    yield* zk.delete("/to/y")
    yield* zk.create("/to/extra")
    yield* zk.setAcl("/to/z", [{ perms: Acl.Perms.READ | Acl.Perms.ADMIN, scheme: "world", id: "anyone" }])
    yield* eventually(textAt(zk, "/to/x"), (text) => text === "x")
    yield* eventually(textAt(zk, "/to/y"), (text) => text === "y")
    yield* isGone(zk, "/to/extra")
    yield* eventually(zk.getAcl("/to/z"), ({ acl }) => acl[0]?.perms === Acl.Perms.ALL)
  })

  it("looks for a write whose reply was lost at a server that knows of it", function* ({ zk }) {
    yield* zk.create("/from")
    yield* zk.create("/from/x", { data: "first" })
    let isLost = false
    /** The answer of a server that lags behind, until a sync. */
    let behind: DataAndStat | undefined
    const to: ZooKeeper.Service = {
      ...zk,
      setData: (path, data, ...rest) =>
        Effect.gen(function* () {
          if (isLost || path !== "/to/x") return yield* zk.setData(path, data, ...rest)
          isLost = true
          const before = yield* zk.get(path)
          yield* zk.setData(path, data, ...rest)
          behind = before
          return yield* new ConnectionLoss({ path, operation: "setData", maybeApplied: true })
        }),
      get: (path) => (behind === undefined || path !== "/to/x" ? zk.get(path) : Effect.succeed(behind)),
      sync: (path) => Effect.tap(zk.sync(path), () => Effect.sync(() => void (behind = undefined)))
    }
    const { looks } = yield* following(zk, to)
    yield* eventually(textAt(zk, "/to/x"), (text) => text === "first")
    const before = looks.begun
    yield* zk.set("/from/x", "second")
    yield* eventually(textAt(zk, "/to/x"), (text) => text === "second")
    yield* zk.set("/from/x", "first")
    yield* eventually(textAt(zk, "/to/x"), (text) => text === "first")
    assert.isTrue(isLost)
    assert.strictEqual(looks.begun, before)
  })

  it("finds what an ended session has left in the target, at a server that knows of it", function* ({ zk }) {
    yield* zk.create("/from")
    let isLost = false
    /** The answer of a server that lags behind, until a sync. */
    let behind: Effect.Success<ReturnType<typeof zk.getChildrenWithStat>> | undefined
    const to: ZooKeeper.Service = {
      ...zk,
      create: (path, ...rest) =>
        Effect.gen(function* () {
          if (isLost || path !== "/to/x") return yield* zk.create(path, ...rest)
          isLost = true
          const before = yield* zk.getChildrenWithStat("/to")
          yield* zk.create(path, ...rest)
          yield* Effect.orDie(zk.delete("/from/x"))
          behind = before
          return yield* new SessionExpired({ sessionId: 1n, maybeApplied: true })
        }),
      getChildrenWithStat: (path) =>
        behind === undefined || path !== "/to" ? zk.getChildrenWithStat(path) : Effect.succeed(behind),
      sync: (path) => Effect.tap(zk.sync(path), () => Effect.sync(() => void (behind = undefined)))
    }
    const { looks } = yield* following(zk, to)
    yield* eventually(zk.exists("/to"), (exists) => exists)
    const before = looks.begun
    yield* zk.create("/from/x")
    yield* awaitCondition(() => looks.begun > before)
    yield* isGone(zk, "/to/x")
    assert.isTrue(isLost)
  })

  it("ends when its session has ended for good", function* ({ zk }) {
    yield* zk.create("/from")
    const ended: ZooKeeper.Service = {
      ...zk,
      session: { ...zk.session, state: { _tag: "Expired" } },
      sync: () => new SessionExpired({ sessionId: 1n, maybeApplied: false })
    }
    const mirror = yield* Effect.forkScoped(Mirror.run(zk, ended, options))
    const error = yield* Effect.flip(Fiber.join(mirror))
    assert.strictEqual(error._tag, "SessionExpired")
  })
})
