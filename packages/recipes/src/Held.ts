/**
 * What a holder has of a lock, a permit or the leadership: a znode that stands for it, and the ways not to act without it.
 *
 * @since 0.1.0
 */
import type { InvalidArgument, SessionError, TransactionFailed } from "@effect-zookeeper/client/Errors"
import type * as Op from "@effect-zookeeper/client/Op"
import type * as Effect from "effect/Effect"
import type { LockLost } from "./Errors.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Held {
  /** The znode that stands for it: an ephemeral one of this session. */
  readonly path: string
  /**
   * Larger with each holder of a path, even when its parent was deleted and created again: the transaction that created
   * the znode (its czxid). Give it to what is outside of ZooKeeper, and let that refuse what comes with a smaller one.
   */
  readonly fencingToken: bigint
  /** Never succeeds. Fails in the moment in which it is held no longer; see `LockLost`. */
  readonly lost: Effect.Effect<never, LockLost>
  /**
   * A transaction that the server applies only while the znode is there: a write of a former holder is refused, and fails
   * with `LockLost`. Results and the index of a failure are those of `ops`.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops
  ) => Effect.Effect<Op.WriteResults<Ops>, TransactionFailed | LockLost | InvalidArgument | SessionError>
}
