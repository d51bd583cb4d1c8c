/** Our recipes and Curator's share a tree that is copied, and go on together in the copy. */
import { ZNode, ZooKeeper } from "@effect-zookeeper/client"
import { Counter, Lock, PriorityQueue, Queue } from "@effect-zookeeper/recipes"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { alone, curator, curatorSays, hasCurator } from "../../../recipes/test/interop/support/peers.ts"
import { Restore, TreeSource } from "../../src/index.ts"
import { differences } from "../support/liveTrees.ts"

const isLong = process.env["ZK_LONG"] === "1"

const text = { schema: Schema.String, codec: ZNode.text }
const turns = 20

describe.runIf(isLong && hasCurator)(
  "a copy (needs Curator; in test:long only, for it starts virtual machines)",
  { timeout: 180_000 },
  () => {
    it.live("has queues, a lock, counters and a sequence that ours and Curator's go on with", () =>
      Effect.gen(function* () {
        const servers = TestServer.connectString()
        const zk = yield* clientOf(ZooKeeper.layer({ servers }))
        const provided = Effect.provideService(ZooKeeper.ZooKeeper, zk)
        const root = TestServer.freshPath("copied")
        const [from, to] = [`${root}/from`, `${root}/to`]
        yield* zk.create(root)
        yield* zk.create(from)
        // The parent of a lock would be a container otherwise, which the servers delete.
        for (const name of ["lock", "plain", "priorities", "sequence"]) yield* zk.create(`${from}/${name}`)

        const java = yield* curator(servers)
        const plainAt = (path: string) => provided(Queue.make(`${path}/plain`, { ...text, takenPath: `${path}/locks` }))
        const prioritiesAt = (path: string) =>
          provided(PriorityQueue.make(`${path}/priorities`, { ...text, layout: "curator" }))
        const lockAt = (path: string) => provided(Lock.make(`${path}/lock`))
        const countersAt = (path: string) =>
          Effect.all([
            provided(Counter.make(`${path}/shared`, { layout: "int32" })),
            provided(Counter.make(`${path}/counter`))
          ])

        const plain = yield* plainAt(from)
        yield* plain.offerAll(["gone", "one", "two"])
        assert.strictEqual(yield* plain.consumeOne((item) => Effect.succeed(item)), "gone")
        const priorities = yield* prioritiesAt(from)
        yield* priorities.offer("second", 1)
        yield* priorities.offer("first", -1)
        const [shared, counter] = yield* countersAt(from)
        yield* shared.add(4n)
        yield* counter.add(2n)
        const clashes = yield* Effect.all(
          [
            java.turns("lock", `${from}/lock`, turns),
            Effect.repeat(
              Effect.flatMap(lockAt(from), (lock) => lock.withLock(Effect.void)),
              { times: turns }
            )
          ],
          { concurrency: 2 }
        )
        assert.strictEqual(clashes[0], 0)
        assert.strictEqual(yield* java.turns("counter", `${from}/counter`, 3), 0)
        const sequential = (path: string) => zk.create(`${path}/sequence/n-`, { mode: "persistentSequential" })
        for (let n = 0; n < 30; n++) {
          const made = yield* sequential(from)
          if (n < 29) yield* zk.delete(made)
        }

        const source = TreeSource.live(zk, { path: from })
        yield* Restore.run(source, zk, { path: to })
        assert.deepStrictEqual(yield* differences(source, TreeSource.live(zk, { path: to })), [])

        // The items in their order, then what Curator has put there.
        const said = yield* curatorSays("QueuePeer", servers, to)
        assert.deepStrictEqual(said.split("|"), ["one", "two", "first", "second"])
        const copiedPlain = yield* plainAt(to)
        assert.strictEqual(yield* copiedPlain.consumeOne((item) => Effect.succeed(item)), "of Curator")
        const copiedPriorities = yield* prioritiesAt(to)
        yield* copiedPriorities.offer("late")
        assert.deepStrictEqual(
          [yield* copiedPriorities.take, yield* copiedPriorities.take],
          ["urgent, of Curator", "late"]
        )
        const lock = yield* lockAt(to)
        const copiedClashes = yield* Effect.all(
          [
            java.turns("lock", `${to}/lock`, turns),
            Effect.map(
              Effect.forEach(Array.from({ length: turns }), () => lock.withLock(alone(zk, `${to}/lock`))),
              (all) => all.reduce((sum, one) => sum + one, 0)
            )
          ],
          { concurrency: 2 }
        )
        assert.deepStrictEqual(copiedClashes, [0, 0])
        assert.strictEqual(yield* java.turns("counter", `${to}/counter`, 3), 0)
        const [copiedShared, copiedCounter] = yield* countersAt(to)
        // Curator has counted three in each.
        assert.deepStrictEqual([yield* copiedShared.get, yield* copiedCounter.get], [7n, 8n])
        assert.isAtLeast(Number((yield* sequential(to)).slice(-10)), 30)
        const numberOfLock = (path: string) =>
          Effect.map(zk.create(`${path}/lock/n-`, { mode: "ephemeralSequential" }), (made) => Number(made.slice(-10)))
        assert.isAtLeast(yield* numberOfLock(to), yield* numberOfLock(from))

        // Nothing of this was in the source.
        assert.strictEqual(yield* plain.size, 2)
      }).pipe(Effect.scoped)
    )
  }
)
