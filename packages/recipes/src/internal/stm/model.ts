/** The steps and errors of a software transaction. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { NodeExists, NoNode, NotEmpty } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Contended, OutcomeUnknown, RecipeError, VersionExhausted } from "../../Errors.ts"

/**
 * Options of `Transaction.create`.
 *
 * @category options
 * @since 0.1.0
 */
export interface CreateOptions {
  /** Default: none. */
  readonly data?: Data | undefined
  /** Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /** Default `persistent`. */
  readonly mode?: "persistent" | "ephemeral" | "container" | undefined
}

/**
 * Errors of applying a transaction. `NotEmpty`: a znode that it deletes has children.
 *
 * @category errors
 * @since 0.1.0
 */
export type CommitError = RecipeError | NotEmpty | OutcomeUnknown | VersionExhausted | Contended

/**
 * The znodes, as one run of a transaction sees them: with its own writes, and otherwise as they were at one moment. It is of
 * no use after the run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transaction {
  /** The data of a znode; None where there is no such znode. */
  readonly get: (path: string) => Effect.Effect<Option.Option<Uint8Array>, RecipeError>
  /** Replaces the data of a znode. Fails with `NoNode` where there is none. */
  readonly set: (path: string, data: Data) => Effect.Effect<void, NoNode | RecipeError>
  /** Creates a znode. Fails with `NodeExists` where there is one, and with `NoNode` without a parent. */
  readonly create: (path: string, options?: CreateOptions) => Effect.Effect<void, NodeExists | NoNode | RecipeError>
  /**
   * Deletes a znode. Fails with `NoNode` where there is none, and with `NotEmpty` where this transaction has created a child.
   * Other children make the transaction fail with `NotEmpty`.
   */
  readonly delete: (path: string) => Effect.Effect<void, NoNode | NotEmpty | RecipeError>
  /**
   * Gives this run up, waits until a znode that it has read changes, and runs the transaction again. Use it to wait for a
   * state, such as an account with enough money. It waits for ever if the run has read nothing.
   */
  readonly retry: Effect.Effect<never>
}
