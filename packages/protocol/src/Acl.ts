/**
 * Access control lists: who may do what to one node.
 *
 * An ACL is a plain value with the fields of the wire record, so what `getAcl` returned can be sent by `setAcl` as it
 * is. The constructors build entries, `validate` refuses what every server would refuse, `format` and `parse` speak the
 * notation of ZooKeeper's shell.
 *
 * An ACL protects one node: it is neither inherited by children nor applied to them, and all who match any entry have
 * what that entry grants; there is no way to deny.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { InvalidArgument } from "./InvalidArgument.ts"
import * as IpRange from "./internal/ipRange.ts"
import { sha1 } from "./internal/sha1.ts"

/**
 * One entry: the permissions of one identity.
 *
 * @category models
 * @since 0.1.0
 */
export interface Acl {
  /** Bits of `Perms`. Servers store all 32 of them, also those that mean nothing. */
  readonly perms: number
  /** How the identity is proved: "world", "auth", "digest", "ip", "x509", "sasl", or a server's plug-in. */
  readonly scheme: string
  /** Who it is, in the notation of the scheme. */
  readonly id: string
}

/**
 * The bits of permissions.
 *
 * @category constants
 * @since 0.1.0
 */
export const Perms = {
  /** `getData`, `getChildren`, `getAcl`, and `exists` since 3.8.4 and 3.9.2. */
  READ: 1,
  /** `setData`. */
  WRITE: 2,
  /** `create` of a child. */
  CREATE: 4,
  /** `delete` of a child; to delete a node is up to its parent's ACL. */
  DELETE: 8,
  /** `setAcl`, and the hashes in what `getAcl` shows. */
  ADMIN: 16,
  ALL: 31
} as const

/**
 * The name of a permission.
 *
 * @category models
 * @since 0.1.0
 */
export type PermName = "read" | "write" | "create" | "delete" | "admin"

/**
 * Permissions by the letters of ZooKeeper's shell, each at most once and in the order "cdrwa": "r", "rw", "cdrwa", ...
 *
 * @category models
 * @since 0.1.0
 */
export type PermLetters = `${"c" | ""}${"d" | ""}${"r" | ""}${"w" | ""}${"a" | ""}`

/**
 * Permissions as constructors take them: bits, a list of names, or letters.
 *
 * @category models
 * @since 0.1.0
 */
export type PermsInput = number | ReadonlyArray<PermName> | PermLetters

/**
 * The bits of permissions given by names or letters; bits stay as they are.
 *
 * A name or letter that does not exist (types exclude it) gives NaN, which `validate` refuses.
 *
 * @category constructors
 * @since 0.1.0
 */
export const perms = (input: PermsInput): number => {
  if (typeof input === "number") return input
  return typeof input === "string"
    ? sum(Array.from(input, (letter) => bitOf(bitsByLetter, letter)))
    : sum(input.map((name) => bitOf(bitsByName, name)))
}

/**
 * An entry of any scheme.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (entry: { readonly scheme: string; readonly id: string; readonly perms: PermsInput }): Acl => ({
  perms: perms(entry.perms),
  scheme: entry.scheme,
  id: entry.id
})

/**
 * Everybody, authenticated or not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const world = (perms: PermsInput): Acl => make({ scheme: "world", id: "anyone", perms })

/**
 * Whoever the connection is authenticated as at the time of the request.
 *
 * The server replaces it by all identities of the connection (digest, sasl, x509; not ip), which is what `getAcl` shows;
 * with none the request fails with InvalidACL.
 *
 * @category constructors
 * @since 0.1.0
 */
export const auth = (perms: PermsInput): Acl => make({ scheme: "auth", id: "", perms })

/**
 * A user with a password.
 *
 * The password does not leave the process: the id is the user and base64(SHA-1("user:password")), in UTF-8. For a server
 * that hashes otherwise (`DigestAuthenticationProvider.digestAlg`) use `digestId`. The user must not have a ":", for no
 * server would find its end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const digest = (options: {
  readonly user: string
  readonly password: Redacted.Redacted<string>
  readonly perms: PermsInput
}): Acl => {
  const secret = new TextEncoder().encode(`${options.user}:${Redacted.value(options.password)}`)
  return digestId(`${options.user}:${Base64.encode(sha1(secret))}`, options.perms)
}

/**
 * A user whose hash is known: `id` is "user:hash", as `getAcl` shows it to those with ADMIN.
 *
 * @category constructors
 * @since 0.1.0
 */
export const digestId = (id: string, perms: PermsInput): Acl => make({ scheme: "digest", id, perms })

