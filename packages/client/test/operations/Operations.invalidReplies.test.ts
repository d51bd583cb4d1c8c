import { BadVersion, NoNode } from "@effect-zookeeper/protocol/ServerError"
import { ConnectionLoss } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { failure, assertEach } from "../support/clients.ts"

describe("an answer that no server gives", () => {
  itEffect("as BadVersion to a write of any version fails with ProtocolError", function* () {
    const { zk } = yield* makeScriptedClient(({ operation, request }) =>
      operation === "getChildren2"
        ? Effect.succeed({ children: [] })
        : Effect.fail(new BadVersion({ operation, path: request.path ?? "" }))
    )
    const set = yield* failure(zk.createOrSet("/a", "x"), "ProtocolError")
    assert.deepStrictEqual([set.operation, set.path], ["setData", "/a"])
    assert.include(set.message, "BadVersion")
    const deleted = yield* failure(zk.deleteAll("/a"), "ProtocolError")
    assert.deepStrictEqual([deleted.operation, deleted.path], ["delete", "/a"])
  })

  itEffect(
    "as BadVersion to an idempotent write of any version that was lost before does not go on forever",
    function* () {
      const { asked, zk } = yield* makeScriptedClient(({ operation }, index) =>
        operation === "getData"
          ? Effect.succeed({ data: null, stat })
          : operation === "multi"
            ? Effect.succeed([])
            : Effect.fail(
                index === 0
                  ? new ConnectionLoss({ operation, path: "/a", maybeApplied: true })
                  : new BadVersion({ operation, path: "/a" })
              )
      )
      yield* failure(zk.setData("/a", "x", { idempotent: true }), "ProtocolError")
      assert.lengthOf(asked, 4)
    }
  )

  itEffect("without the Stat that was asked for fails with ProtocolError", function* () {
    const { zk } = yield* makeScriptedClient(({ operation, request }) =>
      operation === "setData"
        ? Effect.fail(new NoNode({ operation, path: "/a" }))
        : Effect.succeed({ path: request.path })
    )
    assert.strictEqual((yield* failure(zk.createWithStat("/a"), "ProtocolError")).path, "/a")
    assert.strictEqual((yield* failure(zk.createOrSet("/a", "x"), "ProtocolError")).path, "/a")
  })

  itEffect("as a configuration is read as far as it is valid, and the rest is in the text", function* () {
    const raw = [
      "server.1=zk1:2888:3888:observer;2181\r",
      "server.2=zk2\u2028:2888:3888:observer",
      "server.99999999999999999999=zk3:2888:3888",
      "version=1ff",
      "version=80000000000000000"
    ].join("\n")
    const { zk } = yield* makeScriptedClient(() => Effect.succeed({ data: new TextEncoder().encode(raw), stat }))
    const config = yield* zk.getConfig
    assertEach(config.members, ({ addresses, id, role }) => [id, role, ...addresses], [
      [1, "observer", "zk1:2888:3888"],
      [2, "observer", "zk2\u2028:2888:3888"]
    ])
    // The other one has more than 64 bits, which `fromConfig` would not take.
    assert.strictEqual(config.version, 0x1ffn)
    assert.strictEqual(config.raw, raw)
  })
})
