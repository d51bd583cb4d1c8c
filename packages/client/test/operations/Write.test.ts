import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { CreateError, SetDataError } from "../../src/Errors.ts"
import { itInChroot, connect, failure } from "../support/clients.ts"

describe("a write on a real server", () => {
  const itWithQuotas = TestServer.since("3.7.0", itLive)

  itWithQuotas("fails with QuotaExceeded where quotas are enforced, in all methods that write data", function* () {
    const server = yield* ZooKeeperServer.make({ enforceQuota: true })
    const zk = yield* connect({ servers: server.connectString })
    const limit = Effect.fnUntraced(function* (path: string, limits: string) {
      yield* zk.create(path)
      yield* zk.createWithParents(`/zookeeper/quota${path}/zookeeper_limits`, { data: limits })
      yield* zk.createWithParents(`/zookeeper/quota${path}/zookeeper_stats`, { data: "count=1,bytes=0" })
    })
    yield* limit("/q", "count=1,bytes=-1=;byteHardLimit=-1;countHardLimit=1")
    yield* failure(zk.create("/q/a"), "QuotaExceeded")
    yield* limit("/b", "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=-1")
    const large = "x".repeat(11)
    const writes: ReadonlyArray<Effect.Effect<unknown, SetDataError | CreateError>> = [
      zk.set("/b", large),
      zk.setData("/b", large),
      zk.setData("/b", large, { idempotent: true }),
      zk.update("/b", () => large),
      zk.createOrSet("/b", large)
    ]
    for (const write of writes) {
      const error = yield* failure(write, "QuotaExceeded")
      assert.strictEqual(error.path, "/b")
      assert.strictEqual(error.operation, "setData")
    }
    assert.strictEqual((yield* zk.getData("/b")).byteLength, 0)
  })
})

describe("an update on a real server", () => {
  itInChroot("is given up with BadVersion when its schedule ends", function* ({ zk }) {
    yield* zk.create("/n", { data: "0" })
    let runs = 0
    const contended = zk.update(
      "/n",
      () => {
        runs++
        Effect.runFork(zk.set("/n", "other"))
        return "mine"
      },
      { retry: Schedule.recurs(2) }
    )
    yield* failure(contended, "BadVersion")
    assert.strictEqual(runs, 3)
  })
})
