/**
 * The results of writes to counters and values.
 *
 * @since 0.1.0
 */
import { jsonOf } from "@effect-zookeeper/client/Json"
import { Opaque } from "@effect-zookeeper/client/PromiseAdapter"

/**
 * The value before and after a write.
 *
 * @category models
 * @since 0.1.0
 */
export class Change<out A> extends Opaque {
  /** The value before; the initial value if there was no znode. */
  readonly pre: A
  /** The value that was written. */
  readonly post: A
  /** How often it was tried: 1 without a conflict and a lost reply. */
  readonly attempts: number

  constructor(pre: A, post: A, attempts: number) {
    super()
    this.pre = pre
    this.post = post
    this.attempts = attempts
  }

  /** 64-bit numbers as decimal text, which JSON has no numbers for. */
  toJSON(): unknown {
    return jsonOf(this)
  }
}

/**
 * The result of a compare-and-set. Where it was not `applied`, `pre` and `post` are both the present value.
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
