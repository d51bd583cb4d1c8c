/** A queue whose items are taken so often and no more, and whose former takers finish nothing of another's. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as PriorityQueue from "../../src/PriorityQueue.ts"
import * as Queue from "../../src/Queue.ts"
import { getLockedItems, makeNumberQueue } from "../support/queues.ts"
import { withClient, describeOnServers, failure, closable } from "../support/targets.ts"

const poison = (zk: ZooKeeper.Service, options: Omit<Queue.BytesOptions, "schema"> = {}) =>
  makeNumberQueue(zk, { maxAttempts: 3, ...options })

const deadLetters = (zk: ZooKeeper.Service, path = "/queue-dead") =>
  withClient(zk)(Queue.make(path, { schema: Schema.Int }))

/** Takes the first item and fails at it. */
const fail = (queue: Queue.Queue<number>) =>
  Effect.flip(queue.consumeOne((n) => Effect.fail(`failed ${n}`))) as Effect.Effect<unknown>

describeOnServers("a queue with a number of attempts", (it) => {
  it.inChroot(
    "moves an item that was taken so often to the dead letters, and goes on with the next",
    function* ({ another, zk }) {
      const mine = yield* poison(zk)
      const theirs = yield* poison(yield* another())
      yield* mine.offerAll([1, 2])
      // The attempts of all takers are counted together.
      for (const queue of [mine, theirs, mine]) assert.strictEqual(yield* fail(queue), "failed 1")
      const taken = yield* Effect.scoped(
        Effect.flatMap(theirs.takeWithLock, ({ ack, attempt, item }) => Effect.as(ack, { attempt, item }))
      )
      assert.deepStrictEqual(taken, { attempt: 1, item: 2 })
      assert.strictEqual(yield* mine.size, 0)
      assert.deepStrictEqual(yield* (yield* deadLetters(zk)).poll, Option.some(1))
      assert.deepStrictEqual(yield* getLockedItems(zk), [])
    }
  )

  it.inChroot(
    "counts the takers that die and the items that cannot be read, in every layout, with their priorities",
    function* ({ another, expire, zk }) {
      for (const layout of ["curator", "kazoo", "kazooLocking"] as const) {
        const path = `/queue-${layout}`
        const options = { layout, maxAttempts: 2, deadLetterPath: `/dead/${layout}`, schema: Schema.Int } as const
        const other = yield* another()
        const theirs = yield* withClient(other)(PriorityQueue.make(path, options))
        const mine = yield* withClient(zk)(PriorityQueue.make(path, options))
        const priority = layout === "curator" ? -7 : 7
        yield* mine.offer(1, priority)
        const dying = yield* theirs.takeWithLock
        yield* expire(other)
        yield* failure(dying.lost, "LockLost")
        const unreadable = yield* withClient(zk)(PriorityQueue.make(path, { ...options, schema: Schema.Boolean }))
        yield* failure(Effect.scoped(unreadable.takeWithLock), "DataInvalid")
        yield* mine.offer(2, priority + 1)
        assert.strictEqual(yield* mine.consumeOne((n) => Effect.succeed(n)), 2)
        const dead = yield* withClient(zk)(PriorityQueue.make(`/dead/${layout}`, { layout, schema: Schema.Int }))
        assert.deepStrictEqual(yield* dead.poll, Option.some(1))
      }
    }
  )

  it.inChroot(
    "moves an item once, whatever request or reply is lost and whichever client dies while it is moved",
    function* ({ another, breakable, expire, zk }) {
      const mine = yield* poison(zk, { maxAttempts: 1 })
      const dead = yield* deadLetters(zk)
      for (const lose of ["loseReply", "loseRequest"] as const) {
        const { link, zk: breaking } = yield* breakable()
        yield* mine.offerAll([1, 2])
        yield* fail(mine)
        yield* link[lose](Operations.multi)
        assert.strictEqual(yield* (yield* poison(breaking, { maxAttempts: 1 })).consumeOne(Effect.succeed), 2)
        assert.deepStrictEqual(yield* dead.poll, Option.some(1))
        assert.deepStrictEqual(yield* dead.poll, Option.none())
      }
      // Its session ends with the request: before it, or behind it.
      for (const isApplied of [true, false]) {
        const dying = yield* another()
        yield* mine.offerAll([1, 2])
        yield* fail(mine)
        const { transaction } = dying
        const died = yield* Deferred.make<void>()
        const cut: ZooKeeper.Service = Object.create(dying, {
          transaction: {
            value: ((ops) =>
              (isApplied ? Effect.ignore(transaction(ops)) : Effect.void).pipe(
                Effect.andThen(expire(dying)),
                Effect.andThen(Deferred.succeed(died, undefined)),
                Effect.andThen(Effect.never)
              )) satisfies ZooKeeper.Service["transaction"]
          }
        })
        const moving = yield* Effect.forkChild((yield* poison(cut, { maxAttempts: 1 })).consumeOne(Effect.succeed))
        yield* Deferred.await(died)
        assert.strictEqual(yield* mine.consumeOne(Effect.succeed), 2)
        yield* Fiber.interrupt(moving)
        assert.deepStrictEqual(yield* dead.poll, Option.some(1))
        assert.deepStrictEqual(yield* dead.poll, Option.none())
        assert.strictEqual(yield* mine.size, 0)
      }
    }
  )

  it.inChroot(
    "counts a requeued item from the start, and takes it without an end where no number is given",
    function* ({ zk }) {
      const queue = yield* poison(zk, { maxAttempts: 1 })
      yield* queue.offer(1)
      for (let times = 0; times < 3; times++) {
        yield* Effect.scoped(Effect.flatMap(queue.takeWithLock, ({ requeue }) => requeue))
      }
      const patient = yield* makeNumberQueue(zk)
      for (let times = 0; times < 3; times++) yield* fail(patient)
      const attempt = yield* Effect.scoped(Effect.map(patient.takeWithLock, ({ attempt }) => attempt))
      assert.strictEqual(attempt, 4)
      assert.isFalse(yield* zk.exists("/queue-dead"))
    }
  )

  it.inChroot("refuses an invalid number, and a path for dead letters without maxAttempts", function* ({ zk }) {
    for (const maxAttempts of [0, 0.5, Number.NaN]) {
      assert.strictEqual((yield* failure(poison(zk, { maxAttempts }), "InvalidArgument")).argument, "maxAttempts")
    }
    for (const options of [{ deadLetterPath: "/dead" }, { maxAttempts: 1, deadLetterPath: "/queue" }]) {
      const error = yield* Effect.flip(makeNumberQueue(zk, options))
      assert.instanceOf(error, InvalidArgument)
      assert.strictEqual(error.argument, "deadLetterPath")
    }
  })
})

