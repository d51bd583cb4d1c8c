import { Acl, Op, ZooKeeper } from "@effect-zookeeper/client"
import { awaitCondition, failure, pullFrom } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { describeOnServers, plant, withClient, withoutRecursiveWatches } from "../support/targets.ts"

const mail = Config.all({ host: Config.String("host"), port: Config.Port("port") })

const problemOf = <A>(live: LiveConfig.LiveConfig<A>) => Option.getOrUndefined(live.status.problem)?._tag

describeOnServers("a live configuration", (test) => {
  test("has the value, and each newer one", function* ({ zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const live = yield* withClient(zk)(LiveConfig.make(mail, { path: "/mail" }))
    assert.deepStrictEqual(live.current, { host: "a", port: 25 })
    const next = yield* pullFrom(live.changes)
    assert.deepStrictEqual(yield* next, { host: "a", port: 25 })
    yield* zk.set("/mail/port", "26")
    assert.deepStrictEqual(yield* next, { host: "a", port: 26 })
    assert.deepStrictEqual(yield* live.get, { host: "a", port: 26 })
    yield* zk.transaction([Op.setData("/mail/host", "b"), Op.setData("/mail/port", "27")])
    assert.deepStrictEqual(yield* next, { host: "b", port: 27 })
    assert.deepStrictEqual(live.status, { freshness: "live", source: "tree", problem: Option.none() })
  })

  test("sees znodes that come and go, at any depth", function* ({ zk }) {
    yield* plant(zk, { "/app": "" })
    const live = yield* withClient(zk)(
      LiveConfig.make(Config.Array(Schema.Int, "weights").pipe(Config.withDefault([])), { path: "/app" })
    )
    const next = yield* pullFrom(live.changes)
    assert.deepStrictEqual(yield* next, [])
    yield* plant(zk, { "/app/weights/0": "7" })
    assert.deepStrictEqual(yield* next, [7])
    yield* zk.create("/app/weights/1", { data: "8" })
    assert.deepStrictEqual(yield* next, [7, 8])
    yield* zk.deleteAll("/app")
    assert.deepStrictEqual(yield* next, [])
    yield* plant(zk, { "/app/weights/0": "9" })
    assert.deepStrictEqual(yield* next, [9])
  })

  test("keeps the last good value and tells, when the tree does not decode", function* ({ zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const live = yield* withClient(zk)(LiveConfig.make(mail, { path: "/mail" }))
    const next = yield* pullFrom(live.changes)
    const status = yield* pullFrom(live.statusChanges)
    yield* next
    yield* zk.set("/mail/port", "a secret that is no port")
    yield* awaitCondition(() => problemOf(live) === "ConfigError")
    assert.deepStrictEqual(live.current, { host: "a", port: 25 })
    const { message } = Option.getOrThrow(live.status.problem)
    assert.include(message, '["port"]')
    assert.notInclude(message, "secret")
    yield* zk.set("/mail/port", "26")
    // Nothing between the two.
    assert.deepStrictEqual(yield* next, { host: "a", port: 26 })
    yield* awaitCondition(() => problemOf(live) === undefined)
    const seen: Array<string> = []
    for (let last = ""; last !== "none" || !seen.includes("some"); seen.push(last)) {
      last = Option.isSome((yield* status).problem) ? "some" : "none"
    }
  })

  test("is not published again when it is equal", function* ({ zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const live = yield* withClient(zk)(LiveConfig.make(mail, { path: "/mail" }))
    const next = yield* pullFrom(live.changes)
    const first = yield* next
    yield* zk.set("/mail/port", "25")
    yield* zk.create("/mail/other", { data: "1" })
    yield* zk.set("/mail/port", "26")
    assert.deepStrictEqual(yield* next, { host: "a", port: 26 })
    assert.deepStrictEqual(first, { host: "a", port: 25 })
  })

  test("composes with other providers", function* ({ zk }) {
    yield* plant(zk, { "/mail/port": "25" })
    const other = ConfigProvider.fromUnknown({ host: "other", port: "1" })
    const compose = (tree: ConfigProvider.ConfigProvider) => ConfigProvider.orElse(tree, other)
    const live = yield* withClient(zk)(LiveConfig.make(mail, { path: "/mail", compose }))
    const next = yield* pullFrom(live.changes)
    assert.deepStrictEqual(yield* next, { host: "other", port: 25 })
    yield* zk.create("/mail/host", { data: "tree" })
    assert.deepStrictEqual(yield* next, { host: "tree", port: 25 })
    yield* zk.delete("/mail/port")
    assert.deepStrictEqual(yield* next, { host: "tree", port: 1 })
  })

  test("fails to start when the tree does not decode, or may not be read", function* ({ another, zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "0" })
    const error = yield* withClient(zk)(failure(LiveConfig.make(mail, { path: "/mail" }), "ConfigError"))
    assert.include(error.message, '["port"]')
    yield* zk.setAcl("/mail/port", [Acl.digest({ user: "someone", password: Redacted.make("secret"), perms: "cdrwa" })])
    yield* withClient(yield* another())(failure(LiveConfig.make(mail, { path: "/mail" }), "NoAuth"))
  })

  test("treats an exception of the Config as a state that does not decode", function* ({ zk }) {
    yield* plant(zk, { "/mail/port": "25" })
    const throwing = Config.map(Config.String("port"), (port) => {
      if (port === "broken") throw new Error(`${port} is a secret`)
      return port
    })
    const live = yield* withClient(zk)(LiveConfig.make(throwing, { path: "/mail" }))
    yield* zk.set("/mail/port", "broken")
    yield* awaitCondition(() => problemOf(live) === "ConfigError")
    assert.notInclude(Option.getOrThrow(live.status.problem).message, "secret")
    yield* zk.set("/mail/port", "26")
    yield* awaitCondition(() => live.current === "26")
  })

  test("keeps its value in an outage, and has the newest one after it", function* ({ breakable, zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const { link, zk: mine } = yield* breakable()
    const live = yield* withClient(mine)(LiveConfig.make(mail, { path: "/mail" }))
    const next = yield* pullFrom(live.changes)
    yield* next
    yield* link.cut
    yield* awaitCondition(() => live.status.freshness === "stale")
    yield* zk.set("/mail/port", "26")
    yield* zk.set("/mail/port", "27")
    assert.deepStrictEqual(live.current, { host: "a", port: 25 })
    yield* link.heal
    assert.deepStrictEqual(yield* next, { host: "a", port: 27 })
    yield* awaitCondition(() => live.status.freshness === "live")
  })

  test("is live again together with the newest value", function* ({ breakable, zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const { link, zk: mine } = yield* breakable()
    const slow = (tree: ConfigProvider.ConfigProvider) =>
      ConfigProvider.make((path) => Effect.delay(tree.load(path), "5 millis"))
    const live = yield* withClient(mine)(LiveConfig.make(mail, { path: "/mail", compose: slow }))
    const portsWhenLive: Array<number> = []
    yield* Effect.forkScoped(
      Stream.runForEach(live.statusChanges, ({ freshness }) =>
        Effect.sync(() => freshness === "live" && portsWhenLive.push(live.current.port))
      )
    )
    yield* awaitCondition(() => portsWhenLive.length === 1)
    yield* link.cut
    yield* awaitCondition(() => live.status.freshness === "stale")
    yield* zk.set("/mail/port", "26")
    yield* link.heal
    yield* awaitCondition(() => portsWhenLive.length === 2)
    assert.deepStrictEqual(portsWhenLive, [25, 26])
  })

  test("gives a slow consumer the newest value, and a bounded number of older ones", function* ({ zk }) {
    yield* plant(zk, { "/port": "1" })
    const live = yield* withClient(zk)(LiveConfig.make(Config.Port("port"), { path: "/" }))
    const first = Latch.makeUnsafe()
    const goOn = Latch.makeUnsafe()
    const seen: Array<number> = []
    yield* Effect.forkScoped(
      Stream.runForEach(live.changes, (port) => {
        seen.push(port)
        first.openUnsafe()
        return Latch.await(goOn)
      })
    )
    yield* Latch.await(first)
    for (let port = 2; port <= 40; port++) {
      yield* zk.set("/port", String(port))
      yield* awaitCondition(() => live.current === port)
    }
    goOn.openUnsafe()
    yield* awaitCondition(() => seen.at(-1) === 40)
    assert.isBelow(seen.length, 30)
  })

  test("goes on in the session that replaces an expired one", function* ({ another, expire, zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const mine = yield* another()
    const live = yield* withClient(mine)(LiveConfig.make(mail, { path: "/mail" }))
    const before = mine.session.id
    yield* expire(mine)
    yield* zk.set("/mail/port", "26")
    yield* awaitCondition(() => mine.session.id !== before && live.current.port === 26)
    yield* zk.set("/mail/port", "27")
    yield* awaitCondition(() => live.current.port === 27 && live.status.freshness === "live")
  })

  test("keeps its value when the session has ended for good, and says so", function* ({ another, expire, zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const mine = yield* another({ sessionExpiry: "fail" })
    const live = yield* withClient(mine)(LiveConfig.make(mail, { path: "/mail" }))
    const following = yield* Effect.forkChild(Stream.runDrain(live.changes))
    yield* expire(mine)
    assert.strictEqual((yield* Effect.flip(Fiber.join(following)))._tag, "SessionExpired")
    assert.strictEqual(live.status.freshness, "ended")
    assert.deepStrictEqual(live.current, { host: "a", port: 25 })
    // So it does for a consumer that comes late.
    assert.strictEqual((yield* Effect.flip(Stream.runDrain(live.changes)))._tag, "SessionExpired")
    yield* Stream.runDrain(live.statusChanges)
  })

  test("ends its streams with its Scope, and leaves no watch", function* ({ zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const scope = yield* Scope.make()
    const live = yield* withClient(zk)(LiveConfig.make(mail, { path: "/mail" })).pipe(Scope.provide(scope))
    const following = yield* Effect.forkChild(Stream.runCollect(live.changes))
    yield* Effect.yieldNow
    yield* Scope.close(scope, Exit.void)
    assert.lengthOf(yield* Fiber.join(following), 1)
    assert.strictEqual(live.status.freshness, "ended")
  })

  test("asks servers without recursive watches again and again", function* ({ zk }) {
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const live = yield* withClient(withoutRecursiveWatches(zk))(
      LiveConfig.make(mail, { path: "/mail", pollInterval: "20 millis" })
    )
    yield* zk.set("/mail/port", "26")
    yield* awaitCondition(() => live.current.port === 26)
    yield* zk.set("/mail/port", "27")
    yield* awaitCondition(() => live.current.port === 27)
  })

  test("is a service that others depend on", function* ({ zk }) {
    class MailConfig extends Context.Service<MailConfig, LiveConfig.LiveConfig<Config.Success<typeof mail>>>()(
      "test/MailConfig"
    ) {
      static readonly layer = LiveConfig.layer(MailConfig, mail, { path: "/mail" })
    }
    yield* plant(zk, { "/mail/host": "a", "/mail/port": "25" })
    const port = Effect.map(MailConfig, ({ current }) => current.port)
    const client = Layer.succeed(ZooKeeper.ZooKeeper, zk)
    assert.strictEqual(yield* Effect.provide(port, Layer.provide(MailConfig.layer, client)), 25)
  })

  test("refuses options that are wrong", function* ({ zk }) {
    const rule = (options: LiveConfig.Options) =>
      withClient(zk)(failure(LiveConfig.make(mail, options), "InvalidArgument"))
    assert.strictEqual((yield* rule({ path: "mail" })).argument, "path")
    assert.strictEqual((yield* rule({ path: "/mail", pollInterval: 0 })).argument, "pollInterval")
    assert.strictEqual((yield* rule({ path: "/mail", fileAfter: Infinity })).argument, "fileAfter")
  })
})
