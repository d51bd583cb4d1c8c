import { connectString as shared } from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ZooKeeper } from "../../src/index.ts"
import { connect, failure } from "../support/clients.ts"

describe("the client's layers", () => {
  itLive("fail within connectTimeout with the attempts where no server listens", function* () {
    const [elapsed, error] = yield* Effect.timed(
      failure(connect({ servers: "127.0.0.1:1", connectTimeout: "400 millis" }), "ConnectFailed")
    )
    assert.isBelow(Duration.toMillis(elapsed), 8000)
    assert.isAbove(error.attempts.length, 0)
    assert.strictEqual(error.attempts[0]?.server, "127.0.0.1:1")
    assert.include(error.message, "127.0.0.1:1")
  })

  itLive("fail with the option that is wrong", function* () {
    const servers = yield* failure(connect({ servers: "zk1:port" }), "InvalidArgument")
    assert.strictEqual(servers.argument, "servers")
    assert.strictEqual(servers.value, "zk1:port")
    for (const name of ["app", "/app/"]) {
      const chroot = yield* failure(connect({ servers: shared(), chroot: name }), "InvalidArgument")
      assert.strictEqual(chroot.argument, "chroot")
    }
    const acl = yield* failure(connect({ servers: shared(), defaultAcl: [] }), "InvalidArgument")
    assert.strictEqual(acl.argument, "defaultAcl")
  })

  itLive("read plain options from the configuration", function* () {
    const layer = ZooKeeper.layerConfig({
      servers: Config.String("servers"),
      sessionTimeout: Config.Duration("timeout"),
      allowReadOnly: Config.Boolean("readOnly")
    })
    const provided = (values: Record<string, unknown>) =>
      Effect.gen(function* () {
        const zk = yield* ZooKeeper.ZooKeeper
        assert.isTrue(yield* zk.exists("/"))
        return zk.session.timeout
      }).pipe(
        Effect.provide(Layer.fresh(layer)),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(values)))
      )
    assert.strictEqual(yield* provided({ servers: shared(), timeout: "7 seconds", readOnly: "false" }), 7_000)
    yield* failure(provided({ servers: shared() }), "ConfigError")
  })
})
