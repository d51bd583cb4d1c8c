/**
 * The error of a SASL exchange.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * An exchange cannot go on. The reason never contains a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class SaslError extends Data.TaggedError("SaslError")<{
  readonly reason: string
}> {
  override get message(): string {
    return `SASL: ${this.reason}`
  }
}
