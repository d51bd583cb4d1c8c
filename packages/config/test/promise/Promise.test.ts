import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { rejection, text } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Option from "effect/Option"
import { configuration } from "../../src/Promise.ts"

const connect = async () => {
  const { chroot, connectString } = fresh("config-promise")
  await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
  await root.create(chroot)
  return PromiseClient.connect(connectString)
}

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
})
