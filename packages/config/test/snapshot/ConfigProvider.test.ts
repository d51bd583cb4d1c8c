import { ZooKeeper } from "@effect-zookeeper/client"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as ZooKeeperConfigProvider from "../../src/ZooKeeperConfigProvider.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

describeOnServers("a config provider", (test) => {
  test("gives values, records and arrays", function* ({ zk }) {
    yield* plant(zk, {
      "/app/host": "mail.example",
      "/app/port": "25",
      "/app/password": "hunter2",
      "/app/limits/cpu": "2",
      "/app/limits/memory": "512",
      "/app/peers/0/host": "a",
      "/app/peers/1/host": "b",
      "/app/tags/0": "x"
    })
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/app"))
    const config = Config.schema(
      Schema.Struct({
        host: Schema.String,
        port: Schema.Int,
        password: Schema.Redacted(Schema.String),
        limits: Schema.Record(Schema.String, Schema.Int),
        peers: Schema.Array(Schema.Struct({ host: Schema.String })),
        tags: Schema.Array(Schema.String)
      })
    )
    const { password, ...value } = yield* config.parse(provider)
    assert.deepStrictEqual(value, {
      host: "mail.example",
      port: 25,
      limits: { cpu: 2, memory: 512 },
      peers: [{ host: "a" }, { host: "b" }],
      tags: ["x"]
    })
    assert.strictEqual(Redacted.value(password), "hunter2")
  })

  test("gives an array in the order of numbers, and only where no number is missing", function* ({ zk }) {
    for (let n = 0; n < 11; n++) yield* plant(zk, { [`/app/dense/${n}`]: String(n) })
    yield* plant(zk, { "/app/gap/0": "0", "/app/gap/2": "2", "/app/padded/00": "0", "/app/padded/01": "1" })
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/app"))
    const dense = yield* Config.Array(Schema.Int, "dense").parse(provider)
    assert.deepStrictEqual(dense, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert.strictEqual((yield* provider.load(["gap"]))?._tag, "Record")
    assert.strictEqual((yield* provider.load(["padded"]))?._tag, "Record")
    assert.deepStrictEqual(yield* provider.load(["gap", 2]), ConfigProvider.makeValue("2"))
    assert.isUndefined(yield* provider.load(["gap", 1]))
  })

  test("refuses options of its layer that are no object, or that have an unknown key", function* ({ zk }) {
    for (const options of [null, 0, [], { primary: true }]) {
      const build = Layer.build(ZooKeeperConfigProvider.layer("/app", options as never))
      const mistake = yield* failure(withClient(zk)(build), "InvalidArgument")
      assert.strictEqual(mistake.argument, "options")
    }
  })

  test("gives sequential znodes as an array, with gaps closed", function* ({ zk }) {
    yield* zk.create("/app")
    for (const data of ["a", "b", "c"]) yield* zk.create("/app/", { data, mode: "persistentSequential" })
    const [, second = ""] = (yield* zk.getChildren("/app")).toSorted()
    yield* zk.delete(`/app/${second}`)
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/"))
    assert.deepStrictEqual(yield* Config.Array(Schema.String, "app").parse(provider), ["a", "c"])
    assert.deepStrictEqual(yield* provider.load(["app", 1]), ConfigProvider.makeValue("c"))
  })

  test("gives the data of a znode with children beside them", function* ({ zk }) {
    yield* plant(zk, {
      "/app/mode": "fast",
      "/app/mode/limit": "3",
      "/app/list": "two",
      "/app/list/0": "a",
      "/app/list/1": "b"
    })
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/app"))
    assert.deepStrictEqual(yield* provider.load(["mode"]), ConfigProvider.makeRecord(new Set(["limit"]), "fast"))
    assert.deepStrictEqual(yield* provider.load(["list"]), ConfigProvider.makeArray(2, "two"))
    assert.strictEqual(yield* Config.String("mode").parse(provider), "fast")
    assert.strictEqual(yield* Config.Int("limit").pipe(Config.nested("mode")).parse(provider), 3)
  })

  test("composes: the environment before the tree or behind it", function* ({ zk }) {
    yield* plant(zk, { "/app/host": "of the tree", "/app/port": "25" })
    const tree = yield* withClient(zk)(ZooKeeperConfigProvider.make("/app"))
    const environment = ConfigProvider.fromUnknown({ host: "of the environment", user: "me" })
    const config = Config.all({ host: Config.String("host"), port: Config.Int("port"), user: Config.String("user") })
    const rest = { port: 25, user: "me" }
    const before = yield* config.parse(ConfigProvider.orElse(environment, tree))
    assert.deepStrictEqual(before, { host: "of the environment", ...rest })
    const behind = yield* config.parse(ConfigProvider.orElse(tree, environment))
    assert.deepStrictEqual(behind, { host: "of the tree", ...rest })
  })

  test("is a layer that adds to the present provider", function* ({ zk }) {
    yield* plant(zk, { "/app/host": "of the tree" })
    const host = Config.String("host")
    const present = ConfigProvider.layer(ConfigProvider.fromUnknown({ host: "of the environment" }))
    const withTree = (asPrimary: boolean) =>
      host.pipe(
        Effect.provide(ZooKeeperConfigProvider.layer("/app", { asPrimary })),
        Effect.provide(present),
        Effect.provideService(ZooKeeper.ZooKeeper, zk)
      )
    assert.strictEqual(yield* withTree(false), "of the environment")
    assert.strictEqual(yield* withTree(true), "of the tree")
  })

  test("has nothing where there is no tree", function* ({ zk }) {
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/missing"))
    assert.isUndefined(yield* provider.load([]))
    assert.deepStrictEqual(yield* Config.option(Config.String("host")).parse(provider), Option.none())
    assert.strictEqual(yield* Config.withDefault(Config.Int("port"), 25).parse(provider), 25)
  })

  test("stays as it was when the tree changes", function* ({ zk }) {
    yield* plant(zk, { "/app/port": "25" })
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/app"))
    yield* zk.set("/app/port", "26")
    assert.strictEqual(yield* Config.Int("port").parse(provider), 25)
  })

  test("names a znode whose data is no text, and does not show it", function* ({ zk }) {
    yield* plant(zk, { "/app/port": "25" })
    yield* zk.create("/app/binary", { data: Uint8Array.of(0x68, 0xff) })
    const provider = yield* withClient(zk)(ZooKeeperConfigProvider.make("/app"))
    const error = yield* failure(Config.String("binary").parse(provider), "ConfigError")
    assert.include(error.message, "the data of /app/binary is not UTF-8")
    assert.strictEqual(yield* Config.Int("port").parse(provider), 25)
  })
})
