/** Holding something for as long as a test says, who does so at once, what it takes, and what is left of it. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { LockLost } from "../../src/Errors.ts"
import type { Held } from "../../src/Held.ts"
import type * as Lock from "../../src/Lock.ts"
import type * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import { eventually, now } from "./targets.ts"

/** Runs `guarding` with a body that is over when it is told to go. */
export const holdUntilReleased = Effect.fnUntraced(function* <H, A, E>(
  guarding: (body: (held: H) => Effect.Effect<void>) => Effect.Effect<A, E>
) {
  const got = yield* Deferred.make<H>()
  const go = yield* Deferred.make<void>()
  const body = (held: H) => Effect.andThen(Deferred.succeed(got, held), Deferred.await(go))
  const fiber = yield* Effect.forkScoped(guarding(body), now)
  return {
    fiber,
    held: Deferred.await(got).pipe(Effect.timeout("20 seconds")),
    isHeld: Deferred.isDone(got),
    release: Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber))
  }
})

/** Holds a lock, or a side of one. */
export const holdLock = (
  lock: Pick<Lock.Lock | ReadWriteLock.ReadWriteLock["write"], "withLock">,
  options?: Lock.AcquireOptions
) => holdUntilReleased((body: (held: Held) => Effect.Effect<void>) => lock.withLock(body, options))

/** The same, once it is held. */
export const untilHeld = <H, Hold extends { readonly held: Effect.Effect<H, unknown> }, E, R>(
  holding: Effect.Effect<Hold, E, R>
) => Effect.tap(holding, ({ held }) => held)

/** Work that begins with what it is given, and goes on until it is interrupted. */
export const endlessWork = <H = void>(onInterrupt: Effect.Effect<unknown> = Effect.void) =>
  Effect.map(Deferred.make<H>(), (began) => ({
    began: Deferred.await(began),
    work: (given: H) =>
      Deferred.succeed(began, given).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => onInterrupt)
      )
  }))

/**
 * That something is lost with its session, which a server has ended. The server reports the deletion of the session's
 * znodes first where it is still connected.
 */
export const assertLostWithSession = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.map(Effect.flip(effect), (lost) => {
    assert.instanceOf(lost, LockLost)
    assert.include(["session", "deleted"], lost.reason)
  })

/** None where there is no parent: it is a container, and may have been reaped. */
export const getChildrenOrNone = (zk: ZooKeeper.Service, parent: string) =>
  Effect.catchTag(zk.getChildren(parent), "NoNode", () => Effect.succeed<ReadonlyArray<string>>([]))

/** Waits until there are so many znodes below a parent. */
export const awaitChildren = (zk: ZooKeeper.Service, parent: string, count: number) =>
  eventually(getChildrenOrNone(zk, parent), (names) => names.length === count)

/** The steps of acquiring and of releasing. */
export const acquireAndReleaseOperations: ReadonlyArray<Operation.Any> = [
  Operations.create2,
  Operations.getChildren2,
  Operations.getData,
  Operations.deleteNode
]

/** Counts who is inside at once. */
export const countInside = (limit: number) => {
  let inside = 0
  return {
    inside: (permits: number) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          inside += permits
          assert.isAtMost(inside, limit)
        }),
        () => Effect.sleep(2),
        () => Effect.sync(() => void (inside -= permits))
      )
  }
}

/** Watches what runs at once: writers alone, readers together. */
export const readersAndWriters = () => {
  let readers = 0
  let writers = 0
  const check = () => {
    assert.isTrue(writers === 0 || (writers === 1 && readers === 0), `${writers} writers and ${readers} readers`)
  }
  return {
    reading: Effect.acquireUseRelease(
      Effect.sync(() => {
        readers++
        check()
      }),
      () => Effect.sleep(2),
      () => Effect.sync(() => void readers--)
    ),
    writing: Effect.acquireUseRelease(
      Effect.sync(() => {
        writers++
        check()
      }),
      () => Effect.sleep(1),
      () => Effect.sync(() => void writers--)
    )
  }
}
