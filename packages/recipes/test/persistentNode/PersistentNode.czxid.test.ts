/** A persistent node touches no znode that another has made at its path, whatever replies are lost. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { closable } from "../support/persistentNodes.ts"
import { describeOnServers, awaitCondition, eventually, text, now } from "../support/targets.ts"

/** Takes the path in the moment in which it is free. */
const takeOver = Effect.fnUntraced(function* (zk: ZooKeeper.Service, path: string, mode: "ephemeral" | "persistent") {
  const { changed } = yield* zk.existsAndWatch(path)
  const taking = Effect.andThen(changed, zk.create(path, { data: "another's", mode }))
  return yield* Effect.forkScoped(taking, now)
})

const dataOf = (zk: ZooKeeper.Service, path: string) => Effect.map(zk.getData(path), text)

describeOnServers("a persistent node at a path that another takes over", (it) => {
  for (const mode of ["ephemeral", "persistent"] as const) {
    it.inChroot(
      `deletes its own ${mode} znode alone when it is closed and the reply is lost`,
      function* ({ breakable, zk }) {
        const { link, zk: mine } = yield* breakable()
        const { close } = yield* closable(mine, "/node", { mode, data: "mine" })
        const taking = yield* takeOver(zk, "/node", mode)
        yield* link.loseReply(Operations.deleteNode)
        yield* close
        yield* Fiber.join(taking)
        // A later request of it has been answered.
        yield* mine.sync("/node")
        assert.strictEqual(yield* dataOf(zk, "/node"), "another's")
      }
    )
  }

  it.inChroot("leaves a znode that was created again while it was cut off and closed", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const { close } = yield* closable(mine, "/node", { mode: "persistent", data: "mine" })
    yield* link.cut
    yield* zk.delete("/node")
    yield* zk.create("/node", { data: "another's" })
    yield* close
    yield* link.heal
    yield* mine.sync("/node")
    // The delete of its own, if it sent one, would have been answered by now.
    yield* mine.sync("/node")
    assert.strictEqual(yield* dataOf(zk, "/node"), "another's")
  })

  it.inChroot("writes into its own znode alone when the reply of a write is lost", function* ({ another, zk }) {
    const mine = yield* another()
    const { setData } = mine
    let isLost = false
    // The first write never arrives; meanwhile another makes the znode anew, with the version that it had.
    const losing: ZooKeeper.Service = Object.create(mine, {
      setData: {
        value: ((path, data, options) =>
          isLost
            ? setData(path, data, options)
            : Effect.sync(() => (isLost = true)).pipe(
                Effect.andThen(zk.delete(path)),
                Effect.andThen(zk.create(path, { data: "another's", mode: "ephemeral" })),
                Effect.orDie,
                Effect.andThen(new ConnectionLoss({ operation: "setData", path, maybeApplied: true }))
              )) satisfies ZooKeeper.Service["setData"]
      }
    })
    const { node } = yield* closable(losing, "/node", { data: "first" })
    const writing = yield* Effect.forkScoped(node.setData("second"), now)
    yield* awaitCondition(() => node.status._tag === "Blocked")
    assert.strictEqual(yield* dataOf(zk, "/node"), "another's")
    yield* zk.delete("/node")
    yield* Fiber.join(writing)
    assert.strictEqual(yield* dataOf(zk, "/node"), "second")
  })
})

