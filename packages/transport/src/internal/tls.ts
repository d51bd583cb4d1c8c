/**
 * Translates our TLS options to Node's, and Node's errors to `TlsError`.
 */
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import type * as Tls from "node:tls"
import * as Url from "node:url"
import type { ServerAddress } from "../ServerAddress.ts"
import { TlsError, type TlsReason } from "../TlsError.ts"
import type { TlsOptions, TlsSource } from "./tlsTypes.ts"
import { isMomentary, type Mistake, mistakeIn } from "./checkTls.ts"
import { tls } from "./nodeTls.ts"

/**
 * The options of Node for one connection. Nothing is left to a default that the process or its environment can weaken. No
 * application protocol is offered (ALPN): ZooKeeper has none. Throws `TlsError` if a secret is not `Redacted`.
 */
export const connectionOptions = (name: ServerAddress, options: TlsOptions): Tls.ConnectionOptions => {
  const expected = toCertificateName(options.servername ?? name.host)
  return {
    minVersion: options.minVersion ?? "TLSv1.2",
    // Any value but `false` verifies: `undefined`, and anything else that JavaScript may pass.
    rejectUnauthorized: options.rejectUnauthorized !== false,
    // This name is verified, and not the address that is connected to. Server Name Indication cannot carry an IP address.
    ...(Net.isIP(expected) === 0 ? { servername: expected } : {}),
    checkServerIdentity: (_, certificate) => checkIdentity(expected, certificate),
    ...(options.ca === undefined ? {} : { ca: toList(options.ca).map(toPem) }),
    ...(options.crl === undefined ? {} : { crl: toList(options.crl).map(toPem) }),
    ...(options.cert === undefined ? {} : { cert: toPem(options.cert) }),
    ...(options.key === undefined ? {} : { key: toPem(reveal<string | Uint8Array>("key", options.key)) }),
    ...(options.pfx === undefined ? {} : { pfx: toPem(reveal<Uint8Array>("pfx", options.pfx)) }),
    ...(options.passphrase === undefined ? {} : { passphrase: reveal<string>("passphrase", options.passphrase) })
  }
}

/** Whether an error of an open connection comes from TLS: an alert or a bad record. */
export const isTlsError = (cause: unknown): boolean => /^ERR_(SSL|TLS)_/.test(codeOf(cause))

/** The reason why a handshake failed, or why an alert ended a connection. */
export const explain = (cause: unknown, isAnonymous: boolean): TlsError => {
  if (cause instanceof TlsError) return cause
  const code = codeOf(cause)
  const [reason, message] = known[code] ?? explainAlert(code, isAnonymous) ?? ["Handshake", messageOf(cause)]
  return new TlsError({ reason, message, cause })
}

/** The reason why a handshake ended without an alert: most likely the port does not speak TLS. */
export const explainEnd = (cause: unknown): TlsError =>
  new TlsError({
    reason: "NotTls",
    message:
      "the server ended the connection during the handshake; does this port speak TLS, in a version and with a cipher that this client has?",
    cause
  })

/** The error of options that cannot be used. Nothing has been sent, and Node's messages quote no key or certificate. */
export const explainOptions = (cause: unknown, options?: TlsOptions): TlsError => {
  if (cause instanceof TlsError) return cause
  const mistake = options === undefined ? undefined : mistakeIn(options)
  return mistake === undefined
    ? new TlsError({ reason: "Options", message: `the TLS options cannot be used: ${messageOf(cause)}`, cause })
    : new TlsError({ reason: "Options", option: mistake.option, message: `${mistake.option} ${mistake.rule}`, cause })
}

/** Checks options before the first connection: a mistake is `InvalidArgument`, unless an Effect may give better ones later. */
export const checkSource = (source: TlsSource): Effect.Effect<void, InvalidArgument> =>
  Effect.isEffect(source)
    ? Effect.matchEffect(source, {
        onSuccess: (options) =>
          Effect.sync(() => mistakeIn(options)).pipe(
            Effect.flatMap((mistake) => refuse(mistake && isMomentary(mistake) ? undefined : mistake))
          ),
        onFailure: (cause) =>
          cause instanceof TlsError && cause.option !== undefined
            ? refuse({ option: cause.option, value: fileOf(cause.cause), rule: cause.message })
            : // This may pass: the first connection runs the Effect again.
              Effect.void
      })
    : Effect.suspend(() => refuse(mistakeIn(source)))

