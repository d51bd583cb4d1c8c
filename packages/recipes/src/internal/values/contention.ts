/**
 * The options of those who compare and set, and the cell that they make.
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Lock from "../../Lock.ts"
import { checkCount, checkPath } from "../shared/validate.ts"
import type { Cell } from "./compareAndSet.ts"
import * as Known from "../shared/recipeOptions.ts"

/** How to deal with other clients that keep writing in between. */
export interface ContentionOptions {
  /** After so many attempts in which others wrote in between it fails with `Contended`. Default: it goes on. */
  readonly attempts?: number | undefined
  /**
   * After so many attempts in which others wrote in between (`after`, default 10) it waits for a lock at another path and
   * goes on under it, so that the clients come one by one: Curator's `PromotedToLock`. Default: no lock.
   */
  readonly promote?: { readonly lock: string; readonly after?: number | undefined } | undefined
}

/** Checks the options. */
export const makeCell = Effect.fnUntraced(function* (
  path: string,
  options: ContentionOptions & { readonly acl?: ReadonlyArray<Acl.Acl> | undefined }
): Effect.fn.Return<Cell, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* checkPath(path)
  const { acl, promote } = options
  const attempts = yield* checkCount("attempts", options.attempts)
  yield* Known.checkOptions(Known.promote, promote, "promote")
  if (promote === undefined) return { zk, path, acl, attempts, promote: undefined }
  if (promote.lock === path) {
    return yield* new InvalidArgument({
      argument: "promote.lock",
      value: path,
      rule: "another path than the recipe's own"
    })
  }
  const after = (yield* checkCount("promote.after", promote.after)) ?? 10
  return { zk, path, acl, attempts, promote: { after, lock: yield* Lock.make(promote.lock, { acl }) } }
})
