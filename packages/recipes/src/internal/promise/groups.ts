/**
 * The Promise APIs of recipes for groups of processes: barriers, parties, allocators and persistent nodes.
 */
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import type { CallOptions, Promised } from "@effect-zookeeper/client/PromiseAdapter"
import * as Allocator from "../../Allocator.ts"
import * as Barrier from "../../Barrier.ts"
import * as DoubleBarrier from "../../DoubleBarrier.ts"
import * as Party from "../../Party.ts"
import * as PersistentNode from "../../PersistentNode.ts"
import { acquireReleasable, guardedCallback, promisify, type Releasable, makeSync } from "./adapt.ts"

/**
 * See `Allocator`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseAllocator extends Omit<Promised<Allocator.Allocator>, "whileAllocated"> {
  /**
   * Calls the callback with the items that this member owns, and again with later ones; see `Allocator.whileAllocated`.
   * Rejects with the callback's own error.
   */
  readonly whileAllocated: (
    f: (input: {
      readonly items: ReadonlyArray<string>
      /** Aborted before an item is another member's. */
      readonly signal: AbortSignal
    }) => PromiseLike<unknown> | unknown,
    call?: CallOptions
  ) => Promise<never>
}

/**
 * See `Barrier`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseBarrier = Promised<Barrier.Barrier>

/**
 * See `DoubleBarrier`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseDoubleBarrier = Promised<DoubleBarrier.DoubleBarrier>

/**
 * See `Party`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseParty extends Omit<Promised<Party.Party>, "join"> {
  /** Joins until it is released; see `Party.join`. Rejects with `MemberExists` if another session keeps the id. */
  readonly join: (options?: Party.JoinOptions, call?: CallOptions) => Promise<Releasable<Promised<Party.Membership>>>
}

/**
 * See `PersistentNode`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export type PromisePersistentNode = Promised<PersistentNode.PersistentNode>

/** The recipes for groups. */
export interface GroupRecipes {
  /** Joins the members that divide the items of a path, until it is released; see `Allocator.make`. */
  readonly allocator: (
    path: string,
    options?: Allocator.Options,
    call?: CallOptions
  ) => Promise<Releasable<PromiseAllocator>>
  /** See `Barrier.make`. */
  readonly barrier: (path: string, options?: Barrier.Options) => PromiseBarrier
  /** See `DoubleBarrier.make`. */
  readonly doubleBarrier: (path: string, options: DoubleBarrier.Options) => PromiseDoubleBarrier
  /** Follows a party until it is released; see `Party.make`. */
  readonly party: (path: string, options?: Party.Options, call?: CallOptions) => Promise<Releasable<PromiseParty>>
  /** Keeps a znode until it is released; see `PersistentNode.make`. */
  readonly persistentNode: (
    path: string,
    options?: PersistentNode.Options,
    call?: CallOptions
  ) => Promise<Releasable<PromisePersistentNode>>
}

export const groupRecipes = (zk: PromiseClient): GroupRecipes => ({
  allocator: (path, options, call) =>
    acquireReleasable(
      zk,
      Allocator.make(path, options),
      call,
      (allocator): Pick<PromiseAllocator, "whileAllocated"> => ({
        whileAllocated: (f, call) => {
          const guarded = guardedCallback(zk, f)
          return zk.run(
            allocator.whileAllocated((items) => guarded({ items })),
            call
          )
        }
      })
    ),
  barrier: (path, options) => promisify(zk, makeSync(zk, Barrier.make(path, options))),
  doubleBarrier: (path, options) => promisify(zk, makeSync(zk, DoubleBarrier.make(path, options))),
  party: (path, options, call) =>
    acquireReleasable(zk, Party.make(path, options), call, (party): Pick<PromiseParty, "join"> => ({
      join: (options, call) => acquireReleasable(zk, party.join(options), call)
    })),
  persistentNode: (path, options, call) => acquireReleasable(zk, PersistentNode.make(path, options), call)
})
