/** Queues and counters that a process of kazoo or of Curator shares with ours. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZNode from "@effect-zookeeper/client/ZNode"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Counter from "../../src/Counter.ts"
import * as PriorityQueue from "../../src/PriorityQueue.ts"
import * as Queue from "../../src/Queue.ts"
import { curatorSays, hasCurator, hasKazoo, kazooSays } from "./support/peers.ts"

const text = { schema: Schema.String, codec: ZNode.text }

/** A client whose root is a new chroot, and the path of that. */
const makeChroot = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const path = TestServer.freshPath("queues")
  yield* zk.create(path)
  return { path, zk: yield* zk.withChroot(path) }
})

const itOnServer = testOn(
  it.live,
  Layer.suspend(() => ZooKeeper.layer({ servers: TestServer.connectString() })),
  makeChroot
)

const PATIENCE = 120_000

describe.skipIf(!hasKazoo)("kazoo and ours (needs kazoo)", { timeout: PATIENCE }, () => {
  itOnServer("share queues, with locks and without, and counters in text", function* ({ path, zk }) {
    const provided = Effect.provideService(ZooKeeper.ZooKeeper, zk)
    const plain = yield* provided(PriorityQueue.make("/plain", { ...text, layout: "kazoo" }))
    const locking = yield* provided(Queue.make("/locking", { ...text, layout: "kazooLocking" }))
    const whole = yield* provided(Counter.make("/whole", { layout: "text" }))
    const real = yield* provided(Counter.makeFloat("/real"))
    const shared = yield* provided(Counter.make("/shared", { layout: "int32" }))
    yield* plain.offer("late", 200)
    yield* plain.offer("second")
    yield* plain.offer("first", 5)
    yield* locking.offerAll(["one", "two", "three"])
    yield* Effect.all([whole.add(4n), real.add(1), shared.add(4n)])
    const said = yield* kazooSays("queuePeer.py", TestServer.connectString(), path)
    assert.deepStrictEqual(JSON.parse(said), ["first", "second", "one", "two"])
    assert.deepStrictEqual([yield* plain.take, yield* plain.take], ["urgent, of kazoo", "late"])
    assert.strictEqual(yield* locking.consumeOne((item) => Effect.succeed(item)), "three")
    assert.strictEqual(yield* locking.consumeOne((item) => Effect.succeed(item)), "of kazoo")
    assert.deepStrictEqual([yield* whole.get, yield* real.get, yield* shared.get], [7n, 1.5, 7n])
  })
})

describe.skipIf(!hasCurator)("Curator and ours (needs Curator)", { timeout: PATIENCE }, () => {
  itOnServer("share queues, with priorities and without, and a SharedCount", function* ({ path, zk }) {
    const provided = Effect.provideService(ZooKeeper.ZooKeeper, zk)
    const plain = yield* provided(Queue.make("/plain", { ...text, takenPath: "/locks" }))
    const priorities = yield* provided(PriorityQueue.make("/priorities", { ...text, layout: "curator" }))
    const shared = yield* provided(Counter.make("/shared", { layout: "int32" }))
    yield* plain.offerAll(["one", "two"])
    yield* priorities.offer("second", 1)
    yield* priorities.offer("first", -1)
    yield* shared.add(4n)
    const said = yield* curatorSays("QueuePeer", TestServer.connectString(), path)
    assert.deepStrictEqual(said.split("|"), ["one", "two", "first", "second"])
    assert.strictEqual(yield* plain.size, 1)
    assert.strictEqual(yield* plain.consumeOne((item) => Effect.succeed(item)), "of Curator")
    yield* priorities.offer("late")
    assert.deepStrictEqual([yield* priorities.take, yield* priorities.take], ["urgent, of Curator", "late"])
    assert.strictEqual(yield* shared.get, 7n)
  })
})
