/** The options and the steps of a restore. */
import type { Acl } from "@effect-zookeeper/client/Acl"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { AclReaders } from "../live/model.ts"
import type { OnProgress } from "../../Progress.ts"
import type { MaskedAcl } from "../../StorageError.ts"
import type { WriteError } from "./Writer.ts"

/**
 * Options of `plan` and `run`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclReaders {
  /** The path in the target for the first znode of the source. Default: its path in the source. */
  readonly path?: string | undefined
  /**
   * Which znodes of the target with other data or another ACL are overwritten: `older` (default) those that were not written after
   * the ones of the source, by the clocks of the servers; `never` none; `always` all of them. ACLs have no times: one that was changed
   * later stays only in the very znode of which the source was made.
   */
  readonly overwrite?: "older" | "never" | "always" | undefined
  /** The ACL that a znode gets in place of its own. Default: its own. */
  readonly acl?: ((acl: ReadonlyArray<Acl>, path: string) => ReadonlyArray<Acl>) | undefined
  /** `persistent` makes containers and TTL znodes persistent, for servers that do not have them. Default: `keep`. */
  readonly kinds?: "keep" | "persistent" | undefined
  /** Whether the numbers of sequential znodes are raised to what they were. Default: true. */
  readonly counters?: boolean | undefined
  /** By how much a number is raised at most; it costs a create and a delete for each. Default: 1,000,000. */
  readonly maxRaise?: number | undefined
  /** How many znodes are asked for at a time. Default: 256. */
  readonly concurrency?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * The step that is taken, or would be taken, for a znode of the source. Paths are those in the target.
 *
 * @category models
 * @since 0.1.0
 */
export type Step =
  | { readonly _tag: "Create"; readonly path: string }
  /** `data` and `acl` tell what is overwritten. */
  | { readonly _tag: "Overwrite"; readonly path: string; readonly data: boolean; readonly acl: boolean }
  /** The znode is there already. */
  | { readonly _tag: "Same"; readonly path: string }
  /**
   * Another znode is there, and stays:
   *
   * - `newer`: it was written after the one of the source.
   * - `exists`: nothing is overwritten with `never`.
   * - `ephemeral`: it belongs to a session.
   * - `belowEphemeral`: its parent belongs to a session, so that it cannot be created.
   */
  | {
      readonly _tag: "Leave"
      readonly path: string
      readonly reason: "newer" | "exists" | "ephemeral" | "belowEphemeral"
    }
  /** It is ephemeral in the source, where it belongs to `session`. */
  | { readonly _tag: "Skip"; readonly path: string; readonly session: bigint }
  /** The number of the next sequential child is raised. */
  | { readonly _tag: "Raise"; readonly path: string; readonly from: number; readonly to: number }
  /**
   * It stays below what it was: it would be raised by more than `maxRaise` (`limit`), the ACL grants no CREATE or no DELETE
   * (`notPermitted`), or another client has put an ephemeral znode there (`ephemeral`) or deleted it (`missing`).
   */
  | {
      readonly _tag: "NotRaised"
      readonly path: string
      readonly from: number
      readonly to: number
      readonly reason: "limit" | "notPermitted" | "ephemeral" | "missing"
    }

/**
 * How many steps of each kind there were.
 *
 * @category models
 * @since 0.1.0
 */
export type Summary = { readonly [K in Step["_tag"]]: number }

/**
 * The errors of `plan`, beside those of the source. `NoAuth`: an ACL of the target forbids it. `MaskedAcl`: an ACL of the source
 * has no hashes.
 *
 * @category errors
 * @since 0.1.0
 */
export type PlanError = ReadError | MaskedAcl

/**
 * The errors of `run`, beside those of the source: those of `plan`, and those of creates and writes.
 *
 * @category errors
 * @since 0.1.0
 */
export type RunError = WriteError | MaskedAcl
