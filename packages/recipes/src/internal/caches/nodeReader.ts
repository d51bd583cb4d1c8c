/**
 * How a cache reads znodes, and learns that it has to read again: with one persistent watch on all of them, or, before
 * ZooKeeper 3.6, with one-shot watches that the reads themselves register.
 */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import { ConnectionLoss, type NoNode } from "@effect-zookeeper/client/Errors"
import type { ChildrenAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { RecipeError } from "../../Errors.ts"
import { retryAcrossSessions } from "../shared/retry.ts"
import { JointReads } from "./JointReads.ts"

/** Data and Stat of a path; without data if only the Stat was requested. */
export interface ZnodeRead {
  readonly stat: Stat
  readonly data: Uint8Array | undefined
}

/** Three ways to read a path; each gives undefined where there is no znode. */
export interface NodeReader {
  readonly get: (path: string) => Effect.Effect<ZnodeRead | undefined, RecipeError>
  readonly stat: (path: string) => Effect.Effect<ZnodeRead | undefined, RecipeError>
  readonly list: (path: string) => Effect.Effect<ChildrenAndStat | undefined, RecipeError>
  /** Whether the creation or deletion of a child is noticed, even if the list has not been read. */
  readonly isListWatched: (path: string) => boolean
  /** The snapshot does not hold the path. */
  readonly forget: (path: string) => void
}

/** For a cache with one persistent watch that covers all paths: data that is read at the same time is read together. */
export const joiningReader = (zk: ZooKeeper.Service, scope: Scope.Scope): NodeReader => {
  const reads = new JointReads(zk, scope)
  return { ...plainReader(zk), get: (path) => reads.get(path) }
}

/** Each read is a request of its own. */
const plainReader = (zk: ZooKeeper.Service): NodeReader => ({
  get: (path) => orAbsent(retryAcrossSessions(zk, zk.get(path))),
  stat: (path) => Effect.map(retryAcrossSessions(zk, zk.stat(path)), toZnodeRead),
  list: (path) => orAbsent(retryAcrossSessions(zk, zk.getChildrenWithStat(path))),
  isListWatched: () => true,
  forget: () => {}
})

/**
 * With one-shot watches: one on the data, or on the existence of the root, and one on the list of children. The first read
 * after a watch has fired registers it again. They live in the Scope.
 */
export const watchingReader = (
  zk: ZooKeeper.Service,
  root: string,
  onFired: (kind: WatchKind, path: string) => void,
  scope: Scope.Scope,
  onGivenUp: (error: ConnectionLoss) => void
): NodeReader => {
  const plain = plainReader(zk)
  const watches: Readonly<Record<WatchKind, Map<string, Fiber.Fiber<unknown, unknown>>>> = {
    data: new Map(),
    children: new Map()
  }

  const unwatch = (kind: WatchKind, path: string) => {
    const fiber = watches[kind].get(path)
    watches[kind].delete(path)
    fiber?.interruptUnsafe()
  }

  /** A read that registers a watch. */
  const readAndWatch = <
    A extends { readonly changed: Effect.Effect<unknown, unknown> },
    E extends { readonly _tag: string }
  >(
    kind: WatchKind,
    path: string,
    read: Effect.Effect<A, E>
  ) =>
    Effect.map(Effect.provideService(retryAcrossSessions(zk, watchScoped(read)), Scope.Scope, scope), (seen): A => {
      const fiber: Fiber.Fiber<unknown, unknown> = seen.nextChange
      watches[kind].set(path, fiber)
      fiber.addObserver((exit) => {
        if (watches[kind].get(path) !== fiber) return
        watches[kind].delete(path)
        // All watches are lost together with their session, and the cache then reads everything.
        if (Exit.isSuccess(exit)) return onFired(kind, path)
        const error = Cause.findErrorOption(exit.cause)
        if (Option.isSome(error) && error.value instanceof ConnectionLoss) onGivenUp(error.value)
      })
      return seen
    })

  const exists = (path: string): Effect.Effect<ZnodeRead | undefined, RecipeError> =>
    Effect.map(readAndWatch("data", path, zk.existsAndWatch(path)), ({ stat }) => {
      // Only the root's creation is watched for: of other znodes their parent's list tells.
      if (Option.isNone(stat) && path !== root) unwatch("data", path)
      return toZnodeRead(stat)
    })

  return {
    get: (path) =>
      watches.data.has(path)
        ? plain.get(path)
        : readAndWatch("data", path, zk.getAndWatch(path)).pipe(
            Effect.map(({ data, stat }): ZnodeRead => ({ data, stat })),
            Effect.catchTag("NoNode", () =>
              path === root
                ? Effect.flatMap(exists(path), (seen) => (seen === undefined ? Effect.undefined : plain.get(path)))
                : Effect.undefined
            )
          ),
    stat: (path) => (watches.data.has(path) ? plain.stat(path) : exists(path)),
    list: (path) =>
      watches.children.has(path)
        ? plain.list(path)
        : orAbsent(readAndWatch("children", path, zk.getChildrenAndWatch(path))),
    isListWatched: (path) => watches.children.has(path),
    forget: (path) => {
      if (path !== root) unwatch("data", path)
      unwatch("children", path)
    }
  }
}

// ---- internal

type WatchKind = "data" | "children"

const orAbsent = <A>(read: Effect.Effect<A, RecipeError | NoNode>): Effect.Effect<A | undefined, RecipeError> =>
  Effect.catchTag(read, "NoNode", () => Effect.undefined)

const toZnodeRead = (stat: Option.Option<Stat>): ZnodeRead | undefined =>
  Option.isSome(stat) ? { stat: stat.value, data: undefined } : undefined
