/** When to look at a znode again. */
import type { InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

export interface Touch {
  /** Whether events may have been missed since the touch before. */
  readonly afterGap: boolean
}

/**
 * A touch at once, and one after each change of the data, of the list of children or of the existence of a znode. Touches
 * that come while the reader is busy are one. A persistent watch is set for as long as the stream runs. Servers before
 * ZooKeeper 3.6 have none, and the touches come every two seconds.
 */
export const touches = (
  zk: Pick<Service, "events">,
  path: string
): Stream.Stream<Touch, SessionError | InvalidArgument> => {
  let gap = false
  const watched = Stream.unwrap(
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const onReady = () => void Deferred.doneUnsafe(ready, Exit.void)
      const events = yield* zk.events(path, { onReady }).pipe(
        Stream.ensuring(Effect.sync(onReady)),
        Stream.map(({ type }) => {
          if (type === "Gap") gap = true
        }),
        Stream.toQueue({ capacity: 1, strategy: "sliding" })
      )
      yield* Deferred.await(ready)
      return Stream.concat(Stream.make(undefined), Stream.fromQueue(events))
    })
  )
  return watched.pipe(
    Stream.catchIf(Outcome.isUnimplemented, () => Stream.fromSchedule(Schedule.spaced("2 seconds"))),
    Stream.map(() => {
      const afterGap = gap
      gap = false
      return { afterGap }
    })
  )
}
