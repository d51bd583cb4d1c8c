import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import type { Link } from "@effect-zookeeper/test-kit/conformance/Target"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { LockLost } from "../src/Errors.ts"
import * as PriorityQueue from "../src/PriorityQueue.ts"
import * as Queue from "../src/Queue.ts"
import { another, embedded } from "./embedded.ts"
import { by, describeOnServers, eventually, failure, place, text } from "./targets.ts"

const numbers = (zk: ZooKeeper.Service, options: Omit<Queue.BytesOptions, "schema"> = {}) =>
  by(zk)(Queue.make("/queue", { schema: Schema.Int, ...options }))

/** What is worked on; their parent may have been reaped. */
const marksOf = (zk: ZooKeeper.Service) =>
  zk.getChildren("/queue-taken").pipe(Effect.catchTag("NoNode", () => Effect.succeed<ReadonlyArray<string>>([])))

/** From 0 upwards. */
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index)

describeOnServers("a queue", (it) => {
  it.effect("gives items first in first out, and waits for one when it is empty", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const queue = yield* numbers(zk)
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
      const theirs = yield* numbers(yield* another())
      yield* theirs.offer(5)
      assert.strictEqual(yield* Fiber.join(taking), 5)
      assert.strictEqual(yield* queue.size, 0)
    })
  )

  it.effect("wakes one of several that wait for each item", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const queue = yield* numbers(zk)
      const others = yield* Effect.forEach(upTo(3), () => Effect.flatMap(another(), (zk) => numbers(zk)))
      const taking = yield* Effect.forEach([queue, queue, ...others], ({ take }) => Effect.forkChild(take))
      yield* queue.offerAll(upTo(5))
      const taken = yield* Effect.forEach(taking, Fiber.join)
      assert.deepStrictEqual(taken.toSorted(), upTo(5))
    })
  )

  it.effect("leaves what it cannot read where it is, and names it", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* numbers(zk, { layout: "kazoo" })
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
  )

  it.effect("takes no foreign children for items", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* numbers(zk)
      yield* zk.create("/queue")
      for (const name of ["config", "queue-", "queue-7", "lock-0000000001"]) yield* zk.create(`/queue/${name}`)
      assert.isTrue(Option.isNone(yield* queue.poll))
      yield* queue.offer(1)
      assert.strictEqual(yield* queue.take, 1)
    })
  )

  it.effect("makes who offers wait while it is full", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* numbers(zk, { maxItems: 2 })
      yield* failure(queue.offerAll([1, 2, 3]), "InvalidArgument")
      yield* queue.offerAll([1, 2])
      const offering = yield* Effect.forkChild(queue.offer(3))
      yield* Effect.sleep("50 millis")
      assert.strictEqual(yield* queue.size, 2)
      assert.strictEqual(yield* queue.take, 1)
      yield* Fiber.join(offering)
      assert.deepStrictEqual([yield* queue.take, yield* queue.take], [2, 3])
    })
  )

  it.effect("puts back what was deleted for a taker that is interrupted", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const deleted = yield* Deferred.make<void>()
      // The reply of the delete comes when nobody waits for it any more.
      const late: ZooKeeper.Service = {
        ...zk,
        transaction: (ops) =>
          zk
            .transaction(ops)
            .pipe(
              Effect.tap(() => Deferred.succeed(deleted, undefined).pipe(Effect.andThen(Effect.sleep("50 millis"))))
            )
      }
      const plain = yield* numbers(zk)
      const queue = yield* numbers(late)
      yield* plain.offerAll([1, 2])
      const taking = yield* Effect.forkChild(queue.take)
      yield* Deferred.await(deleted)
      yield* Fiber.interrupt(taking)
      yield* eventually(plain.size, (size) => size === 2)
      assert.deepStrictEqual([yield* plain.take, yield* plain.take], [1, 2])
    })
  )

  it.effect("leaves nothing but itself when all who use it have gone", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      yield* Effect.scoped(
        Effect.gen(function* () {
          const queue = yield* numbers(zk)
          yield* Effect.all(
            upTo(20).map((n) => queue.offer(n)),
            { concurrency: "unbounded" }
          )
          for (let n = 0; n < 10; n++) yield* queue.take
          yield* Effect.all(
            upTo(10).map(() => queue.consumeOne(() => Effect.void)),
            { concurrency: 5 }
          )
          const waiting = yield* Effect.forkChild(queue.take)
          const working = yield* Effect.forkChild(queue.consume(() => Effect.void))
          yield* Effect.sleep("20 millis")
          yield* Fiber.interrupt(waiting)
          yield* Fiber.interrupt(working)
        })
      )
      for (const path of ["/queue", "/queue-taken", "/queue-clients"]) {
        yield* eventually(
          zk.getChildren(path).pipe(Effect.catchTag("NoNode", () => Effect.succeed([]))),
          (names) => names.length === 0
        )
      }
    })
  )
})

