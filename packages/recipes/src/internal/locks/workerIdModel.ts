/** The number of a worker, and those that hold or wait for one. */
import type { Held } from "../../Held.ts"
import type * as ContenderQueue from "./ContenderQueue.ts"

/**
 * A number, and the hold of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeldWorkerId extends Held {
  /** From 0 to `limit` - 1. */
  readonly id: number
}

/**
 * A client that has a number.
 *
 * @category models
 * @since 0.1.0
 */
export interface Holder extends ContenderQueue.Contender {
  readonly id: number
}
