import { Acl, type Op, type ZooKeeper } from "@effect-zookeeper/client"
import { ConnectionLoss, ServerRefused } from "@effect-zookeeper/client/Errors"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Backup, Restore, TreeSource } from "../../src/index.ts"
import { describeOnServers, differences, interruptedAfter } from "../support/liveTrees.ts"

const local = [...Acl.readOnly, { perms: Acl.Perms.ALL, scheme: "ip", id: "127.0.0.1" }]

/** Servers know times to the millisecond: without a pause, two writes can be of the same time. */
const pause = Effect.sleep("5 millis")

/** A client of servers that do not tell who it is, as those before ZooKeeper 3.7. */
const withoutIdentity = (zk: ZooKeeper.Service): ZooKeeper.Service => ({
  ...zk,
  whoAmI: Effect.fail(new ServerRefused({ name: "Unimplemented", code: -6, operation: "whoAmI", path: "/" }))
})

/** A client that runs something once before its first request of some methods. */
const preceded = (
  zk: ZooKeeper.Service,
  methods: ReadonlyArray<"setAcl" | "setData" | "transaction">,
  first: Effect.Effect<unknown, never>
): ZooKeeper.Service => {
  let isFirst = true
  const before = <A, E>(method: (typeof methods)[number], request: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (!isFirst || !methods.includes(method)) return request
      isFirst = false
      return Effect.andThen(first, request)
    })
  return {
    ...zk,
    setAcl: (path, acl, options) => before("setAcl", zk.setAcl(path, acl, options)),
    setData: (path, data, options) => before("setData", zk.setData(path, data, options)),
    transaction: <const Ops extends ReadonlyArray<Op.Write>>(ops: Ops) => before("transaction", zk.transaction(ops))
  }
}

/** A client to which the reply of its first `setData` is lost. */
const withoutReply = (zk: ZooKeeper.Service): ZooKeeper.Service => {
  let isFirst = true
  return {
    ...zk,
    setData: (path, data, options) =>
      Effect.suspend(() => {
        const request = zk.setData(path, data, options)
        if (!isFirst) return request
        isFirst = false
        return Effect.andThen(request, new ConnectionLoss({ operation: "setData", path, maybeApplied: true }))
      })
  }
}

const stepsOf = <E, R>(source: TreeSource.TreeSource<E, R>, zk: ZooKeeper.Service, options: Restore.Options) =>
  Effect.gen(function* () {
    const steps: Array<Restore.Step> = []
    yield* Restore.run(source, zk, { ...options, onStep: (step) => steps.push(step) })
    return steps
  })

