/**
 * TLS as Node knows it: our options as Node's, and Node's errors as sentences that say what to do.
 */
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as Url from "node:url"
import type { ServerAddress } from "../ServerAddress.ts"
import type { TlsOptions } from "../TlsOptions.ts"

/** Nothing is left to a default that the process or its environment can lower. */
export const connectionOptions = (name: ServerAddress, options: TlsOptions): Tls.ConnectionOptions => {
  const expected = toCertificateName(options.servername ?? name.host)
  return {
    minVersion: options.minVersion ?? "TLSv1.2",
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    // The address that is dialled is no name to verify: this one is. Server Name Indication has no place for an IP.
    ...(Net.isIP(expected) === 0 ? { servername: expected } : {}),
    checkServerIdentity: (_, certificate) => checkIdentity(expected, certificate),
    ...(options.ca === undefined ? {} : { ca: toList(options.ca).map(toPem) }),
    ...(options.cert === undefined ? {} : { cert: toPem(options.cert) }),
    ...(options.key === undefined ? {} : { key: toPem(Redacted.value<string | Uint8Array>(options.key)) }),
    ...(options.pfx === undefined ? {} : { pfx: toPem(Redacted.value(options.pfx)) }),
    ...(options.passphrase === undefined ? {} : { passphrase: Redacted.value(options.passphrase) })
  }
}

/** Whether an error of an open connection comes from TLS: an alert, a bad record. */
export const isTlsError = (cause: unknown): boolean => /^ERR_(SSL|TLS)_/.test(codeOf(cause))

/** The error that a user reads, Node's own as its cause. */
export const explain = (cause: unknown): Error => {
  const sentence = sentences[codeOf(cause)] ?? alertSentence(cause)
  if (sentence !== undefined) return new Error(sentence, { cause })
  return cause instanceof Error ? cause : new Error(String(cause))
}

/** As certificates and Server Name Indication write a name: without the root's dot, international ones in ASCII. */
const toCertificateName = (host: string): string => {
  const name = host.endsWith(".") ? host.slice(0, -1) : host
  return Net.isIP(name) === 0 ? Url.domainToASCII(name) || name : name
}

const checkIdentity = (expected: string, certificate: Tls.PeerCertificate): Error | undefined => {
  const error = Tls.checkServerIdentity(expected, certificate)
  if (error === undefined) return undefined
  const names = certificate.subjectaltname ?? `CN:${String(certificate.subject?.CN ?? "none")}`
  return new Error(`the certificate is for ${names}, not for ${expected}`, { cause: error })
}

const sentences: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet; compare the clocks",
  CERT_REVOKED: "the server's certificate has been revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed and not in tls.ca",
  SELF_SIGNED_CERT_IN_CHAIN:
    "the server's certificate comes from an authority that tls.ca does not trust (self-signed)",
  UNABLE_TO_GET_ISSUER_CERT: "the issuer of the server's certificate is unknown; add it to tls.ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the issuer of the server's certificate is unknown; add it to tls.ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the issuer of the server's certificate is unknown; add it to tls.ca",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server does not speak TLS at this port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the server does not speak TLS at this port",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the server speaks no version of TLS that tls.minVersion allows",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the server speaks no version of TLS that tls.minVersion allows",
  ECONNRESET: "the server ended the connection during the handshake; does this port speak TLS?"
}

const alertSentence = (cause: unknown): string | undefined => {
  const code = codeOf(cause)
  if (!code.includes("_ALERT_")) return undefined
  const alert = code
    .slice(code.indexOf("_ALERT_") + 7)
    .toLowerCase()
    .replaceAll("_", " ")
  return `the server refused the handshake: ${alert}; it may want a client certificate (tls.cert and tls.key)`
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

const toList = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> => (Array.isArray(value) ? value : [value as A])

const toPem = (value: string | Uint8Array): string | Buffer => (typeof value === "string" ? value : Buffer.from(value))
