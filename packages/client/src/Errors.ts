/**
 * The errors of the client: one class a thing that can go wrong, and the unions that its methods fail with.
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

/** What one operation of a transaction can be refused with. */
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
 * What one operation of a transaction can be refused with.
 *
 * @category errors
 * @since 0.1.0
 */
export type OperationError = typeof OperationError.Type

/**
 * A transaction was refused, and nothing of it was applied.
 *
 * `index` is the operation that failed and `error` why. In `results`, by the order of the operations, those before it
 * are `rolledBack`, itself is the error, and those after it are `notRun`.
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
    return `operation ${this.index} of a transaction of ${this.results.length} failed, and none was applied: ${this.error.message}`
  }
}

// -----------------------------------------------------------------------------
// what methods fail with
// -----------------------------------------------------------------------------

type Of<O extends Operation.Any> = Operation.Error<O> | InvalidArgument | SessionError

/** `create`, and all that creates. @category errors @since 0.1.0 */
export type CreateError = Of<typeof Operations.create>

/** `exists` and `stat`: that there is none is an answer. @category errors @since 0.1.0 */
export type ExistsError = Exclude<Of<typeof Operations.exists>, NoNode>

/** Reads of data, children and ACL. @category errors @since 0.1.0 */
export type ReadError = Of<typeof Operations.getData>

/** @category errors @since 0.1.0 */
export type SetDataError = Of<typeof Operations.setData>

/** @category errors @since 0.1.0 */
export type SetAclError = Of<typeof Operations.setACL>

/** @category errors @since 0.1.0 */
export type DeleteError = Of<typeof Operations.deleteNode>

/** @category errors @since 0.1.0 */
export type ReconfigureError = Of<typeof Operations.reconfig>
