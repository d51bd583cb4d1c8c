/**
 * The hold of a lock, a permit, a lease or the leadership: the znode behind it, and the means not to act after a loss.
 *
 * @since 0.1.0
 */
import type { InvalidArgument, SessionError, TransactionFailed } from "@effect-zookeeper/client/Errors"
import type * as Op from "@effect-zookeeper/client/Op"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import type * as Effect from "effect/Effect"
import type { LockLost } from "./Errors.ts"
import type { AclOptions } from "./internal/shared/options.ts"

/**
 * The effect of a lost connection on a hold: `continue` until the session is in doubt, or `stop` at once.
 *
 * @category options
 * @since 0.1.0
 */
export type OnDisconnect = "continue" | "stop"

/**
 * The effect of a request by another client to give a hold back (`revoke`): `continue`, which leaves it to the holder, or
 * `stop`.
 *
 * @category options
 * @since 0.1.0
 */
export type OnRevoke = "continue" | "stop"

/**
 * The options of all recipes that hold something by an ephemeral znode: locks, permits and leadership.
 *
 * @category options
 * @since 0.1.0
 */
export interface HoldOptions extends AclOptions {
  /** Written into the contender's znode, to tell others who it is. Default: nothing. */
  readonly identifier?: Data | undefined
  /**
   * The effect of a lost connection on the holder. `continue`, the default: none until the session is in doubt. `stop`:
   * the hold is lost at once.
   */
  readonly onDisconnect?: OnDisconnect | undefined
  /**
   * The effect of a request by another client to give it back. `continue`, the default: `held.revocation` completes, and
   * the holder decides. `stop`: the hold is lost at once, with the reason `revoked`, so that a guarded effect is interrupted.
   * If it was asked for while it waited, the guarded effect does not begin.
   */
  readonly onRevoke?: OnRevoke | undefined
}

/**
 * Something held. Use `fencingToken` for writes outside of ZooKeeper, and `transaction` for writes in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  /** The ephemeral znode behind it, owned by this session. A lease has a persistent one. */
  readonly path: string
  /**
   * Grows with each holder of a path, even when its parent was deleted and created again: it is the transaction that
   * created the znode (its czxid). Give it to a store outside of ZooKeeper, and let that refuse writes with a smaller one.
   */
  readonly fencingToken: bigint
  /** Never succeeds. Fails with `LockLost` at the moment in which it is no longer held. */
  readonly lost: Effect.Effect<never, LockLost>
  /**
   * Completes when another client has asked for it (`revoke`, or Curator's `Revoker`). Finish or save the work then, and
   * give it back. A request that came while this client waited for its turn counts. Leases are not asked for.
   */
  readonly revocation: Effect.Effect<void>
  /**
   * A transaction that the server applies only while the znode is there: a late write of a former holder is refused, and
   * fails with `LockLost`. Results and the index of a failure refer to `ops`. Fails with `TransactionFailed` like the
   * client's `transaction`.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops
  ) => Effect.Effect<Op.WriteResults<Ops>, TransactionFailed | LockLost | InvalidArgument | SessionError>
}
