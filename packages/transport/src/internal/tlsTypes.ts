/**
 * The types of TLS options, which `TlsOptions` exports.
 */
import type * as Effect from "effect/Effect"
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
  /**
   * What the authorities have revoked. Where it is given there must be a valid list of each authority that signs a
   * server's certificate: a server whose authority has none is refused.
   */
  readonly crl?: string | Uint8Array | ReadonlyArray<string | Uint8Array> | undefined
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
   * alone. A session does not show credentials to a server that is so reached, unless it is on this machine.
   */
  readonly rejectUnauthorized?: boolean | undefined
}

/**
 * The options, or an Effect that gives them: it runs for each connection, so that certificates are replaced without a
 * restart, and a client that is up stays up on the connection that it has. What it fails with is the reason why that
 * connection was not made; the next attempt asks again. Verification cannot be switched off in it.
 *
 * @category models
 * @since 0.1.0
 */
export type TlsSource = TlsOptions | Effect.Effect<Omit<TlsOptions, "rejectUnauthorized">, unknown>

/**
 * The paths of files. Relative ones are seen from the process's folder.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsFiles extends Pick<TlsOptions, "passphrase" | "servername" | "minVersion"> {
  /** PEM: the authorities to trust. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** PEM: what they have revoked. */
  readonly crl?: string | ReadonlyArray<string> | undefined
  /** PEM: the client's certificate, its chain behind it. */
  readonly cert?: string | undefined
  /** PEM: the private key of `cert`, under `passphrase` if it is encrypted. */
  readonly key?: string | undefined
  /** PKCS#12: certificate and key, under `passphrase`. */
  readonly pfx?: string | undefined
}
