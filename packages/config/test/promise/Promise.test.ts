import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { rejection, text } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { configuration } from "../../src/Promise.ts"

const makeChroot = async () => {
  const { chroot, connectString } = fresh("config-promise")
  await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
  await root.create(chroot)
  return connectString
}

const connect = async () => PromiseClient.connect(await makeChroot())

describe("configuration as Promises", () => {
  it("reads a snapshot, and loads values", async () => {
    await using zk = await connect()
    await zk.createWithParents("/app/port", { data: "25" })
    const { znodes } = await configuration(zk).snapshot("/app")
    assert.strictEqual(text(znodes.get("/app/port")!.data), "25")
    assert.strictEqual(await configuration(zk).load(Config.Port("port"), { path: "/app" }), 25)
    const compose = (tree: ConfigProvider.ConfigProvider) =>
      ConfigProvider.orElse(ConfigProvider.fromUnknown({ port: "26" }), tree)
    assert.strictEqual(await configuration(zk).load(Config.Port("port"), { path: "/app", compose }), 26)
    // A value of the application stays as it is.
    const missing = await configuration(zk).load(Config.option(Config.Port("missing")), { path: "/app" })
    assert.deepStrictEqual(missing, Option.none())
    assert.propertyVal(
      await rejection(configuration(zk).load(Config.Port("missing"), { path: "/app" })),
      "_tag",
      "ConfigError"
    )
    assert.propertyVal(await rejection(configuration(zk).snapshot("app")), "_tag", "InvalidArgument")
    for (const options of [null, 0, [], "/app", undefined, { path: "/app", maxNods: 1 }]) {
      const loaded = configuration(zk).load(Config.Port("port"), options as never)
      assert.deepInclude(await rejection(loaded), { _tag: "InvalidArgument", argument: "options" })
    }
  })

  it("follows a tree until it is released", async () => {
    await using zk = await connect()
    await zk.createWithParents("/app/port", { data: "25" })
    const live = await configuration(zk).live(Config.Port("port"), { path: "/app" })
    assert.strictEqual(live.current, 25)
    const seen: Array<number> = []
    for await (const port of live.changes) {
      seen.push(port)
      if (port === 25) await zk.set("/app/port", "26")
      else await live.release()
    }
    assert.deepStrictEqual(seen, [25, 26])
    assert.strictEqual(live.status.freshness, "ended")
    await live.release()
  })

  it("ends with its client, and can be aborted while it waits", async () => {
    const zk = await connect()
    await zk.createWithParents("/app/port", { data: "25" })
    const live = await configuration(zk).live(Config.Port("port"), { path: "/app" })
    const following = (async () => {
      for await (const status of live.statusChanges) if (status.freshness === "ended") return "ended"
      return "over"
    })()
    await rejection(configuration(zk).live(Config.Port("missing"), { path: "/app" }))
    const aborted = configuration(zk).live(Config.Port("port"), { path: "/app" }, { signal: AbortSignal.abort() })
    await rejection(aborted)
    await zk.close()
    assert.include(["ended", "over"], await following)
    assert.strictEqual(live.current, 25)
  })

  it("keeps settings, and loses no modification", async () => {
    await using zk = await connect()
    const store = configuration(zk).settings({ path: "/settings" })
    assert.isUndefined(await store.get("theme"))
    await store.set("theme", "dark")
    await Promise.all(Array.from({ length: 5 }, () => store.modify("theme", (theme) => `${theme}!`)))
    assert.strictEqual(await store.get("theme"), "dark!!!!!")
    assert.deepStrictEqual([await store.keys(), await store.size(), await store.has("theme")], [["theme"], 1, true])
    await store.remove("theme")
    await store.clear()
    assert.isFalse(await store.has("theme"))
    const large = configuration(zk).settings({ path: "/settings", maxValueSize: 3 })
    assert.propertyVal(await rejection(large.set("theme", "dark")), "_tag", "KeyValueStoreError")
    assert.throws(() => configuration(zk).settings({ path: "settings" }), "path")
  })

  it("encrypts, decrypts, rotates, and decodes", async () => {
    await using zk = await connect()
    const [old, fresh] = ["old", "fresh"].map((id) => ({
      id,
      secret: Redacted.make(new Uint8Array(32).fill(id.length))
    }))
    const { encryption, load } = configuration(zk)
    const before = encryption({ keys: [old!] })
    const during = encryption({ keys: [fresh!, old!] })
    await zk.create("/app")
    await zk.create("/app/password", { data: await before.encrypt("correct horse") })
    assert.isTrue(await during.rotate("/app/password"))
    assert.isFalse(await during.rotate("/app/password"))
    const data = await zk.getData("/app/password")
    assert.strictEqual(text(await during.decrypt(data)), "correct horse")
    assert.propertyVal(await rejection(before.decrypt(data)), "_tag", "DecryptionError")
    const password = await load(Config.Redacted("password"), { path: "/app", decoder: during })
    assert.strictEqual(Redacted.value(password), "correct horse")
    assert.throws(() => encryption({ keys: [] }), "at least one key")
  })

  it("hears the invalidations of another client, until it is released", async () => {
    const connectString = await makeChroot()
    await using zk = await PromiseClient.connect(connectString)
    await using another = await PromiseClient.connect(connectString)
    await using one = await configuration(zk).invalidations({ path: "/reactivity" })
    const other = await configuration(another).invalidations({ path: "/reactivity" })
    let heard = 0
    for await (const _ of one.changes(["users"])) {
      heard++
      if (heard === 2) break
      await other.invalidate(["users"])
    }
    assert.strictEqual(heard, 2)
    await other.release()
    await other.release()
  })
})