describeOnServers("a queue taken from with a lock", (it) => {
  it.effect("keeps an item until it is done, and shows it to nobody else meanwhile", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const queue = yield* numbers(zk)
      const theirs = yield* numbers(yield* another())
      yield* queue.offerAll([1, 2])
      yield* queue.consumeOne((first) =>
        Effect.gen(function* () {
          assert.strictEqual(first, 1)
          assert.strictEqual(yield* theirs.size, 2)
          yield* theirs.consumeOne((second) => Effect.sync(() => assert.strictEqual(second, 2)))
          assert.strictEqual(yield* theirs.size, 1)
        })
      )
      assert.strictEqual(yield* queue.size, 0)
    })
  )

  it.effect("gives an item back when its handler fails or is interrupted, at its old place", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const queue = yield* numbers(zk)
      const theirs = yield* numbers(yield* another())
      yield* queue.offerAll([1, 2])
      assert.strictEqual(yield* Effect.flip(queue.consumeOne((n) => Effect.fail(`failed ${n}`))), "failed 1")
      const began = yield* Deferred.make<number>()
      const working = yield* Effect.forkChild(
        theirs.consume((n) => Effect.andThen(Deferred.succeed(began, n), Effect.never))
      )
      assert.strictEqual(yield* Deferred.await(began), 1)
      // Who waits for the only other item that is free, and for the one given back.
      assert.strictEqual(yield* queue.consumeOne((n) => Effect.succeed(n)), 2)
      const waiting = yield* Effect.forkChild(queue.consumeOne((n) => Effect.succeed(n)))
      yield* Fiber.interrupt(working)
      assert.strictEqual(yield* Fiber.join(waiting), 1)
    })
  )

  it.effect("ends a consumer with the first failure of its handler, a LockLost of its own too", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* numbers(zk)
      yield* queue.offerAll([1, 2, 3])
      const own = new LockLost({ path: "/other", reason: "session" })
      const seen: Array<number> = []
      const error = yield* Effect.flip(
        queue.consume((n) =>
          Effect.andThen(
            Effect.sync(() => seen.push(n)),
            n === 3 ? Effect.fail(own) : Effect.void
          )
        )
      )
      assert.strictEqual(error, own)
      assert.deepStrictEqual(seen, [1, 2, 3])
      yield* eventually(marksOf(zk), (marks) => marks.length === 0)
      assert.strictEqual(yield* queue.size, 1)
    })
  )

  it.effect("puts an item at the end when it is asked to", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* numbers(zk)
      yield* queue.offerAll([1, 2])
      yield* Effect.scoped(
        Effect.flatMap(queue.takeWithLock, ({ item, requeue }) => {
          assert.strictEqual(item, 1)
          return requeue
        })
      )
      assert.deepStrictEqual([yield* queue.take, yield* queue.take], [2, 1])
    })
  )

  it.effect("hands an item out once more when the session of its consumer ends, whose handler is interrupted", () =>
    Effect.gen(function* () {
      const { another, expire, zk } = yield* place
      const other = yield* another()
      const theirs = yield* numbers(other)
      const mine = yield* numbers(zk)
      yield* mine.offer(1)
      const began = yield* Deferred.make<void>()
      let wasInterrupted = false
      const working = yield* Effect.forkChild(
        theirs.consumeOne(() =>
          Deferred.succeed(began, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => (wasInterrupted = true)))
          )
        )
      )
      yield* Deferred.await(began)
      const handled: Array<number> = []
      const waiting = yield* Effect.forkChild(mine.consume((n) => Effect.sync(() => handled.push(n))))
      yield* expire(other)
      yield* failure(Fiber.join(working), "LockLost")
      assert.isTrue(wasInterrupted)
      yield* eventually(mine.size, (size) => size === 0)
      yield* eventually(marksOf(zk), (marks) => marks.length === 0)
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(handled, [1])
    })
  )

  it.effect("goes on with the next item when it has lost one", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* numbers(zk)
      yield* queue.offerAll([1, 2])
      const seen: Array<number> = []
      const began = yield* Deferred.make<void>()
      const working = yield* Effect.forkChild(
        queue.consume((n) => {
          seen.push(n)
          return seen.length === 1 ? Effect.andThen(Deferred.succeed(began, undefined), Effect.never) : Effect.void
        })
      )
      yield* Deferred.await(began)
      const [mark = ""] = yield* zk.getChildren("/queue-taken")
      yield* zk.delete(`/queue-taken/${mark}`)
      yield* eventually(queue.size, (size) => size === 0)
      yield* Fiber.interrupt(working)
      assert.deepStrictEqual(seen, [1, 1, 2])
    })
  )

  it.effect("lets nobody finish an item that is another's by then", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const mine = yield* numbers(zk)
      const theirs = yield* numbers(yield* another())
      yield* mine.offer(1)
      const scope = yield* Scope.make()
      const taken = yield* Effect.provideService(mine.takeWithLock, Scope.Scope, scope)
      const [mark = ""] = yield* zk.getChildren("/queue-taken")
      yield* zk.delete(`/queue-taken/${mark}`)
      yield* theirs.consumeOne(() =>
        Effect.gen(function* () {
          yield* failure(taken.ack, "LockLost")
          yield* failure(taken.lost, "LockLost")
          // Nor take another's mark away.
          yield* Scope.close(scope, Exit.void)
          assert.deepStrictEqual(yield* zk.getChildren("/queue-taken"), [mark])
          assert.strictEqual(yield* theirs.size, 1)
        })
      )
      assert.strictEqual(yield* mine.size, 0)
    })
  )
})

