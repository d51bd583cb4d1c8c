/**
 * The cases of requests, lost replies and broken answers from the suites of other clients. The number is the row of the
 * list of telling tests; K is kazoo, F Curator's framework.
 *
 * Held elsewhere ("session" is `packages/session/test`, "conformance" the suite in the test-kit):
 *
 * | row | held by |
 * | --- | --- |
 * | 1 (K test_request_queuing_session_recovered) | session's Requests.lostConnection "fails the writes that had left, and keeps all other requests in their order" |
 * | 2 (K test_request_queuing_session_expired) | session's Requests.lostConnection "that ends in an expiry ...", Liveness.silence "is followed by a new session under recreate ..." |
 * | 12 (K test_bad_transaction) | conformance "says which operation failed and why, and applies nothing" |
 * | 13 (K test_connection_read_timeout, write_timeout) | session's Connection.faults "is given up in time, and what became of a write is told truly" |
 * | 15 (K test_xids_mismatch) | session's Connection.faults "a wrong xid", "swapped replies", "a reply that comes twice", "a write whose reply has another's xid ..." |
 * | 27 (F testMissedResponseOnESCreate) | conformance "is one znode when it is protected" |
 * | 28's znode of an older session that is still there | Durable.protected "deletes the znode of its own older session ..." |
 */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { CreateError, SetDataError } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { Op } from "../support/faults.ts"
import { connect, failure, text, now, assertEach, eventually } from "../support/clients.ts"

describe("answers that make no sense", () => {
  Faults.itBesideRoot(
    "to the handshake are no reason to give up (14, K test_connection_deserialize_fail)",
    function* ({ beside, chroot }) {
      const proxy = yield* FaultProxy.make(TestServer.target())
      const garbage: ReadonlyArray<FaultProxy.FrameAction> = [
        { _tag: "Edit", edit: () => Uint8Array.of(1, 2, 3) },
        { _tag: "Truncate", length: 20 },
        { _tag: "SetLength", length: -1 },
        { _tag: "SetLength", length: 2_000_000_000 },
        // The length of the password.
        { _tag: "CorruptByte", offset: 16 }
      ]
      for (const action of garbage) yield* proxy.rule({ match: { direction: "down", op: "connect" }, action })
      const zk = yield* connect({ servers: proxy.connectString + chroot, retry: Faults.RETRY_SOON })
      assert.strictEqual((yield* proxy.seen).accepted, garbage.length + 1)
      yield* zk.create("/a")
      assert.isTrue(yield* beside.exists("/a"))
    }
  )
})

describe("data", () => {
  Faults.itBehindProxy(
    "that are null and those of no bytes differ on the wire and read as empty (9, K test_create_null_data, test_create_empty_string)",
    function* ({ proxy, zk }) {
      const written: Array<Uint8Array | null> = []
      yield* proxy.rule({
        match: { direction: "up", op: Op.create },
        action: {
          _tag: "Edit",
          edit: (body) => {
            written.push(Operations.create.request.read(new JuteReader(body, 8)).data)
            return body
          }
        },
        count: 3
      })
      yield* zk.create("/none")
      yield* zk.create("/text", { data: "" })
      yield* zk.create("/bytes", { data: new Uint8Array(0) })
      assert.isNull(written[0])
      assertEach(written.slice(1), (data) => data?.length, [0, 0])
      for (const path of ["/none", "/text", "/bytes"]) {
        const { data, stat } = yield* zk.get(path)
        assert.deepStrictEqual([...data], [])
        assert.strictEqual(stat.dataLength, 0)
      }
      yield* zk.set("/text", "x")
      yield* zk.set("/text", "")
      assert.lengthOf(yield* zk.getData("/text"), 0)
    }
  )
})

