/**
 * What a write of a counter or a value did.
 *
 * @since 0.1.0
 */
import { Opaque } from "@effect-zookeeper/client/PromiseAdapter"

/**
 * What was before and what is after.
 *
 * @category models
 * @since 0.1.0
 */
export class Change<out A> extends Opaque {
  /** What was there; the initial value if nothing was. */
  readonly pre: A
  /** What has been written. */
  readonly post: A
  /** How often it was tried: 1 if nobody came in between and no reply was lost. */
  readonly attempts: number

  constructor(pre: A, post: A, attempts: number) {
    super()
    this.pre = pre
    this.post = post
    this.attempts = attempts
  }
}

/**
 * What a compare-and-set did. Where it was not `applied`, `pre` and `post` are both what is there.
 *
 * @category models
 * @since 0.1.0
 */
export class Exchange<out A> extends Change<A> {
  readonly applied: boolean

  constructor(pre: A, post: A, attempts: number, applied: boolean) {
    super(pre, post, attempts)
    this.applied = applied
  }
}
