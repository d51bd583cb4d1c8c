/**
 * The errors of the recipes, and what every one of them can fail with.
 *
 * A recipe waits through lost connections and asks again where that is safe, so `RequestTimeout` is no error of recipes, and
 * `ConnectionLoss` only where eight connections were lost with one request: it is given up then, for it may be what the
 * server cannot bear. Where a write's fate stays unknown they say `OutcomeUnknown`.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import type { CreateError } from "@effect-zookeeper/client/Errors"
import * as Schema from "effect/Schema"

/**
 * What can keep any recipe from its work: the server refuses what it asks for, the session has ended for good (a session
 * that expired and is followed by another is waited for), one request loses every connection that it is sent on, or an
 * argument is wrong.
 *
 * @category errors
 * @since 0.1.0
 */
export type RecipeError = Exclude<CreateError, { readonly _tag: "RequestTimeout" | "NodeExists" | "NoNode" }>

/**
 * What was held is held no longer, or cannot be known to be. Whoever guarded something with it has been interrupted.
 *
 * - `session`: the session was not confirmed in time, or expired. Others may hold it by now.
 * - `closed`: its own client is closed. Others get it when what it guards has stopped.
 * - `deleted`: the znode that stood for it was deleted: by somebody, or by the server at the end of the session, where the
 *   client hears of that before it hears of the end.
 * - `disconnected`: the connection was lost, under `onDisconnect: "stop"`.
 * - `expired`: the time that it was held for is over, as with a lease.
 * - `released`: its holder gave it back.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockLost extends ErrorClass.make(
  Schema.TaggedError<LockLost>()("LockLost", {
    /** The znode that stood for it. */
    path: Schema.String,
    reason: Schema.Literals(["session", "deleted", "disconnected", "expired", "released", "closed"])
  })
) {
  override get message(): string {
    return `${this.path} is held no longer: ${lostBecause[this.reason]}`
  }
}

const lostBecause = {
  session: "the session could not be confirmed in time",
  deleted: "somebody deleted the znode",
  disconnected: "the connection was lost",
  expired: "its time is over",
  released: "it was released",
  closed: "its client was closed"
} as const

/**
 * It could not be had within `timeout`.
 *
 * @category errors
 * @since 0.1.0
 */
export class LockTimeout extends ErrorClass.make(
  Schema.TaggedError<LockTimeout>()("LockTimeout", {
    /** What was to be acquired. */
    path: Schema.String,
    /** Milliseconds; 0 for a single try. */
    timeout: Schema.Number
  })
) {
  override get message(): string {
    return this.timeout === 0
      ? `${this.path} is held by another`
      : `${this.path} could not be acquired within ${this.timeout} ms, for others hold it or no server answered`
  }
}

/**
 * Whoever holds it for reading asked for writing: that would wait for itself, and two of them for each other. Release it
 * first, then acquire it for writing, and look again at what was read.
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
 * Those who hold permits of a semaphore were told another number of permits.
 *
 * @category errors
 * @since 0.1.0
 */
export class PermitsMismatch extends ErrorClass.make(
  Schema.TaggedError<PermitsMismatch>()("PermitsMismatch", {
    /** Of the semaphore. */
    path: Schema.String,
    /** What this one was told. */
    permits: Schema.Number,
    /** What the others were told. */
    others: Schema.Number
  })
) {
  override get message(): string {
    return `${this.path} has ${this.others} permits for those who hold some now, and ${this.permits} here: all have to be told the same number`
  }
}

/**
 * A write was sent, and nobody knows whether it did what was asked of it: its reply was lost, and what is there now does not
 * tell whether it was applied; or it has met another znode than the one that was read, which somebody had deleted and made
 * anew with the same version in between. Look at what is there before you ask again.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutcomeUnknown extends ErrorClass.make(
  Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
    path: Schema.String,
    /** What was asked of the recipe, such as `add`. */
    operation: Schema.String,
    /** `lost`: the reply was. `remade`: it was applied, to a znode that had taken the place of the one that was read. */
    reason: Schema.Literals(["lost", "remade"])
  })
) {
  /** As the errors of a session have it: it always may. */
  readonly maybeApplied = true

  override get message(): string {
    return this.reason === "lost"
      ? `${this.operation} ${this.path}: the connection was lost before the reply, and what is there does not tell whether it was applied`
      : `${this.operation} ${this.path}: the znode was deleted and made anew between the read and the write, and the write has replaced the data of the new one; look at what is there`
  }
}

/**
 * Another session has the id, and has had it for longer than one that has died could.
 *
 * @category errors
 * @since 0.1.0
 */
export class MemberExists extends ErrorClass.make(
  Schema.TaggedError<MemberExists>()("MemberExists", {
    /** The znode of the other. */
    path: Schema.String,
    /** Its session, or 0 for none. */
    owner: Schema.BigInt
  })
) {
  override get message(): string {
    return `${this.path} is there already, by session 0x${this.owner.toString(16)}; take another id, or have \`onConflict\` add a number to it`
  }
}

/**
 * What others were waited for did not come to be within `timeout`.
 *
 * @category errors
 * @since 0.1.0
 */
export class WaitTimeout extends ErrorClass.make(
  Schema.TaggedError<WaitTimeout>()("WaitTimeout", {
    path: Schema.String,
    /** What was waited for, such as `enter`. */
    operation: Schema.String,
    /** Milliseconds. */
    timeout: Schema.Number
  })
) {
  override get message(): string {
    return `${this.operation} ${this.path}: others did not do their part within ${this.timeout} ms`
  }
}

/**
 * The data of a znode is not what the recipe writes.
 *
 * @category errors
 * @since 0.1.0
 */
export class DataInvalid extends ErrorClass.make(
  Schema.TaggedError<DataInvalid>()("DataInvalid", {
    path: Schema.String,
    /** What it should be, such as "a number as text". */
    expected: Schema.String
  })
) {
  override get message(): string {
    return `the data of ${this.path} is not ${this.expected}; another program may write there, or the layout is another`
  }
}

/**
 * Others wrote in between, as often as was allowed to try. Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class Contended extends ErrorClass.make(
  Schema.TaggedError<Contended>()("Contended", {
    path: Schema.String,
    /** How often it was tried. */
    attempts: Schema.Number
  })
) {
  override get message(): string {
    return `${this.path} was written by others at each of ${this.attempts} attempts; allow more of them, or promote to a lock`
  }
}

/**
 * The version of a znode has come round to -1, which servers take for any version: there is nothing to compare with. A `set`
 * writes it all the same, and moves the version on.
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
    return `${this.path} has the version -1, which means any to a server, so that no write can depend on it; set it once to go on`
  }
}

/**
 * A number is not one that a layout has room for. Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutOfRange extends ErrorClass.make(
  Schema.TaggedError<OutOfRange>()("OutOfRange", {
    path: Schema.String,
    /** The number. */
    value: Schema.Union([Schema.BigInt, Schema.Number]),
    /** What there is room for, such as "64 bits". */
    range: Schema.String
  })
) {
  override get message(): string {
    return `${this.value} does not fit into ${this.path}, which has room for ${this.range}`
  }
}
