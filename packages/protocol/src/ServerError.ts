/**
 * The errors with which a server answers an operation, one class for each code of ZooKeeper.
 *
 * Only codes that say something about a znode have a class; the operation table has which operation can fail with which of
 * them. Any other code reaches an application as the session's `ServerRefused`.
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
 * The znode does not exist or, for a create, its parent does not exist.
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
 * The ACL does not permit the operation to any identity of this connection. Use `getAcl` and `whoAmI` to compare, and
 * `addAuth` to add an identity. For create and delete the ACL of the parent counts.
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
 * The version in the request is not the current version: another client has changed the znode. Read it again, then retry.
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
 * A znode exists already at the path of a create.
 *
 * @category errors
 * @since 0.1.0
 */
export class NodeExists extends ErrorClass.make(Schema.TaggedError<NodeExists>()("NodeExists", fields)) {
  override get message(): string {
    return explain(this, "the znode exists already; write to it with set, or choose another path")
  }
}

/**
 * The znode of a delete has children. Delete them first, or use `deleteAll`.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotEmpty extends ErrorClass.make(Schema.TaggedError<NotEmpty>()("NotEmpty", fields)) {
  override get message(): string {
    return explain(this, "the znode has children; delete them first, or use deleteAll")
  }
}

/**
 * The parent of a create is ephemeral, and ephemeral znodes cannot have children.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoChildrenForEphemerals extends ErrorClass.make(
  Schema.TaggedError<NoChildrenForEphemerals>()("NoChildrenForEphemerals", fields)
) {
  override get message(): string {
    return explain(
      this,
      "the parent is ephemeral, and an ephemeral znode cannot have children; choose a persistent parent"
    )
  }
}

/**
 * The ACL is empty, has a scheme that the server does not know or a malformed id, or has the scheme `auth` on a connection
 * without an identity.
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
 * The write would exceed a hard quota on the znode or an ancestor. Since ZooKeeper 3.7, with `enforceQuota=true`.
 *
 * @category errors
 * @since 0.1.0
 */
export class QuotaExceeded extends ErrorClass.make(Schema.TaggedError<QuotaExceeded>()("QuotaExceeded", fields)) {
  override get message(): string {
    return explain(this, "the write would exceed the quota of this subtree; delete data there, or raise the quota")
  }
}

/**
 * The servers of the new configuration are not a connected and synced quorum. Since ZooKeeper 3.5.
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
 * Another reconfiguration is in progress. Since ZooKeeper 3.5.
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
 * This connection has no such watch. Since ZooKeeper 3.5.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoWatcher extends ErrorClass.make(Schema.TaggedError<NoWatcher>()("NoWatcher", fields)) {
  override get message(): string {
    return explain(this, "this connection has no such watch")
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
 * The name of a code that has a class.
 *
 * @category models
 * @since 0.1.0
 */
export type Name = keyof typeof classes

/**
 * The error classes of names: `ByName<"NoNode" | "NoAuth">` is `NoNode | NoAuth`.
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
 * The error of a code, if it is one of `names`, the errors of an operation; otherwise undefined.
 *
 * @example
 * ```ts
 * import * as Operations from "@effect-zookeeper/protocol/Operations"
 * import * as ServerError from "@effect-zookeeper/protocol/ServerError"
 *
 * const { errors, name } = Operations.getData
 * const error = ServerError.fromCode(-101, errors, { path: "/app", operation: name })
 * console.log(error?.message) // getData /app: the znode does not exist
 * ```
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
