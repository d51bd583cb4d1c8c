/**
 * A whole life of configuration with secrets in it, every stage of it failing once, and the search of everything that comes
 * out: lines of logs, spans, metrics, standard output, and every error and object, as a debugger, a log or JSON show it.
 */
import { PromiseClient, ZNode } from "@effect-zookeeper/client"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as SecretSearch from "@effect-zookeeper/test-kit/SecretSearch"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Encryption from "../../src/Encryption.ts"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { configuration } from "../../src/Promise.ts"
import * as Snapshot from "../../src/Snapshot.ts"
import * as SnapshotFile from "../../src/SnapshotFile.ts"
import * as ZooKeeperConfigProvider from "../../src/ZooKeeperConfigProvider.ts"
import * as ZooKeeperKeyValueStore from "../../src/ZooKeeperKeyValueStore.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

const password = "canaryPassword2718281828"
const another = "canaryAnotherPassword1414"
const plain = "canaryPlainValue1618033"
const setting = "canarySetting577215664"
const unredacted = "canaryUnredacted7788"

const keyBytes = new Uint8Array(Crypto.randomBytes(32))
const retiredBytes = new Uint8Array(Crypto.randomBytes(32))

const canaries: ReadonlyArray<SecretSearch.Canary> = [
  { name: "the key", secret: keyBytes },
  { name: "the key as text", secret: Base64.encode(keyBytes) },
  { name: "a retired key", secret: retiredBytes },
  { name: "the password", secret: password },
  { name: "another password", secret: another },
  { name: "a plain value that does not decode", secret: plain },
  { name: "a setting", secret: setting },
  { name: "what should have been Redacted", secret: unredacted }
]

/** Configs for which the password is no value, each for another reason. */
const refusing: Readonly<Record<string, Config.Config<unknown>>> = {
  port: Config.Port("password"),
  finite: Config.Finite("password"),
  int: Config.Int("password"),
  size: Config.ByteSize("password"),
  level: Config.LogLevel("password"),
  array: Config.Array(Schema.Int, "password"),
  boolean: Config.Boolean("password"),
  date: Config.Date("password"),
  duration: Config.Duration("password"),
  url: Config.URL("password"),
  literal: Config.Literals(["on", "off"], "password"),
  pattern: Config.schema(Schema.String.check(Schema.isPattern(/^[0-9]+$/)), "password"),
  union: Config.schema(Schema.Union([Schema.Literal("a"), Schema.FiniteFromString]), "password"),
  nested: Config.schema(Schema.Struct({ password: Schema.Struct({ user: Schema.String }) })),
  exception: Config.map(Config.String("password"), (value) => {
    throw new Error(`no such user: ${value}`)
  })
}

