import * as Op from "@effect-zookeeper/client/Op"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import { holdLock, readersAndWriters, untilHeld } from "../support/holds.ts"
import { awaitReadersAndWriters, makeReadWriteLock, awaitNoReadersAndWriters } from "../support/locks.ts"
import { assertEach, describeOnServers, failure, outcome, text, atOnce, closable, inScope } from "../support/targets.ts"

describeOnServers("a read-write lock", (it) => {
  it.inChroot("is held by writers in turn, which may come again (aiozk 60, 61)", function* ({ another, zk }) {
    const mine = yield* makeReadWriteLock(zk)
    const theirs = yield* makeReadWriteLock(yield* another())
    for (let times = 0; times < 2; times++) {
      yield* mine.write.withLock((held) =>
        Effect.gen(function* () {
          assert.match(held.path, /^\/rw\/_c_[-0-9a-f]{36}-__WRIT__\d{10}$/)
          assert.strictEqual(yield* outcome(theirs.write.withLock(Effect.void, { timeout: 50 })), "LockTimeout")
          assert.strictEqual(yield* outcome(theirs.read.withLock(Effect.void, { timeout: 0 })), "LockTimeout")
        })
      )
      yield* theirs.write.withLock(Effect.void, { timeout: "20 seconds" })
    }
    yield* awaitNoReadersAndWriters(zk)
  })

  it.inChroot(
    "is held by nine readers at once, and a writer waits for all of them (aiozk 62)",
    function* ({ another, watches, zk }) {
      const mine = yield* makeReadWriteLock(zk)
      const theirs = yield* makeReadWriteLock(yield* another())
      const readers: Array<Effect.Success<ReturnType<typeof holdLock>>> = []
      for (let index = 0; index < 9; index++) readers.push(yield* holdLock(index % 2 === 0 ? mine.read : theirs.read))
      for (const { held } of readers) assert.match((yield* held).path, /__READ__\d{10}$/)
      const writer = yield* holdLock(theirs.write)
      yield* awaitReadersAndWriters(zk, 10)
      // In any order.
      for (const index of [8, 0, 4, 1, 7, 2, 6, 3]) {
        yield* readers[index]!.release
        assert.isFalse(yield* writer.isHeld)
      }
      yield* readers[5]!.release
      yield* writer.held
      yield* writer.release
      yield* awaitNoReadersAndWriters(zk, watches)
    }
  )

  it.inChroot(
    "lets readers that come after a waiting writer wait for it (aiozk 63; kazoo test_rw_lock)",
    function* ({ another, zk }) {
      const mine = yield* makeReadWriteLock(zk, { identifier: "mine" })
      const theirs = yield* makeReadWriteLock(yield* another(), { identifier: "theirs" })
      const kinds = Effect.map(mine.contenders, (all) => all.map(({ kind }) => kind))
      const first = yield* untilHeld(holdLock(mine.write))
      const reader = yield* holdLock(theirs.read)
      yield* awaitReadersAndWriters(zk, 2)
      const writer = yield* holdLock(mine.write)
      yield* awaitReadersAndWriters(zk, 3)
      const late = yield* holdLock(theirs.read)
      yield* awaitReadersAndWriters(zk, 4)
      const all = yield* mine.contenders
      assertEach(all, ({ identifier, kind }) => `${text(identifier)} ${kind}`, [
        "mine write",
        "theirs read",
        "mine write",
        "theirs read"
      ])
      yield* first.release
      yield* reader.held
      assert.deepStrictEqual(yield* kinds, ["read", "write", "read"])
      assert.isFalse(yield* late.isHeld)
      yield* reader.release
      yield* writer.held
      assert.isFalse(yield* late.isHeld)
      assert.deepStrictEqual(yield* kinds, ["write", "read"])
      yield* writer.release
      yield* late.held
      assert.deepStrictEqual(yield* kinds, ["read"])
      yield* late.release
      assert.deepStrictEqual(yield* kinds, [])
    }
  )

  it.inChroot(
    "is free for readers again when the writer before them gives up, with no znode left (aiozk 66)",
    function* ({ another, watches, zk }) {
      const mine = yield* makeReadWriteLock(zk)
      const theirs = yield* makeReadWriteLock(yield* another())
      const reader = yield* untilHeld(holdLock(mine.read))
      const writer = yield* Effect.forkChild(theirs.write.withLock(Effect.void))
      yield* awaitReadersAndWriters(zk, 2)
      const late = yield* holdLock(mine.read)
      yield* awaitReadersAndWriters(zk, 3)
      assert.isFalse(yield* late.isHeld)
      yield* Fiber.interrupt(writer)
      yield* late.held
      assert.strictEqual(yield* outcome(theirs.write.withLock(Effect.void, { timeout: 50 })), "LockTimeout")
      yield* awaitReadersAndWriters(zk, 2)
      yield* reader.release
      yield* late.release
      yield* awaitNoReadersAndWriters(zk, watches)
    }
  )

  it.inChroot(
    "may be acquired many times at once by one object (by design, where aiozk 65 refuses; 64, 67)",
    function* ({ another, watches, zk }) {
      const locks = [yield* makeReadWriteLock(zk), yield* makeReadWriteLock(yield* another())]
      const { reading, writing } = readersAndWriters()
      const all = Array.from({ length: 30 }, (_, index) => {
        const { read, write } = locks[index % 2]!
        return index % 5 === 0 ? Effect.asVoid(write.withLock(writing)) : Effect.asVoid(read.withLock(reading))
      })
      yield* atOnce(all)
      yield* awaitNoReadersAndWriters(zk, watches)
    }
  )

  it.inChroot("is read and written re-entrantly within a fiber tree", function* ({ another, zk }) {
    const { read, write } = yield* makeReadWriteLock(zk)
    const theirs = yield* makeReadWriteLock(yield* another())
    yield* read.withLock((outer) =>
      Effect.gen(function* () {
        const writer = yield* holdLock(theirs.write)
        yield* awaitReadersAndWriters(zk, 2)
        // Standing behind the writer it would wait for itself.
        assert.strictEqual(yield* read.withLock((held) => Effect.succeed(held.path)), outer.path)
        yield* Fiber.interrupt(writer.fiber)
      })
    )
    yield* write.withLock((outer) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* write.withLock((held) => Effect.succeed(held.path)), outer.path)
        assert.strictEqual(yield* read.withLock(write.withLock((held) => Effect.succeed(held.path))), outer.path)
      })
    )
    yield* awaitNoReadersAndWriters(zk)
  })

  it.inChroot("ignores znodes that are not contenders", function* ({ zk }) {
    yield* zk.create("/rw")
    for (const name of ["lock-0000000000", "__READ__", "config", "_c_x-__OTHER__0000000000"]) {
      yield* zk.create(`/rw/${name}`)
    }
    const { contenders, write } = yield* makeReadWriteLock(zk)
    yield* write.withLock(
      Effect.flatMap(contenders, (all) => Effect.sync(() => assert.lengthOf(all, 1))),
      { timeout: 0 }
    )
  })
})