describe("writes whose reply is lost", () => {
  Faults.itBehindProxy(
    "protected: the session that created it is gone, and so is the znode (28, F testProtectionWithKilledSession)",
    function* ({ beside, proxy, zk }) {
      const rule = yield* Faults.loseReply(proxy, Op.create)
      const create = zk.create("/n-", { mode: "ephemeralSequential", protected: true })
      const creating = yield* Effect.forkChild(Effect.flip(create), now)
      yield* rule.awaitHits()
      yield* Faults.cutOff(proxy)
      yield* Faults.endSession(zk)
      yield* proxy.accept("forward")
      assert.strictEqual((yield* Fiber.join(creating))._tag, "SessionExpired")
      const path = yield* create
      assert.deepStrictEqual(yield* beside.getChildren("/"), [path.slice(1)])
      assert.strictEqual(Option.getOrThrow(yield* beside.stat(path)).ephemeralOwner, zk.session.id)
    }
  )

  Faults.itBehindProxy(
    "protected: the search for it may be lost as well, and leaves no orphan (29, F testProtectedCreateNodeDeletion)",
    function* ({ beside, proxy, zk }) {
      yield* Faults.loseReply(proxy, Op.create, 2)
      yield* Faults.loseReply(proxy, Op.getChildren, 2)
      yield* Faults.loseReply(proxy, Op.exists)
      const path = yield* zk.create("/n-", { data: "1", mode: "persistentSequential", protected: true })
      assert.deepStrictEqual(yield* beside.getChildren("/"), [path.slice(1)])
      assert.isAtLeast(yield* Faults.countSent(proxy, Op.getChildren), 3)
    }
  )

  Faults.itBehindProxyWith({ requestTimeout: "1 second" })(
    "whose fate cannot be found out in time fail with what is known (29 and 30, F)",
    function* ({ proxy, zk }) {
      yield* zk.create("/set", { data: "0" })
      const writes = [
        [Op.create, zk.create("/a", { idempotent: true })],
        [Op.setData, zk.setData("/set", "1", { version: 0, idempotent: true })],
        [Op.create, zk.create("/n-", { mode: "persistentSequential", protected: true })]
      ] as const
      for (const [op, write] of writes) {
        const silence = yield* proxy.rule({ match: { direction: "down", op: Op.multi }, action: { _tag: "Drop" } })
        yield* Faults.loseReply(proxy, op)
        const error = yield* Effect.flip<unknown, CreateError | SetDataError, never>(write)
        yield* silence.awaitHits()
        if (error._tag !== "ConnectionLoss") return assert.fail(`${error._tag}: ${error.message}`)
        // The look had no answer, and cannot have changed anything; the write may have.
        assert.isTrue(error.maybeApplied)
        assert.include(["create", "setData"], error.operation)
        yield* Faults.breakConnections(zk, proxy)
      }
      // The protected znode is looked for in the background, and nothing is left behind.
      const left = yield* eventually(zk.getChildren("/"), ({ length }) => length === 2)
      assert.sameMembers([...left], ["a", "set"])
    }
  )

  Faults.itBehindProxy(
    "idempotent: the look at it may be lost as well, and other data is another's (30, F testIdempotentCreateConnectionLoss)",
    function* ({ beside, proxy, zk }) {
      yield* Faults.loseReply(proxy, Op.create)
      yield* Faults.loseReply(proxy, Op.getData)
      assert.strictEqual(yield* zk.create("/a", { data: "1", idempotent: true }), "/a")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.create), 1)
      // The request is lost, and meanwhile somebody else creates it.
      yield* beside.create("/b", { data: "theirs" })
      yield* proxy.rule({ match: { direction: "up", op: Op.create }, action: { _tag: "DropAndReset" } })
      yield* failure(zk.create("/b", { data: "mine", idempotent: true }), "NodeExists")
      assert.strictEqual(text(yield* beside.getData("/b")), "theirs")
      // And a plain one fails with what happened.
      yield* Faults.loseReply(proxy, Op.create)
      yield* failure(zk.create("/c"), "ConnectionLoss")
    }
  )

  Faults.itBehindProxy(
    "a guaranteed delete that is asked for in an outage is done after it (32, F testLostSession)",
    function* ({ beside, proxy, zk }) {
      yield* beside.create("/a")
      yield* beside.create("/b")
      const { changed } = yield* beside.existsAndWatch("/a")
      yield* Faults.cutOff(proxy)
      yield* Faults.awaitState(zk, "Disconnected")
      const deleting = yield* Effect.forkChild(zk.delete("/a", { guaranteed: true }), now)
      yield* Fiber.interrupt(deleting)
      yield* proxy.accept("forward")
      assert.strictEqual((yield* changed).type, "NodeDeleted")
      // It belongs to its session: a caller that waits through the end of that is told.
      yield* Faults.cutOff(proxy)
      yield* Faults.awaitState(zk, "Disconnected")
      const late = yield* Effect.forkChild(Effect.flip(zk.delete("/b", { guaranteed: true })), now)
      yield* Faults.endSession(zk)
      yield* proxy.accept("forward")
      assert.strictEqual((yield* Fiber.join(late))._tag, "SessionExpired")
      yield* zk.delete("/b", { guaranteed: true })
    }
  )
})
