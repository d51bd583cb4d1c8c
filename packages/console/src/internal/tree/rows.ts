/** The stats of znodes that are visible, live. Pages that look at the same znode share its watch. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Row } from "../../Models.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { sessionOver, toReadFailure } from "../failures.ts"
import { touches } from "../touches.ts"

export type RowFeeds = RcMap.RcMap<string, SubscriptionRef.SubscriptionRef<Seen>>

/** Undefined until it was seen. */
type Seen = Row | { readonly failure: ReadFailure } | undefined

export const makeRowFeeds = (zk: Service): Effect.Effect<RowFeeds, never, Scope.Scope> =>
  RcMap.make({
    idleTimeToLive: "3 seconds",
    lookup: (path: string) =>
      Effect.gen(function* () {
        const seen = yield* SubscriptionRef.make<Seen>(undefined)
        yield* Effect.forkScoped(follow(zk, path, seen))
        return seen
      })
  })

/** The rows of these paths, and again those that are different, in groups. */
export const rowEvents = (
  feeds: RowFeeds,
  paths: ReadonlyArray<string>
): Stream.Stream<ReadonlyArray<Row>, ReadFailure> =>
  Stream.unwrap(
    Effect.map(
      Effect.forEach(paths, (path) => RcMap.get(feeds, path), { concurrency: "unbounded" }),
      (all) =>
        Stream.mergeAll(
          all.map((feed) => Stream.buffer(SubscriptionRef.changes(feed), { capacity: 1, strategy: "sliding" })),
          { concurrency: "unbounded" }
        )
    )
  ).pipe(
    Stream.filter((seen) => seen !== undefined),
    Stream.mapEffect((seen) => ("failure" in seen ? Effect.fail(seen.failure) : Effect.succeed(seen))),
    Stream.groupedWithin(paths.length + 1, "25 millis"),
    Stream.map((rows) => [...new Map(rows.map((row) => [row.path, row])).values()])
  )

// ---- internal

const follow = (zk: Service, path: string, seen: SubscriptionRef.SubscriptionRef<Seen>): Effect.Effect<void> =>
  touches(zk, path).pipe(
    Stream.runForEach(() =>
      Effect.flatMap(Outcome.retryAcrossSessions(zk.session, read(zk, path)), (row) => {
        const before = SubscriptionRef.getUnsafe(seen)
        return before !== undefined && !("failure" in before) && isSame(before, row)
          ? Effect.void
          : Effect.andThen(SubscriptionRef.set(seen, row), Effect.sleep("50 millis"))
      })
    ),
    Effect.as(sessionOver),
    Effect.catch((error) => Effect.succeed(toReadFailure(error))),
    Effect.flatMap((failure) => SubscriptionRef.set(seen, { failure }))
  )

/** Servers since 3.8.4 and 3.9.2 keep back the stat of a znode that may not be read. The other rows go on. */
const read = (zk: Service, path: string): Effect.Effect<Row, ReadError> =>
  zk.stat(path).pipe(
    Effect.map((stat): Row => ({ path, ...(Option.isSome(stat) ? { stat: stat.value } : {}) })),
    Effect.catchTag("NoAuth", () => Effect.succeed<Row>({ path, isForbidden: true }))
  )

const isSame = ({ isForbidden, stat: a }: Row, { isForbidden: isOtherForbidden, stat: b }: Row): boolean =>
  a === undefined || b === undefined
    ? a === b && isForbidden === isOtherForbidden
    : a.czxid === b.czxid &&
      a.mzxid === b.mzxid &&
      a.pzxid === b.pzxid &&
      a.aversion === b.aversion &&
      a.numChildren === b.numChildren
