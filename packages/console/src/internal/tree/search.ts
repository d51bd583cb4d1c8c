/** Searches of a subtree, and its size. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as TreeWalk from "@effect-zookeeper/client/TreeWalk"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SearchEvent } from "../../SearchModels.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { toReadFailure } from "../failures.ts"
import * as limits from "../limits.ts"

export interface Wanted {
  readonly text: string
  readonly inNames: boolean
  readonly inData: boolean
  readonly ignoreCase: boolean
  readonly kind?: "persistent" | "ephemeral" | undefined
}

/** It ends with `done`, or is interrupted. */
export const search = (
  zk: Service,
  reads: TreeWalk.Reads,
  path: string,
  wanted: Wanted
): Stream.Stream<SearchEvent, ReadFailure> =>
  Stream.suspend(() => {
    const state = { visited: 0, found: 0, forbidden: 0, tooLarge: 0, told: 0 }
    const matches = TreeWalk.walk(reads, path, { concurrency: 64, multiRead: true, skipTooLarge: true }).pipe(
      Stream.mapEffect((znode) => Effect.map(look(zk, znode, wanted), (match) => ({ znode, match })), {
        concurrency: 32
      }),
      Stream.mapEffect(({ match, znode }) =>
        Effect.map(Clock.currentTimeMillis, (now): Step => {
          // It was read ahead.
          if (state.found === limits.matches) return { events: [], isLast: true }
          state.visited++
          if (znode.isForbidden || match === "forbidden") state.forbidden++
          if (znode.isTooLarge) state.tooLarge++
          const events: Array<SearchEvent> = []
          if (match !== undefined && match !== "forbidden") {
            state.found++
            const { path, stat } = znode
            events.push({ _tag: "found", path, ...(stat === undefined ? {} : { stat }), ...match })
          }
          if (now - state.told >= 250) {
            state.told = now
            events.push({ _tag: "progress", visited: state.visited, found: state.found, at: znode.path })
          }
          return { events, isLast: state.found === limits.matches }
        })
      ),
      Stream.takeUntil(({ isLast }) => isLast),
      Stream.map(({ events }) => events),
      Stream.flattenIterable,
      Stream.mapError(toReadFailure)
    )
    const done = Stream.suspend(() => {
      const { forbidden, found, tooLarge, visited } = state
      const isComplete = found < limits.matches && tooLarge === 0
      return Stream.make<[SearchEvent]>({ _tag: "done", visited, found, forbidden, isComplete })
    })
    return Stream.concat(matches, done)
  })

/** The znodes at and below a path, and their bytes where that is cheap. */
export const subtreeSize = Effect.fnUntraced(function* (zk: Service, path: string) {
  const znodes = yield* countZnodes(zk, path)
  if (znodes > limits.counted) return { znodes }
  const bytes = yield* TreeWalk.walk(zk, path, { concurrency: 64, multiRead: true }).pipe(
    Stream.take(limits.counted * 2),
    Stream.runFold(
      () => 0,
      (sum, { stat }) => sum + (stat?.dataLength ?? 0)
    )
  )
  return { znodes, bytes }
}, Effect.mapError(toReadFailure))

/** The znodes at and below a path: by one request since ZooKeeper 3.6, and else by a walk that stops at the limit. */
export const countZnodes = (zk: Service, path: string): Effect.Effect<number, ReadError> =>
  zk.countDescendants(path).pipe(
    Effect.map((below) => below + 1),
    Effect.catchIf(Outcome.isUnimplemented, () =>
      TreeWalk.walk(zk, path, { concurrency: 64 }).pipe(Stream.take(limits.removal + 1), Stream.runCount)
    )
  )

// ---- internal

interface Step {
  readonly events: ReadonlyArray<SearchEvent>
  readonly isLast: boolean
}

type Match = { readonly where: "name" | "data"; readonly excerpt?: string }

const look = Effect.fnUntraced(function* (
  zk: Service,
  { path, stat }: TreeWalk.Visited,
  { ignoreCase, inData, inNames, kind, text }: Wanted
): Effect.fn.Return<Match | "forbidden" | undefined, ReadError> {
  if (kind !== undefined && (stat === undefined || (stat.ephemeralOwner !== 0n) !== (kind === "ephemeral"))) {
    return undefined
  }
  const wanted = ignoreCase ? text.toLowerCase() : text
  const fold = (from: string) => (ignoreCase ? from.toLowerCase() : from)
  if (inNames && fold(ZnodePath.name(path)).includes(wanted)) return { where: "name" }
  if (!inData || stat === undefined || stat.dataLength === 0) return undefined
  const data = yield* Effect.catchTags(zk.getData(path), {
    NoNode: () => Effect.succeed(undefined),
    NoAuth: () => Effect.succeed("forbidden" as const),
    FrameTooLarge: () => Effect.succeed(undefined)
  })
  if (data === undefined || data === "forbidden") return data
  const content = decoder.decode(data)
  const at = fold(content).indexOf(wanted)
  return at < 0 ? undefined : { where: "data", excerpt: content.slice(Math.max(0, at - 60), at + wanted.length + 60) }
})

/** Bytes that are no UTF-8 are not found, and do no harm. */
const decoder = new TextDecoder()
