/**
 * The errors of the client: their classes, and the unions that its methods fail with. Promises reject with the same errors.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import {
  BadVersion,
  InvalidACL,
  NewConfigNoQuorum,
  NoAuth,
  NoChildrenForEphemerals,
  NodeExists,
  NoNode,
  NotEmpty,
  NoWatcher,
  QuotaExceeded,
  ReconfigInProgress
} from "@effect-zookeeper/protocol/ServerError"
import {
  AuthFailed,
  ConnectFailed,
  ConnectionLoss,
  FrameTooLarge,
  OwnershipLost,
  ProtocolError,
  RequestTimeout,
  ServerRefused,
  SessionClosed,
  SessionExpired
} from "@effect-zookeeper/session/SessionError"
import type { SessionError } from "@effect-zookeeper/session/SessionError"
import * as Schema from "effect/Schema"

export {
  AuthFailed,
  BadVersion,
  ConnectFailed,
  ConnectionLoss,
  FrameTooLarge,
  InvalidACL,
  InvalidArgument,
  NewConfigNoQuorum,
  NoAuth,
  NoChildrenForEphemerals,
  NodeExists,
  NoNode,
  NotEmpty,
  NoWatcher,
  OwnershipLost,
  ProtocolError,
  QuotaExceeded,
  ReconfigInProgress,
  RequestTimeout,
  ServerRefused,
  SessionClosed,
  SessionExpired
}
export type { SessionError }

/** The errors of one operation of a transaction. */
const OperationError = Schema.Union([
  NoNode,
  NoAuth,
  BadVersion,
  NodeExists,
  NotEmpty,
  NoChildrenForEphemerals,
  InvalidACL,
  QuotaExceeded,
  ServerRefused
])

/**
 * The errors of one operation of a transaction; see {@link TransactionFailed}.
 *
 * @category errors
 * @since 0.1.0
 */
export type OperationError = typeof OperationError.Type

/**
 * A transaction was refused, and none of its operations was applied.
 *
 * `index` is that of the operation that was refused, counted from 0, and `error` says why. `results` has one entry for each
 * operation, in their order: `rolledBack` for those before it, the error for itself, and `notRun` for those after it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransactionFailed extends ErrorClass.make(
  Schema.TaggedError<TransactionFailed>()("TransactionFailed", {
    index: Schema.Number,
    error: OperationError,
    results: Schema.Array(Schema.Union([Schema.Literal("rolledBack"), Schema.Literal("notRun"), OperationError]))
  })
) {
  override get message(): string {
    return `operation ${this.index} of a transaction of ${this.results.length} failed, and none of them was applied: ${this.error.message}`
  }
}

// -----------------------------------------------------------------------------
// the errors of methods
// -----------------------------------------------------------------------------

type Of<O extends Operation.Any> = Operation.Error<O> | InvalidArgument | SessionError

/**
 * The errors of `create` and of the other methods that create znodes: `NodeExists`, `NoNode`, `NoAuth`, `InvalidACL`,
 * `NoChildrenForEphemerals`, `QuotaExceeded`, and those of every method.
 *
 * @category errors
 * @since 0.1.0
 */
export type CreateError = Of<typeof Operations.create>

/**
 * The errors of `exists` and `stat`: `NoAuth`, and those of every method. A znode that does not exist is an answer.
 *
 * @category errors
 * @since 0.1.0
 */
export type ExistsError = Exclude<Of<typeof Operations.exists>, NoNode>

/**
 * The errors of reads of data, children and ACLs: `NoNode`, `NoAuth`, and those of every method.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReadError = Of<typeof Operations.getData>

/**
 * The errors of `set`, `setData` and `update`: `NoNode`, `NoAuth`, `BadVersion`, `QuotaExceeded`, and those of every
 * method.
 *
 * @category errors
 * @since 0.1.0
 */
export type SetDataError = Of<typeof Operations.setData>

/**
 * The errors of `setAcl`: `NoNode`, `NoAuth`, `InvalidACL`, `BadVersion`, and those of every method.
 *
 * @category errors
 * @since 0.1.0
 */
export type SetAclError = Of<typeof Operations.setACL>

/**
 * The errors of `delete`: `NoNode`, `NoAuth`, `BadVersion`, `NotEmpty`, and those of every method.
 *
 * @category errors
 * @since 0.1.0
 */
export type DeleteError = Of<typeof Operations.deleteNode>

/**
 * The errors of `reconfigure`: `NewConfigNoQuorum`, `ReconfigInProgress`, `BadVersion`, `NoAuth`, and those of every
 * method.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReconfigureError = Of<typeof Operations.reconfig>