/**
 * All clients of an address, or of a range in CIDR notation: "10.0.0.7", "10.0.0.0/8".
 *
 * IPv6 addresses need ZooKeeper 3.9.4; older servers answer InvalidACL.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ip = (range: string, perms: PermsInput): Acl => make({ scheme: "ip", id: range, perms })

/**
 * The client whose TLS certificate has this subject, in the notation of RFC 2253: "CN=jobs,O=example".
 *
 * @category constructors
 * @since 0.1.0
 */
export const x509 = (subject: string, perms: PermsInput): Acl => make({ scheme: "x509", id: subject, perms })

/**
 * A SASL principal by the name that the server derives from it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sasl = (name: string, perms: PermsInput): Acl => make({ scheme: "sasl", id: name, perms })

/**
 * Everybody may do everything: Java's OPEN_ACL_UNSAFE.
 *
 * @category constants
 * @since 0.1.0
 */
export const open: ReadonlyArray<Acl> = Object.freeze([
  Object.freeze({ perms: Perms.ALL, scheme: "world", id: "anyone" })
])

/**
 * Everybody may read, nobody may do anything else: Java's READ_ACL_UNSAFE.
 *
 * @category constants
 * @since 0.1.0
 */
export const readOnly: ReadonlyArray<Acl> = [{ perms: Perms.READ, scheme: "world", id: "anyone" }]

/**
 * The identities of the creating connection may do everything: Java's CREATOR_ALL_ACL. See `auth`.
 *
 * @category constants
 * @since 0.1.0
 */
export const creator: ReadonlyArray<Acl> = [{ perms: Perms.ALL, scheme: "auth", id: "" }]

/**
 * Succeeds with the list, or fails with the first rule that it breaks.
 *
 * **Details**
 *
 * Refused is only what servers 3.8 and 3.9 refuse (or could not read), whatever their settings: an empty list, perms
 * that are no 32-bit integer, an entry without scheme or id, a "world" other than "anyone", a "digest" that is not
 * "user:hash", and an "ip" that is neither an address nor a range. Schemes that a server may have as a plug-in, perms
 * without a meaning and doubles pass.
 *
 * @category validation
 * @since 0.1.0
 */
export const validate = (
  acl: ReadonlyArray<Acl>,
  argument = "acl"
): Result.Result<ReadonlyArray<Acl>, InvalidArgument> => {
  if (!Array.isArray(acl) || acl.length === 0) {
    return invalid(argument, Array.isArray(acl) ? "[]" : String(acl), "an ACL must be a list of at least one entry")
  }
  for (let index = 0; index < acl.length; index++) {
    const error = validateEntry(acl[index], `${argument}[${index}]`)
    if (error !== undefined) return error
  }
  return Result.succeed(acl)
}

/**
 * Whether an id fits its scheme as servers of 3.8 without plug-ins judge it: world, digest, ip with IPv4; no other scheme
 * has ids to them.
 *
 * @category validation
 * @since 0.1.0
 */
export const isKnownId = (scheme: string, id: string): boolean =>
  scheme === "world"
    ? id === "anyone"
    : scheme === "digest"
      ? isDigestId(id)
      : scheme === "ip" && IpRange.parseIpv4(id) !== undefined

/**
 * Whether the id of an entry means this identity of a connection, of the same scheme: an address within the range, or
 * else the same text.
 *
 * @category validation
 * @since 0.1.0
 */
export const matches = (scheme: string, entryId: string, identity: string): boolean => {
  if (scheme !== "ip") return entryId === identity
  const range = IpRange.parseIpv4(entryId)
  const address = IpRange.parseIpv4(identity)
  if (range === undefined || address === undefined) return false
  // A shift by 32 would be one by 0.
  return range.bits === 0 || (range.address ^ address.address) >>> (32 - range.bits) === 0
}

/**
 * The id of a user whose "user:password" is given in bytes, as connections bring it to a server.
 *
 * @category constructors
 * @since 0.1.0
 */
export const digestIdOf = (credentials: Redacted.Redacted<Uint8Array>): string => {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Redacted.value(credentials))
  const colon = text.indexOf(":")
  return `${colon === -1 ? text : text.slice(0, colon)}:${Base64.encode(sha1(new TextEncoder().encode(text)))}`
}

