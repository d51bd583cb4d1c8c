/** Clients and recipes on ClickHouse Keeper, by a server that behaves as it does (`KeeperServer`). */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Op from "@effect-zookeeper/client/Op"
import * as LiveConfig from "@effect-zookeeper/config/LiveConfig"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as NodeCache from "@effect-zookeeper/recipes/NodeCache"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { clientOf } from "../../src/conformance/Target.ts"
import {
  assertEach,
  atOnce,
  awaitCondition,
  closable,
  dataOf,
  eventually,
  failure,
  now,
  pullFrom,
  refused,
  text
} from "../../src/Expectations.ts"
import * as KeeperServer from "../../src/KeeperServer.ts"
import { itQuiet, testWith } from "../../src/TestWith.ts"

const server = { tickTime: "200 millis" } as const

/** The releases of 2023, those that have all of its flags, and those before all flags. */
const basic = KeeperServer.make({ features: ["multiRead"], server })
const full = KeeperServer.make({ features: ["multiRead", "persistentWatches", "createWithStats"], server })
const silent = KeeperServer.make({ server })

const connect = (servers: string, options: ZooKeeper.Options = {}) =>
  clientOf(ZooKeeper.layer({ servers, sessionTimeout: "3 seconds", ...options }))

const connected = (keeper: typeof basic) =>
  Effect.gen(function* () {
    const { connectString, embedded, proxy } = yield* keeper
    const zk = yield* connect(connectString)
    // Straight to the znodes of Keeper, so that its connection stays.
    const beside = yield* connect(embedded.connectString)
    return { zk, beside, proxy, embedded }
  })

const itBasic = testWith(it.live, connected(basic))
const itFull = testWith(it.live, connected(full))

const connectionsOf = (proxy: KeeperServer.KeeperServer["proxy"]) => Effect.map(proxy.seen, ({ accepted }) => accepted)

describe("a session on Keeper", () => {
  itBasic("is over with its connection: its owner is told before its ephemerals go", function* (given) {
    const { beside, embedded, proxy, zk } = given
    yield* zk.create("/mine", { mode: "ephemeral" })
    const { id } = zk.session
    const lost = yield* Effect.forkChild(Effect.flip(zk.session.ownership), now)
    yield* proxy.dropAll("fin")
    assert.strictEqual((yield* Fiber.join(lost))._tag, "OwnershipLost")
    // Keeper holds the former session until its timeout.
    assert.strictEqual((yield* beside.get("/mine")).stat.ephemeralOwner, id)
    yield* eventually(beside.exists("/mine"), (exists) => !exists)
    yield* zk.create("/next", { mode: "ephemeral" })
    assert.notStrictEqual(zk.session.id, id)
    assert.isFalse((yield* embedded.sessions).some((session) => session.id === id))
  })

  itBasic("ends at once when it is closed, with no second connection", function* ({ beside, embedded, proxy }) {
    const before = yield* connectionsOf(proxy)
    const [zk, close] = yield* closable(connect(proxy.connectString))
    yield* zk.create("/mine", { mode: "ephemeral" })
    const { id } = zk.session
    yield* close
    assert.isFalse(yield* beside.exists("/mine"))
    assert.isFalse((yield* embedded.sessions).some((session) => session.id === id))
    assert.strictEqual((yield* connectionsOf(proxy)) - before, 1)
  })

  itBasic("adds its identities again on each connection", function* ({ proxy, zk }) {
    yield* zk.addAuth("digest", Redacted.make("bob:secret"))
    yield* zk.create("/bobs", { acl: [{ scheme: "auth", id: "", perms: 31 }] })
    const { id } = zk.session
    yield* proxy.dropAll("rst")
    yield* awaitCondition(() => zk.session.id !== id && zk.session.state._tag === "Connected")
    yield* zk.set("/bobs", "1")
  })

  itQuiet("does not begin while it has no leader, and the error says so", function* () {
    const { connectString, setLeader } = yield* basic
    yield* setLeader(false)
    const error = yield* failure(connect(connectString, { connectTimeout: "500 millis" }), "ConnectFailed")
    assert.include(error.message, "Keeper has no leader")
    yield* setLeader(true)
    yield* (yield* connect(connectString)).exists("/")
  })
})

describe("a lock on Keeper", () => {
  itBasic("goes to the next one only after its holder has stopped", function* ({ beside, proxy, zk }) {
    const held = yield* Deferred.make<void>()
    let stopped = 0
    const work = Effect.onInterrupt(Effect.andThen(Deferred.succeed(held, undefined), Effect.never), () =>
      Effect.map(Clock.currentTimeMillis, (time) => (stopped = time))
    )
    const lockOf = (client: ZooKeeper.Service) =>
      Effect.provideService(Lock.make("/locks/a"), ZooKeeper.ZooKeeper, client)
    const first = yield* Effect.forkChild(Effect.result((yield* lockOf(zk)).withLock(work)), now)
    yield* Deferred.await(held)
    const second = yield* Effect.forkChild((yield* lockOf(beside)).withLock(Clock.currentTimeMillis), now)
    yield* proxy.dropAll("rst")
    const lost = yield* Fiber.join(first)
    assert.strictEqual(Result.isFailure(lost) ? lost.failure._tag : "success", "LockLost")
    assert.isAbove(stopped, 0)
    assert.isAtLeast(yield* Fiber.join(second), stopped)
  })
})

