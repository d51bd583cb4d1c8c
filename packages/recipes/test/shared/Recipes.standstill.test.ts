/** A guarded effect in a process that stood still for longer than its session does not take one more step. */
import * as PromiseClient from "@effect-zookeeper/client/PromiseClient"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Allocator from "../../src/Allocator.ts"
import { LockLost } from "../../src/Errors.ts"
import * as Lock from "../../src/Lock.ts"
import { recipes } from "../../src/Promise.ts"
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

describeOnServers("a process that stands still for longer than its session", (it) => {
  it.inChroot(
    "is interrupted before the next step of a lock's guarded effect, in the middle of a turn too",
    function* ({ another }) {
      const { late, still } = yield* standstill
      const steps: Array<string> = []
      const step = (name: string) => Effect.sync(() => steps.push(name))
      const loss = yield* Effect.gen(function* () {
        const zk = yield* another()
        const lock = yield* withClient(zk)(Lock.make("/lock"))
        return yield* failure(
          lock.withLock(
            Effect.gen(function* () {
              yield* step("before")
              yield* Effect.sync(() => {
                still.millis += zk.session.timeout
              })
              yield* step("after")
            }).pipe(Effect.ensuring(step("cleaned up")))
          ),
          "LockLost"
        )
      }).pipe(Effect.provideService(Clock.Clock, late))
      assert.strictEqual(loss.reason, "session")
      assert.deepStrictEqual(steps, ["before", "cleaned up"])
    }
  )

  it.inChroot(
    "is interrupted before the next step of the work with an allocator's items, and begins again",
    function* ({ another }) {
      const { late, still } = yield* standstill
      const steps: Array<string> = []
      const step = (name: string) => Effect.sync(() => steps.push(name))
      yield* Effect.gen(function* () {
        const zk = yield* another()
        const allocator = yield* withClient(zk)(Allocator.make("/shards", { id: "a", items: ["x"], quiet: 0 }))
        const again = yield* Deferred.make<void>()
        const work = allocator.whileAllocated(() =>
          Effect.gen(function* () {
            if (steps.length > 0) yield* Deferred.succeed(again, undefined)
            yield* step("before")
            yield* Effect.sync(() => {
              still.millis += zk.session.timeout
            })
            yield* step("after")
          }).pipe(Effect.ensuring(step("cleaned up")))
        )
        yield* Effect.raceFirst(work, Deferred.await(again))
      }).pipe(Effect.provideService(Clock.Clock, late))
      assert.deepStrictEqual(steps.slice(0, 2), ["before", "cleaned up"])
      assert.notInclude(steps, "after")
    }
  )

  it.inChroot("has an aborted signal when a callback looks at it", function* ({ another }) {
    const { late, still } = yield* standstill
    const service = yield* Effect.provideService(another(), Clock.Clock, late)
    const layer = Layer.merge(Layer.succeed(ZooKeeper.ZooKeeper, service), Layer.succeed(Clock.Clock, late))
    const zk = yield* Effect.promise(() => PromiseClient.fromLayer(layer))
    yield* Effect.addFinalizer(() => Effect.promise(() => zk.close()))
    const seen: Array<boolean> = []
    const locked = recipes(zk)
      .lock("/lock")
      .withLock(async ({ signal }) => {
        seen.push(signal.aborted)
        still.millis += zk.session.timeout
        seen.push(signal.aborted)
        assert.throws(() => signal.throwIfAborted())
      })
    const told = yield* Effect.promise(() =>
      locked.then(
        () => undefined,
        (error: unknown) => error
      )
    )
    assert.instanceOf(told, LockLost)
    assert.deepStrictEqual(seen, [false, true])
  })
})
