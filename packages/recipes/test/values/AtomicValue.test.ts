import * as ZNode from "@effect-zookeeper/client/ZNode"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as AtomicValue from "../../src/AtomicValue.ts"
import { itOnEmbedded } from "../support/embedded.ts"
import { beforeLooks } from "../support/links.ts"
import {
  withClient,
  describeOnServers,
  eventually,
  failure,
  pullFrom,
  text,
  awaitNoWatches,
  atOnce,
  inScope
} from "../support/targets.ts"

const Config = Schema.Struct({ replicas: Schema.Int })

const config = (zk: ZooKeeper.Service, options: Partial<AtomicValue.BaseOptions> = {}) =>
  withClient(zk)(AtomicValue.make("/config/mail", { schema: Config, initial: { replicas: 1 }, ...options }))

describeOnServers("a value", (it) => {
  it.inChroot("reads as the initial one until the first write creates it, and as its schema says", function* ({ zk }) {
    const value = yield* config(zk)
    assert.deepStrictEqual(yield* value.get, { replicas: 1 })
    assert.isUndefined((yield* value.getVersioned).stat)
    assert.isFalse(yield* zk.exists("/config"))
    const { post, pre } = yield* value.update(({ replicas }) => ({ replicas: replicas + 1 }))
    assert.deepStrictEqual([pre, post], [{ replicas: 1 }, { replicas: 2 }])
    assert.strictEqual(text(yield* zk.getData("/config/mail")), `{"replicas":2}`)
    assert.deepStrictEqual((yield* value.set({ replicas: 5 })).pre, { replicas: 2 })
    assert.deepStrictEqual(yield* value.get, { replicas: 5 })
  })

  it.inChroot("is bytes without a schema, and otherwise of the type of a codec", function* ({ zk }) {
    const bytes = yield* withClient(zk)(AtomicValue.make("/bytes"))
    assert.strictEqual((yield* bytes.get).byteLength, 0)
    yield* bytes.set(new Uint8Array([1, 2]))
    assert.deepStrictEqual(Array.from(yield* bytes.get), [1, 2])
    const name = yield* withClient(zk)(
      AtomicValue.make("/name", { schema: Schema.String, codec: ZNode.text, initial: "nobody" })
    )
    yield* name.set("bob")
    assert.strictEqual(text(yield* zk.getData("/name")), "bob")
    const nothing = yield* withClient(zk)(AtomicValue.make("/nothing", { schema: Schema.Json, initial: null }))
    assert.isNull(yield* nothing.get)
  })

  // SharedValue.trySet of Curator.
  it.inChroot("is replaced only if no other write has come before", function* ({ another, zk }) {
    const mine = yield* config(zk)
    const theirs = yield* config(yield* another())
    const absent = yield* mine.getVersioned
    assert.isTrue((yield* theirs.compareAndSet(yield* theirs.getVersioned, { replicas: 2 })).applied)
    const late = yield* mine.compareAndSet(absent, { replicas: 3 })
    assert.deepStrictEqual([late.applied, late.pre, late.post], [false, { replicas: 2 }, { replicas: 2 }])
    const seen = yield* mine.getVersioned
    // The same data again is another version.
    yield* theirs.set({ replicas: 2 })
    assert.isFalse((yield* mine.compareAndSet(seen, { replicas: 3 })).applied)
    assert.isTrue((yield* mine.compareAndSet(yield* mine.getVersioned, { replicas: 3 })).applied)
    // And so is the same version again, of another life.
    yield* mine.set({ replicas: 4 })
    yield* zk.delete("/config/mail")
    yield* theirs.set({ replicas: 1 })
    const first = yield* mine.getVersioned
    yield* zk.delete("/config/mail")
    yield* theirs.set({ replicas: 1 })
    assert.strictEqual((yield* mine.getVersioned).stat?.version, first.stat?.version)
    assert.isFalse((yield* mine.compareAndSet(first, { replicas: 9 })).applied)
  })

  it.inChroot("counts every update of many clients at once", function* ({ another, zk }) {
    const values = yield* Effect.forEach([1, 2, 3, 4], () => Effect.flatMap(another(), (zk) => config(zk)))
    const changes = yield* atOnce(
      values.flatMap(({ update }) =>
        Array.from({ length: 5 }, () => update(({ replicas }) => ({ replicas: replicas + 1 })))
      )
    )
    assert.deepStrictEqual(yield* (yield* config(zk)).get, { replicas: 21 })
    const posts = changes.map(({ post }) => post.replicas).toSorted((a, b) => a - b)
    assert.deepStrictEqual(
      posts,
      Array.from({ length: 20 }, (_, n) => n + 2)
    )
  })

  it.inChroot("fails with DataInvalid for data outside of its schema, until it is set", function* ({ zk }) {
    const value = yield* config(zk)
    yield* zk.createWithParents("/config/mail", { data: "none of it" })
    assert.include((yield* failure(value.get, "DataInvalid")).message, "/config/mail")
    yield* failure(
      value.update((value) => value),
      "DataInvalid"
    )
    assert.strictEqual(text(yield* zk.getData("/config/mail")), "none of it")
    yield* value.set({ replicas: 2 })
    assert.deepStrictEqual(yield* value.get, { replicas: 2 })
    yield* failure(value.set({ replicas: 0.5 }), "InvalidArgument")
  })

  it.inChroot(
    "shows changes in order, from the initial value on, across a lost session and a deletion",
    function* ({ another, expire, zk }) {
      const watcher = yield* another()
      const value = yield* config(zk)
      const seen = yield* pullFrom((yield* config(watcher)).changes)
      assert.deepStrictEqual((yield* seen).value, { replicas: 1 })
      yield* value.set({ replicas: 2 })
      const second = yield* seen
      assert.deepStrictEqual(second.value, { replicas: 2 })
      yield* expire(watcher)
      yield* value.set({ replicas: 3 })
      const third = yield* seen
      assert.deepStrictEqual(third.value, { replicas: 3 })
      assert.isTrue(third.stat!.mzxid > second.stat!.mzxid)
      yield* zk.delete("/config/mail")
      const fourth = yield* seen
      assert.deepStrictEqual([fourth.value, fourth.stat], [{ replicas: 1 }, undefined])
      yield* zk.createWithParents("/config/mail", { data: "broken" })
      yield* failure(seen, "DataInvalid")
    }
  )

  it.inChroot(
    "says OutcomeUnknown for a write without a reply, unless it is known not to be applied",
    function* ({ breakable, zk: plain }) {
      const { link, zk } = yield* breakable()
      const value = yield* config(zk)
      yield* value.set({ replicas: 0 })
      yield* link.loseReply(Operations.setData)
      yield* failure(value.set({ replicas: 1 }), "OutcomeUnknown")
      yield* link.loseRequest(Operations.setData)
      yield* value.set({ replicas: 2 })
      // Another made the step that would have been ours, with other data: ours was not applied.
      const theirs = yield* config(plain)
      let meddling = true
      const meddle = Effect.suspend(() => {
        const isDue = meddling
        meddling = false
        return isDue ? theirs.set({ replicas: 10 }) : Effect.void
      })
      const meddled = yield* config(beforeLooks(zk, meddle))
      yield* link.loseRequest(Operations.setData)
      const { attempts, pre } = yield* meddled.update(({ replicas }) => ({ replicas: replicas + 1 }))
      assert.deepStrictEqual([pre, attempts], [{ replicas: 10 }, 2])
      assert.deepStrictEqual(yield* value.get, { replicas: 11 })
    }
  )

  it.inChroot(
    "says OutcomeUnknown when its znode was created again with the same version before the write",
    function* ({ zk }) {
      const path = "/config/mail"
      const remake = Effect.andThen(zk.delete(path), zk.createWithParents(path, { data: `{"replicas":7}` }))
      let isDue = false
      /** Between the read and the write that goes by it. */
      const get: typeof zk.get = (path) =>
        Effect.tap(zk.get(path), () => {
          if (!isDue) return Effect.void
          isDue = false
          return Effect.orDie(remake)
        })
      const plain = yield* config(zk)
      const value = yield* config({ ...zk, get })
      const changes = [
        ["set", value.set({ replicas: 2 })],
        ["update", value.update(({ replicas }) => ({ replicas: replicas + 1 }))],
        ["compareAndSet", Effect.flatMap(plain.getVersioned, (seen) => value.compareAndSet(seen, { replicas: 2 }))]
      ] as const
      yield* plain.set({ replicas: 1 })
      for (const [operation, change] of changes) {
        yield* remake
        isDue = true
        const error = yield* failure(change, "OutcomeUnknown")
        assert.deepInclude({ ...error }, { path, operation, reason: "remade" })
        assert.include(error.message, "created again")
      }
      // Nothing of it is left.
      assert.deepStrictEqual((yield* value.update(() => ({ replicas: 3 }))).post, { replicas: 3 })
    }
  )

  it.inChroot("leaves no watch when the readers of its changes have gone", function* ({ watches, zk }) {
    const value = yield* config(zk)
    yield* value.set({ replicas: 2 })
    yield* inScope(function* () {
      const seen = yield* pullFrom(value.changes)
      yield* seen
      yield* eventually(watches, (n) => n === 1)
    })
    yield* awaitNoWatches(watches)
  })
})

describe("a value at a version of -1", () => {
  itOnEmbedded("is compared with no version that means any, and set to go on", function* ({ server }) {
    const value = yield* AtomicValue.make("/value", { schema: Schema.Int, initial: 0 })
    yield* value.set(1)
    assert.isTrue(yield* server.setVersion("/value", -1))
    yield* failure(
      value.update((n) => n + 1),
      "VersionExhausted"
    )
    yield* failure(value.compareAndSet(yield* value.getVersioned, 5), "VersionExhausted")
    yield* value.set(1)
    assert.strictEqual((yield* value.update((n) => n + 1)).post, 2)
  })

  itOnEmbedded("has an initial value that its schema knows", function* () {
    yield* failure(AtomicValue.make("/value", { schema: Schema.Int, initial: 0.5 }), "InvalidArgument")
  })
})
