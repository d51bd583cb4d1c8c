/** Requests, watches and identities when a connection is lost. */
import { Acl, Op, type ZooKeeper } from "@effect-zookeeper/client"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  assertEach,
  atOnce,
  awaitCondition,
  childrenOf,
  dataOf,
  failure,
  now,
  pullFrom,
  refused,
  text
} from "../Expectations.ts"
import { type BreakableEndpoint, type ConformanceTests, connect, makeChrootWithLink } from "./Target.ts"

const awaitState = (zk: ZooKeeper.Service, wanted: string) => awaitCondition(() => zk.session.state._tag === wanted)

/** Does something while a client is cut off. */
const whileCut = Effect.fnUntraced(function* <A, E, R>(
  zk: ZooKeeper.Service,
  link: BreakableEndpoint,
  during: Effect.Effect<A, E, R>
) {
  yield* link.cut
  yield* awaitState(zk, "Disconnected")
  yield* during
  yield* link.heal
  yield* awaitState(zk, "Connected")
})

export const lostConnections = (it: ConformanceTests): void => {
  describe("after a lost connection", () => {
    it.effect("the session, its ephemerals and its identities are the same", function* () {
      const bob = { scheme: "digest", credentials: Redacted.make("bob:secret") }
      const { beside, link, zk } = yield* makeChrootWithLink({ auth: [bob] })
      yield* zk.create("/e", { mode: "ephemeral" })
      yield* zk.create("/mine", { acl: Acl.creator })
      const { id } = zk.session
      yield* whileCut(zk, link, Effect.void)
      assert.strictEqual(zk.session.id, id)
      assert.strictEqual((yield* beside.get("/e")).stat.ephemeralOwner, id)
      yield* zk.set("/mine", "1")
    })

    it.withLink("one-shot watches tell what happened meanwhile", function* ({ beside, link, zk }) {
      yield* beside.create("/changed", { data: "1" })
      yield* beside.create("/deleted")
      yield* beside.create("/parent")
      const watches = {
        changed: (yield* zk.getAndWatch("/changed")).changed,
        deleted: (yield* zk.getAndWatch("/deleted")).changed,
        gone: (yield* zk.existsAndWatch("/deleted")).changed,
        created: (yield* zk.existsAndWatch("/created")).changed,
        children: (yield* zk.getChildrenAndWatch("/parent")).changed
      }
      yield* whileCut(
        zk,
        link,
        Effect.gen(function* () {
          yield* beside.set("/changed", "2")
          yield* beside.delete("/deleted")
          yield* beside.create("/created")
          yield* beside.create("/parent/child")
        })
      )
      const events = yield* atOnce(watches)
      assertEach(Object.values(events), ({ path, type }) => `${type} ${path}`, [
        "NodeDataChanged /changed",
        "NodeDeleted /deleted",
        "NodeDeleted /deleted",
        "NodeCreated /created",
        "NodeChildrenChanged /parent"
      ])
    })

    it.withLink("one-shot watches of what did not change still wait", function* ({ beside, link, zk }) {
      yield* beside.create("/a")
      const watches = {
        data: (yield* zk.getAndWatch("/a")).changed,
        present: (yield* zk.existsAndWatch("/a")).changed,
        children: (yield* zk.getChildrenAndWatch("/a")).changed,
        absent: (yield* zk.existsAndWatch("/b")).changed
      }
      const waiting = yield* Effect.forkChild(atOnce(watches), now)
      const first = yield* Effect.forkChild(Effect.raceAll(Object.values(watches)), now)
      for (const time of [1, 2, 3]) yield* whileCut(zk, link, beside.create(`/not-their-business-${time}`))
      yield* zk.sync()
      assert.isUndefined(first.pollUnsafe())
      yield* beside.set("/a", "1")
      yield* beside.create("/a/c")
      yield* beside.create("/b")
      assertEach(Object.values(yield* Fiber.join(waiting)), ({ path, type }) => `${type} ${path}`, [
        "NodeDataChanged /a",
        "NodeDataChanged /a",
        "NodeChildrenChanged /a",
        "NodeCreated /b"
      ])
    })

    const title = it.refusedBefore("3.6.0", "persistent watches tell a gap and go on")
    it.withLink(title, function* ({ beside, link, zk }) {
      if (!it.isAtLeast("3.6.0")) return yield* refused(Stream.runDrain(zk.events("/a")))
      yield* beside.create("/a")
      const own = yield* pullFrom(zk.events("/a"))
      const recursive = yield* pullFrom(zk.events("/", { recursive: true }))
      yield* Effect.sleep("10 millis")
      yield* zk.sync()
      yield* whileCut(zk, link, beside.set("/a", "missed"))
      assert.strictEqual((yield* own).type, "Gap")
      assert.strictEqual((yield* recursive).type, "Gap")
      // Changes before the gap was emitted, connected or not, are a part of it.
      yield* beside.create("/a/b")
      const types = [(yield* own).type, (yield* recursive).type]
      assert.deepStrictEqual(types, ["NodeChildrenChanged", "NodeCreated"])
    })

    it.withLink("streams of values show what happened while there was no connection", function* ({ beside, link, zk }) {
      yield* beside.create("/a", { data: "1" })
      const data = yield* pullFrom(dataOf(zk, "/a"))
      const children = yield* pullFrom(childrenOf(zk, "/a"))
      assert.strictEqual(yield* data, "1")
      assert.deepStrictEqual(yield* children, [])
      yield* whileCut(zk, link, Effect.andThen(beside.set("/a", "2"), beside.create("/a/b")))
      assert.strictEqual(yield* data, "2")
      assert.deepStrictEqual(yield* children, ["b"])
      // And what happens after it.
      yield* beside.set("/a", "3")
      assert.strictEqual(yield* data, "3")
      yield* whileCut(zk, link, beside.deleteAll("/a"))
      assert.isNull(yield* data)
      assert.isNull(yield* children)
    })

    it.withLink(
      "streams of values end at the newest, or say that they may not read, if servers keep back what happened meanwhile",
      function* ({ beside, chroot, link, zk }) {
        const owner = yield* connect({ chroot, auth: [{ scheme: "digest", credentials: Redacted.make("bob:secret") }] })
        yield* owner.create("/a", { data: "old" })
        const next = yield* pullFrom(dataOf(zk, "/a"))
        assert.strictEqual(yield* next, "old")
        const hide = Effect.andThen(owner.setAcl("/a", Acl.creator), owner.set("/a", "hidden"))
        yield* whileCut(zk, link, hide)
        yield* zk.exists("/")
        // Older servers tell any client of changes during a lost connection, whether or not it may read the znode.
        if (!it.isAtLeast("3.9.6")) return void (yield* failure(next, "NoAuth"))
        yield* owner.setAcl("/a", Acl.open)
        yield* beside.set("/a", "newest")
        assert.strictEqual(yield* next, "newest")
      }
    )

    it.withLink("a read that waited is answered", function* ({ beside, link, zk }) {
      yield* beside.create("/a", { data: "1" })
      yield* link.cut
      yield* awaitState(zk, "Disconnected")
      const reading = yield* Effect.forkChild(zk.getData("/a"), now)
      yield* beside.set("/a", "2")
      yield* link.heal
      assert.strictEqual(text(yield* Fiber.join(reading)), "2")
    })

    it.withLink("a read whose answer was lost is asked again", function* ({ beside, link, zk }) {
      yield* beside.create("/a", { data: "1" })
      yield* link.loseReply(Operations.getData)
      assert.strictEqual(text(yield* zk.getData("/a")), "1")
    })
  })

  describe("a write whose reply was lost", () => {
    it.withLink("fails with ConnectionLoss and is not sent again", function* ({ beside, link, zk }) {
      yield* link.loseReply(Operations.create)
      const error = yield* failure(zk.create("/job-", { mode: "persistentSequential" }), "ConnectionLoss")
      assert.isTrue(error.maybeApplied)
      assert.strictEqual(error.path, "/job-")
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["job-0000000000"])
      assert.deepStrictEqual(yield* beside.getChildren("/"), ["job-0000000000"])
    })

    it.withLink("is not applied if the request was lost", function* ({ link, zk }) {
      yield* link.loseRequest(Operations.create)
      assert.isTrue((yield* failure(zk.create("/a"), "ConnectionLoss")).maybeApplied)
      assert.isFalse(yield* zk.exists("/a"))
    })

    for (const lose of ["loseReply", "loseRequest"] as const) {
      it.withLink(`is one znode when it is protected (${lose})`, function* ({ beside, link, zk }) {
        yield* link[lose](Operations.create)
        const path = yield* zk.create("/job-", { mode: "ephemeralSequential", protected: true })
        assertEach(yield* beside.getChildren("/"), (name) => `/${name}`, [path])
        assert.strictEqual((yield* beside.get(path)).stat.ephemeralOwner, zk.session.id)
      })

      it.withLink(`is applied once when it is idempotent (${lose})`, function* ({ beside, link, zk }) {
        yield* link[lose](Operations.create)
        assert.strictEqual(yield* zk.create("/a", { data: "1", idempotent: true }), "/a")
        yield* link[lose](Operations.setData)
        assert.strictEqual((yield* zk.setData("/a", "2", { version: 0, idempotent: true })).version, 1)
        assert.strictEqual((yield* beside.get("/a")).stat.version, 1)
        yield* link[lose](Operations.deleteNode)
        yield* zk.delete("/a", { version: 1, idempotent: true })
        assert.isFalse(yield* beside.exists("/a"))
      })

      it.withLink(`is applied when it is a guaranteed delete (${lose})`, function* ({ beside, link, zk }) {
        yield* beside.create("/b")
        yield* link[lose](Operations.deleteNode)
        yield* zk.delete("/b", { guaranteed: true })
        assert.isFalse(yield* beside.exists("/b"))
      })
    }

    it.withLink("is a transaction as a whole", function* ({ beside, link, zk }) {
      yield* link.loseReply(Operations.multi)
      const error = yield* failure(zk.transaction([Op.create("/a"), Op.create("/b")]), "ConnectionLoss")
      assert.isTrue(error.maybeApplied)
      assert.sameMembers([...(yield* beside.getChildren("/"))], ["a", "b"])
    })
  })
}
