/**
 * The rules of the entries of an access control list, and how they are shown in errors.
 */
import * as Result from "effect/Result"
import { InvalidArgument } from "../InvalidArgument.ts"
import * as IpRange from "./ipRange.ts"

export const isInt32 = (value: unknown): boolean => typeof value === "number" && (value | 0) === value

export const invalid = (argument: string, value: string, rule: string): Result.Result<never, InvalidArgument> =>
  Result.fail(new InvalidArgument({ argument, value, rule }))

/** The first mistake in an entry. Callers without types may pass anything, so each part is checked before it is used. */
export const validateEntry = (
  entry: { readonly perms?: unknown; readonly scheme?: unknown; readonly id?: unknown } | undefined,
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
    return invalid(
      `${at}.scheme`,
      String(scheme),
      'a scheme must be a text that is not empty, such as "world" or "digest"'
    )
  }
  if (typeof id !== "string") {
    return invalid(`${at}.id`, String(id), "an id must be a text")
  }
  if (scheme === "world" && id !== "anyone") {
    return invalid(`${at}.id`, id, 'the only id of the scheme "world" is "anyone"')
  }
  if (scheme === "digest" && !isDigestId(id)) {
    // The text may be a password in the place of the hash.
    return invalid(`${at}.id`, concealedId(id), 'an id of the scheme "digest" must be "user:hash" with exactly one ":"')
  }
  if (scheme === "ip" && !IpRange.isValid(id)) {
    return invalid(`${at}.id`, id, 'an id of the scheme "ip" must be an address or a range: "10.0.0.7", "10.0.0.0/8"')
  }
  return undefined
}

/** Whether an id has two parts. Java's `split`, which the server uses, drops empty parts at the end but not the one at the start. */
export const isDigestId = (id: string): boolean => {
  const parts = id.replace(/:+$/, "").split(":")
  return parts.length === 2 && parts[1] !== ""
}

const concealedId = (id: string): string => {
  const colon = id.indexOf(":")
  return colon === -1 ? id : `${id.slice(0, colon)}:<redacted>`
}

/** A text in the notation of an ACL without the hash of a digest. */
export const concealed = (text: string): string =>
  text.startsWith("digest:") ? `digest:${concealedId(text.slice("digest:".length))}` : text
