/** `zk create --ttl` on a real server that has no TTLs. */
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../support/zk.ts"

describe("zk create --ttl", () => {
  it.live("names the setting that the server needs", () =>
    Effect.gen(function* () {
      const { connectString } = yield* ZooKeeperServer.make({ config: ["extendedTypesEnabled=false"] })
      const create = (...args: ReadonlyArray<string>) => run(["create", ...args, "--servers", connectString])
      for (const flags of [[], ["--sequential"], ["--parents"]]) {
        const { code, err } = yield* create("/tt", "x", "--ttl", "5m", ...flags)
        assert.strictEqual(code, 1)
        assert.include(err, "zk: /tt was not created: the server has no TTLs")
        assert.include(err, "zookeeper.extendedTypesEnabled=true")
      }
      assert.strictEqual((yield* create("/tt", "x")).code, 0)
    }).pipe(Effect.scoped, Effect.orDie)
  )
})
