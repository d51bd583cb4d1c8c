import { NoNode } from "@effect-zookeeper/protocol/ServerError"
import { ConnectionLoss, ServerRefused } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Op } from "../../src/index.ts"
import { type Asked, makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { failure } from "../support/clients.ts"
import { bytes, fails, gives, inTurn, neverSends, subject, synced } from "../support/answers.ts"

describe("a server that does not know an operation", () => {
  const unimplemented = ({ operation, request }: Asked) =>
    Effect.fail(new ServerRefused({ operation, path: request.path ?? "", code: -6, name: "Unimplemented" }))
  const created = ({ request }: Asked) => Effect.succeed({ path: request.path })

  itEffect("gives the Stat of a create by a look after it", function* () {
    const { log, zk } = yield* makeScriptedClient(inTurn(unimplemented, created, gives({ stat })))
    assert.deepStrictEqual(yield* zk.createWithStat("/a"), { path: "/a", stat })
    assert.deepStrictEqual(log(), ["create2 /a", "create /a", "exists /a"])
  })

  itEffect("fails as a create that may have been applied when the look after it is lost", function* () {
    const timed = yield* makeScriptedClient(inTurn(unimplemented, created, neverSends("exists")))
    const timeout = yield* failure(timed.zk.createWithStat("/a"), "RequestTimeout")
    assert.deepStrictEqual([timeout.operation, timeout.path, timeout.maybeApplied], ["create", "/a", true])
    const unread = new ConnectionLoss({ operation: "exists", path: "/a", maybeApplied: false })
    const cut = yield* makeScriptedClient(inTurn(unimplemented, created, fails(unread)))
    const loss = yield* failure(cut.zk.createWithStat("/a"), "ConnectionLoss")
    assert.deepStrictEqual([loss.operation, loss.path, loss.maybeApplied], ["create", "/a", true])
    // So that an idempotent create can resolve it.
    const there = gives({ data: new Uint8Array(0), stat })
    const again = yield* makeScriptedClient(inTurn(unimplemented, created, neverSends("exists"), synced, there))
    assert.deepStrictEqual(yield* again.zk.createWithStat("/a", { idempotent: true }), { path: "/a", stat })
  })

  itEffect("is not asked to create again a znode that another client deleted before the look", function* () {
    const gone = fails(new NoNode({ path: "/a", operation: "exists" }))
    const plain = yield* makeScriptedClient(inTurn(unimplemented, created, gone))
    assert.strictEqual((yield* failure(plain.zk.createWithStat("/a"), "NoNode")).operation, "exists")
    const absent = fails(new NoNode({ path: "/a", operation: "setData" }))
    const { log, zk } = yield* makeScriptedClient(inTurn(absent, unimplemented, created, gone))
    assert.strictEqual((yield* failure(zk.createOrSet("/a", "x"), "NoNode")).operation, "exists")
    assert.deepStrictEqual(log(), ["setData /a", "create2 /a", "create /a", "exists /a"])
  })

  itEffect(
    "makes persistent parents where it has no containers, and refuses a container that was asked for",
    function* () {
      const absent = fails(new NoNode(subject))
      const { log, zk } = yield* makeScriptedClient(inTurn(absent, unimplemented, created))
      yield* zk.ensurePath("/a")
      assert.deepStrictEqual(log(), ["exists /a", "createContainer /a", "create /a"])
      const plain = yield* makeScriptedClient(unimplemented)
      assert.strictEqual((yield* failure(plain.zk.create("/a", { mode: "container" }), "ServerRefused")).code, -6)
    }
  )

  itEffect("is read from one by one", function* () {
    const { log, zk } = yield* makeScriptedClient(
      inTurn(unimplemented, gives({ data: bytes("x"), stat }), fails(new NoNode(subject)))
    )
    const [data, children] = yield* zk.read([Op.get("/a"), Op.getChildren("/b")])
    assert.deepStrictEqual(Result.isSuccess(data) ? data.success.data : undefined, bytes("x"))
    assert.strictEqual(Result.isFailure(children) ? children.failure._tag : undefined, "NoNode")
    assert.deepStrictEqual(log(), ["multiRead", "getData /a", "getChildren2 /b"])
  })
})

describe("parents that are reaped between a look and a create", () => {
  itEffect("are created again", function* () {
    let reaped = 0
    const { zk } = yield* makeScriptedClient(({ operation, request }) => {
      if (operation === "exists") return Effect.fail(new NoNode(subject))
      if (request.path === "/a/b" && reaped++ < 3) return Effect.fail(new NoNode(subject))
      return Effect.succeed({ path: request.path })
    })
    assert.strictEqual(yield* zk.createWithParents("/a/b"), "/a/b")
    assert.strictEqual(reaped, 4)
  })

  itEffect("fail with NoNode when that never ends", function* () {
    const { zk } = yield* makeScriptedClient(fails(new NoNode(subject)))
    yield* failure(zk.createWithParents("/a/b"), "NoNode")
  })
})
