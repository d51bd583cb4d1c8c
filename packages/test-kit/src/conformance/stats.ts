/** The fields of a Stat: which operation changes which field. */
import { Acl, Op } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import { failure, inScope } from "../Expectations.ts"
import { type ConformanceTests, connect } from "./Target.ts"

export const stats = (it: ConformanceTests): void => {
  describe("the Stat", () => {
    it.inChroot("of a new znode", function* ({ zk }) {
      const { path, stat } = yield* zk.createWithStat("/a", { data: "grün" })
      assert.strictEqual(path, "/a")
      assert.deepStrictEqual((yield* zk.get("/a")).stat, stat)
      assert.isTrue(stat.czxid > 0n)
      assert.deepStrictEqual([stat.mzxid, stat.pzxid], [stat.czxid, stat.czxid])
      assert.deepStrictEqual([stat.version, stat.cversion, stat.aversion], [0, 0, 0])
      assert.deepStrictEqual([stat.dataLength, stat.numChildren, stat.ephemeralOwner], [5, 0, 0n])
      assert.strictEqual(stat.mtime, stat.ctime)
      assert.closeTo(Number(stat.ctime), yield* Clock.currentTimeMillis, 60_000)
    })

    it.inChroot("after new data", function* ({ zk }) {
      const { stat: before } = yield* zk.createWithStat("/a", { data: "1" })
      const after = yield* zk.set("/a", "22")
      assert.isTrue(after.mzxid > before.mzxid)
      assert.isTrue(after.mtime >= before.mtime)
      assert.deepStrictEqual(after, {
        ...before,
        version: 1,
        dataLength: 2,
        mzxid: after.mzxid,
        mtime: after.mtime
      })
    })

    it.inChroot("after a new ACL", function* ({ zk }) {
      const { stat: before } = yield* zk.createWithStat("/a")
      const after = yield* zk.setAcl("/a", Acl.readOnly)
      assert.deepStrictEqual(after, { ...before, aversion: 1 })
    })

    it.inChroot("of the parent counts children that come and go", function* ({ zk }) {
      const { stat: before } = yield* zk.createWithStat("/p")
      const { stat: child } = yield* zk.createWithStat("/p/c")
      const { stat: with1 } = yield* zk.get("/p")
      assert.deepStrictEqual(with1, { ...before, cversion: 1, numChildren: 1, pzxid: child.czxid })
      yield* zk.set("/p/c", "data")
      yield* zk.create("/p/c/d")
      assert.deepStrictEqual((yield* zk.get("/p")).stat, with1)
      yield* zk.delete("/p/c/d")
      yield* zk.delete("/p/c")
      const { stat: after } = yield* zk.get("/p")
      assert.isTrue(after.pzxid > with1.pzxid)
      assert.deepStrictEqual(after, { ...before, cversion: 2, pzxid: after.pzxid })
    })

    it.inChroot("of an ephemeral names its session, and its end is counted in the parent", function* ({ chroot, zk }) {
      yield* zk.create("/p")
      yield* inScope(function* () {
        const other = yield* connect({ chroot })
        const { stat } = yield* other.createWithStat("/p/e", { mode: "ephemeral" })
        assert.strictEqual(stat.ephemeralOwner, other.session.id)
      })
      const { stat } = yield* zk.get("/p")
      assert.deepStrictEqual([stat.numChildren, stat.cversion], [0, 2])
      assert.isTrue(stat.pzxid > stat.czxid)
    })

    it.inChroot("of everything in a transaction has one zxid and one time", function* ({ zk }) {
      yield* zk.create("/old")
      const [, , set] = yield* zk.transaction([Op.create("/a"), Op.create("/a/b"), Op.setData("/old", "1")])
      const { stat: a } = yield* zk.get("/a")
      const { stat: b } = yield* zk.get("/a/b")
      assert.deepStrictEqual([b.czxid, set.mzxid, a.pzxid], [a.czxid, a.czxid, a.czxid])
      assert.deepStrictEqual([b.ctime, set.mtime], [a.ctime, a.ctime])
    })

    it.inChroot("shows that what was refused changed nothing", function* ({ zk }) {
      yield* zk.create("/p")
      yield* zk.create("/p/c")
      const before = [(yield* zk.get("/p")).stat, (yield* zk.get("/p/c")).stat]
      yield* failure(zk.create("/p/c"), "NodeExists")
      yield* failure(zk.delete("/p"), "NotEmpty")
      yield* failure(zk.set("/p/c", "", 3), "BadVersion")
      yield* failure(zk.setAcl("/p/c", Acl.open, { version: 3 }), "BadVersion")
      yield* failure(
        zk.transaction([Op.create("/p/d"), Op.setData("/p/c", ""), Op.check("/p", 9)]),
        "TransactionFailed"
      )
      assert.deepStrictEqual([(yield* zk.get("/p")).stat, (yield* zk.get("/p/c")).stat], before)
    })
  })
}
