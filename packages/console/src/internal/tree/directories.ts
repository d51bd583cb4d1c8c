/** The names in directories, live. Pages that look at the same directory share its watch and its list. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import type { Reads } from "@effect-zookeeper/client/TreeWalk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { DirectoryEvent } from "../../Models.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { sessionOver, toReadFailure } from "../failures.ts"
import * as limits from "../limits.ts"
import { touches } from "../touches.ts"

export type Directories = RcMap.RcMap<string, SubscriptionRef.SubscriptionRef<Listing>>

/** A directory as it was last seen. It is `unknown` until it was. */
export type Listing =
  | { readonly _tag: "unknown" }
  | { readonly _tag: "failed"; readonly failure: ReadFailure }
  | {
      readonly _tag: "listed"
      readonly revision: number
      readonly stat: Stat
      readonly names: ReadonlyArray<string>
    }
  | { readonly _tag: "gone"; readonly revision: number }
  | { readonly _tag: "forbidden"; readonly revision: number; readonly stat?: Stat }
  | { readonly _tag: "tooMany"; readonly revision: number; readonly stat: Stat }

export const makeDirectories = (zk: Service, reads: Reads): Effect.Effect<Directories, never, Scope.Scope> =>
  RcMap.make({
    // A page that scrolls closes a stream and opens another.
    idleTimeToLive: "5 seconds",
    lookup: (path: string) =>
      Effect.gen(function* () {
        const listing = yield* SubscriptionRef.make<Listing>({ _tag: "unknown" })
        yield* Effect.forkScoped(follow(zk, reads, path, listing))
        return listing
      })
  })

/** The events of a directory for one page. */
export const directoryEvents = (
  directories: Directories,
  path: string,
  filter: string | undefined,
  limit: number
): Stream.Stream<DirectoryEvent, ReadFailure> =>
  Stream.unwrap(
    Effect.map(RcMap.get(directories, path), (listing) =>
      SubscriptionRef.changes(listing).pipe(
        Stream.buffer({ capacity: 1, strategy: "sliding" }),
        Stream.mapEffect((state) => (state._tag === "failed" ? Effect.fail(state.failure) : Effect.succeed(state))),
        Stream.filter((state) => state._tag !== "unknown"),
        Stream.mapAccum(
          (): Seen => undefined,
          (before, state) => {
            if (state._tag !== "listed") return [undefined, [state]] as const
            const names = matching(state.names, filter)
            return [names, [describe(before, names, state, limit)]] as const
          }
        )
      )
    )
  )

/** Names from one place on. */
export const directoryPage = (
  directories: Directories,
  path: string,
  filter: string | undefined,
  offset: number,
  limit: number
) =>
  Effect.gen(function* () {
    const listing = yield* RcMap.get(directories, path)
    const state = yield* SubscriptionRef.changes(listing).pipe(
      Stream.filter((state) => state._tag !== "unknown"),
      Stream.runHead,
      Effect.map(Option.getOrElse((): Listing => ({ _tag: "gone", revision: 0 })))
    )
    if (state._tag === "failed") return yield* Effect.fail(state.failure)
    if (state._tag !== "listed") {
      return { revision: state._tag === "unknown" ? 0 : state.revision, matching: 0, offset, names: [] }
    }
    const names = matching(state.names, filter)
    return { revision: state.revision, matching: names.length, offset, names: names.slice(offset, offset + limit) }
  }).pipe(Effect.scoped)

// ---- internal

type Seen = ReadonlyArray<string> | undefined