const refuse = (mistake: Mistake | undefined): Effect.Effect<void, InvalidArgument> =>
  mistake === undefined
    ? Effect.void
    : Effect.fail(new InvalidArgument({ argument: mistake.option, value: mistake.value, rule: mistake.rule }))

const fileOf = (cause: unknown): string =>
  cause instanceof Error && "path" in cause && typeof cause.path === "string" ? cause.path : "<hidden>"

/** As certificates and Server Name Indication write a name: without the root's dot, international ones in ASCII. */
const toCertificateName = (host: string): string => {
  const name = host.endsWith(".") ? host.slice(0, -1) : host
  return Net.isIP(name) === 0 ? Url.domainToASCII(name) || name : name
}

const checkIdentity = (expected: string, certificate: Tls.PeerCertificate): Error | undefined => {
  const cause = tls().checkServerIdentity(expected, certificate)
  if (cause === undefined) return undefined
  const names = certificate.subjectaltname ?? `CN:${String(certificate.subject?.CN ?? "none")}`
  // The names come from the peer, which may be an attacker.
  const message = `the certificate is for ${Printable.escape(names)}, not for ${expected}`
  return new TlsError({ reason: "WrongHost", message, cause })
}

const unknownIssuer = [
  "UnknownAuthority",
  "the issuer of the server's certificate is unknown; add it to tls.ca"
] as const
const notTls = ["NotTls", "the server does not speak TLS at this port"] as const
const version = ["Version", "the server speaks no version of TLS that tls.minVersion allows"] as const

const known: Readonly<Record<string, readonly [TlsReason, string]>> = {
  CERT_HAS_EXPIRED: ["Expired", "the server's certificate has expired"],
  CERT_NOT_YET_VALID: ["NotYetValid", "the server's certificate is not valid yet; compare the clocks"],
  CERT_REVOKED: ["Revoked", "the server's certificate has been revoked"],
  UNABLE_TO_GET_CRL: ["Revoked", "tls.crl has no list of the authority that signed the server's certificate"],
  CRL_HAS_EXPIRED: ["Revoked", "the list in tls.crl has expired, so that it cannot tell what is revoked; renew it"],
  CRL_NOT_YET_VALID: ["Revoked", "the list in tls.crl is not valid yet; compare the clocks"],
  CRL_SIGNATURE_FAILURE: ["Revoked", "the list in tls.crl is not signed by the authority that it speaks for"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["UnknownAuthority", "the server's certificate is self-signed and not in tls.ca"],
  SELF_SIGNED_CERT_IN_CHAIN: [
    "UnknownAuthority",
    "the server's certificate comes from an authority that tls.ca does not trust (self-signed)"
  ],
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  CERT_SIGNATURE_FAILURE: ["UnknownAuthority", "the server's certificate is not signed by the authority that it names"],
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_SSL_HTTP_REQUEST: notTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: version,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: version
}

/** The alerts about the client's certificate. In TLS 1.2 `handshake failure` is one, where there is no certificate. */
const aboutTheClient = /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE/

const explainAlert = (code: string, isAnonymous: boolean): readonly [TlsReason, string] | undefined => {
  if (!code.includes("_ALERT_")) return undefined
  const name = code.slice(code.indexOf("_ALERT_") + 7)
  const alert = `the server refused the handshake: ${name.toLowerCase().replaceAll("_", " ")}`
  if (!aboutTheClient.test(name)) return ["Handshake", alert]
  return isAnonymous
    ? ["ClientCertificate", `${alert}; it wants a client certificate (tls.cert and tls.key, or tls.pfx)`]
    : ["ClientCertificate", `${alert}; it does not accept the certificate of tls.cert or tls.pfx`]
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

const messageOf = (cause: unknown): string => Printable.escape(cause instanceof Error ? cause.message : String(cause))

const toList = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> => (Array.isArray(value) ? value : [value as A])

const toPem = (value: string | Uint8Array): string | Buffer => (typeof value === "string" ? value : Buffer.from(value))

const reveal = <A>(option: string, secret: Redacted.Redacted<A>): A => {
  if (Redacted.isRedacted(secret)) return Redacted.value(secret)
  throw new TlsError({
    reason: "Options",
    option: `tls.${option}`,
    message: `tls.${option} must be Redacted: Redacted.make(...)`
  })
}
