/** A read-write lock whose connections are lost and whose sessions end: no orphan, one writer or many readers. */
import * as Op from "@effect-zookeeper/client/Op"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { holdLock, assertLostWithSession, readersAndWriters, acquireAndReleaseOperations } from "../support/holds.ts"
import { awaitReadersAndWriters, makeReadWriteLock, awaitNoReadersAndWriters } from "../support/locks.ts"
import { describeOnServers, outcome, awaitNoWatches, now, atOnce } from "../support/targets.ts"

describeOnServers("a read-write lock under faults", (it) => {
  it.inChroot(
    "passes to the writer when a reader's session ends, and the reader learns of it",
    function* ({ another, expire, zk }) {
      const other = yield* another()
      const reader = yield* holdLock((yield* makeReadWriteLock(other)).read)
      const { fencingToken } = yield* reader.held
      const writer = yield* holdLock((yield* makeReadWriteLock(zk)).write)
      yield* awaitReadersAndWriters(zk, 2)
      yield* expire(other)
      assert.isTrue((yield* writer.held).fencingToken > fencingToken)
      yield* assertLostWithSession(Fiber.join(reader.fiber))
      yield* writer.release
    }
  )

  it.inChroot("refuses the writes of a former writer", function* ({ zk }) {
    const { write } = yield* makeReadWriteLock(zk)
    yield* zk.create("/result")
    const held = yield* write.acquire()
    yield* zk.delete(held.path)
    assert.strictEqual(yield* outcome(held.transaction([Op.setData("/result", "late")])), "LockLost")
    assert.strictEqual((yield* zk.get("/result")).stat.version, 0)
  })

  it.inChroot(
    "has one writer or many readers, and no orphan, whichever step the connection is lost at",
    function* ({ another, breakable, watches, zk }) {
      const { link, zk: broken } = yield* breakable()
      const rival = yield* makeReadWriteLock(yield* another())
      const lock = yield* makeReadWriteLock(broken)
      const { reading, writing } = readersAndWriters()
      for (const step of acquireAndReleaseOperations) {
        for (const lose of [link.loseReply, link.loseRequest]) {
          yield* lose(step)
          yield* atOnce([
            rival.write.withLock(writing),
            lock.read.withLock(reading),
            lock.write.withLock(writing),
            rival.read.withLock(reading),
            lock.write.withLock(lock.read.withLock(Effect.void))
          ])
          yield* awaitNoReadersAndWriters(zk)
        }
      }
      yield* awaitNoWatches(watches)
    }
  )

  it.inChroot("leaves nothing when an acquisition is interrupted at any moment", function* ({ another, watches, zk }) {
    const { read, write } = yield* makeReadWriteLock(zk)
    const rival = yield* makeReadWriteLock(yield* another())
    const { reading, writing } = readersAndWriters()
    const kinds = [
      Effect.asVoid(read.withLock(reading)),
      Effect.asVoid(write.withLock(writing)),
      Effect.asVoid(write.withLock(read.withLock(Effect.void)))
    ]
    for (let round = 0; round < 36; round++) {
      const behind = yield* Effect.forkChild(
        round % 2 === 0 ? rival.write.withLock(writing) : rival.read.withLock(reading)
      )
      const interrupted = yield* Effect.forkChild(kinds[round % 3]!, now)
      if (round < 12) for (let turn = 0; turn < round; turn++) yield* Effect.yieldNow
      else yield* Effect.sleep((round - 12) * 0.3)
      yield* Fiber.interrupt(interrupted)
      yield* Fiber.join(behind).pipe(Effect.timeout("20 seconds"))
    }
    yield* awaitNoReadersAndWriters(zk, watches)
  })
})