describeOnServers("an upgrade", (it) => {
  it.inChroot(
    "is refused at once (aiozk waits for itself: 1.11), and only where it is one",
    function* ({ another, zk }) {
      const { read, write } = yield* makeReadWriteLock(zk)
      const theirs = yield* makeReadWriteLock(yield* another())
      yield* read.withLock(
        Effect.gen(function* () {
          const refused = yield* failure(write.withLock(Effect.die("held")), "UpgradeRefused")
          assert.strictEqual(refused.path, "/rw")
          assert.include(refused.message, "release it first")
          assert.strictEqual(yield* outcome(Effect.scoped(write.acquire())), "UpgradeRefused")
          const child = yield* Effect.forkChild(write.withLock(Effect.die("held")))
          assert.strictEqual(yield* outcome(Fiber.join(child)), "UpgradeRefused")
          assert.strictEqual(yield* outcome(theirs.write.withLock(Effect.void, { timeout: 0 })), "LockTimeout")
        })
      )
      // A contender that has not got the lock deletes its znode in the background.
      yield* awaitNoReadersAndWriters(zk)
      yield* write.withLock(Effect.void, { timeout: 0 })
      yield* awaitNoReadersAndWriters(zk)
    }
  )
})

describeOnServers("a downgrade", (it) => {
  it.inChroot(
    "reads at once, ahead of all that wait, and no writer comes between (Curator testContendingDowngrading)",
    function* ({ another, zk }) {
      const { contenders, read, write } = yield* makeReadWriteLock(zk)
      const theirs = yield* makeReadWriteLock(yield* another())
      const reading = yield* write.withLock((held) =>
        Effect.gen(function* () {
          const writer = yield* holdLock(theirs.write)
          yield* awaitReadersAndWriters(zk, 2)
          const late = yield* holdLock(theirs.read)
          yield* awaitReadersAndWriters(zk, 3)
          const [mine, release] = yield* closable(read.acquire({ timeout: 0 }))
          assert.isTrue(mine.fencingToken > held.fencingToken)
          assertEach(yield* contenders, ({ kind }) => kind, ["write", "read", "write", "read"])
          // The place of the writer itself.
          assert.strictEqual(mine.path.slice(-10), held.path.slice(-10))
          assert.match(mine.path, /__READ__\d{10}$/)
          return { late, mine, release, writer }
        })
      )
      assertEach(yield* contenders, ({ kind }) => kind, ["read", "write", "read"])
      for (let looks = 0; looks < 10; looks++) {
        yield* Effect.sleep(5)
        assert.isFalse(yield* reading.writer.isHeld)
      }
      yield* reading.mine.transaction([Op.create("/written")])
      yield* reading.release
      yield* reading.writer.held
      assert.isFalse(yield* reading.late.isHeld)
      yield* reading.writer.release
      yield* reading.late.held
      yield* reading.late.release
      yield* awaitNoReadersAndWriters(zk)
    }
  )

  it.inChroot("takes the held lock as an argument outside of a fiber tree", function* ({ another, watches, zk }) {
    const { read, write } = yield* makeReadWriteLock(zk)
    const theirs = yield* makeReadWriteLock(yield* another())
    const [held, release] = yield* closable(write.acquire())
    const writer = yield* holdLock(theirs.write)
    yield* awaitReadersAndWriters(zk, 2)
    assert.strictEqual(yield* outcome(Effect.scoped(read.acquire({ timeout: 0 }))), "LockTimeout")
    const [, stopReading] = yield* closable(read.acquire({ downgrade: held, timeout: 0 }))
    yield* release
    // A second one: the write lock is gone, and the readers' side may be contended for.
    const late = yield* failure(Effect.scoped(read.acquire({ downgrade: held })), "LockLost")
    assert.strictEqual(late.path, held.path)
    yield* awaitReadersAndWriters(zk, 2)
    assert.isFalse(yield* writer.isHeld)
    yield* stopReading
    yield* writer.held
    // Another client's write lock, and a path that is no lock, are refused.
    const foreign = { path: (yield* writer.held).path }
    assert.strictEqual(yield* outcome(Effect.scoped(read.acquire({ downgrade: foreign }))), "LockLost")
    for (const path of ["/rw/x", foreign.path.replace("/rw", "/other")]) {
      assert.strictEqual(yield* outcome(Effect.scoped(read.acquire({ downgrade: { path } }))), "InvalidArgument")
    }
    yield* writer.release
    yield* awaitNoReadersAndWriters(zk, watches)
  })

  it.inChroot("keeps writers out under contention, time and again", function* ({ another, zk }) {
    const locks = [yield* makeReadWriteLock(zk), yield* makeReadWriteLock(yield* another())]
    let writers = 0
    let readers = 0
    const checked = (delta: () => void) =>
      Effect.sync(() => {
        delta()
        assert.isTrue(writers <= 1 && (writers === 0 || readers === 0), `${writers} writers, ${readers} readers`)
      })
    let version = 0
    const downgrading = ({ read, write }: ReadWriteLock.ReadWriteLock) =>
      inScope(function* () {
        const wrote = yield* write.withLock(
          Effect.gen(function* () {
            yield* checked(() => writers++)
            const mine = ++version
            yield* Effect.sleep(1)
            yield* checked(() => writers--)
            yield* read.acquire()
            return mine
          })
        )
        yield* checked(() => readers++)
        yield* Effect.sleep(2)
        // No other client has written since.
        assert.strictEqual(version, wrote)
        yield* checked(() => readers--)
      })
    yield* atOnce(Array.from({ length: 12 }, (_, index) => downgrading(locks[index % 2]!)))
    assert.strictEqual(version, 12)
    yield* awaitNoReadersAndWriters(zk)
  })
})
