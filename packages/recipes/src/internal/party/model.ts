/**
 * The options of a party, and its members.
 */
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { MemberExists } from "../../Errors.ts"
import type * as PersistentNode from "../../PersistentNode.ts"
import type { AclOptions } from "../shared/options.ts"

/**
 * Names of the members' znodes.
 *
 * - `curator`: the id alone, as of Curator's `GroupMember`; the default. An id is there once.
 * - `aiozk`: `<id>-<32 hex>-<number>`, of aiozk. The id of a member is all but the number, so that names can repeat.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "aiozk"

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclOptions {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
  /**
   * Which ephemeral children are members, by their names. Children that are not ephemeral never are. Default: all in the
   * layout `curator`, and those with its names in `aiozk`.
   */
  readonly filter?: ((name: string) => boolean) | undefined
}

/**
 * Options of `join`.
 *
 * @category options
 * @since 0.1.0
 */
export interface JoinOptions {
  /** The name by which others know the member, without "/". Default: a new UUID. */
  readonly id?: string | undefined
  /** Data that others see with the member. Default: nothing. */
  readonly data?: Data | undefined
  /**
   * The behaviour when another session has the id.
   *
   * - `fail`, the default: waits for `expiryTimeout`, since a process that has just died may have left it, and then fails
   *   with `MemberExists`.
   * - `wait`: waits until it is free.
   * - `suffix`: takes `<id>-2`, or the next free number.
   */
  readonly onConflict?: "fail" | "wait" | "suffix" | undefined
  /** How long `fail` waits for a dead member. Numbers are milliseconds. Default: a session timeout. */
  readonly expiryTimeout?: Duration.Input | undefined
}

/**
 * Data by the ids of members. The Map is immutable.
 *
 * @category models
 * @since 0.1.0
 */
export type Members = ReadonlyMap<string, Uint8Array>

/**
 * The own membership.
 *
 * @category models
 * @since 0.1.0
 */
export interface Membership {
  /** The id by which others know this member. */
  readonly id: string
  readonly path: string
  /** The state of its znode; see `PersistentNode`. */
  readonly status: PersistentNode.Status
  /** The current status, then each newer one. */
  readonly changes: Stream.Stream<PersistentNode.Status>
  /** Replaces the data that others see, and waits until it is written; see `PersistentNode.setData`. */
  readonly setData: (data: Data) => Effect.Effect<void, PersistentNode.PersistentNodeError>
}

/**
 * Errors of joining.
 *
 * @category errors
 * @since 0.1.0
 */
export type JoinError = MemberExists | PersistentNode.PersistentNodeError
