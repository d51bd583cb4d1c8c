/**
 * Checks TLS options one by one, since the error of Node for all of them together does not name the option.
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Redacted from "effect/Redacted"
import type * as Tls from "node:tls"
import type { TlsOptions } from "./tlsTypes.ts"
import { crypto, tls } from "./nodeTls.ts"

/** A mistake in an option. `value` and `rule` contain no secret. */
export interface Mistake {
  /** The name of the option, such as `tls.ca`. */
  readonly option: string
  readonly value: string
  readonly rule: string
}

/** The first mistake in the options; undefined if there is none. */
export const mistakeIn = (options: TlsOptions): Mistake | undefined => {
  const mistake = KnownOptions.check(known, options, "tls")
  if (mistake !== undefined) return fromInvalid(mistake)
  return (
    simpleMistake(options) ??
    authorityMistake(options.ca) ??
    revokedMistake(options.crl) ??
    certificateMistake(options) ??
    keyMistake(options) ??
    pfxMistake(options)
  )
}

/** Whether the mistake may pass: of two files, only one has been replaced so far. */
export const isMomentary = ({ rule }: Mistake): boolean => rule === mismatch

// ---- internal

const known = KnownOptions.make<TlsOptions>(
  {
    ca: true,
    crl: true,
    cert: true,
    key: true,
    passphrase: true,
    pfx: true,
    servername: true,
    minVersion: true,
    rejectUnauthorized: true
  },
  "{ ca, cert, key: Redacted.make(key) }"
)

const mismatch = "must be the private key of the certificate in tls.cert"

const fromInvalid = ({ argument, rule, value }: InvalidArgument): Mistake => ({ option: argument, value, rule })

const mistake = (option: keyof TlsOptions, value: string, rule: string): Mistake => ({
  option: `tls.${option}`,
  value,
  rule
})

const simpleMistake = ({ minVersion, passphrase, rejectUnauthorized, servername }: TlsOptions) => {
  if (servername !== undefined && (typeof servername !== "string" || servername === "")) {
    return mistake("servername", sizeOf(servername), "must be the name that the server's certificate carries")
  }
  if (minVersion !== undefined && minVersion !== "TLSv1.2" && minVersion !== "TLSv1.3") {
    return mistake("minVersion", String(minVersion), `must be "TLSv1.2" or "TLSv1.3"`)
  }
  if (rejectUnauthorized !== undefined && typeof rejectUnauthorized !== "boolean") {
    return mistake("rejectUnauthorized", String(rejectUnauthorized), "must be true or false")
  }
  return passphrase === undefined || isSecret(passphrase, isText)
    ? undefined
    : mistake("passphrase", "<hidden>", "must be a Redacted string: Redacted.make(...)")
}

// Node ignores text in `ca` that is not a certificate, and then trusts no authority at all.
const authorityMistake = (ca: TlsOptions["ca"]) => {
  const rule = "must be certificates of authorities as PEM (-----BEGIN CERTIFICATE-----), as text or bytes"
  return listMistake("ca", ca, rule, (pem) => isPem(pem, "CERTIFICATE") && areCertificates(pem))
}

const revokedMistake = (crl: TlsOptions["crl"]) => {
  const rule = "must be lists of revoked certificates as PEM (-----BEGIN X509 CRL-----), as text or bytes"
  return listMistake("crl", crl, rule, (pem) => isPem(pem, "X509 CRL") && failureOf({ crl: pem }) === undefined)
}

const listMistake = (
  option: "ca" | "crl",
  given: TlsOptions["ca"],
  rule: string,
  isGood: (pem: string) => boolean
): Mistake | undefined => {
  if (given === undefined) return undefined
  const all: ReadonlyArray<unknown> = Array.isArray(given) ? given : [given]
  if (all.length === 0) return mistake(option, "an empty list", `${rule}; leave it out to use those that Node trusts`)
  const bad = all.find((one) => (!isText(one) && !isBytes(one) ? true : !isGood(textOf(one))))
  return bad === undefined && !all.includes(undefined) ? undefined : mistake(option, sizeOf(bad), rule)
}

