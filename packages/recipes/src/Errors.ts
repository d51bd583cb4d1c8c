/**
 * The errors of the recipes.
 *
 * A recipe waits through lost connections and retries where that is safe. So `RequestTimeout` is no error of recipes, and
 * `ConnectionLoss` only where one request has lost eight connections: then it is given up, because the server may be
 * unable to handle it. A write whose fate stays unknown fails with `OutcomeUnknown`.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import type { CreateError } from "@effect-zookeeper/client/Errors"
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Schema from "effect/Schema"

/**
 * Errors that any recipe can fail with: the server refuses a request, the session has ended for good (after an expiry,
 * recipes go on in the session that replaces it), one request loses every connection that it is sent on, or an argument is
 * not valid.
 *
 * @category errors
 * @since 0.1.0
 */
export type RecipeError = Exclude<CreateError, { readonly _tag: "RequestTimeout" | "NodeExists" | "NoNode" }>

/**
 * Something is no longer held, or may no longer be. Guarded effects have been interrupted.
 *
 * - `session`: the session was not confirmed in time, or expired. Others may hold it by now.
 * - `closed`: its own client is being closed. Others get it when the guarded effect has stopped.
 * - `deleted`: the znode behind it was deleted, by another client or by the server at the end of the session.
 * - `disconnected`: the connection was lost, under `onDisconnect: "stop"`.
 * - `expired`: its time is over, as with a lease.
 * - `revoked`: another client asked for it, under `onRevoke: "stop"`.
 * - `released`: its holder gave it back.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockLost extends ErrorClass.make(
  Schema.TaggedError<LockLost>()("LockLost", {
    /** The znode behind it. */
    path: Schema.String,
    reason: Schema.Literals(["session", "deleted", "disconnected", "expired", "released", "closed", "revoked"]),
    /**
     * True when the reply to a write was lost that was sent under the hold, and nothing tells whether it was applied; from
     * `ack` and `requeue` of a queue.
     */
    maybeApplied: Schema.optionalKey(Schema.Literal(true))
  })
) {
  override get message(): string {
    const open = this.maybeApplied === true ? "; its last write may have been applied" : ""
    return `${this.path} is no longer held: ${lostBecause[this.reason]}${open}`
  }
}

const lostBecause = {
  session: "the session could not be confirmed in time",
  deleted: "its znode was deleted",
  disconnected: "the connection was lost",
  expired: "its time is over",
  released: "it was released",
  closed: "its client was closed",
  revoked: "another client asked for it"
} as const

/**
 * It could not be acquired within `timeout`.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockTimeout extends ErrorClass.make(
  Schema.TaggedError<LockTimeout>()("LockTimeout", {
    /** The path that was to be acquired. */
    path: Schema.String,
    /** Milliseconds; 0 for a single try. */
    timeout: Schema.Number
  })
) {
  override get message(): string {
    return this.timeout === 0
      ? `${this.path} is held by another`
      : `${this.path} could not be acquired within ${this.timeout} ms: others hold it, or no server answered`
  }
}

/**
 * A fiber that holds the lock for reading asked for writing: it would wait for itself, and two of them for each other.
 * Release the read lock first, then acquire the write lock, and read the data again.
 *
 * @category errors
 * @since 0.1.0
 */
export class UpgradeRefused extends ErrorClass.make(
  Schema.TaggedError<UpgradeRefused>()("UpgradeRefused", {
    path: Schema.String
  })
) {
  override get message(): string {
    return `${this.path} is held for reading here and cannot be made a write lock: release it first, then acquire it for writing`
  }
}

/**
 * The present holders of permits of a semaphore were given another number of permits.
 *
 * @category errors
 * @since 0.1.0
 */
export class PermitsMismatch extends ErrorClass.make(
  Schema.TaggedError<PermitsMismatch>()("PermitsMismatch", {
    /** Of the semaphore. */
    path: Schema.String,
    /** The number that was given here. */
    permits: Schema.Number,
    /** The number that the others were given. */
    others: Schema.Number
  })
) {
  override get message(): string {
    return `${this.path}: its present holders were given ${this.others} permits, and this client ${this.permits}; give the same number to all`
  }
}

