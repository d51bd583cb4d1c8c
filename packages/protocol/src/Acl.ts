/**
 * Access control lists: which identities may do what to one znode.
 *
 * An ACL is a plain value with the fields of the wire record, so the result of `getAcl` can be passed to `setAcl` as it
 * is. The constructors build entries, `validate` refuses every list that all servers would refuse, and `format` and `parse`
 * use the notation of ZooKeeper's shell.
 *
 * An ACL protects one znode and is not inherited by children. An identity has the permissions of every entry that matches
 * it; no entry can deny.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { InvalidArgument } from "./InvalidArgument.ts"
import { concealed, invalid, isDigestId, isInt32, validateEntry } from "./internal/aclRules.ts"
import * as IpRange from "./internal/ipRange.ts"
import { sha1 } from "./internal/sha1.ts"

/**
 * One entry of an access control list: the permissions of one identity.
 *
 * @category models
 * @since 0.1.0
 */
export interface Acl {
  /** Bits of `Perms`. Servers store all 32 bits, even those without a meaning. */
  readonly perms: number
  /** How the identity is proved: "world", "auth", "digest", "ip", "x509", "sasl", or a server's plug-in. */
  readonly scheme: string
  /** The identity, in the notation of the scheme. */
  readonly id: string
}

/**
 * The bits of permissions, to be combined with `|`. Constructors also take names and letters: see `PermsInput`.
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
  /** `delete` of a child: the ACL of the parent decides who may delete a znode. */
  DELETE: 8,
  /** `setAcl`, and the hashes in the result of `getAcl`. */
  ADMIN: 16,
  /** All five. */
  ALL: 31
} as const

/**
 * The name of a permission, as in `["read", "write"]`.
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
 * The bits of permissions that are given by names or letters. Bits are returned as they are.
 *
 * An unknown name or letter, which the types exclude, gives NaN, which `validate` refuses.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * Acl.perms(["read", "write"]) // 3
 * Acl.perms("cdrwa") // 31
 * ```
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
 * An entry of any scheme, such as that of a server's plug-in. The other constructors make those of the known schemes.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * const entry = Acl.make({ scheme: "kerberos", id: "jobs@EXAMPLE.COM", perms: "rw" })
 * ```
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
 * An entry for every client, authenticated or not.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * const acl = [Acl.world("r"), Acl.auth("cdrwa")]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const world = (perms: PermsInput): Acl => make({ scheme: "world", id: "anyone", perms })

/**
 * An entry for the identities that the client's connection has at the time of the request.
 *
 * The server replaces it by all identities of the connection (digest, sasl, x509; not ip), and `getAcl` shows those. If
 * the connection has none, the request fails with `InvalidACL`: call `addAuth` first, or use `world`.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * // The creator may do everything, other clients may read.
 * const acl = [Acl.auth("cdrwa"), Acl.world("r")]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const auth = (perms: PermsInput): Acl => make({ scheme: "auth", id: "", perms })

/**
 * An entry for a user with a password, of the scheme `digest`.
 *
 * The password does not leave the process: the id is the user and base64(SHA-1("user:password")), in UTF-8. For a server
 * with another hash (`DigestAuthenticationProvider.digestAlg`) use `digestId`. The user name must not contain ":", which
 * ends it.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 * import * as Redacted from "effect/Redacted"
 *
 * const acl = [Acl.digest({ user: "jobs", password: Redacted.make("secret"), perms: "cdrwa" })]
 * ```
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
 * An entry for a user whose hash is known: `id` is "user:hash", as `getAcl` shows it to clients with ADMIN.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * const acl = [Acl.digestId("super:lK75jTNcA+U9vtVEw5vB51mj/w4=", "cdrwa")]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const digestId = (id: string, perms: PermsInput): Acl => make({ scheme: "digest", id, perms })

/**
 * An entry for all clients at an address, or in a range in CIDR notation: "10.0.0.7", "10.0.0.0/8".
 *
 * IPv6 addresses need ZooKeeper 3.9.4 or later; older servers answer `InvalidACL`.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * const acl = [Acl.ip("10.0.0.0/8", ["read"])]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ip = (range: string, perms: PermsInput): Acl => make({ scheme: "ip", id: range, perms })

/**
 * An entry for the client whose TLS certificate has this subject, in the notation of RFC 2253: "CN=jobs,O=example".
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * const acl = [Acl.x509("CN=jobs,O=example", "cdrwa")]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const x509 = (subject: string, perms: PermsInput): Acl => make({ scheme: "x509", id: subject, perms })

/**
 * An entry for a SASL principal, by the name that the server derives from it.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 *
 * const acl = [Acl.sasl("jobs", "cdrwa")]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const sasl = (name: string, perms: PermsInput): Acl => make({ scheme: "sasl", id: name, perms })

/**
 * Every client may do everything: Java's OPEN_ACL_UNSAFE. Clients use it for every create unless they are told otherwise.
 *
 * @category constants
 * @since 0.1.0
 */
