/**
 * The error of a mistake in an argument: raised before a byte is sent, by every method that can make it.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"
import * as Printable from "./Printable.ts"

/**
 * An argument broke a rule that can be checked without asking a server.
 *
 * The message names the argument, its value and the rule. Secrets never stand in `value`.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidArgument extends ErrorClass.make(
  Schema.TaggedError<InvalidArgument>()("InvalidArgument", {
    argument: Schema.String,
    value: Schema.String,
    rule: Schema.String
  })
) {
  override get message(): string {
    const argument = Printable.escape(this.argument)
    return `invalid ${argument} ${Printable.quote(this.value)}: ${Printable.escapeAll(this.rule)}`
  }
}
