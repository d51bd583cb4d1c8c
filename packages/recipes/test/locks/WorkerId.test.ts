import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as WorkerId from "../../src/WorkerId.ts"
import { acquireAndReleaseOperations, assertLostWithSession, awaitChildren } from "../support/holds.ts"
import {
  assertEach,
  awaitNoWatches,
  closable,
  describeOnServers,
  eachAtOnce,
  eventually,
  failure,
  numbersBelow,
  withClient
} from "../support/targets.ts"

const workers = (zk: ZooKeeper.Service, options?: WorkerId.Options) =>
  withClient(zk)(WorkerId.make("/workers", options))

describeOnServers("numbers of workers", (it) => {
  it.inChroot("are the lowest that are free, from 0 on", function* ({ another, zk }) {
    const mine = yield* workers(zk)
    const other = yield* workers(yield* another())
    const first = yield* mine.acquire()
    const [second, release] = yield* closable(other.acquire())
    const third = yield* mine.acquire()
    assertEach([first, second, third], ({ id }) => id, [0, 1, 2])
    assertEach(yield* other.holders, ({ id }) => id, [0, 1, 2])
    yield* release
    assert.strictEqual((yield* mine.acquire()).id, 1)
    assert.strictEqual((yield* other.acquire()).id, 3)
  })

  it.inChroot("differ for twelve that come at once", function* ({ another, watches, zk }) {
    const clients = [zk, yield* another(), yield* another()]
    const taken = yield* Effect.scoped(
      eachAtOnce(numbersBelow(12), (n) => Effect.flatMap(workers(clients[n % 3]!), ({ acquire }) => acquire()))
    )
    assert.sameMembers(
      taken.map(({ id }) => id),
      numbersBelow(12)
    )
    assert.deepStrictEqual(yield* (yield* workers(zk)).holders, [])
    yield* awaitNoWatches(watches)
  })

  it.inChroot("are waited for while all are taken", function* ({ another, watches, zk }) {
    const mine = yield* workers(zk, { limit: 2 })
    yield* mine.acquire()
    const [second, release] = yield* closable(mine.acquire())
    assert.strictEqual(second.id, 1)
    const other = yield* workers(yield* another(), { limit: 2 })
    assert.strictEqual((yield* failure(Effect.scoped(other.acquire({ timeout: 0 })), "LockTimeout")).path, "/workers")
    yield* failure(Effect.scoped(other.acquire({ timeout: 50 })), "LockTimeout")
    const waiting = yield* Effect.forkChild(other.withWorkerId(({ id }) => Effect.succeed(id)))
    yield* Effect.sleep(100)
    yield* release
    assert.strictEqual(yield* Fiber.join(waiting), 1)
    yield* eventually(mine.holders, (all) => all.length === 1)
    // The watch of the own number belongs to its hold.
    yield* eventually(watches, (count) => count <= 1)
  })

  it.inChroot("are not held by persistent znodes with the name of a contender", function* ({ another, zk }) {
    const id = "3b241101-e2bb-4255-8caf-4136c566a962"
    yield* zk.createWithParents(`/workers/numbers/0/_c_${id}-lock-0000000000`)
    const mine = yield* workers(zk, { limit: 2 })
    const [first, release] = yield* closable(mine.acquire())
    // Numbers that are free by all accounts come first.
    assert.strictEqual(first.id, 1)
    assert.strictEqual((yield* mine.acquire({ timeout: 0 })).id, 0)
    const other = yield* workers(yield* another(), { limit: 2 })
    yield* failure(Effect.scoped(other.acquire({ timeout: 0 })), "LockTimeout")
    assertEach(yield* other.holders, ({ id }) => id, [0, 1])
    const waiting = yield* Effect.forkChild(other.withWorkerId(({ id }) => Effect.succeed(id)))
    yield* Effect.sleep(50)
    yield* release
    assert.strictEqual(yield* Fiber.join(waiting), 1)
  })

  it.inChroot("are lost with the session, and another has them then", function* ({ another, expire, zk }) {
    const other = yield* another()
    const lost = yield* (yield* workers(other)).acquire()
    yield* expire(other)
    const mine = yield* (yield* workers(zk)).acquire({ timeout: "15 seconds" })
    assert.strictEqual(mine.id, lost.id)
    yield* assertLostWithSession(lost.lost)
    assert.isAbove(Number(mine.fencingToken), Number(lost.fencingToken))
    assert.strictEqual((yield* (yield* workers(other)).acquire({ timeout: "15 seconds" })).id, 1)
  })

  it.inChroot("interrupt what runs with them when they are lost", function* ({ zk }) {
    const { withWorkerId } = yield* workers(zk)
    const lost = withWorkerId(({ path }) => Effect.andThen(zk.delete(path), Effect.never))
    assert.strictEqual((yield* failure(lost, "LockLost")).reason, "deleted")
  })

  it.inChroot("are taken once, whichever reply or request is lost", function* ({ breakable, watches, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const mine = yield* workers(broken)
    for (const operation of acquireAndReleaseOperations) {
      for (const lose of [link.loseReply, link.loseRequest]) {
        yield* lose(operation)
        yield* mine.withWorkerId(({ id }) => Effect.sync(() => assert.strictEqual(id, 0)), { timeout: "25 seconds" })
        yield* eventually((yield* workers(zk)).holders, (all) => all.length === 0)
      }
    }
    yield* awaitNoWatches(watches)
  })

  it.inChroot("leave nothing behind when the wait for them is interrupted", function* ({ another, watches, zk }) {
    const held = yield* (yield* workers(zk, { limit: 1 })).acquire()
    const other = yield* workers(yield* another(), { limit: 1 })
    const waiting = yield* Effect.forkChild(Effect.scoped(other.acquire()))
    yield* awaitChildren(zk, "/workers/turns", 1)
    yield* Fiber.interrupt(waiting)
    yield* awaitChildren(zk, "/workers/turns", 0)
    assert.lengthOf(yield* zk.getChildren("/workers/numbers/0"), 1)
    yield* eventually(watches, (count) => count <= 1)
    assert.isTrue(yield* zk.exists(held.path))
  })
})
