/**
 * The errors that a server answers an operation with, one class a ZooKeeper code.
 *
 * Only the codes that say something about a znode have a class of their own; which operation can be answered with which
 * of them stands in the operation table. Every other code reaches an application as the session's `ServerRefused`.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"
import { codes } from "./ErrorCode.ts"
import * as Printable from "./Printable.ts"

const fields = {
  /** The path as the application gave it. */
  path: Schema.String,
  /** The operation of the table that was answered with this error, such as `getData`. */
  operation: Schema.String
}

interface Subject {
  readonly path: string
  readonly operation: string
}

const explain = (error: Subject, why: string) => `${error.operation} ${Printable.escape(error.path)}: ${why}`

/**
 * The znode, or for a create its parent, does not exist.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoNode extends ErrorClass.make(Schema.TaggedError<NoNode>()("NoNode", fields)) {
  override get message(): string {
    return explain(
      this,
      this.operation.startsWith("create")
        ? "the parent znode does not exist; create it first, or use createWithParents"
        : "the znode does not exist"
    )
  }
}

/**
 * The ACL does not allow it to any identity of this connection.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoAuth extends ErrorClass.make(Schema.TaggedError<NoAuth>()("NoAuth", fields)) {
  override get message(): string {
    return explain(this, "the ACL does not permit it; see getAcl, whoAmI and addAuth")
  }
}

/**
 * The version that was expected is not the version that is there.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadVersion extends ErrorClass.make(Schema.TaggedError<BadVersion>()("BadVersion", fields)) {
  override get message(): string {
    return explain(this, "the version given is not the current one; read again, then retry")
  }
}

/**
 * @category errors
 * @since 0.1.0
 */
export class NodeExists extends ErrorClass.make(Schema.TaggedError<NodeExists>()("NodeExists", fields)) {
  override get message(): string {
    return explain(this, "the znode exists already")
  }
}

/**
 * @category errors
 * @since 0.1.0
 */
export class NotEmpty extends ErrorClass.make(Schema.TaggedError<NotEmpty>()("NotEmpty", fields)) {
  override get message(): string {
    return explain(this, "the znode has children; delete them first, or use deleteAll")
  }
}

/**
 * @category errors
 * @since 0.1.0
 */
export class NoChildrenForEphemerals extends ErrorClass.make(
  Schema.TaggedError<NoChildrenForEphemerals>()("NoChildrenForEphemerals", fields)
) {
  override get message(): string {
    return explain(this, "the parent is ephemeral, and an ephemeral znode cannot have children")
  }
}

/**
 * The ACL is empty, names an unknown scheme or a malformed id, or says `auth` on a connection without an identity.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidACL extends ErrorClass.make(Schema.TaggedError<InvalidACL>()("InvalidACL", fields)) {
  override get message(): string {
    return explain(
      this,
      "the server does not accept the ACL; schemes must be known to it, and `auth` needs an identity (see addAuth)"
    )
  }
}

/**
 * A hard quota would be exceeded. ZooKeeper 3.7 and later, with `enforceQuota=true`.
 *
 * @category errors
 * @since 0.1.0
 */
export class QuotaExceeded extends ErrorClass.make(Schema.TaggedError<QuotaExceeded>()("QuotaExceeded", fields)) {
  override get message(): string {
    return explain(this, "the quota of this sub-tree does not allow it")
  }
}

/**
 * The servers of the new configuration are no connected and synced quorum. ZooKeeper 3.5 and later.
 *
 * @category errors
 * @since 0.1.0
 */
export class NewConfigNoQuorum extends ErrorClass.make(
  Schema.TaggedError<NewConfigNoQuorum>()("NewConfigNoQuorum", fields)
) {
  override get message(): string {
    return explain(this, "the new members are not a connected, synced quorum; wait for them to catch up, then retry")
  }
}

/**
 * Another reconfiguration runs. ZooKeeper 3.5 and later.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReconfigInProgress extends ErrorClass.make(
  Schema.TaggedError<ReconfigInProgress>()("ReconfigInProgress", fields)
) {
  override get message(): string {
    return explain(this, "another reconfiguration is in progress; retry later")
  }
}

/**
 * There is no such watch on this connection. ZooKeeper 3.5 and later.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoWatcher extends ErrorClass.make(Schema.TaggedError<NoWatcher>()("NoWatcher", fields)) {
  override get message(): string {
    return explain(this, "there is no such watch")
  }
}

/**
 * The classes by the name of their code.
 *
 * @category constants
 * @since 0.1.0
 */
export const classes = {
  NoNode,
  NoAuth,
  BadVersion,
  NodeExists,
  NotEmpty,
  NoChildrenForEphemerals,
  InvalidACL,
  QuotaExceeded,
  NewConfigNoQuorum,
  ReconfigInProgress,
  NoWatcher
} as const

/**
 * @category models
 * @since 0.1.0
 */
export type Name = keyof typeof classes

/**
 * The error type of a name: `ByName<"NoNode" | "NoAuth">` is `NoNode | NoAuth`.
 *
 * @category models
 * @since 0.1.0
 */
export type ByName<N extends Name> = { readonly [K in N]: InstanceType<(typeof classes)[K]> }[N]

/**
 * Any of the errors above.
 *
 * @category models
 * @since 0.1.0
 */
export type ServerError = ByName<Name>

/**
 * The error of a code, if it is one of the `names` that the operation may be answered with.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCode = <N extends Name>(
  code: number,
  names: ReadonlyArray<N>,
  subject: Subject
): ByName<N> | undefined => {
  for (const name of names) {
    if (codes[name] === code) return new classes[name](subject) as ByName<N>
  }
  return undefined
}
