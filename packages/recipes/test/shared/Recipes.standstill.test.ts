/** A guarded effect in a process that stood still for longer than its session does not take one more step. */
import * as PromiseClient from "@effect-zookeeper/client/PromiseClient"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Allocator from "../../src/Allocator.ts"
import type { HeldLayer } from "../../src/HeldLayer.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lease from "../../src/Lease.ts"
import * as Lock from "../../src/Lock.ts"
import { recipes } from "../../src/Promise.ts"
import * as Queue from "../../src/Queue.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import * as WorkerId from "../../src/WorkerId.ts"
import { withClient, describeOnServers, failure } from "../support/targets.ts"

/** Clocks that can be set forward by a session timeout at once, as a process sees it that stood still for as long. */
const standstill = Effect.map(Clock.Clock, (clock) => {
  const still = { millis: 0 }
  const nanos = () => BigInt(still.millis) * 1_000_000n
  const late: Clock.Clock = {
    sleep: (duration) => clock.sleep(duration),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + nanos(),
    monotonicTimeNanos: Effect.sync(() => clock.monotonicTimeNanosUnsafe() + nanos()),
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + still.millis,
    currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + still.millis),
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + nanos(),
    currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe() + nanos())
  }
  return { still, late }
})

type Needs = ZooKeeper.ZooKeeper | Scope.Scope

/** Runs an effect under what a recipe guards. */
type Guarding = (work: Effect.Effect<unknown>) => Effect.Effect<unknown, unknown, Needs>

class Leading extends Context.Service<Leading, HeldLayer<never>>()("test/Leading") {}

const oneItem = Effect.tap(Queue.make("/it"), (queue) => queue.offer(new Uint8Array(1)))
const layerService = (inner: Layer.Layer<never>) =>
  Effect.map(Layer.build(LeaderElection.layerService(Leading, "/it", inner)), Context.get(Leading))

const guards: Readonly<Record<string, Guarding>> = {
  "a lock": (work) => Effect.flatMap(Lock.make("/it"), ({ withLock }) => withLock(work)),
  "several locks": (work) =>
    Effect.flatMap(Effect.all([Lock.make("/a"), Lock.make("/b")]), (locks) => Lock.withLocks(locks, work)),
  "a re-entrant lock": (work) =>
    Effect.flatMap(Lock.make("/it"), ({ withLock }) => withLock(Effect.ignore(withLock(work)))),
  "a read lock": (work) => Effect.flatMap(ReadWriteLock.make("/it"), ({ read }) => read.withLock(work)),
  "a write lock": (work) => Effect.flatMap(ReadWriteLock.make("/it"), ({ write }) => write.withLock(work)),
  "a permit": (work) => Effect.flatMap(Semaphore.make("/it", { permits: 1 }), ({ withPermit }) => withPermit(work)),
  "several permits": (work) =>
    Effect.flatMap(Semaphore.make("/it", { permits: 2 }), ({ withPermits }) => withPermits(2, work)),
  "a lease": (work) => Effect.flatMap(Lease.make("/it", { duration: "2 seconds" }), ({ withLease }) => withLease(work)),
  "an election": (work) => Effect.flatMap(LeaderElection.make("/it"), ({ whileLeader }) => whileLeader(work)),
  "a worker's number": (work) => Effect.flatMap(WorkerId.make("/it"), ({ withWorkerId }) => withWorkerId(() => work)),
  "an item of a queue": (work) => Effect.flatMap(oneItem, ({ consumeOne }) => consumeOne(() => work)),
  "each item of a queue": (work) => Effect.flatMap(oneItem, ({ consume }) => consume(() => work)),
  "an allocator's items": (work) =>
    Effect.flatMap(Allocator.make("/it", { items: ["x"], quiet: 0 }), ({ whileAllocated }) =>
      whileAllocated(() => work)
    ),
  "the build of a layer": (work) =>
    Effect.flatMap(layerService(Layer.effectDiscard(work)), ({ use }) => use(Effect.never)),
  "the services of a layer": (work) => Effect.flatMap(layerService(Layer.empty), ({ use }) => use(work))
}

/** Runs a callback under what a recipe guards. */
type PromiseGuarding = (
  zk: PromiseClient.PromiseClient,
  work: (input: { readonly signal: AbortSignal }) => void
) => Promise<unknown>