describe("watches on Keeper", () => {
  itBasic("of one event end with the session, and streams of values go on", function* ({ beside, proxy, zk }) {
    yield* beside.create("/a", { data: "1" })
    const { changed } = yield* zk.getAndWatch("/a")
    const next = yield* pullFrom(dataOf(zk, "/a"))
    assert.strictEqual(yield* next, "1")
    const ended = yield* Effect.forkChild(Effect.flip(changed), now)
    yield* proxy.dropAll("rst")
    yield* beside.set("/a", "2")
    assert.strictEqual((yield* Fiber.join(ended))._tag, "SessionExpired")
    assert.strictEqual(yield* next, "2")
    yield* beside.set("/a", "3")
    assert.strictEqual(yield* next, "3")
    yield* beside.delete("/a")
    assert.isNull(yield* next)
  })

  itBasic("of caches are one-shot where it has no others", function* ({ beside, proxy, zk }) {
    yield* beside.create("/a", { data: "1" })
    const cache = yield* Effect.provideService(NodeCache.make("/a"), ZooKeeper.ZooKeeper, zk)
    const shown = Effect.sync(() => Option.getOrUndefined(Option.map(cache.get(), ({ data }) => text(data))))
    assert.strictEqual(yield* shown, "1")
    yield* beside.set("/a", "2")
    yield* eventually(shown, (data) => data === "2")
    yield* proxy.dropAll("rst")
    yield* beside.set("/a", "3")
    yield* eventually(shown, (data) => data === "3")
  })

  itFull("that are persistent tell a gap in each new session, and go on", function* ({ beside, proxy, zk }) {
    const ready = yield* Deferred.make<void>()
    // A watch that is asked for before the flags are there begins with a gap.
    yield* zk.exists("/a")
    const next = yield* pullFrom(zk.events("/a", { onReady: () => Deferred.doneUnsafe(ready, Effect.void) }))
    yield* Deferred.await(ready)
    yield* beside.create("/a")
    assert.strictEqual((yield* next).type, "NodeCreated")
    yield* proxy.dropAll("rst")
    assert.strictEqual((yield* next).type, "Gap")
    yield* beside.set("/a", "1")
    assert.strictEqual((yield* next).type, "NodeDataChanged")
  })
})

describe("a live configuration on Keeper", () => {
  for (const [watches, itOnKeeper] of [
    ["one-shot", itBasic],
    ["persistent", itFull]
  ] as const) {
    itOnKeeper(`goes on in the next session, with ${watches} watches`, function* ({ beside, proxy, zk }) {
      yield* beside.createWithParents("/mail/host", { data: "a" })
      const live = yield* Effect.provideService(
        LiveConfig.make(Config.String("host"), { path: "/mail" }),
        ZooKeeper.ZooKeeper,
        zk
      )
      const next = yield* pullFrom(live.changes)
      assert.strictEqual(yield* next, "a")
      yield* proxy.dropAll("rst")
      yield* beside.set("/mail/host", "b")
      assert.strictEqual(yield* next, "b")
      yield* beside.set("/mail/host", "c")
      assert.strictEqual(yield* next, "c")
    })
  }
})

describe("an operation that Keeper does not announce", () => {
  itBasic("is refused as typed, and costs no connection", function* ({ proxy, zk }) {
    const calls: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
      zk.whoAmI,
      zk.getEphemerals(),
      zk.countDescendants("/"),
      zk.create("/c", { mode: "container" }),
      zk.create("/t", { mode: "persistentWithTtl", ttl: "1 minute" }),
      zk.transaction([Op.create("/c", { mode: "container" })]),
      Stream.runDrain(zk.events("/")),
      zk.reconfigure({ joining: ["server.2=zk2:2888:3888;2181"] })
    ]
    for (const call of calls) yield* refused(call)
    assert.strictEqual(yield* connectionsOf(proxy), 1)
    assert.strictEqual(zk.session.state._tag, "Connected")
  })

  itBasic("is replaced by older ones where that is possible", function* ({ proxy, zk }) {
    yield* zk.ensurePath("/a/b")
    yield* zk.createWithParents("/c/d", { data: "1" })
    const { stat } = yield* zk.createWithStat("/e")
    assert.strictEqual(stat.version, 0)
    assert.strictEqual((yield* zk.createOrSet("/f/g", "1")).version, 0)
    // Its watch ends without a word to the server.
    yield* Stream.runDrain(Stream.take(zk.dataChanges("/a"), 1))
    yield* zk.deleteAll("/a")
    assert.strictEqual(yield* connectionsOf(proxy), 1)
  })

  itFull("is sent where it is announced", function* ({ proxy, zk }) {
    yield* zk.createWithStat("/a")
    yield* zk.read([Op.get("/a")])
    yield* Stream.runDrain(Stream.take(zk.dataChanges("/a"), 1))
    yield* zk.exists("/a")
    const sent = yield* proxy.requests
    for (const operation of [Operations.create2, Operations.multiRead, Operations.addWatch, Operations.removeWatches]) {
      assert.include(sent, operation.opCode, operation.name)
    }
    // The flags come before all else.
    assert.strictEqual(sent[0], Operations.getData.opCode)
    assert.strictEqual(yield* connectionsOf(proxy), 1)
  })

  testWith(it.live, connected(silent))("is one of ZooKeeper 3.5 or later, before all flags", function* ({ proxy, zk }) {
    yield* zk.create("/a", { data: "1" })
    const results = yield* zk.read([Op.get("/a"), Op.getChildren("/none")])
    assertEach(results, (result) => result._tag, ["Success", "Failure"])
    yield* atOnce([refused(zk.whoAmI), zk.createWithStat("/b")])
    assert.strictEqual(yield* connectionsOf(proxy), 1)
  })
})
