/**
 * The failures that the server of the console tells its pages.
 *
 * This module is in the bundle of the page: it imports nothing that a browser lacks.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Bytes, Hex, Stat } from "./Models.ts"

/**
 * The server has no cluster of this name.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoSuchCluster extends Schema.TaggedError<NoSuchCluster>()("NoSuchCluster", {
  cluster: Schema.String
}) {
  override get message(): string {
    return `there is no cluster ${JSON.stringify(this.cluster)} here`
  }
}

/**
 * The znode does not exist.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoSuchZnode extends Schema.TaggedError<NoSuchZnode>()("NoSuchZnode", { path: Schema.String }) {
  override get message(): string {
    return `there is no znode ${this.path}`
  }
}

/**
 * The ACL of the znode, or of its parent, does not allow it.
 *
 * @category errors
 * @since 0.1.0
 */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { path: Schema.String }) {
  override get message(): string {
    return `the ACL at ${this.path} does not allow it`
  }
}

/**
 * The znode is no longer as the person saw it, and nothing was changed. `current` is what is there now; it is missing where
 * the znode is gone, and its data where the ACL forbids to read it. It may be of the version that was seen, and another znode:
 * one that was created after the first was deleted.
 *
 * @category errors
 * @since 0.1.0
 */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  path: Schema.String,
  /** The version that was seen: of the data, or of the ACL. */
  seen: Schema.Number,
  /** The transaction that created the znode that was seen. */
  czxid: Hex,
  current: Schema.optionalKey(Schema.Struct({ stat: Stat, data: Schema.optionalKey(Bytes) }))
}) {
  override get message(): string {
    if (this.current === undefined) return `${this.path} was deleted meanwhile; nothing was changed`
    return this.current.stat.czxid !== this.czxid
      ? `${this.path} was deleted and created again meanwhile; nothing was changed`
      : `${this.path} was changed meanwhile: version ${this.seen} was seen; nothing was changed`
  }
}

/**
 * A znode of that path is there already.
 *
 * @category errors
 * @since 0.1.0
 */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>()("AlreadyExists", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} exists already`
  }
}

/**
 * There are more znodes below the path than the person agreed to delete. `znodes` counts them now, with the path itself.
 *
 * @category errors
 * @since 0.1.0
 */
export class MoreBelow extends Schema.TaggedError<MoreBelow>()("MoreBelow", {
  path: Schema.String,
  znodes: Schema.Number
}) {
  override get message(): string {
    return `${this.path} has ${this.znodes} znodes now, which is more than were to be deleted; nothing was deleted`
  }
}

/**
 * Nothing may be changed here: `source` says what forbids it, such as the profile, or that `--write` was not given.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReadOnly extends Schema.TaggedError<ReadOnly>()("ReadOnly", { source: Schema.String }) {
  override get message(): string {
    return `nothing can be changed here: ${this.source}`
  }
}

/**
 * The request makes no sense to ZooKeeper, or is more than the server of the console does at once. Nothing was done.
 *
 * @category errors
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  reason: Schema.Literals(["invalid", "tooMuch", "unsupported"]),
  message: Schema.String
}) {}

/**
 * The ensemble did not answer: no connection, no session, or no quorum. Trying again helps when the state of the cluster is
 * `connected` again. A change may have been made nevertheless where `maybeApplied` is set: look before you try again.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  message: Schema.String,
  maybeApplied: Schema.Boolean
}) {}

/**
 * The failures of requests that read.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReadFailure = Schema.Union([NoSuchCluster, NoSuchZnode, Forbidden, Refused, Unavailable])

/**
 * The failures of requests that read.
 *
 * @category models
 * @since 0.1.0
 */
export type ReadFailure = typeof ReadFailure.Type

/**
 * The failures of requests that change something.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EditFailure = Schema.Union([
  NoSuchCluster,
  NoSuchZnode,
  Forbidden,
  Refused,
  Unavailable,
  ReadOnly,
  Conflict,
  AlreadyExists,
  MoreBelow
])

/**
 * The failures of requests that change something.
 *
 * @category models
 * @since 0.1.0
 */
export type EditFailure = typeof EditFailure.Type
