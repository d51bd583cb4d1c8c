/** The cases of aiozk's `test_transaction.py`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Op } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { failure, text } from "../support/clients.ts"

describe("aiozk test_transaction.py", () => {
  it.live("creates, sets and deletes in one request (test_transaction)", () =>
    Effect.gen(function* () {
      const { proxy, zk } = yield* Faults.connectProxied("transaction")
      yield* zk.create("/set")
      yield* zk.create("/gone")
      const [created, stat] = yield* zk
        .transaction([Op.check("/set", 0), Op.create("/new"), Op.setData("/set", "data"), Op.delete("/gone")] as const)
        .pipe(Effect.map(([, created, stat]) => [created, stat] as const))
      assert.strictEqual(created, "/new")
      assert.strictEqual(stat.dataLength, 4)
      assert.deepStrictEqual([...(yield* zk.getChildren("/"))].sort(), ["new", "set"])
      assert.strictEqual(text(yield* zk.getData("/set")), "data")
      assert.strictEqual(yield* Faults.countSent(proxy, Faults.Op.multi), 1)
    })
  )

  it.live("a check that fails is reported with its index and error (test_fail_transaction)", () =>
    Effect.gen(function* () {
      const { beside: zk } = yield* Faults.makeChroot("fail-transaction")
      yield* zk.create("/a")
      const error = yield* failure(
        zk.transaction([Op.setData("/a", "1"), Op.check("/a", 5), Op.create("/b")]),
        "TransactionFailed"
      )
      assert.strictEqual(error.index, 1)
      assert.strictEqual(error.error._tag, "BadVersion")
      assert.strictEqual(error.error.path, "/a")
      assert.strictEqual(Option.getOrThrow(yield* zk.stat("/a")).version, 0)
    })
  )

  it.live("operations gathered by a program are committed at its end (test_transaction_contextmanager)", () =>
    Effect.gen(function* () {
      const { beside: zk } = yield* Faults.makeChroot("gathered")
      yield* zk.create("/source", { data: "copied" })
      const gathered = Effect.gen(function* () {
        const data = yield* zk.getData("/source")
        return [Op.create("/copy", { data }), Op.delete("/source")] as const
      })
      yield* Effect.flatMap(gathered, (ops) => zk.transaction(ops))
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["copy"])
      assert.strictEqual(text(yield* zk.getData("/copy")), "copied")
    })
  )

  it.live("nothing is applied when one of them fails (test_transaction_contextmanager_fail)", () =>
    Effect.gen(function* () {
      const { beside: zk } = yield* Faults.makeChroot("gathered-fail")
      yield* zk.create("/a")
      yield* failure(zk.transaction([Op.create("/b"), Op.delete("/a"), Op.check("/c", 0)]), "TransactionFailed")
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["a"])
    })
  )

  it.live("nothing is sent when the program fails before (test_exception_handling)", () =>
    Effect.gen(function* () {
      const { proxy, zk } = yield* Faults.connectProxied("gathered-error")
      yield* zk.create("/a")
      const gathered = Effect.gen(function* () {
        const data = yield* zk.getData("/missing")
        return [Op.create("/b", { data }), Op.delete("/a")] as const
      })
      const error = yield* failure(
        Effect.flatMap(gathered, (ops) => zk.transaction(ops)),
        "NoNode"
      )
      assert.strictEqual(error.path, "/missing")
      assert.strictEqual(yield* Faults.countSent(proxy, Faults.Op.multi), 0)
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["a"])
    })
  )
})