describeOnServers("the secrets of configuration", (test) => {
  test("are in no output", { timeout: 60_000 }, function* ({ breakable, expire, zk }) {
    const { add, failing, observed, outputs, spans } = yield* SecretSearch.collect
    const folder = yield* TemporaryFolder.make("secrets-")
    const encryption = yield* Encryption.make({ keys: [{ id: "new", secret: Redacted.make(Base64.encode(keyBytes)) }] })
    const retired = yield* Encryption.make({ keys: [{ id: "old", secret: Redacted.make(retiredBytes) }] })
    const strict = yield* Encryption.make({
      keys: [{ id: "new", secret: Redacted.make(keyBytes) }],
      plaintext: "refuse"
    })
    const { link, zk: mine } = yield* breakable({ sessionTimeout: "4 seconds" })
    const provided = withClient(mine)
    const live = <A>(config: Config.Config<A>, options: Partial<LiveConfig.Options> = {}) =>
      provided(LiveConfig.make(config, { path: "/app", decoder: encryption, ...options }))

    const life = Effect.gen(function* () {
      yield* plant(zk, { "/app/host": plain })
      yield* zk.create("/app/password", { data: yield* encryption.encrypt(password) })
      add(...SecretSearch.facesOf("the encryptions", [encryption, retired, strict]))

      for (const [name, config] of Object.entries(refusing)) {
        yield* failing(`a live ${name}`, Effect.scoped(live(config)))
        const tree = yield* provided(ZooKeeperConfigProvider.make("/app", { decoder: encryption }))
        // An exception of an application is its own.
        if (name !== "exception") yield* failing(`a ${name}`, config.parse(tree))
      }
      const asText = Config.String("password")
      yield* failing("another key", Effect.scoped(live(asText, { decoder: retired })))
      yield* failing(
        "another context",
        Effect.scoped(live(asText, { decoder: encryption.decoderWith((path) => path) }))
      )
      yield* failing("plain data", Effect.scoped(live(Config.String("host"), { decoder: strict })))
      yield* failing("a tree too large", provided(Snapshot.read("/app", { maxNodes: 1 })))
      const data = yield* zk.getData("/app/password")
      yield* failing("decrypting", retired.decrypt(data))
      yield* failing(
        "decrypting what was changed",
        encryption.decrypt(data.with(data.length - 1, (data.at(-1) ?? 0) ^ 1))
      )
      yield* failing("rotating", provided(retired.rotate("/app/password")))
      yield* failing("rotating plain data", provided(encryption.rotate("/app/host")))
      const Typed = ZNode.make({
        path: "/app/password",
        schema: Schema.fromJsonString(Schema.Struct({ user: Schema.String })),
        codec: encryption.codec(ZNode.text)
      })
      yield* failing("a typed znode", provided(Typed.get({})))
      yield* failing(
        "an unredacted key",
        Encryption.make({ keys: [{ id: "x", secret: unredacted as unknown as Redacted.Redacted<string> }] })
      )
      yield* failing("a short key", Encryption.make({ keys: [{ id: "x", secret: Redacted.make(unredacted) }] }))

      // Followed, with values that are not taken over, through a lost connection and an expiry.
      const file = yield* SnapshotFile.make(`${folder}/config.json`)
      const followed = yield* live(Config.Redacted("password"), { file })
      const number = yield* live(Config.option(Config.Port("port")))
      yield* zk.create("/app/port", { data: plain })
      yield* awaitCondition(() => Option.isSome(number.status.problem))
      add(...SecretSearch.facesOf("the status of a value that does not decode", number.status))
      yield* zk.set("/app/password", yield* retired.encrypt(another))
      yield* awaitCondition(() => Option.isSome(followed.status.problem))
      add(
        ...SecretSearch.facesOf("the status of a key that is not there", followed.status),
        ...SecretSearch.facesOf("a value that is Redacted", followed.current)
      )
      yield* link.cut
      yield* zk.set("/app/password", yield* encryption.encrypt(another))
      yield* link.heal
      yield* awaitCondition(() => Redacted.value(followed.current) === another)
      yield* expire(mine)
      yield* zk.set("/app/password", yield* encryption.encrypt(password))
      yield* awaitCondition(() => Redacted.value(followed.current) === password)
      const saved = () => Fs.readFileSync(file.file, "utf8")
      yield* awaitCondition(() => Fs.existsSync(file.file) && saved().includes("/app/port"))
      const onDisk = { place: "the file", text: saved() }
      assert.deepStrictEqual(
        SecretSearch.leaksIn(
          [onDisk],
          canaries.filter(({ secret }) => secret !== plain)
        ),
        []
      )

      // Files, and settings.
      Fs.writeFileSync(`${folder}/broken.json`, `{"format":"${password}"`)
      yield* failing("a broken file", (yield* SnapshotFile.make(`${folder}/broken.json`)).load)
      const nowhere = yield* SnapshotFile.make(`${folder}/missing/config.json`)
      yield* failing("a folder that is missing", nowhere.save(yield* provided(Snapshot.read("/app"))))
      const settings = yield* provided(ZooKeeperKeyValueStore.make({ path: "/settings", maxValueSize: 30 }))
      yield* settings.set("a", setting)
      yield* failing("a setting too large", settings.set("a", setting.repeat(2)))
      yield* failing(
        "a modification too large",
        settings.modify("a", (value) => value.repeat(2))
      )
      add(...SecretSearch.facesOf("the settings", settings))
      yield* link.cut
      yield* failing("a setting in an outage", Effect.timeout(settings.set("a", setting), "20 millis"))
      yield* link.heal
    })
    yield* observed(Effect.scoped(Effect.provide(life, NodeFileSystem.layer)))

    // Promises.
    const rejections = yield* Effect.promise(async () => {
      const { chroot, connectString } = TestServer.fresh("secrets")
      await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
      await root.create(chroot)
      await using client = await PromiseClient.connect(connectString)
      const secrets = configuration(client).encryption({ keys: [{ id: "new", secret: Redacted.make(keyBytes) }] })
      await client.create("/password", { data: await secrets.encrypt(password) })
      add(...SecretSearch.facesOf("the Promise form", secrets))
      const store = configuration(client).settings({ path: "/settings", maxValueSize: 5 })
      return await Promise.allSettled([
        configuration(client).load(Config.Port("password"), { path: "/", decoder: secrets }),
        configuration(client).live(Config.Boolean("password"), { path: "/", decoder: secrets }),
        secrets.decrypt(new TextEncoder().encode(password)),
        secrets.rotate("/password", "another context").then(() => Promise.reject(new Error("rotated"))),
        store.set("a", setting)
      ])
    })
    for (const rejection of rejections) {
      assert.strictEqual(rejection.status, "rejected")
      if (rejection.status === "rejected") add(...SecretSearch.facesOf("a rejection", rejection.reason))
    }
    add(...SecretSearch.facesOf("metrics", yield* Metric.snapshot), {
      place: "the dump of metrics",
      text: yield* Metric.dump
    })

    assert.isAbove(outputs.length, 300)
    assert.isAbove(spans(), 20)
    assert.isTrue(outputs.some(({ text }) => text.includes("is not taken over")))
    assert.deepStrictEqual([...new Set(SecretSearch.leaksIn(outputs, canaries))], [])
    for (const canary of canaries) SecretSearch.assertFound(canary)
  })
})
