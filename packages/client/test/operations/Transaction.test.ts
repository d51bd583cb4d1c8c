import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Op } from "../../src/index.ts"
import { connectFresh, failure, text } from "../support/clients.ts"

describe("transactions on a real server", () => {
  it.live("apply all and give a tuple of results", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("multi")
      yield* zk.create("/gone")
      const [path, sequential, checked, stat, deleted] = yield* zk.transaction([
        Op.create("/a", { data: "1" }),
        Op.create("/a/", { mode: "persistentSequential" }),
        Op.check("/a", 0),
        Op.setData("/a", "two", { version: 0 }),
        Op.delete("/gone")
      ])
      assert.strictEqual(path, "/a")
      assert.strictEqual(sequential, "/a/0000000000")
      assert.isUndefined(checked)
      assert.isUndefined(deleted)
      assert.strictEqual(stat.version, 1)
      assert.strictEqual(text(yield* zk.getData("/a")), "two")
      assert.isFalse(yield* zk.exists("/gone"))
    })
  )

  it.live("say which operation failed and why, and apply nothing", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("multi-fails")
      yield* zk.create("/a", { data: "1" })
      const error = yield* failure(
        zk.transaction([Op.create("/b"), Op.setData("/a", "2"), Op.check("/a", 7), Op.delete("/a")]),
        "TransactionFailed"
      )
      assert.strictEqual(error.index, 2)
      assert.strictEqual(error.error._tag, "BadVersion")
      assert.strictEqual(error.error.path, "/a")
      assert.strictEqual(error.error.operation, "check")
      assert.deepStrictEqual(
        error.results.map((result) => (typeof result === "string" ? result : result._tag)),
        ["rolledBack", "rolledBack", "BadVersion", "notRun"]
      )
      assert.include(error.message, "operation 2")
      assert.isFalse(yield* zk.exists("/b"))
      assert.strictEqual(text(yield* zk.getData("/a")), "1")
    })
  )

  it.live("make containers and znodes with a time to live", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("multi-modes")
      const paths = yield* zk.transaction([
        Op.create("/container", { mode: "container" }),
        Op.create("/container/a"),
        Op.delete("/container/a"),
        Op.create("/ttl", { mode: "persistentWithTtl", ttl: 100 })
      ])
      assert.deepStrictEqual(paths, ["/container", "/container/a", undefined, "/ttl"])
      const left = Effect.map(zk.getChildren("/"), (children) => children.length)
      yield* Effect.repeat(left, { until: (n) => n === 0, schedule: Schedule.spaced("100 millis") }).pipe(
        Effect.timeout("15 seconds")
      )
    })
  )
})
