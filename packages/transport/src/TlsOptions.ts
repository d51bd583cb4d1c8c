/**
 * How to speak TLS with the servers.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"

/**
 * Certificates and keys are PEM, as text or bytes, unless said otherwise.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsOptions {
  /** The authorities to trust, instead of those that Node trusts. */
  readonly ca?: string | Uint8Array | ReadonlyArray<string | Uint8Array> | undefined
  /** The client's certificate, its chain behind it: most secure ports of ZooKeeper demand one. */
  readonly cert?: string | Uint8Array | undefined
  /** The private key of `cert`. */
  readonly key?: Redacted.Redacted<string> | Redacted.Redacted<Uint8Array> | undefined
  /** Of `key` or of `pfx`. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
  /** Certificate and key as PKCS#12, in place of `cert` and `key`. */
  readonly pfx?: Redacted.Redacted<Uint8Array> | undefined
  /** The name that the certificate must carry, instead of the host in the connect string. */
  readonly servername?: string | undefined
  /** Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  /**
   * Default true, whatever the environment says. False accepts every certificate, of an attacker too: for experiments
   * alone.
   */
  readonly rejectUnauthorized?: boolean | undefined
}
