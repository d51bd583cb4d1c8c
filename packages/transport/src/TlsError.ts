/**
 * What was wrong with TLS: the cause of a `TransportError` whose reason is `Tls`.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Schema from "effect/Schema"

/**
 * - `WrongHost`: the certificate is for other names than the one in the connect string (or `tls.servername`).
 * - `UnknownAuthority`: nobody in `tls.ca`, or that Node trusts where none is given, has signed it.
 * - `Expired`, `NotYetValid`, `Revoked`: it is, by this machine's clock or by `tls.crl`.
 * - `ClientCertificate`: the server wants a certificate of the client, or refuses the one that it was shown.
 * - `Version`: the server speaks no version of TLS that `tls.minVersion` allows.
 * - `NotTls`: the port speaks something else, or ends the connection during the handshake without a word.
 * - `Options`: the options cannot be used (a malformed key, a wrong passphrase, an unreadable file); nothing was sent.
 * - `Handshake`: anything else.
 *
 * @category models
 * @since 0.1.0
 */
export const TlsReason = Schema.Literals([
  "WrongHost",
  "UnknownAuthority",
  "Expired",
  "NotYetValid",
  "Revoked",
  "ClientCertificate",
  "Version",
  "NotTls",
  "Options",
  "Handshake"
])

/**
 * @category models
 * @since 0.1.0
 */
export type TlsReason = typeof TlsReason.Type

/**
 * No connection stands, and nothing of a session was sent: no request leaves before the server's certificate is verified.
 * The one exception in time is `ClientCertificate` under TLS 1.3, where a verified server refuses after the handshake.
 *
 * @category errors
 * @since 0.1.0
 */
export class TlsError extends ErrorClass.make(
  Schema.TaggedError<TlsError>()("TlsError", {
    reason: TlsReason,
    /** The option that cannot be used, such as `tls.ca`, where it is one. */
    option: Schema.optional(Schema.String),
    /** What was wrong and what to do, without a secret. */
    message: Schema.String,
    cause: Schema.optional(Schema.Defect())
  })
) {}
