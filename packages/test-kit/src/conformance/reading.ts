/** Reads: one by one, many together, of trees and of the server itself. */
import { Acl, Op, type ReadError } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { assertEach, failure, refused, text } from "../Expectations.ts"
import { type ConformanceTests, connect, type InChroot } from "./Target.ts"

const hidden = [Acl.world("cdwa")]

const ephemerals = ({ zk }: InChroot) => [zk.getEphemerals(), zk.getEphemerals("/job")]

export const reading = (it: ConformanceTests): void => {
  describe("reads", () => {
    it.inChroot("agree with each other", function* ({ zk }) {
      yield* zk.create("/a", { data: "data" })
      yield* zk.create("/a/x")
      yield* zk.create("/a/y", { mode: "ephemeral" })
      const { data, stat } = yield* zk.get("/a")
      assert.strictEqual(text(data), "data")
      assert.strictEqual(stat.numChildren, 2)
      assert.sameMembers([...(yield* zk.getChildren("/a"))], ["x", "y"])
      const listed = yield* zk.getChildrenWithStat("/a")
      assert.sameMembers([...listed.children], ["x", "y"])
      assert.deepStrictEqual(listed.stat, stat)
      assert.deepStrictEqual((yield* zk.getAcl("/a")).stat, stat)
      assert.deepStrictEqual(yield* zk.stat("/a"), Option.some(stat))
      assert.isTrue(yield* zk.exists("/a"))
      assert.isFalse(yield* zk.exists("/no"))
    })

    it.inChroot("fail with each error of their rows", function* ({ zk }) {
      yield* zk.create("/hidden", { acl: hidden })
      const reads: ReadonlyArray<(path: string) => Effect.Effect<unknown, ReadError>> = [
        zk.get,
        zk.getData,
        zk.getChildren,
        zk.getChildrenWithStat,
        ...(it.isAtLeast("3.6.0") ? [zk.countDescendants] : []),
        zk.getAndWatch,
        zk.getChildrenAndWatch
      ]
      for (const read of reads) {
        assert.strictEqual((yield* failure(read("/no"), "NoNode")).path, "/no")
        assert.strictEqual((yield* failure(read("/no/a"), "NoNode")).path, "/no/a")
        assert.strictEqual((yield* failure(read("/hidden"), "NoAuth")).path, "/hidden")
      }
      yield* failure(zk.getAcl("/no"), "NoNode")
    })

    it.inChroot(
      "may look whether a znode is there that they may not read, unless servers forbid it",
      function* ({ zk }) {
        yield* zk.create("/hidden", { acl: hidden })
        if (it.isAtLeast("3.9.2")) {
          const looks: ReadonlyArray<(path: string) => Effect.Effect<unknown, ReadError>> = [
            zk.exists,
            zk.stat,
            zk.existsAndWatch
          ]
          for (const look of looks) {
            const { operation, path } = yield* failure(look("/hidden"), "NoAuth")
            assert.deepStrictEqual([operation, path], ["exists", "/hidden"])
          }
        } else {
          assert.isTrue(yield* zk.exists("/hidden"))
          assert.isTrue(Option.isSome(yield* zk.stat("/hidden")))
        }
        // ADMIN is enough to see the ACL.
        assert.deepStrictEqual((yield* zk.getAcl("/hidden")).acl, hidden)
        assert.deepStrictEqual(yield* zk.stat("/no"), Option.none())
      }
    )

    it.inChroot("see what this client has written, whatever others do", function* ({ zk }) {
      yield* zk.create("/a")
      for (let n = 1; n <= 20; n++) {
        const [stat, seen] = yield* Effect.all([zk.set("/a", String(n)), zk.get("/a")], { concurrency: 2 })
        assert.deepStrictEqual([stat.version, text(seen.data)], [n, String(n)])
      }
    })

    it.inChroot("go together, each with a result of its own", function* ({ zk }) {
      yield* zk.create("/a", { data: "1" })
      yield* zk.create("/a/b")
      yield* zk.create("/hidden", { acl: hidden })
      const [a, children, no, denied, empty] = yield* zk.read([
        Op.get("/a"),
        Op.getChildren("/a"),
        Op.get("/no"),
        Op.getChildren("/hidden"),
        Op.getChildren("/a/b")
      ])
      assert.strictEqual(text(Result.getOrThrow(a).data), "1")
      assert.deepStrictEqual(Result.getOrThrow(a).stat, (yield* zk.get("/a")).stat)
      assert.deepStrictEqual(Result.getOrThrow(children), ["b"])
      assert.strictEqual(Result.isFailure(no) ? `${no.failure._tag} ${no.failure.path}` : "", "NoNode /no")
      assert.strictEqual(Result.isFailure(denied) ? denied.failure._tag : "", "NoAuth")
      assert.deepStrictEqual(Result.getOrThrow(empty), [])
      assert.deepStrictEqual(yield* zk.read([]), [])
    })

    it.inChroot("go together by the hundred", function* ({ zk }) {
      const names = Array.from({ length: 200 }, (_, index) => `/n${index}`)
      yield* zk.transaction(names.map((path) => Op.create(path, { data: path })))
      const all = yield* zk.read(names.map((path) => Op.get(path)))
      assertEach(all, (one) => text(Result.getOrThrow(one).data), names)
    })

    it.since(
      "3.6.0",
      "count what is below, at any depth",
      ({ zk }) => [zk.countDescendants("/")],
      function* ({ zk }) {
        yield* zk.ensurePath("/a/b/c")
        yield* zk.create("/ab")
        assert.strictEqual(yield* zk.countDescendants("/a"), 2)
        assert.strictEqual(yield* zk.countDescendants("/a/b/c"), 0)
        assert.strictEqual(yield* zk.countDescendants("/"), 4)
      }
    )

    it.since("3.6.0", "list this session's ephemerals by a text prefix", ephemerals, function* ({ chroot, root, zk }) {
      yield* zk.create("/job-1", { mode: "ephemeral" })
      yield* zk.create("/job-2", { mode: "ephemeral" })
      yield* zk.create("/other", { mode: "ephemeral" })
      yield* (yield* connect({ chroot })).create("/job-3", { mode: "ephemeral" })
      assert.sameMembers([...(yield* zk.getEphemerals())], ["/job-1", "/job-2", "/other"])
      assert.sameMembers([...(yield* zk.getEphemerals("/job"))], ["/job-1", "/job-2"])
      assert.deepStrictEqual(yield* zk.getEphemerals("/nothing"), [])
      yield* zk.delete("/job-1")
      assert.sameMembers([...(yield* root.getEphemerals(chroot))], [`${chroot}/job-2`, `${chroot}/other`])
      // A name that only begins like the chroot is not below it.
      const alike = yield* zk.withChroot("/job")
      yield* alike.ensurePath("/")
      assert.deepStrictEqual(yield* alike.getEphemerals(), [])
      assert.deepStrictEqual(yield* alike.getChildren("/"), [])
      assert.isFalse(yield* alike.exists("/-2"))
      yield* root.create(`${chroot}-apple`, { mode: "ephemeral" })
      assert.sameMembers([...(yield* zk.getEphemerals())], ["/job-2", "/other"])
      assert.include(yield* root.getEphemerals(chroot), `${chroot}-apple`)
    })
  })

  describe("the server itself", () => {
    it.effect("brings the znodes that belong to ZooKeeper", function* () {
      const zk = yield* connect()
      assert.include(yield* zk.getChildren("/"), "zookeeper")
      const children = yield* zk.getChildren("/zookeeper")
      if (!it.isAtLeast("3.5.0")) return assert.deepStrictEqual(children, ["quota"])
      assert.sameMembers([...children], ["config", "quota"])
      assert.deepStrictEqual((yield* zk.getAcl("/zookeeper/config")).acl, Acl.readOnly)
      yield* failure(zk.set("/zookeeper/config", ""), "NoAuth")
    })

    it.effect(it.refusedBefore("3.5.0", "has no ensemble, and says so"), function* () {
      const zk = yield* connect()
      if (!it.isAtLeast("3.5.0")) {
        assert.strictEqual((yield* failure(zk.getConfig, "NoNode")).path, "/zookeeper/config")
        return yield* refused(zk.reconfigure({ leaving: [1] }))
      }
      const config = yield* zk.getConfig
      assert.deepStrictEqual(config, { version: 0n, members: [], raw: "" })
      assert.notStrictEqual((yield* Effect.flip(zk.reconfigure({ leaving: [1] })))._tag, "InvalidArgument")
    })

    it.inChroot("answers sync for any path", function* ({ zk }) {
      yield* zk.sync()
      yield* zk.sync("/no/such/path")
    })
  })
}
