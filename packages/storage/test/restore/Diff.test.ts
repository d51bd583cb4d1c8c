import { Acl } from "@effect-zookeeper/client"
import { assert } from "@effect/vitest"
import { Backup, TreeSource } from "../../src/index.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import { describeOnServers, differences } from "../support/liveTrees.ts"

describeOnServers("a comparison", (it) => {
  it("finds what is only in one of two trees, and the parts that are different", function* ({ another, file, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/a/data", { data: "x".repeat(100) })
    yield* zk.create("/a/acl")
    yield* zk.create("/a/counter")
    yield* zk.create("/a/same")
    yield* zk.create("/a/gone")
    yield* Backup.make(zk, file("before.ndjson.gz"), { path: "/a" })
    yield* zk.setData("/a/data", "y".repeat(100))
    yield* zk.setAcl("/a/acl", Acl.readOnly)
    yield* zk.create("/a/counter/child")
    yield* zk.delete("/a/counter/child")
    yield* zk.delete("/a/gone")
    yield* zk.create("/a/new")
    yield* (yield* another()).create("/a/owned", { mode: "ephemeral" })
    const before = yield* TreeSource.backup(file("before.ndjson.gz"))
    const now = TreeSource.live(zk, { path: "/a" })
    assert.sameDeepMembers(
      [...(yield* differences(before, now))],
      [
        { _tag: "Changed", path: "/data", parts: ["data"] },
        { _tag: "Changed", path: "/acl", parts: ["acl"] },
        { _tag: "OnlyRight", path: "/new" },
        { _tag: "OnlyLeft", path: "/gone" }
      ]
    )
    const all = yield* differences(before, now, { counters: true, ephemerals: true })
    assert.deepInclude(all, { _tag: "Changed", path: "/counter", parts: ["counter"] })
    assert.deepInclude(all, { _tag: "OnlyRight", path: "/owned" })
    assert.deepStrictEqual(yield* differences(now, now), [])
    const one = yield* TreeSource.backup(file("before.ndjson.gz"), { path: "/a/data" })
    assert.deepStrictEqual(yield* differences(one, TreeSource.live(zk, { path: "/a/data" })), [
      { _tag: "Changed", path: "/", parts: ["data"] }
    ])
    const empty = TreeSource.fromTree(MutableTree.initial(true))
    assert.isTrue((yield* differences(empty, now)).every(({ _tag }) => _tag === "OnlyRight"))
  })
})
