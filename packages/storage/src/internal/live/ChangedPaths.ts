/** The paths of a subtree that have changed since they were taken last, by a recursive watch. */
import type { InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export interface ChangedPaths {
  /** Whether the servers have such watches: they do since ZooKeeper 3.6. */
  readonly isSupported: boolean
  /**
   * Takes the paths that have changed, parents first. All events are in it that came before a reply that the caller has, also those
   * that came together with it.
   */
  readonly take: Effect.Effect<Changed, InvalidArgument | SessionError>
  /** Waits until something has changed. */
  readonly changed: Effect.Effect<void, InvalidArgument | SessionError>
  /** When the oldest change came that was not taken: a time of the Clock in milliseconds; undefined if there is none. */
  readonly since: () => number | undefined
}

export interface Changed {
  readonly paths: ReadonlyArray<string>
  /** Whether changes may have been missed, so that everything has to be looked at. */
  readonly hasGap: boolean
  /** When the oldest of them came, as `since` tells it. */
  readonly since: number | undefined
}

/** Returns when the watch is there. */
export const watchChanges = (
  zk: Pick<Service, "events">,
  root: string
): Effect.Effect<ChangedPaths, InvalidArgument | SessionError, Scope.Scope> =>
  Effect.gen(function* () {
    const ready = yield* Deferred.make<boolean, InvalidArgument | SessionError>()
    const ended = yield* Deferred.make<never, InvalidArgument | SessionError>()
    const latch = Latch.makeUnsafe()
    let paths = new Set<string>()
    let hasGap = false
    let since: number | undefined
    const onReady = () => {
      Deferred.doneUnsafe(ready, Effect.succeed(true))
    }
    yield* zk.events(root, { recursive: true, onReady }).pipe(
      Stream.runForEachArray((events) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          since ??= now
          for (const { path, type } of events) {
            if (type === "Gap") hasGap = true
            else {
              paths.add(path)
              // The parent has no event of its own, though its counter has changed.
              if (type !== "NodeDataChanged" && path !== root) paths.add(ZnodePath.parent(path) ?? "/")
            }
          }
          latch.openUnsafe()
        })
      ),
      Effect.catch((error) =>
        Effect.andThen(
          Deferred.completeWith(ready, Outcome.isUnimplemented(error) ? Effect.succeed(false) : Effect.fail(error)),
          Effect.suspend(() => {
            latch.openUnsafe()
            return Deferred.fail(ended, error)
          })
        )
      ),
      Effect.forkScoped
    )
    const isSupported = yield* Deferred.await(ready)
    const orFailure = <A>(effect: Effect.Effect<A>) =>
      isSupported
        ? Effect.flatMap(Deferred.poll(ended), (failure) => (failure._tag === "Some" ? failure.value : effect))
        : effect
    return {
      isSupported,
      since: () => since,
      changed: Effect.andThen(latch.await, orFailure(Effect.void)),
      // The stream gets its events in a turn of its own, after that in which a reply came with them.
      take: Effect.andThen(
        Effect.yieldNow,
        orFailure(
          Effect.sync((): Changed => {
            const taken = { paths: [...paths].toSorted(), hasGap, since }
            paths = new Set()
            hasGap = false
            since = undefined
            latch.closeUnsafe()
            return taken
          })
        )
      )
    }
  })
