/**
 * How a server speaks TLS.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"

/**
 * Certificates and keys are PEM, as text or bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerTls {
  /** The server's certificate, its chain behind it. */
  readonly cert: string | Uint8Array
  /** The private key of `cert`. */
  readonly key: Redacted.Redacted<string> | Redacted.Redacted<Uint8Array>
  /** Who signs the certificates of clients. */
  readonly ca?: string | Uint8Array | undefined
  /** Whether clients have to show a certificate, may, or are not asked. Default `none`. */
  readonly clientAuth?: "need" | "want" | "none" | undefined
  /** The subject of the certificate that makes its owner the super user, as RFC 2253 writes it: `CN=admin`. */
  readonly superUser?: string | undefined
}
