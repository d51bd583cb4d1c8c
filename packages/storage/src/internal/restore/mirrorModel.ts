/** The options and the state of a mirror. */
import type * as Duration from "effect/Duration"
import type { Owners } from "../live/model.ts"
import type * as Restore from "./model.ts"

/**
 * Options of `run`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Pick<Restore.Options, "acl" | "kinds" | "counters" | "maxRaise" | "concurrency"> {
  /** The first znode of the source. Default: `/`, without `/zookeeper`. */
  readonly path?: string | undefined
  /** The path of the first znode in the target. Default: that in the source. */
  readonly targetPath?: string | undefined
  /**
   * Whether znodes of the target are deleted when they are not in the source: those that are deleted there or ephemeral, and those
   * that the source never had. Default: false; then the target keeps all of them.
   */
  readonly deletes?: boolean | undefined
  /** Where containers and TTL znodes are known from, because servers do not tell them. */
  readonly owners?: Owners | undefined
  /**
   * How often both trees are looked at: for changes of ACLs, which have no events, and for what other clients write into the target.
   * Default: 1 minute.
   */
  readonly checkInterval?: Duration.Input | undefined
  /** Gets the status after each step and once a second. It must return at once and not throw. */
  readonly onStatus?: ((status: Status) => void) | undefined
}

/**
 * How a mirror is doing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status {
  /** `catchingUp`: the whole tree is looked at. `following`: changes are written as they come. */
  readonly phase: "catchingUp" | "following"
  /**
   * How far it is behind, in milliseconds: the age of the oldest change that has come and is not written, or the time for which the
   * source has not been heard, whichever is longer.
   */
  readonly lag: number
  /**
   * All transactions of the source up to this one are in the target, but for changes of ACLs since both trees were last looked at:
   * they have no events.
   */
  readonly zxid: bigint
  /** How many znodes were written and deleted since the start. */
  readonly written: number
  readonly deleted: number
  /** The numbers of sequential znodes that stay below those of the source, with the reason. Paths are those in the target. */
  readonly notRaised: ReadonlyArray<NotRaised>
}

/**
 * A number that was not raised; see `Restore.Step`.
 *
 * @category models
 * @since 0.1.0
 */
export type NotRaised = Extract<Restore.Step, { readonly _tag: "NotRaised" }>
