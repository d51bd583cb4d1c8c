import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import {
  Acl,
  BadVersion,
  ConnectFailed,
  InvalidArgument,
  NodeExists,
  NoNode,
  Op,
  PromiseClient,
  ServerRefused,
  SessionClosed,
  TransactionFailed,
  ZooKeeper
} from "../../src/index.ts"
import { connect, opened, rejectedWith, rejection, text, itConnected } from "../support/promises.ts"

describe("the Promise client on a real server", () => {
  itConnected("has every row of the service, and no other but its own", async ({ connectString, zk }) => {
    const service = await Effect.runPromise(
      Effect.scoped(Effect.provide(ZooKeeper.ZooKeeper, ZooKeeper.layer({ servers: connectString })))
    )
    const own = new Set(["run", "runSync", "znode", "close"])
    assert.deepStrictEqual(
      Object.keys(zk)
        .filter((key) => !own.has(key))
        .toSorted(),
      Object.keys(service).toSorted()
    )
    for (const [name, row] of Object.entries(zk)) {
      if (name !== "session" && name !== "chroot") assert.isFunction(row, name)
    }
  })

  itConnected("creates, reads, writes and deletes", async ({ zk }) => {
    assert.strictEqual(await zk.create("/a", { data: "one" }), "/a")
    const { data, stat } = await zk.get("/a")
    assert.strictEqual(text(data), "one")
    assert.strictEqual((await zk.set("/a", "two", stat.version)).version, 1)
    assert.strictEqual((await zk.update("/a", (current) => `${text(current.data)}+`)).version, 2)
    assert.strictEqual(text(await zk.getData("/a")), "two+")
    assert.strictEqual((await zk.createWithStat("/s-", { mode: "persistentSequential" })).path, "/s-0000000001")
    assert.deepStrictEqual((await zk.getChildren("/")).toSorted(), ["a", "s-0000000001"])
    assert.isUndefined(await zk.delete("/a"))
    assert.isFalse(await zk.exists("/a"))
    await zk.createWithParents("/x/y/z")
    await zk.deleteAll("/x")
    assert.isFalse(await zk.exists("/x"))
    await zk.sync("/")
  })

  itConnected("calls a member that is an Effect", async ({ zk }) => {
    if (TestServer.isAtLeast("3.5.0")) {
      assert.deepStrictEqual(await zk.getConfig(), { version: 0n, members: [], raw: "" })
    }
    await zk.addAuth("digest", Redacted.make("bob:secret"))
    await zk.create("/mine", { acl: Acl.creator })
    assert.lengthOf((await zk.getAcl("/mine")).acl, 1)
    if (!TestServer.isAtLeast("3.6.0")) return rejectedWith(zk.countDescendants("/"), ServerRefused)
    assert.strictEqual(await zk.countDescendants("/"), 1)
    await zk.create("/e", { mode: "ephemeral" })
    assert.deepStrictEqual(await zk.getEphemerals(), ["/e"])
  })

  itConnected("gives undefined for None, inside of results too", async ({ zk }) => {
    assert.isUndefined(await zk.stat("/a"))
    const watched = await zk.existsAndWatch("/a")
    assert.isUndefined(watched.stat)
    await zk.create("/a")
    assert.strictEqual((await zk.stat("/a"))?.version, 0)
    const event = await watched.changed()
    assert.strictEqual(event.type, "NodeCreated")
    assert.strictEqual(event.path, "/a")
    // Servers tell it since 3.9.
    assert.strictEqual(event.zxid === undefined, !TestServer.isAtLeast("3.9.0"))
    assert.strictEqual((await zk.existsAndWatch("/a")).stat?.version, 0)
  })

  it("gives the one event of a watch to all callers that wait, and drops the watch when the last has gone", async () => {
    const { zk } = await connect("promise-watch")
    await zk.create("/a", { data: "1" })
    const watched = await zk.getAndWatch("/a")
    assert.strictEqual(text(watched.data), "1")
    const waiting = [watched.changed(), watched.changed()]
    await zk.set("/a", "2")
    assertEach(await Promise.all(waiting), ({ type }) => type, ["NodeDataChanged", "NodeDataChanged"])
    const children = await zk.getChildrenAndWatch("/a")
    const created = children.changed()
    await zk.create("/a/b")
    assert.strictEqual((await created).type, "NodeChildrenChanged")
  })

  itConnected("gives each result of a joint read as plain data", async ({ zk }) => {
    await zk.create("/a", { data: "1" })
    const [a, none, children] = await zk.read([Op.get("/a"), Op.get("/none"), Op.getChildren("/")])
    assert.isTrue(a.ok && text(a.value.data) === "1")
    assert.isTrue(!none.ok && none.error instanceof NoNode && none.error.path === "/none")
    assert.deepStrictEqual(children, { ok: true, value: ["a"] })
  })

  itConnected("gives a transaction's results in a tuple, or the operation that failed", async ({ zk }) => {
    const [path, , stat] = await zk.transaction([
      Op.create("/a-", { mode: "persistentSequential" }),
      Op.check("/"),
      Op.setData("/", "x")
    ])
    assert.strictEqual(path, "/a-0000000000")
    assert.strictEqual(stat.version, 1)
    const failed = await rejectedWith(zk.transaction([Op.create("/b"), Op.check("/", 7)]), TransactionFailed)
    assert.strictEqual(failed.index, 1)
    assert.strictEqual(failed.error._tag, "BadVersion")
    assert.isFalse(await zk.exists("/b"))
  })

  itConnected("rejects with the classes of the errors", async ({ zk }) => {
    await zk.create("/a")
    const noNode = await rejectedWith(zk.get("/none"), NoNode)
    assert.strictEqual(noNode._tag, "NoNode")
    assert.strictEqual(noNode.path, "/none")
    await rejectedWith(zk.create("/a"), NodeExists)
    await rejectedWith(zk.set("/a", "x", 9), BadVersion)
    assert.strictEqual((await rejectedWith(zk.get("a"), InvalidArgument)).argument, "path")
    const mine = new Error("mine")
    const update = zk.update("/a", () => {
      throw mine
    })
    assert.strictEqual(await rejection(update), mine)
  })

  it("shows the present state of the session", async () => {
    const { zk } = await connect("promise-session", { sessionTimeout: 4000 })
    const { session } = zk
    assert.notStrictEqual(session.id, 0n)
    assert.strictEqual(session.state._tag, "Connected")
    assert.strictEqual(session.server?.host, "127.0.0.1")
    assert.isFalse(session.readOnly)
    assert.isTrue(session.serverFeatures.supports("create2"))
    const before = session.deadline
    await Effect.runPromise(Effect.sleep("20 millis"))
    // Reads prove nothing. A write proves that the ensemble held the session a quarter of its timeout before.
    await zk.sync()
    assert.strictEqual(session.deadline, before)
    await Effect.runPromise(Effect.sleep(session.timeout / 3))
    await zk.create("/proof")
    assert.isTrue(session.deadline > before)
    for await (const state of session.states) {
      assert.strictEqual(state._tag, "Connected")
      break
    }
    await zk.close()
    assert.strictEqual(session.state._tag, "Closed")
    assert.isUndefined(session.server)
  })

  itConnected("leaves without ending the session", async ({ chroot, connectString }) => {
    const leaving = await PromiseClient.connect(connectString)
    await leaving.create("/e", { mode: "ephemeral" })
    const { id, password } = leaving.session
    await leaving.session.detach()
    await leaving.close()
    const taken = await PromiseClient.connect(TestServer.connectString(), { session: { id, password } })
    opened.push(taken)
    assert.strictEqual(taken.session.id, id)
    assert.strictEqual((await taken.stat(`${chroot}/e`))?.ephemeralOwner, id)
  })

  it("gives clients for sub-trees and for versions that are remembered, of the same session", async () => {
    const { zk } = await connect("promise-views")
    await zk.ensurePath("/sub")
    const sub = await zk.withChroot("/sub")
    assert.strictEqual(await sub.create("/a", { data: "1" }), "/a")
    assert.isTrue(await zk.exists("/sub/a"))
    assert.strictEqual(sub.session.id, zk.session.id)
    await rejectedWith(zk.withChroot("sub"), InvalidArgument)

    const tracking = await sub.trackVersions()
    await tracking.get("/a")
    await zk.set("/sub/a", "2")
    await rejectedWith(tracking.set("/a", "3"), BadVersion)

    const seen = await sub.run(Effect.flatMap(ZooKeeper.ZooKeeper, (service) => service.getData("/a")))
    assert.strictEqual(text(seen), "2")
    await sub.close()
    await rejectedWith(zk.get("/sub"), SessionClosed)
  })

  itConnected("is the client of any layer", async ({ connectString }) => {
    await using zk = await PromiseClient.fromLayer(ZooKeeper.layerConfig({ servers: Config.succeed(connectString) }))
    assert.isTrue(await zk.exists("/"))
  })
})

