/**
 * Bytes that are not what the protocol says they should be.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"

/**
 * @category errors
 * @since 0.1.0
 */
export class JuteError extends ErrorClass.make(
  Schema.TaggedError<JuteError>()("JuteError", {
    /** Where in the frame the trouble is, in bytes from the start of what was decoded. */
    offset: Schema.Number,
    /** The field being read, such as `stat.czxid` or `acl[2].scheme`; empty when no field was reached. */
    field: Schema.String,
    problem: Schema.String
  })
) {
  override get message(): string {
    return `malformed bytes at offset ${this.offset}${this.field === "" ? "" : `, field ${this.field}`}: ${this.problem}`
  }
}

/**
 * Puts the name of a record's field, or `[index]`, before the field that a `JuteError` names; leaves any other error as
 * it is. Paths are put together so on the way out, where time no longer counts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within = (name: string, error: unknown): unknown => {
  if (!(error instanceof JuteError)) return error
  const rest = error.field === "" || error.field.startsWith("[") ? error.field : `.${error.field}`
  return new JuteError({ offset: error.offset, field: `${name}${rest}`, problem: error.problem })
}
