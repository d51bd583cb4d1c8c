/**
 * Why a server could not be reached, or why a connection ended.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Schema from "effect/Schema"

/**
 * A server could not be reached, or a connection to it ended. A session handles it by trying the next server, and tells
 * its reason in `attempts` of `ConnectFailed`; you see it directly where you use a `Transport` or `FourLetterWord.ask`.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransportError extends ErrorClass.make(
  Schema.TaggedError<TransportError>()("TransportError", {
    /** The server as the connect string writes it, with its port: `zk1:2181`, `tls://[::1]:2281`. */
    server: Schema.String,
    /**
     * `Resolve`: the name has no address. `Open`: no server answers there. `Tls`: the TLS handshake or the verification of
     * the certificate failed; the cause is a `TlsError`, which has the reason. `Closed`: the server ended the connection.
     * `Read` and `Write`: the connection broke.
     */
    reason: Schema.Literals(["Resolve", "Open", "Tls", "Closed", "Read", "Write"]),
    cause: Schema.optional(Schema.Defect())
  })
) {
  override get message(): string {
    return `${this.server}: ${describe[this.reason]}${this.cause instanceof Error ? ` (${Printable.escape(this.cause.message)})` : ""}`
  }
}

const describe = {
  Resolve: "the host name could not be resolved",
  Open: "could not connect",
  Tls: "the TLS handshake failed",
  Closed: "the server closed the connection",
  Read: "the connection broke while reading",
  Write: "the connection broke while writing"
} as const