describeOnServers("a queue whose replies are lost", (it) => {
  it.effect("has each offered item once, in order", () =>
    Effect.gen(function* () {
      const { breakable, zk } = yield* place
      const { link, zk: breaking } = yield* breakable()
      const queue = yield* numbers(breaking)
      const theirs = yield* numbers(zk)
      for (const [n, lose] of [link.loseReply, link.loseRequest, link.loseReply].entries()) {
        yield* lose(Operations.multi)
        yield* queue.offer(n)
        // Taken at once: nobody finds the item by looking for it.
        assert.strictEqual(yield* theirs.take, n)
      }
      assert.strictEqual(yield* theirs.size, 0)
    })
  )

  it.effect("hands out each item once, and none is lost", () =>
    Effect.gen(function* () {
      const { breakable, zk } = yield* place
      const { link, zk: breaking } = yield* breakable()
      const theirs = yield* numbers(zk)
      yield* theirs.offerAll([1, 2, 3, 4])
      const queue = yield* numbers(breaking)
      assert.strictEqual(yield* queue.take, 1)
      yield* link.loseReply(Operations.multi)
      assert.strictEqual(yield* queue.take, 2)
      yield* link.loseRequest(Operations.multi)
      assert.strictEqual(yield* queue.take, 3)
      assert.strictEqual(yield* theirs.size, 1)
    })
  )

  it.effect("counts what it cannot know about as not taken", () =>
    Effect.gen(function* () {
      const { breakable, expire, zk } = yield* place
      const { link, zk: breaking } = yield* breakable()
      const theirs = yield* numbers(zk)
      yield* theirs.offerAll([1, 2, 3])
      const queue = yield* numbers(breaking)
      assert.strictEqual(yield* queue.take, 1)
      const cut: ZooKeeper.Service["transaction"] = (ops) =>
        Effect.onError(breaking.transaction(ops), () =>
          Effect.andThen(link.cut, Effect.andThen(expire(breaking), link.heal))
        )
      const cutting = yield* numbers({ ...breaking, transaction: cut })
      yield* link.loseReply(Operations.multi)
      assert.strictEqual(yield* cutting.take, 3)
      assert.strictEqual(yield* theirs.size, 0)
    })
  )

  it.effect("finishes each item once, whatever becomes of the reply", () =>
    Effect.gen(function* () {
      const { breakable, zk } = yield* place
      const { link, zk: breaking } = yield* breakable()
      const theirs = yield* numbers(zk)
      yield* theirs.offerAll(upTo(5))
      const queue = yield* numbers(breaking)
      const handled: Array<number> = []
      for (const lose of [
        link.loseReply(Operations.multi),
        link.loseRequest(Operations.multi),
        link.loseReply(Operations.create),
        link.loseRequest(Operations.create),
        Effect.void
      ]) {
        yield* lose
        yield* queue.consumeOne((n) => Effect.sync(() => handled.push(n)))
      }
      assert.deepStrictEqual(handled, upTo(5))
      assert.strictEqual(yield* theirs.size, 0)
      yield* eventually(marksOf(zk), (marks) => marks.length === 0)
    })
  )

  const items = process.env["ZK_LONG"] === "1" ? 1_000 : 60

  it.effect("at most once: three consumers get no item twice, and all that was not unknown", () =>
    Effect.gen(function* () {
      const { breakable } = yield* place
      const producer = yield* breakable()
      const consumers = yield* Effect.forEach(upTo(3), () => breakable())
      const taken: Array<number> = []
      const taking = yield* Effect.forEach(consumers, ({ link, zk }) =>
        Effect.gen(function* () {
          const queue = yield* numbers(zk)
          while (true) {
            yield* sometimesLose(link, Operations.multi)
            taken.push(yield* queue.take)
          }
        }).pipe(Effect.scoped, Effect.forkChild)
      )
      const queue = yield* numbers(producer.zk)
      for (let n = 0; n < items; n++) {
        yield* sometimesLose(producer.link, Operations.multi)
        yield* queue.offer(n)
      }
      yield* eventually(
        Effect.sync(() => taken.length),
        (length) => length >= items
      )
      assert.deepStrictEqual(
        taken.toSorted((a, b) => a - b),
        upTo(items)
      )
      yield* Effect.forEach(taking, Fiber.interrupt)
    })
  )

  it.effect("at least once: three consumers finish every item, each in one's hands at a time", () =>
    Effect.gen(function* () {
      const { breakable, zk } = yield* place
      const producer = yield* breakable()
      const consumers = yield* Effect.forEach(upTo(3), () => breakable())
      const handled: Array<number> = []
      const inHand = new Set<number>()
      const handle = (link: Link) => (n: number) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            assert.isFalse(inHand.has(n))
            inHand.add(n)
          }),
          () =>
            Effect.gen(function* () {
              yield* sometimesLose(link, Operations.multi)
              yield* sometimesLose(link, Operations.create)
              handled.push(n)
            }),
          () => Effect.sync(() => inHand.delete(n))
        )
      const working = yield* Effect.forEach(consumers, ({ link, zk }) =>
        Effect.forkChild(Effect.scoped(Effect.flatMap(numbers(zk), (queue) => queue.consume(handle(link)))))
      )
      const queue = yield* numbers(producer.zk)
      for (let n = 0; n < items; n++) {
        yield* sometimesLose(producer.link, Operations.multi)
        yield* queue.offer(n)
      }
      yield* eventually((yield* numbers(zk)).size, (size) => size === 0)
      yield* Effect.forEach(working, Fiber.interrupt)
      assert.deepStrictEqual(
        [...new Set(handled)].toSorted((a, b) => a - b),
        upTo(items)
      )
      yield* eventually(marksOf(zk), (marks) => marks.length === 0)
    })
  )
})