const certificateMistake = ({ cert, key, pfx }: TlsOptions) => {
  if (cert === undefined) {
    return key === undefined
      ? undefined
      : mistake(
          "cert",
          "undefined",
          `must be given with tls.key: the client's certificate as PEM${pfx === undefined ? "" : "; tls.pfx brings a key of its own"}`
        )
  }
  const isGood =
    (isText(cert) || isBytes(cert)) && isPem(textOf(cert), "CERTIFICATE") && failureOf({ cert: textOf(cert) })
  return isGood === undefined
    ? undefined
    : mistake(
        "cert",
        sizeOf(cert),
        "must be the client's certificate as PEM (-----BEGIN CERTIFICATE-----), its chain behind it, as text or bytes"
      )
}

const keyMistake = ({ cert, key, passphrase }: TlsOptions) => {
  if (key === undefined) {
    return cert === undefined
      ? undefined
      : mistake("key", "undefined", "must be given with tls.cert: its private key, as Redacted.make(pem)")
  }
  if (!isSecret(key, (secret) => isText(secret) || isBytes(secret))) {
    return mistake("key", "<hidden>", "must be Redacted: Redacted.make(pem), of text or bytes")
  }
  const pem = textOf(Redacted.value<string | Uint8Array>(key))
  const secret = passphrase === undefined ? undefined : Redacted.value(passphrase)
  if (failureOf({ key: pem, passphrase: secret }) !== undefined || !pem.includes("PRIVATE KEY-----")) {
    if (pem.includes("ENCRYPTED")) return passphraseMistake("key", secret)
    return mistake("key", "<hidden>", "must be a private key as PEM (-----BEGIN PRIVATE KEY-----)")
  }
  return failureOf({ cert: textOf(cert!), key: pem, passphrase: secret }) === undefined
    ? undefined
    : mistake("key", "<hidden>", mismatch)
}

const pfxMistake = ({ passphrase, pfx }: TlsOptions) => {
  if (pfx === undefined) return undefined
  if (!isSecret(pfx, isBytes)) {
    return mistake("pfx", "<hidden>", "must be the bytes of a PKCS#12 file, Redacted: Redacted.make(bytes)")
  }
  const secret = passphrase === undefined ? undefined : Redacted.value(passphrase)
  const failure = failureOf({ pfx: Buffer.from(Redacted.value(pfx)), passphrase: secret })
  if (failure === undefined) return undefined
  if (failure.includes("mac verify")) return passphraseMistake("pfx", secret)
  if (/unsupported/i.test(failure)) {
    const rule =
      "is encrypted with a cipher that OpenSSL 3 no longer supports; export it again, without the option -legacy"
    return mistake("pfx", "<hidden>", rule)
  }
  return mistake("pfx", "<hidden>", "must be PKCS#12 with a certificate and its private key")
}

const passphraseMistake = (of: "key" | "pfx", secret: string | undefined) =>
  secret === undefined
    ? mistake("passphrase", "undefined", `must be given: tls.${of} is encrypted`)
    : mistake("passphrase", "<hidden>", `does not open tls.${of}`)

/** The message with which Node refuses these options; it quotes no key and no certificate. */
const failureOf = (options: Tls.SecureContextOptions): string | undefined => {
  try {
    tls().createSecureContext(options)
    return undefined
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

const areCertificates = (pem: string): boolean => {
  const blocks = pem.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END [A-Z0-9 ]*-----/g) ?? []
  const { X509Certificate } = crypto()
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).raw.length > 0)
  } catch {
    return false
  }
}

const isPem = (text: string, label: string): boolean =>
  new RegExp(`-----BEGIN (X509 |TRUSTED )?${label}-----`).test(text)

const isText = (value: unknown): value is string => typeof value === "string"

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

const isSecret = (value: unknown, holds: (secret: unknown) => boolean): boolean =>
  Redacted.isRedacted(value) && holds(Redacted.value(value))

const textOf = (value: string | Uint8Array): string =>
  isText(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1")

/** Describes a value without showing it: keys are given in the place of certificates by mistake. */
const sizeOf = (value: unknown): string => {
  if (isText(value)) return `<text of ${value.length} characters>`
  if (isBytes(value)) return `<${value.length} bytes>`
  return Redacted.isRedacted(value) ? "<redacted>" : value === null ? "null" : typeof value
}
