/**
 * The error of a SASL exchange.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Schema from "effect/Schema"

/**
 * An exchange cannot go on. The reason never contains a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class SaslError extends ErrorClass.make(
  Schema.TaggedError<SaslError>()("SaslError", {
    reason: Schema.String
  })
) {
  override get message(): string {
    return `SASL: ${this.reason}`
  }
}