describeOnServers("a queue with priorities", (it) => {
  it.effect("lets an urgent item overtake, and keeps the order of those that are as urgent", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      for (const layout of ["kazoo", "curator", "kazooLocking"] as const) {
        const path = `/${layout}`
        const options = { schema: Schema.String, layout }
        const queue = yield* by(zk)(PriorityQueue.make(path, options))
        const theirs = yield* by(yield* another())(PriorityQueue.make(path, options))
        yield* queue.offerAll(["usual 1", "usual 2"])
        yield* queue.offer("late", 900)
        assert.strictEqual(yield* theirs.take, "usual 1")
        // After others have been listed.
        yield* queue.offer("urgent", 0)
        yield* queue.offer("less urgent", 1)
        const order = layout === "curator" ? ["usual 2", "urgent"] : ["urgent", "less urgent"]
        assert.deepStrictEqual([yield* theirs.take, yield* theirs.take], order)
        assert.strictEqual(
          yield* theirs.consumeOne((item) => Effect.succeed(item)),
          layout === "curator" ? "less urgent" : "usual 2"
        )
        assert.strictEqual(yield* theirs.take, "late")
        yield* failure(queue.offer("never", layout === "curator" ? 2 ** 31 : 1_000), "InvalidArgument")
        yield* failure(queue.offer("never", 0.5), "InvalidArgument")
        assert.strictEqual(yield* queue.size, 0)
      }
    })
  )

  it.effect("orders the priorities of Curator below 0 too", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* by(zk)(PriorityQueue.make("/queue", { schema: Schema.Int, layout: "curator" }))
      const priorities = [5, -1, 0, -(2 ** 31), 2 ** 31 - 1, -2]
      for (const priority of priorities) yield* queue.offer(priority, priority)
      const names = (yield* zk.getChildren("/queue")).toSorted()
      const taken = yield* Effect.forEach(priorities, () => queue.take)
      assert.deepStrictEqual(
        taken,
        priorities.toSorted((a, b) => a - b)
      )
      // As Curator, which sorts the names, has them.
      assert.deepStrictEqual(
        names.map((name) => name.slice(0, -10)),
        [
          "queue-080000000",
          "queue-0FFFFFFFE",
          "queue-0FFFFFFFF",
          "queue-100000000",
          "queue-100000005",
          "queue-17FFFFFFF"
        ]
      )
    })
  )

  it.effect("gives an urgent item to who waits with a lock, and moves one to the end of its own", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* by(zk)(PriorityQueue.make("/queue", { schema: Schema.Int }))
      yield* queue.offerAll([1, 2], 5)
      yield* queue.offer(3, 6)
      yield* Effect.scoped(Effect.flatMap(queue.takeWithLock, ({ requeue }) => requeue))
      assert.deepStrictEqual([yield* queue.take, yield* queue.take, yield* queue.take], [2, 1, 3])
    })
  )
})

