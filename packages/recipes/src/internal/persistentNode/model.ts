/**
 * The options and states of a kept znode.
 */
import type { CreateMode } from "@effect-zookeeper/client/CreateMode"
import type { NoNode } from "@effect-zookeeper/client/Errors"
import type { CreateOptions, Data } from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { RecipeError } from "../../Errors.ts"
import type { AclOptions } from "../shared/options.ts"

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclOptions {
  /** The data of the znode, until `setData` changes it. Default: nothing. */
  readonly data?: Data | undefined
  /**
   * Default `ephemeral`. With a time to live (ZooKeeper 3.5.3 and later) the znode outlives the session: its child `touch`
   * is written twice in that time, so that the servers delete both some time after this process has gone.
   */
  readonly mode?: CreateMode | undefined
  /** Required for the modes with a time to live, and for no other. Numbers are milliseconds. */
  readonly ttl?: Duration.Input | undefined
  /**
   * Puts an id into the name, by which a create whose reply was lost is found again; see `CreateOptions` of the client.
   * Default true for the sequential modes, whose name would be unknown otherwise, and false for the others.
   */
  readonly protected?: CreateOptions["protected"]
  /**
   * Whether missing parents are created, as containers. Default true; otherwise the status is `Refused` with `NoNode`.
   */
  readonly parents?: boolean | undefined
  /**
   * Whether data that other clients write is replaced by the own data. Default false: it stays until the next `setData`.
   */
  readonly restore?: boolean | undefined
  /** Whether `make` waits until the znode is there, and fails if the server refuses it. Default true. */
  readonly wait?: boolean | undefined
  /**
   * Whether the znode is deleted when the Scope closes, also one that `make` has taken over. Default true; if false, an
   * ephemeral one goes with its session.
   */
  readonly deleteOnClose?: boolean | undefined
}

/**
 * The state of the znode, as far as this client knows.
 *
 * - `Absent`: it is being created, or is about to be.
 * - `Present`: it is there, at `path`; `czxid` is the transaction that created it.
 * - `Blocked`: a znode of another owner (a session, or 0 for none) has the path; it waits until that one has gone.
 * - `Refused`: the server refuses it. It tries again after `setData`, with the next connection, when a missing parent is
 *   there, and once a minute; not when the session has ended for good. After eight connections were lost it does not try
 *   again with the next one.
 * - `Closed`: its Scope has closed. Final.
 *
 * @category models
 * @since 0.1.0
 */
export type Status =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Present"; readonly path: string; readonly czxid: bigint }
  | { readonly _tag: "Blocked"; readonly path: string; readonly owner: bigint }
  | { readonly _tag: "Refused"; readonly error: PersistentNodeError }
  | { readonly _tag: "Closed" }

/**
 * Errors that keep the znode from being there; `NoNode` only where `parents` is false.
 *
 * @category errors
 * @since 0.1.0
 */
export type PersistentNodeError = RecipeError | NoNode

/**
 * A kept znode.
 *
 * @category models
 * @since 0.1.0
 */
export interface PersistentNode {
  /** The path that was asked for. */
  readonly path: string
  /**
   * The path of the znode, with its number or id; None before it is created. In the other modes it is `path` from the
   * beginning.
   */
  readonly actualPath: Option.Option<string>
  readonly status: Status
  /** The current status, then each newer one; ends with `Closed`. */
  readonly changes: Stream.Stream<Status>
  /** Whether the status is `Present`. */
  readonly isPresent: boolean
  /** Waits until the znode is there and gives its path. Fails if the server refuses it. */
  readonly present: Effect.Effect<string, PersistentNodeError>
  /**
   * Replaces the data from now on, and waits until it is written. It is written even if the wait is interrupted, for
   * example while there is no connection: with the next one. Fails with `ConnectionLoss` after eight lost connections.
   */
  readonly setData: (data: Data) => Effect.Effect<void, PersistentNodeError>
}
