/** The check of a line of a backup. `Record` is its Schema, and a test compares the two: with it, a line takes twice as long to read. */
import type { Record } from "./lines.ts"

/** Whether a value, as JSON gives it, is a `Record`. It may have other fields, too. */
export const isRecord = (value: unknown): value is Record => {
  if (!isObject(value)) return false
  const { acl, base64, kind, path, stat, text, ttl } = value
  return (
    typeof path === "string" &&
    (kind === undefined || kinds.has(kind)) &&
    (ttl === undefined || Number.isSafeInteger(ttl)) &&
    (text === undefined || typeof text === "string") &&
    (base64 === undefined || typeof base64 === "string") &&
    Array.isArray(acl) &&
    acl.every(isAcl) &&
    isStat(stat)
  )
}

// ---- internal

const kinds: ReadonlySet<unknown> = new Set<Record["kind"]>(["persistent", "ephemeral", "container", "ttl"])

const isAcl = (value: unknown): boolean =>
  isObject(value) &&
  Number.isSafeInteger(value["perms"]) &&
  typeof value["scheme"] === "string" &&
  typeof value["id"] === "string"

const isStat = (value: unknown): boolean => {
  if (!isObject(value)) return false
  const { aversion, ctime, cversion, czxid, dataLength, ephemeralOwner, mtime, mzxid, numChildren, pzxid, version } =
    value
  return (
    isHex(czxid) &&
    isHex(mzxid) &&
    isHex(pzxid) &&
    isHex(ephemeralOwner) &&
    Number.isSafeInteger(ctime) &&
    Number.isSafeInteger(mtime) &&
    Number.isSafeInteger(version) &&
    Number.isSafeInteger(cversion) &&
    Number.isSafeInteger(aversion) &&
    Number.isSafeInteger(dataLength) &&
    Number.isSafeInteger(numChildren)
  )
}

const isHex = (value: unknown): boolean => typeof value === "string" && hex.test(value)

const hex = /^0x[0-9a-f]{1,16}$/

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null