describe("a queue on a server in memory", () => {
  it.live("keeps its order over the wrap of the counter", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedServer.EmbeddedServer
      const zk = yield* ZooKeeper.ZooKeeper
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
      for (const n of upTo(4)) yield* queue.offer(n)
      assert.deepStrictEqual(yield* Effect.forEach(upTo(4), () => queue.take), upTo(4))
    }).pipe(Effect.scoped, Effect.provide(embedded))
  )

  it.live("holds an offer back, and does not spin, where the counter has come to its end", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedServer.EmbeddedServer
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
    }).pipe(Effect.scoped, Effect.provide(embedded))
  )

  it.live("holds no watch for 10,000 polls of nothing, and one for all who wait in a session", () =>
    Effect.gen(function* () {
      const queue = yield* Queue.make("/queue", { schema: Schema.Int })
      const other = yield* Effect.flatMap(another, (zk) => numbers(zk))
      yield* Effect.forEach(upTo(10_000), () => queue.poll, { concurrency: 200, discard: true })
      assert.strictEqual(yield* watches, 0)
      const waiting = yield* Effect.forEach([queue, queue, other], ({ take }) => Effect.forkChild(take))
      yield* eventually(watches, (n) => n === 2)
      yield* other.offerAll([1, 2, 3])
      yield* Effect.forEach(waiting, Fiber.join)
      yield* eventually(watches, (n) => n === 0)
      // Of the items, and of the marks.
      const working = yield* Effect.forkChild(queue.consume(() => Effect.void))
      yield* eventually(watches, (n) => n === 2)
      yield* Fiber.interrupt(working)
      yield* eventually(watches, (n) => n === 0)
    }).pipe(Effect.scoped, Effect.provide(embedded))
  )
})

