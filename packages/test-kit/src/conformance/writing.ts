/** Creating, setting and deleting znodes: results, and the order in which reasons to refuse are checked. */
import { Acl, Op, type ZooKeeper } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import { assertEach, numbersBelow, eventually, failure, outcome, text, eachAtOnce } from "../Expectations.ts"
import { type ConformanceTests, connect, type InChroot } from "./Target.ts"

const locked = [Acl.world("r")]

/** A create of each kind of znode that goes by itself. */
const kinds = ({ zk }: InChroot) => [
  zk.create("/container", { mode: "container" }),
  zk.create("/ttl", { mode: "persistentWithTtl", ttl: "1 minute" }),
  zk.createWithStat("/ttl-", { mode: "persistentSequentialWithTtl", ttl: "1 minute" })
]

export const writing = (it: ConformanceTests): void => {
  describe("create", () => {
    it.inChroot("keeps text, any bytes, and none", function* ({ zk }) {
      assert.strictEqual(yield* zk.create("/text", { data: "schön" }), "/text")
      assert.strictEqual(text(yield* zk.getData("/text")), "schön")
      yield* zk.create("/bytes", { data: Uint8Array.of(0, 255, 128) })
      assert.deepStrictEqual(yield* zk.getData("/bytes"), Uint8Array.of(0, 255, 128))
      yield* zk.create("/none")
      const { data, stat } = yield* zk.get("/none")
      assert.deepStrictEqual([data, stat.version, stat.dataLength], [new Uint8Array(0), 0, 0])
    })

    it.inChroot("takes unusual names", function* ({ zk }) {
      const names = ["a b", "ü", "日本", "...", "a..b", "-", "%2F", "a:b", '"', "zookeeper"]
      for (const name of names) assert.strictEqual(yield* zk.create(`/${name}`), `/${name}`)
      assert.sameMembers([...(yield* zk.getChildren("/"))], names)
    })

    it.inChroot("is refused for each reason of its row", function* ({ zk }) {
      yield* zk.create("/a")
      yield* zk.create("/locked", { acl: locked })
      yield* zk.create("/ephemeral", { mode: "ephemeral" })
      const exists = yield* failure(zk.create("/a"), "NodeExists")
      assert.deepStrictEqual([exists.operation, exists.path], ["create", "/a"])
      assert.strictEqual((yield* failure(zk.create("/no/a"), "NoNode")).path, "/no/a")
      yield* failure(zk.create("/locked/a"), "NoAuth")
      yield* failure(zk.create("/b", { acl: Acl.creator }), "InvalidACL")
      yield* failure(zk.create("/ephemeral/a"), "NoChildrenForEphemerals")
      yield* failure(zk.create("/ephemeral/a", { mode: "ephemeral" }), "NoChildrenForEphemerals")
      yield* failure((yield* connect()).create("/"), "NodeExists")
    })

    it.inChroot(
      "looks for an ACL that makes no sense before it looks for the parent, and for permission before the znode",
      function* ({ zk }) {
        yield* zk.create("/p")
        yield* zk.create("/p/a")
        yield* zk.setAcl("/p", locked)
        yield* failure(zk.create("/no/a", { acl: Acl.creator }), "InvalidACL")
        yield* failure(zk.create("/p/a"), "NoAuth")
        yield* failure(zk.create("/p/a/b/c"), "NoNode")
      }
    )

    it.inChroot("is refused alike in every mode", function* ({ zk }) {
      yield* zk.create("/a")
      const modes: ReadonlyArray<ZooKeeper.CreateOptions> = [
        {},
        { mode: "ephemeral" },
        ...(it.isAtLeast("3.5.1") ? [{ mode: "container" } as const] : []),
        ...(it.isAtLeast("3.5.3") ? [{ mode: "persistentWithTtl", ttl: 1_000 } as const] : [])
      ]
      for (const options of modes) {
        assert.strictEqual(yield* outcome(zk.create("/a", options)), "NodeExists")
        assert.strictEqual(yield* outcome(zk.createWithStat("/a", options)), "NodeExists")
        assert.strictEqual(yield* outcome(zk.create("/no/a", options)), "NoNode")
      }
    })

    it.inChroot("numbers sequential znodes by all children that the parent ever had", function* ({ zk }) {
      yield* zk.create("/s")
      const next = (prefix: string, mode: ZooKeeper.CreateOptions["mode"] = "persistentSequential") =>
        zk.create(`/s/${prefix}`, { mode })
      assert.strictEqual(yield* next("a-"), "/s/a-0000000000")
      assert.strictEqual(yield* next("b-", "ephemeralSequential"), "/s/b-0000000001")
      assert.strictEqual(yield* next(""), "/s/0000000002")
      yield* zk.create("/s/plain")
      assert.strictEqual(yield* next("a-"), "/s/a-0000000004")
      yield* zk.delete("/s/a-0000000004")
      yield* zk.delete("/s/plain")
      assert.strictEqual(yield* next("a-"), "/s/a-0000000005")
      yield* failure(zk.create("/s/a-0000000005"), "NodeExists")
      const timed = { mode: "persistentSequentialWithTtl", ttl: 60_000 } as const
      assert.strictEqual(
        yield* zk.create("/s/t-", it.isAtLeast("3.5.3") ? timed : { mode: "persistentSequential" }),
        "/s/t-0000000006"
      )
      assert.strictEqual((yield* zk.createWithStat("/s/", { mode: "persistentSequential" })).path, "/s/0000000007")
      assert.match(yield* zk.create("/", { mode: "persistentSequential" }), /^\/\d{10}$/)
    })

    it.inChroot("numbers concurrent sequential znodes without a gap", function* ({ chroot, zk }) {
      const other = yield* connect({ chroot })
      yield* zk.create("/s")
      const paths = yield* eachAtOnce(
        Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? zk : other)),
        (client) => client.create("/s/n-", { mode: "persistentSequential" })
      )
      assert.deepStrictEqual(
        [...paths].sort(),
        Array.from({ length: 60 }, (_, index) => `/s/n-${String(index).padStart(10, "0")}`)
      )
    })

    it.inChroot("puts an id into protected names", function* ({ zk }) {
      const path = yield* zk.create("/lock-", { mode: "ephemeralSequential", protected: true })
      assert.match(path, /^\/_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-lock-\d{10}$/)
      assert.isTrue(yield* zk.exists(path))
    })
  })

  describe("containers and times to live", () => {
    it.since("3.5.3", "end when they are of no use any more, and not before", kinds, function* ({ zk }) {
      yield* zk.create("/emptied", { mode: "container" })
      yield* zk.create("/emptied/child")
      yield* zk.create("/never-used", { mode: "container" })
      yield* zk.create("/in-use", { mode: "container" })
      yield* zk.create("/in-use/child")
      yield* zk.create("/short", { mode: "persistentWithTtl", ttl: "50 millis" })
      yield* zk.create("/long", { mode: "persistentWithTtl", ttl: "1 minute" })
      // At once: its time must not be over before it has a child.
      yield* zk.transaction([
        Op.create("/parent", { mode: "persistentWithTtl", ttl: "50 millis" }),
        Op.create("/parent/child")
      ])
      const gone = yield* zk.existsAndWatch("/emptied")
      yield* zk.delete("/emptied/child")
      assert.strictEqual((yield* gone.changed).type, "NodeDeleted")
      yield* eventually(zk.exists("/short"), (there) => !there)
      assert.sameMembers([...(yield* zk.getChildren("/"))], ["never-used", "in-use", "long", "parent"])
    })

    it.since(
      "3.5.3",
      "are no ephemerals to a Stat, and may have children, also ephemeral ones",
      kinds,
      function* ({ zk }) {
        const container = yield* zk.createWithStat("/container", { mode: "container" })
        const ttl = yield* zk.createWithStat("/ttl", { mode: "persistentWithTtl", ttl: "1 minute" })
        assertEach([container, ttl], ({ stat }) => stat.ephemeralOwner, [0n, 0n])
        yield* zk.create("/container/e", { mode: "ephemeral" })
        yield* zk.create("/container/c", { mode: "container" })
        yield* zk.create("/ttl/e", { mode: "ephemeral" })
        yield* failure(zk.delete("/container"), "NotEmpty")
      }
    )

    it.since("3.5.3", "take a time to live in its range, with the modes that have one", kinds, function* ({ zk }) {
      const longest = 2 ** 40 - 1
      yield* zk.create("/longest", { mode: "persistentWithTtl", ttl: longest })
      yield* zk.create("/shortest", { mode: "persistentWithTtl", ttl: 1 })
      const wrong: ReadonlyArray<ZooKeeper.CreateOptions> = [
        { mode: "persistentWithTtl", ttl: 0 },
        { mode: "persistentWithTtl", ttl: longest + 1 },
        { mode: "persistentWithTtl" },
        { mode: "persistent", ttl: 1_000 },
        { mode: "container", ttl: 1_000 }
      ]
      for (const options of wrong) yield* failure(zk.create("/wrong", options), "InvalidArgument")
      assert.isFalse(yield* zk.exists("/wrong"))
    })
  })

  describe("set", () => {
    it.inChroot("compares versions, of which 0 is one and -1 is any", function* ({ zk }) {
      yield* zk.create("/a", { data: "0" })
      assert.strictEqual((yield* zk.set("/a", "1", 0)).version, 1)
      assert.strictEqual((yield* failure(zk.set("/a", "2", 0), "BadVersion")).path, "/a")
      yield* failure(zk.set("/a", "2", 2), "BadVersion")
      assert.strictEqual((yield* zk.set("/a", "2")).version, 2)
      assert.strictEqual((yield* zk.set("/a", "3", -1)).version, 3)
      assert.strictEqual(text(yield* zk.getData("/a")), "3")
      yield* failure(zk.setData("/a", "x", { version: 1 }), "BadVersion")
      assert.strictEqual((yield* zk.setData("/a", "asdf", { version: -1 })).dataLength, 4)
      assert.strictEqual((yield* zk.setData("/a", "idem", { version: 4, idempotent: true })).version, 5)
    })

    it.inChroot("counts a version for data that stays the same", function* ({ zk }) {
      yield* zk.create("/a", { data: "same" })
      assert.strictEqual((yield* zk.set("/a", "same")).version, 1)
      assert.strictEqual((yield* zk.set("/a", "")).dataLength, 0)
    })

    it.inChroot("is refused for each reason of its row, permission before version", function* ({ zk }) {
      yield* failure(zk.set("/no", ""), "NoNode")
      yield* failure(zk.set("/no", "", 7), "NoNode")
      yield* zk.create("/locked", { acl: locked })
      yield* failure(zk.set("/locked", "", 7), "NoAuth")
    })

    it.inChroot("updates by compare-and-set without losing a step", function* ({ chroot, zk }) {
      const other = yield* connect({ chroot })
      yield* zk.create("/n", { data: "0" })
      yield* eachAtOnce(
        Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? zk : other)),
        (client) => client.update("/n", ({ data }) => String(Number(text(data)) + 1))
      )
      const { data, stat } = yield* zk.get("/n")
      assert.deepStrictEqual([text(data), stat.version], ["20", 20])
      yield* failure(
        zk.update("/no", () => ""),
        "NoNode"
      )
    })

    it.inChroot("creates or sets, with all parents", function* ({ zk }) {
      assert.strictEqual((yield* zk.createOrSet("/a/b/c", "1")).version, 0)
      assert.strictEqual((yield* zk.createOrSet("/a/b/c", "2")).version, 1)
      assert.strictEqual(text(yield* zk.getData("/a/b/c")), "2")
    })
  })

  describe("delete", () => {
    it.inChroot("compares versions, of which 0 is one and -1 is any", function* ({ zk }) {
      yield* zk.create("/a")
      yield* failure(zk.delete("/a", { version: 1 }), "BadVersion")
      yield* zk.delete("/a", { version: 0 })
      assert.isFalse(yield* zk.exists("/a"))
      yield* zk.create("/a")
      yield* zk.set("/a", "1")
      yield* failure(zk.delete("/a", { version: 0 }), "BadVersion")
      yield* zk.delete("/a", { version: -1 })
    })

    it.inChroot("is refused for each reason of its row", function* ({ zk }) {
      yield* failure(zk.delete("/no"), "NoNode")
      yield* failure(zk.delete("/no/a"), "NoNode")
      yield* zk.create("/p")
      yield* zk.create("/p/c")
      yield* failure(zk.delete("/p"), "NotEmpty")
      yield* zk.setAcl("/p", locked)
      yield* failure(zk.delete("/p/c"), "NoAuth")
    })

    it.inChroot("may be guaranteed or idempotent", function* ({ zk }) {
      yield* zk.create("/p")
      yield* zk.create("/p/c")
      yield* zk.delete("/p/c", { guaranteed: true })
      yield* failure(zk.delete("/p/c", { guaranteed: true }), "NoNode")
      yield* zk.delete("/p", { idempotent: true })
      assert.isFalse(yield* zk.exists("/p"))
    })

    it.inChroot("looks for permission in the parent, then at the version, then for children", function* ({ zk }) {
      yield* zk.create("/p")
      yield* zk.create("/p/c")
      yield* zk.create("/p/c/d")
      yield* failure(zk.delete("/p/c", { version: 7 }), "BadVersion")
      yield* failure(zk.delete("/p/c", { version: 0 }), "NotEmpty")
      // Of its own permissions none is needed.
      yield* zk.setAcl("/p/c/d", [Acl.world("r")])
      yield* zk.delete("/p/c/d")
      yield* zk.setAcl("/p", locked)
      yield* failure(zk.delete("/p/c", { version: 7 }), "NoAuth")
      // Older servers look for the znode first.
      assert.strictEqual(yield* outcome(zk.delete("/p/no")), it.isAtLeast("3.6.0") ? "NoAuth" : "NoNode")
    })

    it.effect("leaves the paths alone that belong to ZooKeeper", function* () {
      const zk = yield* connect()
      yield* failure(zk.delete("/"), "InvalidArgument")
      const config = it.isAtLeast("3.5.0") ? ["/zookeeper/config"] : []
      for (const path of ["/zookeeper", "/zookeeper/quota", ...config]) {
        assert.notStrictEqual(yield* outcome(zk.delete(path)), "success")
        assert.isTrue(yield* zk.exists(path))
      }
    })

    it.inChroot("deletes a tree from the bottom up", function* ({ zk }) {
      yield* zk.ensurePath("/t/a/b/c")
      yield* eachAtOnce(numbersBelow(50), (n) => zk.create(`/t/a/${n}`))
      yield* zk.deleteAll("/t")
      assert.deepStrictEqual(yield* zk.getChildren("/"), [])
      yield* failure(zk.deleteAll("/t"), "NoNode")
    })
  })
}