export const open: ReadonlyArray<Acl> = Object.freeze([
  Object.freeze({ perms: Perms.ALL, scheme: "world", id: "anyone" })
])

/**
 * Every client may read, and no client may do anything else: Java's READ_ACL_UNSAFE.
 *
 * @category constants
 * @since 0.1.0
 */
export const readOnly: ReadonlyArray<Acl> = [{ perms: Perms.READ, scheme: "world", id: "anyone" }]

/**
 * The identities of the connection that creates the znode may do everything: Java's CREATOR_ALL_ACL. It needs `addAuth`, a
 * client certificate or SASL, or the create fails with `InvalidACL`; see `auth`.
 *
 * @category constants
 * @since 0.1.0
 */
export const creator: ReadonlyArray<Acl> = [{ perms: Perms.ALL, scheme: "auth", id: "" }]

/**
 * Succeeds with the list, or fails with `InvalidArgument` and the first rule that the list breaks. Every method with an ACL
 * calls it before anything is sent.
 *
 * **Details**
 *
 * It refuses only lists that servers of 3.8 and 3.9 refuse (or cannot read) with any settings: an empty list, perms that
 * are not a 32-bit integer, an entry without scheme or id, a "world" other than "anyone", a "digest" that is not
 * "user:hash", and an "ip" that is neither an address nor a range. It accepts schemes that a server may have as a plug-in,
 * perms without a meaning, and duplicates.
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
 * Whether a server of 3.8 without plug-ins accepts an id of a scheme: world, digest, or ip with IPv4. For servers such as
 * the embedded one; clients use `validate`.
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
 * Whether the id of an entry matches an identity of a connection of the same scheme: an address within the range, or else
 * the same text. For servers.
 *
 * @category validation
 * @since 0.1.0
 */
export const matches = (scheme: string, entryId: string, identity: string): boolean => {
  if (scheme !== "ip") return entryId === identity
  const range = IpRange.parseIpv4(entryId)
  const address = IpRange.parseIpv4(identity)
  if (range === undefined || address === undefined) return false
  // A shift by 32 bits would be a shift by 0.
  return range.bits === 0 || (range.address ^ address.address) >>> (32 - range.bits) === 0
}

/**
 * The id "user:hash" of credentials "user:password" in bytes, as an `addAuth` request carries them. For servers, and for
 * options that take such an id, as the embedded server's `superDigest`.
 *
 * @example
 * ```ts
 * import * as Acl from "@effect-zookeeper/protocol/Acl"
 * import * as Redacted from "effect/Redacted"
 *
 * Acl.digestIdOf(Redacted.make(new TextEncoder().encode("super:secret"))) // "super:lK75jTNcA+U9vtVEw5vB51mj/w4="
 * ```
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
 * Perms with bits that have no letter are written as a number. The hash of a digest is part of the text: do not log it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (acl: Acl): string => `${acl.scheme}:${acl.id}:${formatPerms(acl.perms)}`

/**
 * Reads the notation that `format` writes: the scheme ends at the first ":", the perms begin after the last. It fails with
 * `InvalidArgument`, which conceals the hash of a digest.
 *
 * Letters may be in any order. The id is not checked: see `validate`.
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