describeOnServers("a queue shared with others", (it) => {
  it.effect("writes names and data as Curator and kazoo do", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const bytes = new TextEncoder().encode("ab")
      const curator = yield* by(zk)(Queue.make("/curator"))
      yield* curator.offer(bytes)
      assert.deepStrictEqual(yield* zk.getChildren("/curator"), ["queue-0000000000"])
      const data = yield* zk.getData("/curator/queue-0000000000")
      assert.strictEqual(Buffer.from(data).toString("hex"), "0001000101000000026162" + "02")
      const kazoo = yield* by(zk)(Queue.make("/kazoo", { layout: "kazoo" }))
      yield* kazoo.offer(bytes)
      assert.deepStrictEqual(yield* zk.getChildren("/kazoo"), ["entry-100-0000000000"])
      assert.strictEqual(text(yield* zk.getData("/kazoo/entry-100-0000000000")), "ab")
      const locking = yield* by(zk)(Queue.make("/locking", { layout: "kazooLocking" }))
      yield* locking.offer(bytes)
      assert.deepStrictEqual(yield* zk.getChildren("/locking/entries"), ["entry-100-0000000000"])
      yield* locking.consumeOne(() =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* zk.getChildren("/locking/taken"), ["entry-100-0000000000"])
        })
      )
      const marked = yield* by(zk)(Queue.make("/curator", { takenPath: "/locks/curator" }))
      yield* marked.consumeOne(() =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* zk.getChildren("/locks/curator"), ["queue-0000000000"])
        })
      )
    })
  )
})

describeOnServers("a queue that is offered what no server takes", (it) => {
  it.effect("leaves no witness for it", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const queue = yield* by(zk)(Queue.make("/queue"))
      for (let n = 0; n < 3; n++) {
        yield* queue.offer(new Uint8Array(8))
        yield* failure(queue.offer(new Uint8Array(2 ** 21)), "FrameTooLarge")
      }
      assert.lengthOf(yield* zk.getChildren("/queue-clients"), 1)
    })
  )
})

/** How many watches the server has, of data and of children. */
const watches = Effect.map(
  Effect.flatMap(Transport.Transport, (transport) => {
    const address = { host: "memory", port: 2181 }
    return FourLetterWord.ask(transport, address, address, "mntr")
  }),
  (answer) => Number(/zk_watch_count\t(\d+)/.exec(answer)?.[1])
)

/** One request in five never comes to the server, one reply in five never comes back. */
const sometimesLose = (link: Link, operation: typeof Operations.multi | typeof Operations.create) =>
  Effect.flatMap(Random.next, (random) =>
    random < 0.2 ? link.loseReply(operation) : random < 0.4 ? link.loseRequest(operation) : Effect.void
  )
