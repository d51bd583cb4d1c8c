/**
 * The error of an embedded server that cannot listen.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Schema from "effect/Schema"

/**
 * The embedded server does not listen at an address.
 *
 * - `Listen`: the system refuses it, usually because the port is taken; `cause` has its error.
 * - `WellKnownSuperUser`: the address is beyond loopback, and the super user still has the public password `super:secret`.
 *   No port was opened.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenError extends ErrorClass.make(
  Schema.TaggedError<ListenError>()("ListenError", {
    /** `host:port`. */
    address: Schema.String,
    reason: Schema.Literals(["Listen", "WellKnownSuperUser"]),
    cause: Schema.optional(Schema.Defect())
  })
) {
  override get message(): string {
    if (this.reason === "WellKnownSuperUser") {
      return (
        `${this.address}: not opened, because any client that reaches it could do everything as the well-known super user ` +
        "super:secret; give superDigest the digest of a password of your own (Acl.digestIdOf), or null for no super user, " +
        "or listen on 127.0.0.1"
      )
    }
    const cause = Printable.escape(this.cause instanceof Error ? this.cause.message : String(this.cause))
    return `${this.address}: cannot listen there (${cause}); choose another port, or 0 for any free port`
  }
}