/**
 * A write was sent, and its fate is unknown: its reply was lost, and the present state does not tell whether it was
 * applied; or it has met another znode than the one that was read, which had been deleted and created again, with the same
 * version, in between. Look at the present state before you try again.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutcomeUnknown extends ErrorClass.make(
  Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
    path: Schema.String,
    /** The recipe's operation, such as `add`. */
    operation: Schema.String,
    /**
     * `lost`: the reply was lost. `remade`: it was applied, to a znode that had taken the place of the one that was read.
     */
    reason: Schema.Literals(["lost", "remade"])
  })
) {
  /** As in the errors of a session; always true here. */
  readonly maybeApplied = true

  override get message(): string {
    return this.reason === "lost"
      ? `${this.operation} ${this.path}: the connection was lost before the reply, and the present state does not tell whether it was applied; look at it before you try again`
      : `${this.operation} ${this.path}: the znode was deleted and created again between the read and the write, which has replaced the data of the new one; look at it before you try again`
  }
}

/**
 * Another session has the id, and has had it for longer than a session that has died could.
 *
 * @category errors
 * @since 0.1.0
 */
export class MemberExists extends ErrorClass.make(
  Schema.TaggedError<MemberExists>()("MemberExists", {
    /** The znode of the other member. */
    path: Schema.String,
    /** Its session, or 0 for none. */
    owner: Schema.BigInt
  })
) {
  override get message(): string {
    return `${this.path} exists already, by session ${Hex64.format(this.owner)}; take another id, or let \`onConflict: "suffix"\` add a number to it`
  }
}

/**
 * The others did not do their part within `timeout`.
 *
 * @category errors
 * @since 0.1.0
 */
export class WaitTimeout extends ErrorClass.make(
  Schema.TaggedError<WaitTimeout>()("WaitTimeout", {
    path: Schema.String,
    /** The operation that waited, such as `enter`. */
    operation: Schema.String,
    /** Milliseconds. */
    timeout: Schema.Number
  })
) {
  override get message(): string {
    return `${this.operation} ${this.path}: the others did not do their part within ${this.timeout} ms`
  }
}

/**
 * The data of a znode does not have the recipe's format.
 *
 * @category errors
 * @since 0.1.0
 */
export class DataInvalid extends ErrorClass.make(
  Schema.TaggedError<DataInvalid>()("DataInvalid", {
    path: Schema.String,
    /** The format, such as "a number as text". */
    expected: Schema.String
  })
) {
  override get message(): string {
    return `the data of ${this.path} is not ${this.expected}; another program may write there, or the layout is another`
  }
}

/**
 * Other clients wrote in between at each of the allowed attempts. Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class Contended extends ErrorClass.make(
  Schema.TaggedError<Contended>()("Contended", {
    path: Schema.String,
    /** How many attempts there were. */
    attempts: Schema.Number
  })
) {
  override get message(): string {
    return `${this.path} was written by others at each of ${this.attempts} attempts; allow more of them, or promote to a lock`
  }
}

/**
 * The version of a znode has wrapped to -1, which means any version to servers: it cannot be compared with. A `set` writes
 * all the same, and moves the version on.
 *
 * @category errors
 * @since 0.1.0
 */
export class VersionExhausted extends ErrorClass.make(
  Schema.TaggedError<VersionExhausted>()("VersionExhausted", {
    path: Schema.String
  })
) {
  override get message(): string {
    return `${this.path} has the version -1, which means any version to a server, so that no write can depend on it; call \`set\` once to go on`
  }
}

/**
 * A number does not fit into the layout. Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutOfRange extends ErrorClass.make(
  Schema.TaggedError<OutOfRange>()("OutOfRange", {
    path: Schema.String,
    /** The number. */
    value: Schema.Union([Schema.BigInt, Schema.Number]),
    /** The range, such as "64 bits". */
    range: Schema.String
  })
) {
  override get message(): string {
    return `${this.value} does not fit into ${this.path}, which has room for ${this.range}`
  }
}
