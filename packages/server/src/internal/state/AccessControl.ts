/**
 * The identities of connections, and the operations that ACLs permit to them.
 *
 * @since 0.1.0
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type * as Records from "@effect-zookeeper/protocol/Records"
import { matchesIpv6, parseIpv6 } from "./ipv6.ts"

/**
 * One proved identity of a connection. The id of the super user, who may do everything, is empty.
 *
 * @category models
 * @since 0.1.0
 */
export interface Identity {
  readonly scheme: "ip" | "digest" | "x509" | "super"
  readonly id: string
}

/**
 * An entry of an ACL as requests carry it.
 *
 * @category models
 * @since 0.1.0
 */
export type RequestedAcl = (typeof Records.RequestedAcl)["Type"]

/**
 * Whether an ACL gives one of these identities one of these permissions.
 *
 * @category guards
 * @since 0.1.0
 */
export const allows = (acl: ReadonlyArray<Acl.Acl>, perms: number, identities: ReadonlyArray<Identity>): boolean => {
  if (acl === Acl.open || acl.length === 0 || identities.some(({ scheme }) => scheme === "super")) return true
  return acl.some(
    (entry) =>
      (entry.perms & perms) !== 0 &&
      (entry.scheme === "world" ||
        identities.some(({ id, scheme }) => scheme === entry.scheme && matches(scheme, entry.id, id)))
  )
}

/**
 * The ACL that a server stores for a requested one: without duplicates, and with the identities of the connection for the
 * scheme `auth`. An error code if the ACL is refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resolve = (
  requested: ReadonlyArray<RequestedAcl> | null,
  identities: ReadonlyArray<Identity>,
  { knowsIpv6 }: { readonly knowsIpv6: boolean }
): ReadonlyArray<Acl.Acl> | number => {
  if (requested === null || requested.length === 0) return codes.InvalidACL
  const entries = distinct(requested)
  if (entries === undefined) return codes.MarshallingError
  const proved = identities.filter(({ scheme }) => scheme === "digest" || scheme === "x509")
  const x509 = identities.some(({ scheme }) => scheme === "x509")
  const stored: Array<Acl.Acl> = []
  for (const { id, perms, scheme } of entries) {
    if (scheme === null) return codes.InvalidACL
    if (scheme === "auth") {
      if (proved.length === 0) return codes.InvalidACL
      for (const identity of proved) stored.push({ perms, ...identity })
    } else if (id === null) {
      return scheme === "world" || scheme === "digest" || scheme === "ip" ? codes.MarshallingError : codes.InvalidACL
    } else if (Acl.isKnownId(scheme, id) || (scheme === "x509" && x509)) {
      stored.push({ perms, scheme, id })
    } else if (knowsIpv6 && scheme === "ip" && parseIpv6(id) !== undefined) {
      stored.push({ perms, scheme, id })
    } else {
      return codes.InvalidACL
    }
  }
  return stored
}

/**
 * The ACL for clients that may read it but not change it: users without their hashes.
 *
 * @category getters
 * @since 0.1.0
 */
export const maskDigests = (acl: ReadonlyArray<Acl.Acl>): ReadonlyArray<Acl.Acl> =>
  acl.map((entry) => (entry.scheme === "digest" ? { ...entry, id: entry.id.replace(/:.*/, ":x") } : entry))

// ---- internal

const matches = (scheme: string, entryId: string, identity: string): boolean =>
  Acl.matches(scheme, entryId, identity) || (scheme === "ip" && matchesIpv6(entryId, identity))

/** Undefined if a real server fails on a null when it compares an entry with those before it. */
const distinct = (requested: ReadonlyArray<RequestedAcl>): ReadonlyArray<RequestedAcl> | undefined => {
  const entries: Array<RequestedAcl> = []
  for (const entry of requested) {
    const alike = entries.filter(({ perms }) => perms === entry.perms)
    if (entry.scheme === null && alike.length > 0) return undefined
    const rivals = alike.filter(({ scheme }) => scheme === entry.scheme)
    if (entry.id === null && rivals.length > 0) return undefined
    if (!rivals.some(({ id }) => id === entry.id)) entries.push(entry)
  }
  return entries
}
