/**
 * The errors that the storage gives as the `cause` of Effect's `PersistenceError`, beside those of the client.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import * as Schema from "effect/Schema"

/**
 * The session may not hold the shards for as long as they are needed, or holds them no more. Effect's Sharding stops what
 * runs on them, and acquires them again once `refresh` succeeds.
 *
 * - `lapsed`: nothing has proved in time that the ensemble holds the session. Others may have the shards by now.
 * - `replaced`: the session has expired, and another one is in its place, which owns none of them.
 * - `unproven`: the proof that the session is held does not last until the next refresh, and no other came in time.
 *
 * @category errors
 * @since 0.1.0
 */
export class OwnershipUncertain extends ErrorClass.make(
  Schema.TaggedError<OwnershipUncertain>()("OwnershipUncertain", {
    /** The prefix of the storage. */
    path: Schema.String,
    reason: Schema.Literals(["lapsed", "replaced", "unproven"]),
    /** Milliseconds until ownership ends; 0 if it has. */
    remaining: Schema.Number,
    /** Milliseconds for which it had to be proved. */
    needed: Schema.Number
  })
) {
  override get message(): string {
    const because = {
      lapsed: "the session could not be confirmed in time",
      replaced: "the session has expired and was replaced",
      unproven: `the session is proved for ${Math.floor(this.remaining)} ms, and the next refresh needs ${Math.ceil(this.needed)} ms`
    }[this.reason]
    return `the shards below ${this.path} are not surely held: ${because}; what runs on them has to stop`
  }
}

/**
 * No answer came within the interval of the refreshes. The request may have been applied; the storage finds out by itself,
 * and gives back locks that no caller waits for.
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageTimeout extends ErrorClass.make(
  Schema.TaggedError<StorageTimeout>()("StorageTimeout", {
    /** The prefix of the storage. */
    path: Schema.String,
    /** The method of `RunnerStorage`. */
    method: Schema.String,
    /** Milliseconds. */
    timeout: Schema.Number,
    /** The state of the session at that time. */
    session: Schema.String
  })
) {
  override get message(): string {
    return `${this.method} on ${this.path} had no answer within ${Math.round(this.timeout)} ms (the session is ${this.session}); it is tried again by Effect's Sharding`
  }
}

/**
 * All machine ids are taken by living sessions.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoMachineId extends ErrorClass.make(
  Schema.TaggedError<NoMachineId>()("NoMachineId", {
    /** The znode whose children they are. */
    path: Schema.String,
    /** How many there are. */
    limit: Schema.Number
  })
) {
  override get message(): string {
    return `all ${this.limit} machine ids below ${this.path} are taken by living sessions: a Snowflake has no room for more; use a prefix of its own for another cluster`
  }
}
