/**
 * TLS of the embedded server.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"

/**
 * Certificates and options for TLS. Certificates and keys are PEM, as text or bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerTls {
  /** The server's certificate, followed by its chain. */
  readonly cert: string | Uint8Array
  /** The private key of `cert`. */
  readonly key: Redacted.Redacted<string> | Redacted.Redacted<Uint8Array>
  /** The authorities that sign the certificates of clients. */
  readonly ca?: string | Uint8Array | undefined
  /** Whether clients must show a certificate (`need`), may show one (`want`), or are not asked (`none`). Default `none`. */
  readonly clientAuth?: "need" | "want" | "none" | undefined
  /** The subject of the certificate whose owner is the super user, in the notation of RFC 2253: `CN=admin`. */
  readonly superUser?: string | undefined
}
