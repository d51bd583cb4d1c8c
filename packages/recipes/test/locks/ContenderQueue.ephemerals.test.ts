/** Only ephemeral znodes contend: a persistent one with a contender's name holds up no client. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Held } from "../../src/Held.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import { holdUntilReleased, holdLock, untilHeld } from "../support/holds.ts"
import { withClient, describeOnServers, failure, pullFrom, now } from "../support/targets.ts"

const id = "3b241101-e2bb-4255-8caf-4136c566a962"

/** Znodes that are named as contenders are, by one program or another, and are persistent. */
const litter = (zk: ZooKeeper.Service, parent: string, kinds: ReadonlyArray<string>) =>
  Effect.forEach(kinds, (kind, n) => zk.createWithParents(`${parent}/_c_${id}-${kind}000000000${n}`), { discard: true })

describeOnServers("a persistent znode with the name of a contender", (it) => {
  it.inChroot("blocks no contender for a lock, waiting or trying once", function* ({ another, zk }) {
    yield* litter(zk, "/lock", ["lock-", "lock-"])
    const lock = yield* withClient(zk)(Lock.make("/lock"))
    const theirs = yield* withClient(yield* another())(Lock.make("/lock"))
    yield* lock.withLock(Effect.void)
    yield* lock.withLock(Effect.void, { timeout: 0 })
    const holding = yield* untilHeld(holdLock(theirs))
    yield* failure(lock.withLock(Effect.void, { timeout: 0 }), "LockTimeout")
    assert.lengthOf(yield* lock.contenders, 1)
    const waiting = yield* Effect.forkChild(lock.withLock(Effect.void), now)
    yield* holding.release
    yield* Fiber.join(waiting)
  })

  it.inChroot("holds up neither readers nor writers", function* ({ zk }) {
    yield* litter(zk, "/lock", ["__READ__", "__WRIT__"])
    const { contenders, read, write } = yield* withClient(zk)(ReadWriteLock.make("/lock"))
    for (const options of [{}, { timeout: 0 }]) {
      yield* read.withLock(Effect.void, options)
      yield* write.withLock(Effect.void, options)
    }
    assert.deepStrictEqual(yield* contenders, [])
  })

  it.inChroot("has no permit of a semaphore", function* ({ another, zk }) {
    yield* litter(zk, "/semaphore/leases", ["lease-", "lease-"])
    yield* litter(zk, "/semaphore/locks", ["lock-"])
    const semaphore = yield* withClient(zk)(Semaphore.make("/semaphore", { permits: 1 }))
    const theirs = yield* withClient(yield* another())(Semaphore.make("/semaphore", { permits: 1 }))
    assert.strictEqual(yield* semaphore.available, 1)
    yield* semaphore.withPermit(Effect.void)
    yield* semaphore.withPermit(Effect.void, { timeout: 0 })
    const holding = yield* holdUntilReleased((body: (held: Held) => Effect.Effect<void>) => theirs.withPermit(body))
    yield* holding.held
    yield* failure(semaphore.withPermit(Effect.void, { timeout: 0 }), "LockTimeout")
    assert.lengthOf(yield* semaphore.holders, 1)
    const waiting = yield* Effect.forkChild(semaphore.withPermit(Effect.void), now)
    yield* holding.release
    yield* Fiber.join(waiting)
    // Nor does it count as one who was told another number.
    yield* zk.set("/semaphore/leases", "7")
    yield* (yield* withClient(zk)(Semaphore.make("/semaphore", { permits: 2 }))).withPermit(Effect.void)
  })

  it.inChroot("neither leads nor takes part in an election", function* ({ another, zk }) {
    yield* litter(zk, "/election", ["latch-"])
    const election = yield* withClient(zk)(LeaderElection.make("/election", { identifier: "me" }))
    const theirs = yield* withClient(yield* another())(LeaderElection.make("/election", { identifier: "they" }))
    const next = yield* pullFrom(election.changes)
    assert.deepStrictEqual(yield* next, Option.none())
    for (const { whileLeader } of [election, theirs]) {
      yield* whileLeader((held) =>
        Effect.gen(function* () {
          assert.strictEqual(Option.getOrThrow(yield* election.leader).path, held.path)
          assert.strictEqual(Option.getOrThrow(yield* next).path, held.path)
          assert.lengthOf(yield* election.participants, 1)
        })
      )
      assert.deepStrictEqual(yield* next, Option.none())
    }
  })
})