describe("the end of a Promise client", () => {
  itConnected("comes with its block, and its ephemerals end with it", async ({ connectString, zk }) => {
    {
      await using other = await PromiseClient.connect(connectString)
      await other.create("/e", { mode: "ephemeral" })
      assert.isTrue(await zk.exists("/e"))
    }
    await zk.sync()
    assert.isFalse(await zk.exists("/e"))
  })

  const closed = "rejects all waiting calls with SessionClosed, and ends loops"
  it.skipIf(!TestServer.isAtLeast("3.6.0"))(TestServer.needs("3.6.0", closed), async () => {
    const { zk } = await connect("close")
    await zk.create("/a")
    const { changed } = await zk.getAndWatch("/a")
    const events = zk.events("/a")[Symbol.asyncIterator]()
    const idle = zk.dataChanges("/a")[Symbol.asyncIterator]()
    await idle.next()
    const waiting = [changed(), zk.run(Effect.never), zk.run(Effect.sleep("1 hour"))]
    const event = events.next()
    const outcomes = Promise.all(waiting.map((promise) => rejection(promise)))
    await zk.close()
    for (const outcome of await outcomes) assert.instanceOf(outcome, SessionClosed)
    await rejectedWith(zk.get("/a"), SessionClosed)
    // Loops end.
    const over = { done: true, value: undefined } as const
    assert.deepStrictEqual(await event, over)
    assert.deepStrictEqual(await idle.next(), over)
    assert.deepStrictEqual(await zk.dataChanges("/a")[Symbol.asyncIterator]().next(), over)
    await zk.close()
  })

  it.live("rejects requests that a server no longer answers, and is bounded", () =>
    Effect.gen(function* () {
      const server = yield* ZooKeeperServer.make()
      const zk = yield* Effect.promise(() => PromiseClient.connect(server.connectString))
      yield* server.pause
      const requests = [zk.get("/"), zk.set("/", "x"), zk.stat("/none")].map((request) => rejection(request))
      yield* Effect.promise(() => zk.close())
      for (const outcome of yield* Effect.promise(() => Promise.all(requests)))
        assert.instanceOf(outcome, SessionClosed)
    }).pipe(Effect.scoped, Effect.timeout("25 seconds"))
  )

  it("waits for the release of things acquired on it, which can still use the session", async () => {
    const { connectString, zk } = await connect("close-scope")
    const other = await PromiseClient.connect(connectString)
    await other.run(
      Effect.gen(function* () {
        const service = yield* ZooKeeper.ZooKeeper
        yield* service.create("/held")
        yield* Effect.addFinalizer(() => Effect.orDie(service.delete("/held")))
      })
    )
    assert.isTrue(await zk.exists("/held"))
    await other.close()
    assert.isFalse(await zk.exists("/held"))
  })

  it("is the rejection of a client that cannot start, with nothing left", async () => {
    const error = await rejectedWith(
      PromiseClient.connect("127.0.0.1:1", { connectTimeout: "1 second" }),
      ConnectFailed
    )
    assert.isNotEmpty(error.attempts)
    await rejectedWith(PromiseClient.connect("host:port"), InvalidArgument)
    let released = false
    const broken = Layer.effect(
      ZooKeeper.ZooKeeper,
      Effect.andThen(
        Effect.addFinalizer(() => Effect.sync(() => (released = true))),
        Effect.fail("broken" as const)
      )
    )
    assert.strictEqual(await rejection(PromiseClient.fromLayer(broken)), "broken")
    assert.isTrue(released)
  })
})

describe("runSync", () => {
  itConnected("gives the result of an effect that does not wait, on this client", async ({ zk }) => {
    const made = zk.runSync(Effect.map(ZooKeeper.ZooKeeper, (service) => service.createWithStat("/made")))
    const { path } = await zk.run(made)
    assert.strictEqual(path, "/made")
    assert.isTrue(await zk.exists("/made"))
  })

  itConnected("throws the error of the effect, and refuses effects that wait", async ({ zk }) => {
    const error = new InvalidArgument({ argument: "size", value: "0", rule: "at least 1" })
    assert.throws(() => zk.runSync(Effect.fail(error)), InvalidArgument, error.message)
    assert.throws(() => zk.runSync(Effect.flatMap(ZooKeeper.ZooKeeper, (service) => service.get("/"))))
    assert.isTrue(await zk.exists("/"))
  })
})
