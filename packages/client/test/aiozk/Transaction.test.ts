/**
 * The cases of aiozk's `test_transaction.py`. The conformance suite has test_transaction ("applies all and gives a tuple of
 * results") and test_fail_transaction ("says which operation failed and why, and applies nothing").
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Op } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { failure, text } from "../support/clients.ts"

describe("aiozk test_transaction.py", () => {
  Faults.itBehindProxy(
    "operations gathered by a program are committed at its end (test_transaction_contextmanager)",
    function* ({ proxy, zk }) {
      yield* zk.create("/source", { data: "copied" })
      const gathered = Effect.gen(function* () {
        const data = yield* zk.getData("/source")
        return [Op.create("/copy", { data }), Op.delete("/source")] as const
      })
      yield* Effect.flatMap(gathered, (ops) => zk.transaction(ops))
      assert.strictEqual(yield* Faults.countSent(proxy, Faults.Op.multi), 1)
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["copy"])
      assert.strictEqual(text(yield* zk.getData("/copy")), "copied")
    }
  )

  Faults.itBesideRoot(
    "nothing is applied when one of them fails (test_transaction_contextmanager_fail)",
    function* ({ beside: zk }) {
      yield* zk.create("/a")
      yield* failure(zk.transaction([Op.create("/b"), Op.delete("/a"), Op.check("/c", 0)]), "TransactionFailed")
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["a"])
    }
  )

  Faults.itBehindProxy(
    "nothing is sent when the program fails before (test_exception_handling)",
    function* ({ proxy, zk }) {
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
    }
  )
})
