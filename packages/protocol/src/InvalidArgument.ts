/**
 * The error of an invalid argument, which is raised before a byte is sent.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"
import * as Printable from "./Printable.ts"

/**
 * An argument breaks a rule that can be checked without a server. It is a mistake in the calling code: a retry gives the same
 * error.
 *
 * The message names the argument, its value and the rule. `value` never contains a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidArgument extends ErrorClass.make(
  Schema.TaggedError<InvalidArgument>()("InvalidArgument", {
    /** The argument or option, such as `path` or `tls.ca`. */
    argument: Schema.String,
    /** Its value as text, or a description where the value may be a secret. */
    value: Schema.String,
    /** The rule, in words that say what is valid. */
    rule: Schema.String
  })
) {
  override get message(): string {
    const argument = Printable.escape(this.argument)
    return `invalid ${argument} ${Printable.quote(this.value)}: ${Printable.escapeAll(this.rule)}`
  }
}
