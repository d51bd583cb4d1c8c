import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Queue from "../../src/Queue.ts"
import { connectAnother, itOnEmbedded } from "../support/embedded.ts"
import { awaitChildren } from "../support/holds.ts"
import { makeNumberQueue } from "../support/queues.ts"
import {
  numbersBelow,
  withClient,
  describeOnServers,
  eventually,
  failure,
  text,
  awaitNoWatches,
  atOnce,
  inScope
} from "../support/targets.ts"

/** How many watches the server has, of data and of children. */
const watches = Effect.map(
  Effect.flatMap(Transport.Transport, (transport) => {
    const address = { host: "memory", port: 2181 }
    return FourLetterWord.ask(transport, address, address, "mntr")
  }),
  (answer) => Number(/zk_watch_count\t(\d+)/.exec(answer)?.[1])
)

describeOnServers("a queue", (it) => {
  it.inChroot("gives items first in first out, and waits for one when it is empty", function* ({ another, zk }) {
    const queue = yield* makeNumberQueue(zk)
    assert.isTrue(Option.isNone(yield* queue.poll))
    assert.isTrue(Option.isNone(yield* queue.peek))
    assert.strictEqual(yield* queue.size, 0)
    yield* queue.offer(1)
    yield* queue.offerAll([2, 3, 4])
    assert.strictEqual(yield* queue.size, 4)
    assert.deepStrictEqual(yield* queue.peek, Option.some(1))
    assert.deepStrictEqual(yield* queue.poll, Option.some(1))
    for (const n of [2, 3, 4]) assert.strictEqual(yield* queue.take, n)
    const taking = yield* Effect.forkChild(queue.take)
    const theirs = yield* makeNumberQueue(yield* another())
    yield* theirs.offer(5)
    assert.strictEqual(yield* Fiber.join(taking), 5)
    assert.strictEqual(yield* queue.size, 0)
  })

  it.inChroot("wakes one of several that wait for each item", function* ({ another, zk }) {
    const queue = yield* makeNumberQueue(zk)
    const others = yield* Effect.forEach(numbersBelow(3), () => Effect.flatMap(another(), (zk) => makeNumberQueue(zk)))
    const taking = yield* Effect.forEach([queue, queue, ...others], ({ take }) => Effect.forkChild(take))
    yield* queue.offerAll(numbersBelow(5))
    const taken = yield* Effect.forEach(taking, Fiber.join)
    assert.deepStrictEqual(taken.toSorted(), numbersBelow(5))
  })

  it.inChroot("leaves an item that it cannot read where it is, and names it", function* ({ zk }) {
    const queue = yield* makeNumberQueue(zk, { layout: "kazoo" })
    yield* queue.offer(1)
    yield* zk.create("/queue/entry-000-", { mode: "persistentSequential", data: "not a number" })
    for (const take of [
      Effect.asVoid(queue.take),
      Effect.asVoid(queue.poll),
      Effect.asVoid(queue.peek),
      Effect.asVoid(Effect.scoped(queue.takeWithLock))
    ]) {
      const { path } = yield* failure(take, "DataInvalid")
      assert.strictEqual(path, "/queue/entry-000-0000000001")
    }
    yield* zk.delete("/queue/entry-000-0000000001")
    assert.strictEqual(yield* queue.take, 1)
  })

  it.inChroot("takes no foreign children for items", function* ({ zk }) {
    const queue = yield* makeNumberQueue(zk)
    yield* zk.create("/queue")
    for (const name of ["config", "queue-", "queue-7", "lock-0000000001"]) yield* zk.create(`/queue/${name}`)
    assert.isTrue(Option.isNone(yield* queue.poll))
    yield* queue.offer(1)
    assert.strictEqual(yield* queue.take, 1)
  })

  it.inChroot("lets offers wait while it is full", function* ({ zk }) {
    const queue = yield* makeNumberQueue(zk, { maxItems: 2 })
    yield* failure(queue.offerAll([1, 2, 3]), "InvalidArgument")
    yield* queue.offerAll([1, 2])
    const offering = yield* Effect.forkChild(queue.offer(3))
    yield* Effect.sleep("50 millis")
    assert.strictEqual(yield* queue.size, 2)
    assert.strictEqual(yield* queue.take, 1)
    yield* Fiber.join(offering)
    assert.deepStrictEqual([yield* queue.take, yield* queue.take], [2, 3])
  })

  it.inChroot("puts back the item that was deleted for an interrupted taker", function* ({ zk }) {
    const deleted = yield* Deferred.make<void>()
    // The reply of the delete comes when its caller has stopped waiting.
    const late: ZooKeeper.Service = {
      ...zk,
      transaction: (ops) =>
        zk
          .transaction(ops)
          .pipe(Effect.tap(() => Deferred.succeed(deleted, undefined).pipe(Effect.andThen(Effect.sleep("50 millis")))))
    }
    const plain = yield* makeNumberQueue(zk)
    const queue = yield* makeNumberQueue(late)
    yield* plain.offerAll([1, 2])
    const taking = yield* Effect.forkChild(queue.take)
    yield* Deferred.await(deleted)
    yield* Fiber.interrupt(taking)
    yield* eventually(plain.size, (size) => size === 2)
    assert.deepStrictEqual([yield* plain.take, yield* plain.take], [1, 2])
  })

  it.inChroot("leaves nothing but itself when all its users have gone", function* ({ zk }) {
    yield* inScope(function* () {
      const queue = yield* makeNumberQueue(zk)
      yield* atOnce(numbersBelow(20).map((n) => queue.offer(n)))
      for (let n = 0; n < 10; n++) yield* queue.take
      yield* Effect.all(
        numbersBelow(10).map(() => queue.consumeOne(() => Effect.void)),
        { concurrency: 5 }
      )
      const waiting = yield* Effect.forkChild(queue.take)
      const working = yield* Effect.forkChild(queue.consume(() => Effect.void))
      yield* Effect.sleep("20 millis")
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(working)
    })
    for (const path of ["/queue", "/queue-taken", "/queue-clients"]) yield* awaitChildren(zk, path, 0)
  })
})

