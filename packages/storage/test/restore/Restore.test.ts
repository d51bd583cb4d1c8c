import { Acl, type ZooKeeper } from "@effect-zookeeper/client"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { MaskedAcl, type Progress, Restore, TreeSource, Znode } from "../../src/index.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import { describeOnServers, differences, interruptedAfter } from "../support/liveTrees.ts"

const steps = <E, R>(source: TreeSource.TreeSource<E, R>, zk: ZooKeeper.Service, options: Restore.Options) =>
  Stream.runCollect(Restore.plan(source, zk, options))

describeOnServers("a restore", (it) => {
  it("says first what it would do, and writes nothing then", function* ({ another, zk }) {
    yield* zk.create("/source", { data: "root" })
    yield* zk.create("/source/new", { data: "1" })
    yield* zk.create("/source/changed", { data: "1" })
    yield* zk.create("/source/same", { data: "1" })
    yield* zk.create("/source/newer", { data: "1" })
    yield* zk.create("/source/taken", { data: "1" })
    yield* zk.create("/source/taken/below", { data: "1" })
    // Servers know times to the millisecond: without a pause, two writes can be of the same time.
    yield* Effect.sleep("5 millis")
    yield* zk.create("/target", { data: "root" })
    yield* zk.create("/target/same", { data: "1" })
    yield* zk.create("/target/newer", { data: "2" })
    yield* zk.create("/target/changed", { data: "2" })
    yield* zk.create("/target/extra")
    yield* Effect.sleep("5 millis")
    yield* zk.setData("/source/changed", "3")
    const owner = yield* another()
    yield* owner.create("/target/taken", { mode: "ephemeral" })
    const source = TreeSource.live(zk, { path: "/source" })
    const before = yield* Stream.runCollect(TreeSource.live(zk, { path: "/target" }).entries)
    const expected: ReadonlyArray<Restore.Step> = [
      { _tag: "Same", path: "/target" },
      { _tag: "Create", path: "/target/new" },
      { _tag: "Overwrite", path: "/target/changed", data: true, acl: false },
      { _tag: "Same", path: "/target/same" },
      { _tag: "Leave", path: "/target/newer", reason: "newer" },
      { _tag: "Leave", path: "/target/taken", reason: "ephemeral" },
      { _tag: "Leave", path: "/target/taken/below", reason: "belowEphemeral" }
    ]
    assert.sameDeepMembers([...(yield* steps(source, zk, { path: "/target" }))], [...expected])
    assert.deepStrictEqual(yield* Stream.runCollect(TreeSource.live(zk, { path: "/target" }).entries), before)

    const done: Array<Restore.Step> = []
    yield* Restore.run(source, zk, { path: "/target", onStep: (step) => done.push(step) })
    assert.sameDeepMembers(done, [...expected])
    assert.isTrue(yield* zk.exists("/target/extra"))
    const never = yield* steps(source, zk, { path: "/target", overwrite: "never" })
    assert.deepInclude(never, { _tag: "Leave", path: "/target/newer", reason: "exists" })
    yield* Restore.run(source, zk, { path: "/target", overwrite: "always" })
    assert.strictEqual(new TextDecoder().decode(yield* zk.getData("/target/newer")), "1")
  })

  it("of a live tree is refused into that tree, and around it", function* ({ another, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/a/b")
    const source = TreeSource.live(zk, { path: "/a" })
    const other = yield* another()
    for (const path of ["/a", "/a/copy", "/"]) {
      for (const target of [zk, other]) {
        assert.deepInclude(yield* Effect.flip(Restore.run(source, target, { path })), {
          _tag: "InvalidArgument",
          argument: "path"
        })
      }
      assert.deepInclude(yield* Effect.flip(steps(source, zk, { path })), { _tag: "InvalidArgument", argument: "path" })
    }
    assert.deepStrictEqual(yield* zk.getChildren("/a"), ["b"])
    // The names alone do not make two trees one.
    yield* zk.create("/a-copy")
    yield* Restore.run(source, yield* other.withChroot("/a-copy"), { path: "/a" })
    assert.deepStrictEqual(yield* zk.getChildren("/a-copy/a"), ["b"])
  })

  it("brings the number of the next sequential znode to what it was", function* ({ zk }) {
    yield* zk.create("/source")
    yield* zk.create("/source/queue")
    for (let index = 0; index < 25; index++) {
      const path = yield* zk.create("/source/queue/n-", { mode: "persistentSequential" })
      if (index < 24) yield* zk.delete(path)
    }
    const source = TreeSource.live(zk, { path: "/source" })
    assert.deepInclude(yield* steps(source, zk, { path: "/copy" }), {
      _tag: "Raise",
      path: "/copy/queue",
      from: 1,
      to: 25
    })
    yield* Restore.run(source, zk, { path: "/copy" })
    assert.strictEqual(yield* zk.create("/copy/queue/n-", { mode: "persistentSequential" }), "/copy/queue/n-0000000025")
    const limited = yield* Restore.run(source, zk, { path: "/limited", maxRaise: 10 })
    assert.deepInclude(limited, { Raise: 0, NotRaised: 1 })
    yield* Restore.run(source, zk, { path: "/without", counters: false })
    assert.strictEqual(
      yield* zk.create("/without/queue/n-", { mode: "persistentSequential" }),
      "/without/queue/n-0000000001"
    )
  })

  it("raises a number by thousands in few transactions", function* ({ zk }) {
    const tree = MutableTree.initial(false)
    addTo(tree, "/q", { cversion: 3_001 })
    const progress: Array<number> = []
    yield* Restore.run(TreeSource.fromTree(tree, { path: "/q" }), zk, {
      onProgress: ({ done, phase }) => {
        if (phase === "counters") progress.push(done)
      }
    })
    assert.strictEqual(progress.at(-1), 3_001)
    assert.isBelow(progress.length, 20)
    assert.strictEqual(yield* zk.create("/q/n-", { mode: "persistentSequential" }), "/q/n-0000003001")
  })

  it("tells how far it has come, in the dry run, too", function* ({ zk }) {
    const tree = MutableTree.initial(false)
    addTo(tree, "/app", {})
    for (let index = 0; index < 400; index++) addTo(tree, `/app/${index}`, index < 10 ? { owner: 5n } : {})
    const source = TreeSource.fromTree(tree, { path: "/app" })
    const told: Array<Progress> = []
    const onProgress = (progress: Progress) => told.push(progress)
    const isWhole = (phase: Progress["phase"], total: number) => {
      const ofPhase = told.filter((progress) => progress.phase === phase)
      const numbers = ofPhase.map(({ done }) => done)
      assert.deepStrictEqual(ofPhase.at(-1), { phase, done: total, total })
      assert.deepStrictEqual(
        numbers,
        numbers.toSorted((a, b) => a - b)
      )
      assert.isAbove(new Set(numbers).size, 2)
    }
    yield* steps(source, zk, { onProgress })
    isWhole("reading", 401)
    yield* Restore.run(source, zk, { onProgress })
    isWhole("writing", 401)
    yield* steps(source, zk, { onProgress })
    assert.deepInclude(
      told.findLast(({ phase }) => phase === "comparing"),
      { done: 391 }
    )
  })

  it("keeps ACLs that would keep it out, also when it is interrupted at any moment", function* ({ another, zk }) {
    const superUser = yield* another({ isSuper: true })
    const readOnly = Acl.readOnly
    yield* zk.create("/source")
    yield* zk.create("/source/closed")
    yield* zk.create("/source/closed/a", { data: "a" })
    yield* zk.create("/source/closed/a/b", { data: "b" })
    yield* zk.delete(yield* zk.create("/source/closed/n-", { mode: "persistentSequential" }))
    for (const path of ["/source/closed/a", "/source/closed"]) yield* zk.setAcl(path, readOnly)
    const source = TreeSource.live(zk, { path: "/source" })
    for (let moment = 0; moment < 6; moment++) {
      const path = `/copy-${moment}`
      yield* interruptedAfter(zk, moment, (limited) => Restore.run(source, limited, { path }))
      yield* Restore.run(source, zk, { path })
      const copy = TreeSource.live(superUser, { path })
      assert.deepStrictEqual(yield* differences(source, copy, { counters: true }), [], `moment ${moment}`)
    }
  })

  it("refuses an ACL without its hashes, unless it is mapped", function* ({ another, zk }) {
    const superUser = yield* another({ isSuper: true })
    yield* superUser.create("/source", {
      acl: [
        { perms: 31, scheme: "digest", id: "bob:lK75jTNcA+U9vtVEw5vB51mj/w4=" },
        { perms: 1, scheme: "world", id: "anyone" }
      ]
    })
    const seen = TreeSource.live(zk, { path: "/source" })
    // Servers before 3.6 show all of an ACL to everyone who may read it.
    const acl = (yield* zk.getAcl("/source")).acl
    if (acl[0]?.id !== "bob:x") return
    assert.deepStrictEqual(
      yield* Effect.flip(Restore.run(seen, zk, { path: "/copy" })),
      new MaskedAcl({ path: "/source" })
    )
    assert.isFalse(yield* zk.exists("/copy"))
    yield* Restore.run(seen, zk, { path: "/copy", acl: () => Acl.open })
    assert.deepStrictEqual((yield* zk.getAcl("/copy")).acl, Acl.open)
    const whole = TreeSource.live(superUser, { path: "/source" })
    yield* Restore.run(whole, superUser, { path: "/whole" })
    assert.deepStrictEqual(yield* differences(whole, TreeSource.live(superUser, { path: "/whole" })), [])
  })

  it("takes containers and TTL znodes from a tree that knows them", function* ({ zk }) {
    const tree = MutableTree.initial(false)
    addTo(tree, "/app", {})
    addTo(tree, "/app/container", { owner: Znode.containerOwner, cversion: 1 })
    addTo(tree, "/app/container/child", {})
    addTo(tree, "/app/ttl", { owner: Znode.ttlOwner(1n) })
    addTo(tree, "/app/owned", { owner: 0x77n })
    const source = TreeSource.fromTree(tree, { path: "/app" })
    yield* Restore.run(source, zk)
    assert.isFalse(yield* zk.exists("/app/owned"))
    yield* zk.delete("/app/container/child")
    // The servers delete both.
    yield* eventually(zk.getChildren("/app"), (children) => children.length === 0)
    yield* Restore.run(source, zk, { path: "/persistent", kinds: "persistent" })
    yield* zk.delete("/persistent/container/child")
    assert.sameMembers([...(yield* zk.getChildren("/persistent"))], ["container", "ttl"])
  })

  it("copies data of any size, and thousands of znodes", function* ({ zk }) {
    const tree = MutableTree.initial(false)
    addTo(tree, "/app", { cversion: 3_000 })
    addTo(tree, "/app/large", { data: new Uint8Array(1_040_000).fill(7) })
    addTo(tree, "/app/half", { data: new Uint8Array(500_000).fill(8) })
    for (let index = 0; index < 3_000; index++) addTo(tree, `/app/n${index}`, { data: new Uint8Array([index % 256]) })
    const source = TreeSource.fromTree(tree, { path: "/app" })
    assert.deepInclude(yield* Restore.run(source, zk), { Create: 3_003 })
    assert.deepStrictEqual(yield* differences(source, TreeSource.live(zk, { path: "/app" })), [])
  })
})

const addTo = (
  tree: MutableTree,
  path: string,
  { cversion = 0, data = new Uint8Array(0), owner = 0n }: Partial<Pick<Znode.Znode, "data" | "owner" | "cversion">>
) =>
  tree.load({
    path,
    data,
    acl: Acl.open,
    czxid: 1n,
    mzxid: 1n,
    pzxid: 1n,
    ctime: 0,
    mtime: 0,
    version: 0,
    aversion: 0,
    cversion,
    owner
  })