/**
 * An entry in the notation of ZooKeeper's shell, "scheme:id:perms": "world:anyone:cdrwa".
 *
 * Perms with bits that have no letter are written as a number. A digest's hash is part of the text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (acl: Acl): string => `${acl.scheme}:${acl.id}:${formatPerms(acl.perms)}`

/**
 * Reads what `format` writes: the scheme ends at the first ":", the perms begin after the last.
 *
 * Letters may stand in any order. The id is not judged: see `validate`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (text: string, argument = "acl"): Result.Result<Acl, InvalidArgument> => {
  const first = text.indexOf(":")
  const last = text.lastIndexOf(":")
  if (first <= 0 || last === first) {
    return invalid(argument, concealed(text), 'an ACL must look like "scheme:id:perms", as in "world:anyone:cdrwa"')
  }
  const perms = parsePerms(text.slice(last + 1))
  if (Number.isNaN(perms)) {
    return invalid(argument, concealed(text), 'perms must be letters of "cdrwa" or a 32-bit integer')
  }
  return Result.succeed({ perms, scheme: text.slice(0, first), id: text.slice(first + 1, last) })
}

// ---- internal

const bitsByName: Readonly<Record<string, number>> = {
  read: Perms.READ,
  write: Perms.WRITE,
  create: Perms.CREATE,
  delete: Perms.DELETE,
  admin: Perms.ADMIN
}

/** In the order in which ZooKeeper's shell writes them. */
const bitsByLetter: Readonly<Record<string, number>> = {
  c: Perms.CREATE,
  d: Perms.DELETE,
  r: Perms.READ,
  w: Perms.WRITE,
  a: Perms.ADMIN
}

const bitOf = (bits: Readonly<Record<string, number>>, key: string): number | undefined =>
  Object.hasOwn(bits, key) ? bits[key] : undefined

const sum = (bits: ReadonlyArray<number | undefined>): number => {
  let all = 0
  for (const bit of bits) {
    if (bit === undefined) return Number.NaN
    all |= bit
  }
  return all
}

const formatPerms = (perms: number): string => {
  if ((perms & Perms.ALL) !== perms) return String(perms)
  return Object.entries(bitsByLetter)
    .filter(([, bit]) => (perms & bit) !== 0)
    .map(([letter]) => letter)
    .join("")
}

const parsePerms = (text: string): number => {
  if (!/^-?\d+$/.test(text)) return sum(Array.from(text, (letter) => bitOf(bitsByLetter, letter)))
  const value = Number(text)
  return isInt32(value) ? value : Number.NaN
}

const isInt32 = (value: unknown): boolean => typeof value === "number" && (value | 0) === value

const invalid = (argument: string, value: string, rule: string): Result.Result<never, InvalidArgument> =>
  Result.fail(new InvalidArgument({ argument, value, rule }))

/** Callers without types send all sorts of things, so an entry is taken for nothing until it is looked at. */
const validateEntry = (
  entry: Partial<Acl> | undefined,
  at: string
): Result.Result<never, InvalidArgument> | undefined => {
  if (typeof entry !== "object" || entry === null) {
    return invalid(at, String(entry), "an entry of an ACL must be an object of perms, scheme and id")
  }
  const { id, perms, scheme } = entry
  if (!isInt32(perms)) {
    return invalid(`${at}.perms`, String(perms), "perms must be a 32-bit integer: a sum of READ 1 ... ADMIN 16")
  }
  if (typeof scheme !== "string" || scheme === "") {
    return invalid(`${at}.scheme`, String(scheme), 'a scheme must be a text that is not empty, as "world" or "digest"')
  }
  if (typeof id !== "string") {
    return invalid(`${at}.id`, String(id), "an id must be a text")
  }
  if (scheme === "world" && id !== "anyone") {
    return invalid(`${at}.id`, id, 'the only id of the scheme "world" is "anyone"')
  }
  if (scheme === "digest" && !isDigestId(id)) {
    // Somebody may have put the password where the hash belongs.
    return invalid(`${at}.id`, concealedId(id), 'an id of the scheme "digest" must be "user:hash" with exactly one ":"')
  }
  if (scheme === "ip" && !IpRange.isValid(id)) {
    return invalid(`${at}.id`, id, 'an id of the scheme "ip" must be an address or a range: "10.0.0.7", "10.0.0.0/8"')
  }
  return undefined
}

/** Two parts. Java's `split`, which the server uses, drops empty parts at the end but not the one at the start. */
const isDigestId = (id: string): boolean => {
  const parts = id.replace(/:+$/, "").split(":")
  return parts.length === 2 && parts[1] !== ""
}

const concealedId = (id: string): string => {
  const colon = id.indexOf(":")
  return colon === -1 ? id : `${id.slice(0, colon)}:<redacted>`
}

const concealed = (text: string): string =>
  text.startsWith("digest:") ? `digest:${concealedId(text.slice("digest:".length))}` : text
