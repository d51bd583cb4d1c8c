/**
 * The error of bytes that do not follow the protocol.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"

/**
 * Bytes are malformed: too few, a length that the frame cannot hold, or null where a value is required.
 *
 * @category errors
 * @since 0.1.0
 */
export class JuteError extends ErrorClass.make(
  Schema.TaggedError<JuteError>()("JuteError", {
    /** The place of the error, in bytes from the start of the decoded bytes. */
    offset: Schema.Number,
    /** The field being read, such as `stat.czxid` or `acl[2].scheme`; empty when no field was reached. */
    field: Schema.String,
    /** The problem, in words. */
    problem: Schema.String
  })
) {
  override get message(): string {
    return `malformed bytes at offset ${this.offset}${this.field === "" ? "" : `, field ${this.field}`}: ${this.problem}`
  }
}

/**
 * Puts the name of a record's field, or `[index]`, before the field that a `JuteError` names; any other error is returned as
 * it is. The path of a field is put together in this way after a failure, when speed no longer matters.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within = (name: string, error: unknown): unknown => {
  if (!(error instanceof JuteError)) return error
  const rest = error.field === "" || error.field.startsWith("[") ? error.field : `.${error.field}`
  return new JuteError({ offset: error.offset, field: `${name}${rest}`, problem: error.problem })
}
