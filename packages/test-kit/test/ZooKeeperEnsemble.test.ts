import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ZooKeeperEnsemble from "../src/ZooKeeperEnsemble.ts"
import * as Znode from "./support/znode.ts"

describe("an ensemble of three", () => {
  it.live("elects a leader, another one when that is killed, and serves read-only when most are gone", () =>
    Effect.gen(function* () {
      const ensemble = yield* ZooKeeperEnsemble.make({ localSessions: "upgrading" })
      const first = yield* ensemble.leader
      assert.lengthOf(yield* ensemble.followers, 2)
      assert.strictEqual(yield* Znode.create(first.port, "/kept"), 0)

      yield* first.kill
      yield* ensemble.awaitQuorum()
      const second = yield* ensemble.leader
      assert.notStrictEqual(second.id, first.id)
      yield* first.start
      assert.strictEqual(yield* first.mode, "follower")
      assert.strictEqual(yield* Znode.exists(first.port, "/kept"), 0)

      const [last] = yield* ensemble.followers
      assert.isDefined(last)
      for (const server of ensemble.servers) if (server !== last) yield* server.kill
      yield* last?.awaitMode("read-only") ?? Effect.void
      assert.match((yield* Effect.flip(ensemble.leader)).message, /read-only/)
    })
  )

  it.live(
    "goes on without a leader that is cut off from the others, and takes it back",
    () =>
      Effect.gen(function* () {
        const ensemble = yield* ZooKeeperEnsemble.make({ links: true, tickTime: 200, config: ["syncLimit=5"] })
        const first = yield* ensemble.leader
        assert.strictEqual(yield* Znode.create(first.port, "/kept"), 0)
        yield* ensemble.isolate(first)
        yield* first.awaitMode("down", "read-only")
        yield* ensemble.awaitQuorum(2)
        const second = yield* ensemble.leader
        assert.notStrictEqual(second.id, first.id)
        assert.strictEqual(yield* Znode.create(second.port, "/new"), 0)
        yield* ensemble.rejoin
        yield* ensemble.awaitQuorum(3)
        assert.strictEqual(yield* first.mode, "follower")
        assert.strictEqual(yield* Znode.exists(first.port, "/new"), 0)
      }),
    60_000
  )
})