describeOnServers("a queue whose marks are deleted", (it) => {
  it.inChroot(
    "tells a former taker, which cannot finish the item of the next one, also when both are of one client",
    function* ({ another, breakable, zk }) {
      const { link, zk: breaking } = yield* breakable()
      const former = yield* makeNumberQueue(breaking)
      for (const next of [yield* makeNumberQueue(yield* another()), yield* makeNumberQueue(breaking)]) {
        yield* next.offer(1)
        const [taken, release] = yield* closable(former.takeWithLock)
        yield* link.cut
        const [mark = ""] = yield* getLockedItems(zk)
        yield* zk.delete(`/queue-taken/${mark}`)
        const taking = yield* Effect.forkChild(next.takeWithLock, { startImmediately: true })
        yield* link.heal
        const now = yield* Fiber.join(taking)
        yield* failure(taken.ack, "LockLost")
        yield* failure(taken.requeue, "LockLost")
        yield* failure(taken.lost, "LockLost")
        // Nor take another's mark away.
        yield* release
        assert.deepStrictEqual(yield* getLockedItems(zk), [mark])
        assert.strictEqual(yield* next.size, 1)
        yield* now.ack
        assert.strictEqual(yield* next.size, 0)
      }
    }
  )

  it.inChroot(
    "refuses the requests of a former taker that does not know it yet, by the item's version",
    function* ({ another, breakable, zk }) {
      const { link, zk: breaking } = yield* breakable()
      const former = yield* makeNumberQueue(breaking)
      const next = yield* makeNumberQueue(yield* another())
      yield* next.offer(1)
      const taken = yield* former.takeWithLock
      yield* link.cut
      const [mark = ""] = yield* getLockedItems(zk)
      yield* zk.delete(`/queue-taken/${mark}`)
      const now = yield* next.takeWithLock
      const acknowledging = yield* Effect.forkChild(taken.ack, { startImmediately: true })
      yield* link.heal
      yield* failure(Fiber.join(acknowledging), "LockLost")
      yield* now.ack
      assert.strictEqual(yield* next.size, 0)
    }
  )
})
