/**
 * Bytes that are not what the protocol says they should be.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * @category errors
 * @since 0.1.0
 */
export class JuteError extends Schema.TaggedError<JuteError>()("JuteError", {
  /** Where in the frame the trouble is, in bytes from the start of what was decoded. */
  offset: Schema.Number,
  /** The field being read, such as `stat.czxid` or `acl[2].scheme`; empty when no field was reached. */
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `malformed bytes at offset ${this.offset}${this.field === "" ? "" : `, field ${this.field}`}: ${this.problem}`
  }
}
