import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as ZooKeeperEnsemble from "../../src/ZooKeeperEnsemble.ts"
import * as Znode from "../support/znode.ts"

describe("an ensemble of three", () => {
  itLive("elects a leader, another one when that is killed, and serves read-only when most are gone", function* () {
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

  itLive(
    "goes on without a leader that is cut off from the others, and takes it back",
    { timeout: 120_000 },
    function* () {
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
    }
  )

  itLive(
    "has members that hear nothing of each other's elections while they are cut off",
    { timeout: 120_000 },
    function* () {
      const ensemble = yield* ZooKeeperEnsemble.make({
        links: true,
        tickTime: 200,
        config: ["syncLimit=5"],
        logLevel: "info"
      })
      const first = yield* ensemble.leader
      const [second] = yield* ensemble.followers
      // Of both, one has ended the other's connection and made its own: neither may go around the cut.
      for (const isolated of [first, second!]) {
        yield* ensemble.isolate(isolated)
        const from = yield* heardBy(isolated)
        yield* isolated.awaitMode("down", "read-only")
        yield* ensemble.awaitQuorum(2)
        const heard = yield* heardBy(isolated)
        assert.isNotEmpty(from)
        assert.deepStrictEqual(
          heard.slice(from.length).filter((id) => id !== isolated.id),
          []
        )
        yield* ensemble.rejoin
        yield* ensemble.awaitQuorum(3)
      }
    }
  )
})

/** From whom a member has got votes, by its log, in order. */
const heardBy = ({ folder }: { readonly folder: string }) =>
  Effect.sync(() =>
    Array.from(
      Fs.readFileSync(Path.join(folder, "server.log"), "utf8").matchAll(/Notification: .*n\.sid:(\d+)/g),
      ([, id]) => Number(id)
    )
  )
