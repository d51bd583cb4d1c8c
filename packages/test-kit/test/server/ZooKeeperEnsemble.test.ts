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
    "goes on without a member that is cut off, which hears nothing of the elections of others, and takes it back",
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
      assert.strictEqual(yield* Znode.create(first.port, "/kept"), 0)
      // Of both, one has ended the other's connection and made its own: neither may go around the cut.
      for (const isolated of [first, second!]) {
        const path = `/without-${isolated.id}`
        yield* ensemble.isolate(isolated)
        const from = yield* heardBy(isolated)
        yield* isolated.awaitMode("down", "read-only")
        yield* ensemble.awaitQuorum(2)
        const leader = yield* ensemble.leader
        assert.notStrictEqual(leader.id, isolated.id)
        assert.strictEqual(yield* Znode.create(leader.port, path), 0)
        const heard = yield* heardBy(isolated)
        assert.isNotEmpty(from)
        assert.isEmpty(heard.slice(from.length).filter((id) => id !== isolated.id))
        yield* ensemble.rejoin
        yield* ensemble.awaitQuorum(3)
        assert.strictEqual(yield* isolated.mode, "follower")
        assert.strictEqual(yield* Znode.exists(isolated.port, path), 0)
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
