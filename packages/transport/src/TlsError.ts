/**
 * Why TLS failed: the cause of a `TransportError` whose reason is `Tls`.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Schema from "effect/Schema"

/**
 * The kinds of failure, as a Schema.
 *
 * - `WrongHost`: the certificate is for other names than the one in the connect string (or `tls.servername`).
 * - `UnknownAuthority`: the certificate is not signed by an authority in `tls.ca` or, without `tls.ca`, one that Node trusts.
 * - `Expired`, `NotYetValid`: the certificate is, by this machine's clock.
 * - `Revoked`: the certificate is in `tls.crl`, or `tls.crl` has no valid list of its authority.
 * - `ClientCertificate`: the server wants a client certificate, or refuses the one that it got.
 * - `Version`: the server speaks no version of TLS that `tls.minVersion` allows.
 * - `NotTls`: the port speaks another protocol, or the server closes the connection during the handshake without an alert.
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
 * The kind of a TLS failure; each is explained at the Schema of this name.
 *
 * @category models
 * @since 0.1.0
 */
export type TlsReason = typeof TlsReason.Type

/**
 * TLS failed, and there is no connection. No byte of a session was sent: no request leaves before the server's certificate
 * is verified. The only exception is `ClientCertificate` under TLS 1.3, where a verified server refuses after the handshake.
 *
 * It is the `cause` of a `TransportError` whose reason is `Tls`, and `attempts[].tls` of a session's `ConnectFailed`.
 *
 * @category errors
 * @since 0.1.0
 */
export class TlsError extends ErrorClass.make(
  Schema.TaggedError<TlsError>()("TlsError", {
    reason: TlsReason,
    /** The option that cannot be used, such as `tls.ca`, if the reason is an option. */
    option: Schema.optional(Schema.String),
    /** The problem and what to do about it. It contains no secret. */
    message: Schema.String,
    cause: Schema.optional(Schema.Defect())
  })
) {}