describeOnServers("a persistent node in a mode that outlives sessions", (it) => {
  const mode = "persistent"

  it.inChroot("takes over the znode that is there when it is made, as after a restart", function* ({ another, zk }) {
    yield* zk.create("/node", { data: "of the run before" })
    const { czxid } = (yield* zk.get("/node")).stat
    const { close, node } = yield* closable(yield* another(), "/node", { mode, data: "mine" })
    assert.deepInclude(node.status, { _tag: "Present", czxid })
    yield* eventually(dataOf(zk, "/node"), (data) => data === "mine")
    yield* close
    assert.isFalse(yield* zk.exists("/node"))
  })

  it.inChroot("waits for a znode that another made while it was cut off", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const { close, node } = yield* closable(mine, "/node", { mode, data: "mine", restore: true })
    yield* link.cut
    yield* zk.delete("/node")
    yield* zk.create("/node", { data: "another's" })
    const writing = yield* Effect.forkScoped(node.setData("mine, later"), now)
    yield* link.heal
    yield* awaitCondition(() => node.status._tag === "Blocked")
    assert.deepInclude(node.status, { path: "/node", owner: 0n })
    yield* mine.sync("/node")
    assert.strictEqual(yield* dataOf(zk, "/node"), "another's")
    yield* zk.delete("/node")
    yield* Fiber.join(writing)
    assert.strictEqual(yield* dataOf(zk, "/node"), "mine, later")
    yield* close
    assert.isFalse(yield* zk.exists("/node"))
  })

  it.inChroot("leaves such a znode when it is closed", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const { close, node } = yield* closable(mine, "/node", { mode })
    yield* link.cut
    yield* zk.delete("/node")
    yield* zk.create("/node", { data: "another's" })
    yield* link.heal
    yield* awaitCondition(() => node.status._tag === "Blocked")
    yield* close
    yield* mine.sync("/node")
    assert.strictEqual(yield* dataOf(zk, "/node"), "another's")
  })

  it.inChroot("leaves a znode that it found when it was closed before it had looked", function* ({ another, zk }) {
    const mine = yield* another()
    yield* zk.create("/node")
    const { czxid } = (yield* zk.get("/node")).stat
    for (let steps = 0; steps < 30; steps++) {
      const { close, node } = yield* closable(mine, "/node", { mode, wait: false })
      for (let step = 0; step < steps && node.status._tag === "Absent"; step++) yield* Effect.yieldNow
      // By then it has taken it over.
      if (node.status._tag !== "Absent") break
      yield* close
    }
    yield* mine.sync("/node")
    assert.strictEqual((yield* zk.get("/node")).stat.czxid, czxid)
  })

  it.inChroot("finds its own znode when the reply of the create is lost, and no other", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const { node } = yield* closable(mine, "/node", { mode, data: "mine" })
    yield* link.loseReply(Operations.create2)
    const before = yield* zk.get("/node")
    yield* zk.delete("/node")
    yield* awaitCondition(() => node.status._tag === "Present" && node.status.czxid !== before.stat.czxid)
    yield* link.loseRequest(Operations.create2)
    const taking = yield* takeOver(zk, "/node", mode)
    yield* zk.delete("/node")
    yield* Fiber.join(taking)
    yield* awaitCondition(() => node.status._tag === "Blocked")
    assert.strictEqual(yield* dataOf(zk, "/node"), "another's")
  })

  it.inChroot(
    "finds its own znode when the replies of the create and of its sync are lost",
    function* ({ another, zk }) {
      const mine = yield* another()
      const { createWithStat, sync } = mine
      let isLosing = false
      const applied = yield* Deferred.make<void>()
      // The sync is answered on the next connection, when the create has been applied.
      const losing: ZooKeeper.Service = Object.create(mine, {
        createWithStat: {
          value: ((path, options) =>
            createWithStat(path, options).pipe(
              Effect.flatMap((created) => {
                if (!isLosing) return Effect.succeed(created)
                isLosing = false
                const lost = new ConnectionLoss({ operation: "create", path, maybeApplied: true })
                return Effect.andThen(Deferred.succeed(applied, undefined), Effect.andThen(Effect.yieldNow, lost))
              })
            )) satisfies ZooKeeper.Service["createWithStat"]
        },
        sync: {
          value: ((path) =>
            isLosing
              ? Effect.andThen(Effect.delay(Deferred.await(applied), 20), sync(path))
              : sync(path)) satisfies ZooKeeper.Service["sync"]
        }
      })
      const { close, node } = yield* closable(losing, "/node", { mode, data: "mine" })
      const { czxid } = (yield* zk.get("/node")).stat
      isLosing = true
      yield* zk.delete("/node")
      yield* awaitCondition(() => node.status._tag === "Present" && node.status.czxid !== czxid)
      yield* close
      assert.isFalse(yield* zk.exists("/node"))
    }
  )

  it.inChroot("leaves nothing when it is closed while no reply has come", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    for (const lose of [link.loseReply, link.loseRequest]) {
      yield* lose(Operations.create2)
      const { close } = yield* closable(mine, "/node", { mode, data: "mine", wait: false })
      yield* Effect.sleep("5 millis")
      yield* close
      yield* mine.sync("/node")
      yield* eventually(zk.exists("/node"), (there) => !there)
    }
  })
})

describeOnServers("a persistent node that is given a buffer", (it) => {
  it.inChroot("keeps the bytes that were in it at the call", function* ({ zk }) {
    const buffer = new TextEncoder().encode("first")
    const { node } = yield* closable(zk, "/node", { data: buffer })
    buffer.fill(0)
    yield* zk.delete("/node")
    yield* eventually(zk.exists("/node"), (there) => there)
    assert.strictEqual(yield* dataOf(zk, "/node"), "first")
    const next = new TextEncoder().encode("second")
    const writing = yield* Effect.forkScoped(node.setData(next), now)
    next.fill(0)
    yield* Fiber.join(writing)
    assert.strictEqual(yield* dataOf(zk, "/node"), "second")
  })
})

/** Its sessions live for 15 seconds whatever they have asked for, so that clients end theirs before the server does. */
const slowServer = EmbeddedServer.layerMemoryWith({ tickTime: "15 seconds", minSessionTimeout: 300 })

layer(slowServer, { excludeTestServices: true })("a persistent node whose session has ended", (it) => {
  it.effect("deletes the znode of its former session, and not one that comes after that", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedServer.EmbeddedServer
      const connect = (sessionTimeout: number) =>
        clientOf(Layer.provide(ZooKeeper.layerSession(), Session.layer({ sessionTimeout })))
      const [mine, other] = [yield* connect(300), yield* connect(60_000)]
      const { node } = yield* closable(mine, "/node", { data: "mine" })
      const former = mine.session.id
      const taking = yield* takeOver(other, "/node", "ephemeral")
      yield* server.dropReply({ operation: "delete", path: "/node" })
      yield* server.pause
      yield* awaitCondition(() => mine.session.id !== former)
      yield* server.resume
      yield* Fiber.join(taking)
      yield* awaitCondition(() => node.status._tag === "Blocked")
      assert.strictEqual(yield* dataOf(other, "/node"), "another's")
    })
  )
})
