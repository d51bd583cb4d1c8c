/** Transactions: all or nothing, each operation on the results of those before it. */
import { Acl, Op } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import * as Option from "effect/Option"
import { assertEach, eventually, failure, text } from "../Expectations.ts"
import type { ConformanceTests } from "./Target.ts"

export const transactions = (it: ConformanceTests): void => {
  describe("a transaction", () => {
    it.inChroot("applies all and gives a tuple of results", function* ({ zk }) {
      yield* zk.create("/gone")
      const [path, sequential, checked, stat, deleted] = yield* zk.transaction([
        Op.create("/a", { data: "1" }),
        Op.create("/a/", { mode: "persistentSequential" }),
        Op.check("/a", 0),
        Op.setData("/a", "two", { version: 0 }),
        Op.delete("/gone")
      ])
      assert.deepStrictEqual([path, sequential, checked, deleted], ["/a", "/a/0000000000", undefined, undefined])
      assert.strictEqual(stat.version, 1)
      assert.strictEqual(stat.numChildren, 1)
      assert.strictEqual(stat.dataLength, 3)
      assert.strictEqual(text(yield* zk.getData("/a")), "two")
      assert.isFalse(yield* zk.exists("/gone"))
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["a"])
      assert.deepStrictEqual(yield* zk.transaction([]), [])
    })

    it.inChroot("lets each operation see what those before it did", function* ({ zk }) {
      yield* zk.create("/a", { data: "old" })
      yield* zk.transaction([
        Op.delete("/a", { version: 0 }),
        Op.create("/a", { data: "new" }),
        Op.create("/a/b"),
        Op.setData("/a", "newer", { version: 0 }),
        Op.check("/a", 1),
        Op.delete("/a/b"),
        Op.create("/c"),
        Op.delete("/c")
      ])
      const { data, stat } = yield* zk.get("/a")
      assert.deepStrictEqual([text(data), stat.version, stat.cversion, stat.numChildren], ["newer", 1, 2, 0])
      assert.isFalse(yield* zk.exists("/c"))
    })

    it.inChroot("says which operation failed and why, and applies nothing", function* ({ zk }) {
      yield* zk.create("/a", { data: "1" })
      const error = yield* failure(
        zk.transaction([Op.create("/b"), Op.setData("/a", "2"), Op.check("/a", 7), Op.delete("/a"), Op.delete("/no")]),
        "TransactionFailed"
      )
      assert.strictEqual(error.index, 2)
      assert.strictEqual(error.error._tag, "BadVersion")
      assert.strictEqual(error.error.path, "/a")
      assert.strictEqual(error.error.operation, "check")
      assert.include(error.message, "operation 2")
      assertEach(error.results, (result) => (typeof result === "string" ? result : `${result._tag} ${result.path}`), [
        "rolledBack",
        "rolledBack",
        "BadVersion /a",
        "notRun",
        "notRun"
      ])
      assert.isFalse(yield* zk.exists("/b"))
      const { data, stat } = yield* zk.get("/a")
      assert.deepStrictEqual([text(data), stat.version], ["1", 0])
    })

    it.inChroot("names every error that an operation can have", function* ({ zk }) {
      yield* zk.create("/a")
      yield* zk.create("/a/b")
      yield* zk.create("/locked", { acl: [Acl.world("r")] })
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* zk.create("/ephemeral", { mode: "ephemeral" })
      const cases = [
        [Op.create("/a"), "NodeExists"],
        [Op.create("/no/a"), "NoNode"],
        [Op.create("/locked/a"), "NoAuth"],
        [Op.create("/auth", { acl: Acl.creator }), "InvalidACL"],
        [Op.create("/ephemeral/a"), "NoChildrenForEphemerals"],
        [Op.setData("/a", "", { version: 3 }), "BadVersion"],
        [Op.setData("/locked", ""), "NoAuth"],
        [Op.setData("/no", ""), "NoNode"],
        [Op.delete("/a"), "NotEmpty"],
        [Op.delete("/a", { version: 3 }), "BadVersion"],
        [Op.delete("/no"), "NoNode"],
        [Op.check("/no"), "NoNode"],
        [Op.check("/a", 1), "BadVersion"],
        [Op.check("/hidden"), "NoAuth"]
      ] as const
      for (const [op, tag] of cases) {
        const { error, index } = yield* failure(zk.transaction([op]), "TransactionFailed")
        assert.deepStrictEqual([error._tag, error.path, index], [tag, op.path, 0])
      }
    })

    it.inChroot(
      "numbers sequential znodes as one after the other, and uses up no number when it fails",
      function* ({ zk }) {
        yield* zk.create("/s")
        const next = Op.create("/s/n-", { mode: "persistentSequential" })
        assert.deepStrictEqual(yield* zk.transaction([next, Op.create("/s/plain"), next]), [
          "/s/n-0000000000",
          "/s/plain",
          "/s/n-0000000002"
        ])
        yield* failure(zk.transaction([next, next, Op.check("/no")]), "TransactionFailed")
        assert.strictEqual(yield* zk.create("/s/n-", { mode: "persistentSequential" }), "/s/n-0000000003")
      }
    )

    it.inChroot("makes znodes of every mode that the server knows", function* ({ zk }) {
      if (!it.isAtLeast("3.5.3")) {
        const transaction = zk.transaction([Op.create("/a"), Op.create("/container", { mode: "container" })])
        assert.strictEqual((yield* failure(transaction, "ServerRefused")).name, "MarshallingError")
        return assert.deepStrictEqual(yield* zk.getChildren("/"), [])
      }
      const paths = yield* zk.transaction([
        Op.create("/container", { mode: "container" }),
        Op.create("/container/a"),
        Op.delete("/container/a"),
        Op.create("/ttl", { mode: "persistentWithTtl", ttl: 50 }),
        Op.create("/ephemeral", { mode: "ephemeral" }),
        Op.create("/e-", { mode: "ephemeralSequential" })
      ])
      assert.deepStrictEqual(paths.slice(0, 5), ["/container", "/container/a", undefined, "/ttl", "/ephemeral"])
      const stat = Option.getOrThrow(yield* zk.stat("/ephemeral"))
      assert.strictEqual(stat.ephemeralOwner, zk.session.id)
      assert.isTrue(yield* zk.exists(paths[5]))
      yield* eventually(zk.getChildren("/"), ({ length }) => length === 2)
    })

    it.inChroot("of many operations is one", function* ({ zk }) {
      const paths = Array.from({ length: 1_000 }, (_, index) => `/n${index}`)
      yield* zk.transaction(paths.map((path) => Op.create(path, { data: path })))
      assert.lengthOf(yield* zk.getChildren("/"), 1_000)
      const error = yield* failure(
        zk.transaction([...paths.map((path) => Op.delete(path)), Op.delete("/no")]),
        "TransactionFailed"
      )
      assert.strictEqual(error.index, 1_000)
      yield* zk.transaction(paths.map((path) => Op.delete(path, { version: 0 })))
      assert.deepStrictEqual(yield* zk.getChildren("/"), [])
    })
  })
}
