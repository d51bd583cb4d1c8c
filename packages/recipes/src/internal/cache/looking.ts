/**
 * How a cache looks at znodes and learns that it has to look again: beside one persistent watch on all of them, or, below
 * ZooKeeper 3.6, with one-shot watches that the looks themselves leave.
 */
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
import { acrossSessions } from "../patience.ts"
import { watched } from "../watching.ts"

/** What a look can fail with, when it has been patient. */
export type LookError = RecipeError

/** What is at a path; without data if only the Stat was asked for. */
export interface Seen {
  readonly stat: Stat
  readonly data: Uint8Array | undefined
}

/** Three ways to look at a path; each gives undefined where there is no znode. */
export interface Looking {
  readonly get: (path: string) => Effect.Effect<Seen | undefined, LookError>
  readonly stat: (path: string) => Effect.Effect<Seen | undefined, LookError>
  readonly list: (path: string) => Effect.Effect<ChildrenAndStat | undefined, LookError>
  /** Whether whoever creates or deletes a child is noticed, whether or not the list has been read. */
  readonly isListWatched: (path: string) => boolean
  /** The cache does not hold the path. */
  readonly forget: (path: string) => void
}

/** With a persistent watch beside it that covers all paths. */
export const beside = (zk: ZooKeeper.Service): Looking => ({
  get: (path) => orAbsent(acrossSessions(zk, zk.get(path))),
  stat: (path) => Effect.map(acrossSessions(zk, zk.stat(path)), seenStat),
  list: (path) => orAbsent(acrossSessions(zk, zk.getChildrenWithStat(path))),
  isListWatched: () => true,
  forget: () => {}
})

/** Who is told that something is to be looked at: the data of a path, or its list of children. */
export type Alarm = (kind: Kind, path: string) => void

export type Kind = "data" | "children"

/**
 * With one-shot watches: one on the data, or on the existence of the root, and one on the list of children, each set again
 * by the first look after it has fired. They live in the Scope.
 */
export const withWatches = (
  zk: ZooKeeper.Service,
  root: string,
  alarm: Alarm,
  scope: Scope.Scope,
  onGivenUp: (error: ConnectionLoss) => void
): Looking => {
  const plain = beside(zk)
  const armed: Readonly<Record<Kind, Map<string, Fiber.Fiber<unknown, unknown>>>> = {
    data: new Map(),
    children: new Map()
  }

  const disarm = (kind: Kind, path: string) => {
    const fiber = armed[kind].get(path)
    armed[kind].delete(path)
    fiber?.interruptUnsafe()
  }

  /** A look that leaves a watch. */
  const arming = <A extends { readonly changed: Effect.Effect<unknown, unknown> }, E extends { readonly _tag: string }>(
    kind: Kind,
    path: string,
    look: Effect.Effect<A, E>
  ) =>
    Effect.map(Effect.provideService(watched(acrossSessions(zk, look)), Scope.Scope, scope), (seen): A => {
      const fiber: Fiber.Fiber<unknown, unknown> = seen.changing
      armed[kind].set(path, fiber)
      fiber.addObserver((exit) => {
        if (armed[kind].get(path) !== fiber) return
        armed[kind].delete(path)
        // With their session all watches are lost at once, and whoever follows the session looks at everything.
        if (Exit.isSuccess(exit)) return alarm(kind, path)
        const error = Cause.findErrorOption(exit.cause)
        if (Option.isSome(error) && error.value instanceof ConnectionLoss) onGivenUp(error.value)
      })
      return seen
    })

  const exists = (path: string): Effect.Effect<Seen | undefined, LookError> =>
    Effect.map(arming("data", path, zk.existsAndWatch(path)), ({ stat }) => {
      // Only the root is waited for: of others their parent's list will tell.
      if (Option.isNone(stat) && path !== root) disarm("data", path)
      return seenStat(stat)
    })

  return {
    get: (path) =>
      armed.data.has(path)
        ? plain.get(path)
        : arming("data", path, zk.getAndWatch(path)).pipe(
            Effect.map(({ data, stat }): Seen => ({ data, stat })),
            Effect.catchTag("NoNode", () =>
              path === root
                ? Effect.flatMap(exists(path), (seen) => (seen === undefined ? Effect.undefined : plain.get(path)))
                : Effect.undefined
            )
          ),
    stat: (path) => (armed.data.has(path) ? plain.stat(path) : exists(path)),
    list: (path) =>
      armed.children.has(path) ? plain.list(path) : orAbsent(arming("children", path, zk.getChildrenAndWatch(path))),
    isListWatched: (path) => armed.children.has(path),
    forget: (path) => {
      if (path !== root) disarm("data", path)
      disarm("children", path)
    }
  }
}

// ---- internal

const orAbsent = <A>(look: Effect.Effect<A, LookError | NoNode>): Effect.Effect<A | undefined, LookError> =>
  Effect.catchTag(look, "NoNode", () => Effect.undefined)

const seenStat = (stat: Option.Option<Stat>): Seen | undefined =>
  Option.isSome(stat) ? { stat: stat.value, data: undefined } : undefined
