/**
 * How far a long work has come.
 *
 * @since 0.1.0
 */

/**
 * How far a backup, a restore or a copy has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /**
   * - `reading`: the znodes of a live tree are read, or those of the source of `Restore.plan`.
   * - `checking`: they are looked at again, until nothing has changed meanwhile.
   * - `comparing`: the znodes of the target are looked at.
   * - `writing`: znodes are written, to a file or to the target.
   * - `counters`: the numbers of sequential znodes are raised.
   */
  readonly phase: "reading" | "checking" | "comparing" | "writing" | "counters"
  /** How many znodes are done in this phase, or how many numbers were raised. */
  readonly done: number
  /** How many there are; undefined where it is not known. */
  readonly total: number | undefined
}

/**
 * Is called after each step. It must return at once and not throw.
 *
 * @category models
 * @since 0.1.0
 */
export type OnProgress = (progress: Progress) => void
