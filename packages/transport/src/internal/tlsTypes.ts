/**
 * The types of TLS options, which `TlsOptions` exports.
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"

/**
 * Options of TLS connections. Certificates and keys are PEM, as text or bytes, unless said otherwise.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsOptions {
  /** The authorities to trust, instead of those that Node trusts. */
  readonly ca?: string | Uint8Array | ReadonlyArray<string | Uint8Array> | undefined
  /**
   * The lists of revoked certificates. With this option there must be a valid list of each authority that signs a server's
   * certificate: a server whose authority has no list is refused.
   */
  readonly crl?: string | Uint8Array | ReadonlyArray<string | Uint8Array> | undefined
  /** The client's certificate, followed by its chain. Most secure ports of ZooKeeper demand one. */
  readonly cert?: string | Uint8Array | undefined
  /** The private key of `cert`. */
  readonly key?: Redacted.Redacted<string> | Redacted.Redacted<Uint8Array> | undefined
  /** The passphrase of `key` or of `pfx`. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
  /** Certificate and key as PKCS#12, in place of `cert` and `key`. */
  readonly pfx?: Redacted.Redacted<Uint8Array> | undefined
  /** The name that the certificate must be for, instead of the host in the connect string. */
  readonly servername?: string | undefined
  /** The oldest version of TLS to accept. Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
  /**
   * Whether the server's certificate is verified. Default true, whatever the environment says. False accepts every
   * certificate, an attacker's too: for experiments only. A session shows no credentials to a server that is reached in
   * this way, unless it is on this machine.
   */
  readonly rejectUnauthorized?: boolean | undefined
}

/**
 * TLS options, or an Effect that gives them. The Effect runs for each connection, so that certificates can be replaced
 * without a restart; existing connections are not affected. When it fails, that connection is not made and its error is
 * the cause; the next attempt runs it again. It cannot switch verification off.
 *
 * @category models
 * @since 0.1.0
 */
export type TlsSource = TlsOptions | Effect.Effect<Omit<TlsOptions, "rejectUnauthorized">, unknown>

/**
 * The paths of the files that `fromFiles` reads. Relative paths start at the working directory of the process.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsFiles extends Pick<TlsOptions, "passphrase" | "servername" | "minVersion"> {
  /** PEM: the authorities to trust. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** PEM: the lists of revoked certificates. */
  readonly crl?: string | ReadonlyArray<string> | undefined
  /** PEM: the client's certificate, followed by its chain. */
  readonly cert?: string | undefined
  /** PEM: the private key of `cert`. If it is encrypted, `passphrase` opens it. */
  readonly key?: string | undefined
  /** PKCS#12: certificate and key, instead of `cert` and `key`. `passphrase` opens it. */
  readonly pfx?: string | undefined
}
