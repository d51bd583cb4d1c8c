/** The model of a snapshot, and the errors of reading one; `Snapshot` exports them. */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import type { InvalidArgument, NoAuth, SessionError } from "@effect-zookeeper/client/Errors"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as Schema from "effect/Schema"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A znode of a snapshot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Znode {
  readonly data: Uint8Array
  /** The names of its children, in no order. */
  readonly children: ReadonlyArray<string>
  /** The transaction that created it. */
  readonly czxid: bigint
  /** The transaction that last wrote its data. */
  readonly mzxid: bigint
  /** The transaction that last created or deleted one of its children. */
  readonly pzxid: bigint
  /** The number of changes of its list of children. */
  readonly cversion: number
}

/**
 * A sub-tree at one moment. It is immutable.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  /** The path of the root. */
  readonly path: string
  /** The znodes by their full paths, parents first; empty if there is no root. */
  readonly znodes: ReadonlyMap<string, Znode>
  /** The newest transaction that one of the znodes names; 0 if there is no root. */
  readonly zxid: bigint
}

/**
 * The errors of reading a snapshot.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReadError = NoAuth | TreeTooLarge | TreeUnsettled | InvalidArgument | SessionError

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

/**
 * The sub-tree has more znodes than `maxNodes`. Read a smaller one, or raise the limit.
 *
 * @category errors
 * @since 0.1.0
 */
export class TreeTooLarge extends ErrorClass.make(
  Schema.TaggedError<TreeTooLarge>()("TreeTooLarge", { path: Schema.String, maxNodes: Schema.Number })
) {
  override get message(): string {
    const { maxNodes, path } = this
    return `${Printable.escape(path)} has more than ${maxNodes} znodes: read a smaller sub-tree, or raise maxNodes`
  }
}

/**
 * The sub-tree changed each time it was looked at, so that there is no moment to show. Read a smaller one, or write to it
 * less often.
 *
 * @category errors
 * @since 0.1.0
 */
export class TreeUnsettled extends ErrorClass.make(
  Schema.TaggedError<TreeUnsettled>()("TreeUnsettled", { path: Schema.String, attempts: Schema.Number })
) {
  override get message(): string {
    const { attempts, path } = this
    return `${Printable.escape(path)} changed each of the ${attempts} times it was read: read a smaller sub-tree, or write to it less often`
  }
}