const promiseGuards: Readonly<Record<string, PromiseGuarding>> = {
  "a lock": (zk, work) => recipes(zk).lock("/it").withLock(work),
  "several locks": (zk, work) => {
    const { lock, withLocks } = recipes(zk)
    return withLocks([lock("/a"), lock("/b")], work)
  },
  "a read lock": (zk, work) => recipes(zk).readWriteLock("/it").read.withLock(work),
  "a write lock": (zk, work) => recipes(zk).readWriteLock("/it").write.withLock(work),
  "a permit": (zk, work) => recipes(zk).semaphore("/it", { permits: 1 }).withPermit(work),
  "several permits": (zk, work) => recipes(zk).semaphore("/it", { permits: 2 }).withPermits(2, work),
  "a lease": (zk, work) => recipes(zk).lease("/it", { duration: "2 seconds" }).withLease(work),
  "an election": (zk, work) => recipes(zk).leaderElection("/it").whileLeader(work),
  "a worker's number": (zk, work) => recipes(zk).workerIds("/it").withWorkerId(work),
  "an item of a queue": async (zk, work) => {
    const queue = recipes(zk).queue("/it")
    await queue.offer(new Uint8Array(1))
    return queue.consumeOne(work)
  },
  "each item of a queue": async (zk, work) => {
    const queue = recipes(zk).queue("/it")
    await queue.offer(new Uint8Array(1))
    return queue.consume(work)
  },
  "an allocator's items": async (zk, work) => {
    const allocator = await recipes(zk).allocator("/it", { items: ["x"], quiet: 0 })
    return allocator.whileAllocated(work)
  }
}

describeOnServers("a process that stands still for longer than its session", (it) => {
  for (const [name, guarding] of Object.entries(guards)) {
    it.inChroot(
      `is interrupted before the next step of what is guarded by ${name}, in the middle of a turn too`,
      function* ({ another }) {
        const { late, still } = yield* standstill
        const steps: Array<string> = []
        const step = (name: string) => Effect.sync(() => steps.push(name))
        const over = yield* Deferred.make<void>()
        yield* Effect.gen(function* () {
          const zk = yield* another()
          const work = Effect.gen(function* () {
            yield* step("before")
            yield* Effect.sync(() => {
              still.millis += zk.session.timeout
            })
            yield* step("after")
          }).pipe(Effect.ensuring(step("cleaned up")), Effect.ensuring(Deferred.succeed(over, undefined)))
          yield* Effect.raceFirst(withClient(zk)(Effect.ignore(guarding(work))), Deferred.await(over))
        }).pipe(Effect.provideService(Clock.Clock, late))
        assert.deepStrictEqual(steps.slice(0, 2), ["before", "cleaned up"])
        assert.notInclude(steps, "after")
      }
    )
  }

  it.inChroot("is told by LockLost that its session is over", function* ({ another }) {
    const { late, still } = yield* standstill
    const loss = yield* Effect.gen(function* () {
      const zk = yield* another()
      const lock = yield* withClient(zk)(Lock.make("/lock"))
      const standStill = Effect.sync(() => {
        still.millis += zk.session.timeout
      })
      return yield* failure(lock.withLock(Effect.andThen(standStill, Effect.never)), "LockLost")
    }).pipe(Effect.provideService(Clock.Clock, late))
    assert.strictEqual(loss.reason, "session")
  })

  for (const [name, guarding] of Object.entries(promiseGuards)) {
    it.inChroot(`has an aborted signal when a callback under ${name} looks at it`, function* ({ another }) {
      const { late, still } = yield* standstill
      const service = yield* Effect.provideService(another(), Clock.Clock, late)
      const layer = Layer.merge(Layer.succeed(ZooKeeper.ZooKeeper, service), Layer.succeed(Clock.Clock, late))
      const zk = yield* Effect.promise(() => PromiseClient.fromLayer(layer))
      yield* Effect.addFinalizer(() => Effect.promise(() => zk.close()))
      const seen: Array<boolean> = []
      const over = Promise.withResolvers<void>()
      const guarded = guarding(zk, ({ signal }) => {
        if (seen.length > 0) return
        seen.push(signal.aborted)
        still.millis += zk.session.timeout
        seen.push(signal.aborted)
        over.resolve()
        signal.throwIfAborted()
        seen.push(false)
      })
      void guarded.catch(() => {})
      yield* Effect.promise(() => over.promise)
      assert.deepStrictEqual(seen, [false, true])
    })
  }
})