describe("a queue on a server in memory", () => {
  itOnEmbedded("keeps its order over the wrap of the counter", function* ({ server, zk }) {
    const queue = yield* Queue.make("/queue", { schema: Schema.Int })
    yield* queue.offer(-1)
    assert.strictEqual(yield* queue.take, -1)
    // ZooKeeper 3.8 itself stays at the largest number; others, and a counter that is set, go round.
    for (const [n, next] of [2_147_483_646, 2_147_483_647, -2_147_483_648, -1_000_000_000].entries()) {
      assert.isTrue(yield* server.setSequence("/queue", next))
      yield* queue.offer(n)
    }
    assert.includeMembers([...(yield* zk.getChildren("/queue"))], ["queue-2147483647", "queue--2147483648"])
    yield* queue.consumeOne((n) => Effect.sync(() => assert.strictEqual(n, 0)))
    assert.deepStrictEqual([yield* queue.take, yield* queue.take, yield* queue.take], [1, 2, 3])
    // From where the minus has nine digits behind it.
    assert.isTrue(yield* server.setSequence("/queue", -2))
    for (const n of numbersBelow(4)) yield* queue.offer(n)
    assert.deepStrictEqual(yield* Effect.forEach(numbersBelow(4), () => queue.take), numbersBelow(4))
  })

  itOnEmbedded("holds an offer back, and does not spin, where the counter has come to its end", function* ({ server }) {
    const queue = yield* Queue.make("/queue", { schema: Schema.Int })
    yield* queue.offer(0)
    yield* queue.take
    assert.isTrue(yield* server.setSequence("/queue", 2_147_483_647))
    yield* queue.offer(1)
    const offering = yield* Effect.forkChild(queue.offer(2))
    yield* Effect.sleep("50 millis")
    assert.strictEqual(yield* queue.size, 1)
    assert.strictEqual(yield* queue.take, 1)
    yield* Fiber.join(offering)
    assert.strictEqual(yield* queue.take, 2)
  })

  itOnEmbedded("holds no watch for 10,000 polls of nothing, and one for all that wait in a session", function* () {
    const queue = yield* Queue.make("/queue", { schema: Schema.Int })
    const other = yield* Effect.flatMap(connectAnother, (zk) => makeNumberQueue(zk))
    yield* Effect.forEach(numbersBelow(10_000), () => queue.poll, { concurrency: 200, discard: true })
    assert.strictEqual(yield* watches, 0)
    const waiting = yield* Effect.forEach([queue, queue, other], ({ take }) => Effect.forkChild(take))
    yield* eventually(watches, (n) => n === 2)
    yield* other.offerAll([1, 2, 3])
    yield* Effect.forEach(waiting, Fiber.join)
    yield* awaitNoWatches(watches)
    // Of the items, and of the marks.
    const working = yield* Effect.forkChild(queue.consume(() => Effect.void))
    yield* eventually(watches, (n) => n === 2)
    yield* Fiber.interrupt(working)
    yield* awaitNoWatches(watches)
  })
})

describeOnServers("a queue shared with others", (it) => {
  it.inChroot("writes names and data as Curator and kazoo do", function* ({ zk }) {
    const bytes = new TextEncoder().encode("ab")
    const curator = yield* withClient(zk)(Queue.make("/curator"))
    yield* curator.offer(bytes)
    assert.deepStrictEqual(yield* zk.getChildren("/curator"), ["queue-0000000000"])
    const data = yield* zk.getData("/curator/queue-0000000000")
    assert.strictEqual(Buffer.from(data).toString("hex"), "0001000101000000026162" + "02")
    const kazoo = yield* withClient(zk)(Queue.make("/kazoo", { layout: "kazoo" }))
    yield* kazoo.offer(bytes)
    assert.deepStrictEqual(yield* zk.getChildren("/kazoo"), ["entry-100-0000000000"])
    assert.strictEqual(text(yield* zk.getData("/kazoo/entry-100-0000000000")), "ab")
    const locking = yield* withClient(zk)(Queue.make("/locking", { layout: "kazooLocking" }))
    yield* locking.offer(bytes)
    assert.deepStrictEqual(yield* zk.getChildren("/locking/entries"), ["entry-100-0000000000"])
    yield* locking.consumeOne(() =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* zk.getChildren("/locking/taken"), ["entry-100-0000000000"])
      })
    )
    const marked = yield* withClient(zk)(Queue.make("/curator", { takenPath: "/locks/curator" }))
    yield* marked.consumeOne(() =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* zk.getChildren("/locks/curator"), ["queue-0000000000"])
      })
    )
  })
})

describeOnServers("a queue with an item that no server takes", (it) => {
  it.inChroot("leaves no marker for it", function* ({ zk }) {
    const queue = yield* withClient(zk)(Queue.make("/queue"))
    for (let n = 0; n < 3; n++) {
      yield* queue.offer(new Uint8Array(8))
      yield* failure(queue.offer(new Uint8Array(2 ** 21)), "FrameTooLarge")
    }
    assert.lengthOf(yield* zk.getChildren("/queue-clients"), 1)
  })
})
