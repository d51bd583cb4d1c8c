/**
 * Requests that several recipes send, retried as far as that is safe.
 */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import type { OperationError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RecipeError } from "../../Errors.ts"
import type { AclOptions } from "./options.ts"
import { retryAcrossSessions, retryTransient } from "./retry.ts"

/** Data and Stat; undefined where there is no znode. */
export const getOrUndefined = (
  zk: ZooKeeper.Service,
  path: string
): Effect.Effect<DataAndStat | undefined, RecipeError> =>
  Effect.catchTag(retryAcrossSessions(zk, zk.get(path)), "NoNode", () => Effect.undefined)

/** `getOrUndefined`, for what became of a write that was sent before; see `afterCommit`. */
export const getAfterCommit = (
  zk: ZooKeeper.Service,
  path: string
): Effect.Effect<DataAndStat | undefined, RecipeError> =>
  Effect.catchTag(afterCommit(zk, zk.get(path)), "NoNode", () => Effect.undefined)

/** A read that shows what became of a write that was sent before; see `Outcome.settle`. Both are repeated as one. */
export const afterCommit = <A, E extends { readonly _tag: string }>(zk: ZooKeeper.Service, read: Effect.Effect<A, E>) =>
  retryAcrossSessions(zk, Effect.andThen(Outcome.settle(zk), read))

/** The names of the children; none where there is no znode. */
export const getChildrenOrNone = (
  zk: ZooKeeper.Service,
  path: string
): Effect.Effect<ReadonlyArray<string>, RecipeError> =>
  Effect.catchTag(retryAcrossSessions(zk, zk.getChildren(path)), "NoNode", () => Effect.succeed([]))

/** Creates the parents, as containers. */
export const ensureParents = (
  zk: ZooKeeper.Service,
  path: string,
  acl: AclOptions["acl"]
): Effect.Effect<void, RecipeError> =>
  // If an ancestor is reaped meanwhile, the next round creates it.
  Effect.catchTag(retryAcrossSessions(zk, zk.ensurePath(path, { acl })), "NoNode", () => Effect.void)

/** Creates a persistent znode, with containers above it, unless it is there. */
export const createIfMissing = (
  zk: ZooKeeper.Service,
  path: string,
  { acl, data }: AclOptions & { readonly data?: Uint8Array }
): Effect.Effect<void, RecipeError> =>
  retryAcrossSessions(zk, zk.createWithParents(path, { data, acl, parentAcl: acl })).pipe(
    // If a parent is reaped meanwhile, or the znode deleted again, the next round creates it.
    Effect.catchTag(["NodeExists", "NoNode"], () => Effect.void),
    Effect.asVoid
  )

/** Errors that depend on the znode; the others hold for any znode at the path. */
type StateConflict = Extract<OperationError, { readonly _tag: "NoNode" | "NodeExists" | "BadVersion" | "NotEmpty" }>

/** Whether an operation was refused because of the present state, rather than of rights or limits. */
export const isStateConflict = (error: OperationError): error is StateConflict =>
  error._tag === "NoNode" || error._tag === "NodeExists" || error._tag === "BadVersion" || error._tag === "NotEmpty"

/** Waits until something happens to a znode; returns at once when there is none. */
export const awaitChange = (zk: ZooKeeper.Service, path: string): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(retryTransient(watchScoped(zk.getAndWatch(path))), ({ nextChange }) =>
      Effect.asVoid(Fiber.join(nextChange))
    )
  ).pipe(Effect.catchTag("NoNode", () => Effect.void))