const follow = (
  zk: Service,
  reads: Reads,
  path: string,
  listing: SubscriptionRef.SubscriptionRef<Listing>
): Effect.Effect<void> => {
  let revision = 0
  return touches(zk, path).pipe(
    Stream.runForEach(() =>
      Effect.gen(function* () {
        const [elapsed, next] = yield* Effect.timed(
          Outcome.retryAcrossSessions(zk.session, list(reads, path, revision + 1))
        )
        if (isOther(SubscriptionRef.getUnsafe(listing), next)) {
          revision++
          yield* SubscriptionRef.set(listing, next)
        }
        // A long list is not read without a pause, however often it changes.
        yield* Effect.sleep(Duration.max(Duration.times(elapsed, 4), Duration.millis(20)))
      })
    ),
    Effect.as(sessionOver),
    Effect.catch((error) => Effect.succeed(toReadFailure(error))),
    Effect.flatMap((failure) => SubscriptionRef.set(listing, { _tag: "failed", failure }))
  )
}

const list = (reads: Reads, path: string, revision: number): Effect.Effect<Listing, ReadError> =>
  Effect.gen(function* (): Effect.fn.Return<Listing, ReadError> {
    const stat = yield* reads.stat(path)
    if (Option.isNone(stat)) return { _tag: "gone", revision }
    if (stat.value.numChildren > limits.children) return { _tag: "tooMany", revision, stat: stat.value }
    return yield* reads.getChildrenWithStat(path).pipe(
      Effect.map((found): Listing => ({
        _tag: "listed",
        revision,
        stat: found.stat,
        // By code units, as ZnodePath and the page order them.
        // oxlint-disable-next-line unicorn/no-array-sort -- the array is new
        names: [...found.children].sort()
      })),
      Effect.catchTags({
        NoNode: () => Effect.succeed<Listing>({ _tag: "gone", revision }),
        NoAuth: () => Effect.succeed<Listing>({ _tag: "forbidden", revision, stat: stat.value }),
        FrameTooLarge: () => Effect.succeed<Listing>({ _tag: "tooMany", revision, stat: stat.value })
      })
    )
    // Newer servers keep the stat back, too.
  }).pipe(Effect.catchTag("NoAuth", () => Effect.succeed<Listing>({ _tag: "forbidden", revision })))

const isOther = (before: Listing, next: Listing): boolean => {
  if (before._tag !== next._tag) return true
  if (!("stat" in before) || !("stat" in next)) return false
  return before.stat?.pzxid !== next.stat?.pzxid || before.stat?.mzxid !== next.stat?.mzxid || isRecounted(before, next)
}

/** A counter of children that has reached its end moves the pzxid no more. */
const isRecounted = (before: Listing, next: Listing): boolean =>
  before._tag === "listed" && next._tag === "listed" && before.names.length !== next.names.length

const matching = (names: ReadonlyArray<string>, filter: string | undefined): ReadonlyArray<string> => {
  if (filter === undefined || filter === "") return names
  const wanted = filter.toLowerCase()
  return names.filter((name) => name.toLowerCase().includes(wanted))
}

const describe = (
  before: Seen,
  names: ReadonlyArray<string>,
  { names: all, revision, stat }: Extract<Listing, { readonly _tag: "listed" }>,
  limit: number
): DirectoryEvent => {
  const head = { revision, stat, matching: names.length, total: all.length }
  const difference = before === undefined ? undefined : compare(before, names)
  return difference === undefined
    ? { _tag: "listed", ...head, names: names.slice(0, limit) }
    : { _tag: "changed", ...head, ...difference }
}

/** The names that are in one of two sorted lists alone; undefined where they are many. */
const compare = (before: ReadonlyArray<string>, names: ReadonlyArray<string>) => {
  const gone: Array<{ readonly index: number; readonly name: string }> = []
  const come: Array<{ readonly index: number; readonly name: string }> = []
  let i = 0
  let j = 0
  while (i < before.length || j < names.length) {
    const old = before[i]
    const name = names[j]
    if (old === name) {
      i++
      j++
    } else if (name === undefined || (old !== undefined && old < name)) gone.push({ index: i++, name: old ?? "" })
    else come.push({ index: j++, name })
    if (gone.length + come.length > limits.changes) return undefined
  }
  return { gone, come }
}