describeOnServers("a restore that overwrites", (it) => {
  it("sets data and ACLs, also when it is interrupted at any moment", function* ({ another, zk }) {
    const superUser = yield* another({ isSuper: true })
    for (const [name, client] of [
      ["known", zk],
      ["unknown", withoutIdentity(zk)],
      ["super", superUser]
    ] as const) {
      for (let moment = 0; moment < 8; moment++) {
        const [from, to] = [`/${name}-source-${moment}`, `/${name}-target-${moment}`]
        yield* zk.create(to, { data: "root" })
        yield* zk.create(`${to}/x`, { data: "old" })
        yield* zk.create(`${to}/y`, { data: "old" })
        yield* pause
        yield* zk.create(from, { data: "root" })
        yield* zk.create(`${from}/x`, { data: "new", acl: local })
        yield* zk.create(`${from}/y`, { data: "newer", acl: local })
        yield* pause
        const source = TreeSource.live(zk, { path: from })
        yield* interruptedAfter(client, moment, (limited) => Restore.run(source, limited, { path: to }))
        const steps = yield* stepsOf(source, client, { path: to })
        assert.notInclude(
          steps.map(({ _tag }) => _tag),
          "Leave"
        )
        const copy = TreeSource.live(zk, { path: to })
        assert.deepStrictEqual(yield* differences(source, copy), [], `${name}, moment ${moment}`)
      }
    }
  })

  it("sets the ACL, too, where the reply to the write of the data was lost", function* ({ another, zk }) {
    const superUser = yield* another({ isSuper: true })
    for (const [name, client] of [
      ["known", zk],
      ["unknown", withoutIdentity(zk)],
      ["super", superUser]
    ] as const) {
      const [from, to] = [`/${name}-source`, `/${name}-target`]
      yield* zk.create(to, { data: "old" })
      yield* pause
      yield* zk.create(from, { data: "new", acl: local })
      yield* pause
      const source = TreeSource.live(zk, { path: from })
      const steps = yield* stepsOf(source, withoutReply(client), { path: to })
      assert.notInclude(
        steps.map(({ _tag }) => _tag),
        "Leave",
        name
      )
      assert.deepStrictEqual(yield* differences(source, TreeSource.live(zk, { path: to })), [], name)
    }
  })

  it("leaves data and ACL of a znode that another client writes meanwhile", function* ({ another, zk }) {
    const other = yield* another()
    for (const method of ["setAcl", "setData"] as const) {
      const [from, to] = [`/source-${method}`, `/target-${method}`]
      yield* zk.create(to, { data: "old" })
      yield* pause
      yield* zk.create(from, { data: "new", acl: local })
      yield* pause
      const client = preceded(zk, [method], Effect.orDie(other.setData(to, "of the other")))
      const source = TreeSource.live(zk, { path: from })
      assert.deepStrictEqual(yield* stepsOf(source, client, { path: to }), [
        { _tag: "Leave", path: to, reason: "newer" }
      ])
      assert.strictEqual(new TextDecoder().decode(yield* zk.getData(to)), "of the other")
      assert.deepStrictEqual((yield* zk.getAcl(to)).acl, Acl.open)
    }
  })

  it("leaves the ACL that another client sets meanwhile", function* ({ another, zk }) {
    const other = yield* another()
    const theirs = [...Acl.readOnly, { perms: Acl.Perms.ALL, scheme: "ip", id: "127.0.0.0/8" }]
    yield* zk.create("/target", { data: "root" })
    yield* zk.create("/target/changed", { data: "same" })
    yield* pause
    yield* zk.create("/source", { data: "root" })
    yield* zk.create("/source/changed", { data: "same", acl: local })
    // Its number is raised before it gets its ACL.
    yield* zk.create("/source/owned")
    yield* zk.delete(yield* zk.create("/source/owned/n-", { mode: "persistentSequential" }))
    yield* zk.setAcl("/source/owned", local)
    const client = preceded(
      zk,
      ["transaction"],
      Effect.orDie(
        Effect.andThen(
          other.setAcl("/target/changed", theirs),
          other.create("/target/owned", { mode: "ephemeral", acl: theirs })
        )
      )
    )
    const source = TreeSource.live(zk, { path: "/source" })
    const steps = yield* stepsOf(source, client, { path: "/target" })
    assert.deepInclude(steps, { _tag: "Leave", path: "/target/owned", reason: "ephemeral" })
    assert.deepStrictEqual((yield* zk.getAcl("/target/owned")).acl, theirs)
    assert.deepStrictEqual((yield* zk.getAcl("/target/changed")).acl, theirs)
  })

  it("does not say of an ACL that another client sets at the end that it was overwritten", function* ({ another, zk }) {
    const other = yield* another()
    const theirs = [...Acl.readOnly, { perms: Acl.Perms.ALL, scheme: "ip", id: "127.0.0.0/8" }]
    for (const [name, method, step] of [
      ["same", "setAcl", { _tag: "Leave", path: "/same-target", reason: "newer" }],
      ["other", "setData", { _tag: "Overwrite", path: "/other-target", data: true, acl: false }]
    ] as const) {
      const [from, to] = [`/${name}-source`, `/${name}-target`]
      yield* zk.create(to, { data: "same" })
      yield* pause
      yield* zk.create(from, { data: name, acl: local })
      yield* pause
      const client = preceded(zk, [method], Effect.orDie(other.setAcl(to, theirs)))
      const source = TreeSource.live(zk, { path: from })
      assert.deepStrictEqual(yield* stepsOf(source, client, { path: to }), [step])
      assert.strictEqual(new TextDecoder().decode(yield* zk.getData(to)), name)
      assert.deepStrictEqual((yield* zk.getAcl(to)).acl, theirs)
    }
  })

  it("leaves the newer ACL of the znode from which a backup was made", function* ({ file, zk }) {
    yield* zk.create("/app", { data: "1" })
    yield* zk.create("/app/closed", { data: "1" })
    yield* Backup.make(zk, file("app.ndjson"), { path: "/app" })
    yield* zk.setAcl("/app/closed", local)
    const source = yield* TreeSource.backup(file("app.ndjson"))
    const plan = yield* Stream.runCollect(Restore.plan(source, zk))
    assert.deepInclude(plan, { _tag: "Leave", path: "/app/closed", reason: "newer" })
    yield* Restore.run(source, zk)
    assert.deepStrictEqual((yield* zk.getAcl("/app/closed")).acl, local)
    yield* Restore.run(source, zk, { overwrite: "always" })
    assert.deepStrictEqual((yield* zk.getAcl("/app/closed")).acl, Acl.open)
  })
})
