/** The cases of chroots from the suites of other clients. The number is the row of the list of telling tests; K is kazoo. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Op } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { failure } from "../support/clients.ts"

describe("paths under a chroot (8, K test_create_async_returns_unchrooted_path, test_unchroot)", () => {
  it.live("come back without it: from creates, transactions and lists", () =>
    Effect.gen(function* () {
      const { beside: zk } = yield* Faults.makeChroot("unchroot")
      assert.strictEqual(yield* zk.create("/a"), "/a")
      assert.strictEqual((yield* zk.createWithStat("/a/n-", { mode: "persistentSequential" })).path, "/a/n-0000000000")
      assert.deepStrictEqual(yield* zk.transaction([Op.create("/b")]), ["/b"])
      yield* zk.create("/e", { mode: "ephemeral" })
      assert.deepStrictEqual(yield* zk.getEphemerals(), ["/e"])
      assert.strictEqual((yield* failure(zk.get("/none"), "NoNode")).path, "/none")
    })
  )

  it.live('are "/" for the chroot itself, in events too', () =>
    Effect.gen(function* () {
      const { beside: zk } = yield* Faults.makeChroot("unchroot-root")
      const children = yield* zk.getChildrenAndWatch("/")
      const data = yield* zk.getAndWatch("/")
      yield* zk.create("/a")
      yield* zk.set("/", "x")
      assert.strictEqual((yield* children.changed).path, "/")
      assert.strictEqual((yield* data.changed).path, "/")
    })
  )

  it.live("that only begin with the same letters are outside", () =>
    Effect.gen(function* () {
      const { beside, chroot, root } = yield* Faults.makeChroot("alike")
      yield* beside.create("/a")
      const inner = yield* beside.withChroot("/a")
      // `/ab` begins with the text `/a`, and is not below it.
      yield* root.create(`${chroot}/ab`, { mode: "ephemeral" })
      assert.deepStrictEqual(yield* inner.getEphemerals(), [])
      assert.deepStrictEqual(yield* inner.getChildren("/"), [])
      assert.isFalse(yield* inner.exists("/b"))
      assert.deepStrictEqual(yield* beside.getEphemerals(), ["/ab"])
    })
  )
})
