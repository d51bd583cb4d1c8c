/** The risks of an ACL: rights that everybody would have, and rights that this client would lose. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { Identity } from "@effect-zookeeper/client/Models"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Reader } from "../frame/Client.ts"
import type { Settings } from "../frame/Settings.ts"

/** The identities of this client. */
export interface Self {
  readonly identities: ReadonlyArray<Identity>
  /** Those of the scheme digest with their hashes, which servers do not tell. */
  readonly digests: ReadonlySet<string>
}

/** Servers tell identities since ZooKeeper 3.7; before that, only credentials are known. */
export const identify = (zk: Reader, { auth }: Settings) =>
  zk.whoAmI.pipe(
    Effect.catchTag("ServerRefused", () => Effect.succeed<ReadonlyArray<Identity>>([])),
    Effect.map((identities): Self => ({
      identities,
      digests: new Set(
        auth
          .filter(({ scheme }) => scheme === "digest")
          .map(({ credentials }) =>
            Acl.digestIdOf(Redacted.make(new TextEncoder().encode(Redacted.value(credentials))))
          )
      )
    }))
  )

/** Whether this client has an identity that `auth` stands for. */
export const isKnown = ({ digests, identities }: Self): boolean =>
  digests.size > 0 || identities.some(({ scheme }) => scheme !== "ip")

/** Whether this client could change the ACL again. */
export const keepsAdmin = (self: Self, acl: ReadonlyArray<Acl.Acl>): boolean =>
  self.identities.some(({ scheme }) => scheme === "super") ||
  acl.some((entry) => (entry.perms & Acl.Perms.ADMIN) !== 0 && isFor(self, entry))

/** What everybody could do, other than read; empty where that is nothing. */
export const openTo = (acl: ReadonlyArray<Acl.Acl>): ReadonlyArray<string> => {
  let perms = 0
  for (const entry of acl) {
    if (entry.scheme === "world" || (entry.scheme === "ip" && entry.id.endsWith("/0"))) perms |= entry.perms
  }
  return verbs.filter(([bit]) => (perms & bit) !== 0).map(([, verb]) => verb)
}

// ---- internal

const verbs = [
  [Acl.Perms.WRITE, "write it"],
  [Acl.Perms.CREATE, "create children"],
  [Acl.Perms.DELETE, "delete children"],
  [Acl.Perms.ADMIN, "change its ACL"]
] as const

const isFor = ({ digests, identities }: Self, { id, scheme }: Acl.Acl): boolean => {
  switch (scheme) {
    case "world":
      return true
    case "auth":
      // The server puts the identities of this client in its place.
      return true
    case "digest":
      return digests.has(id)
    default:
      return identities.some((identity) => identity.scheme === scheme && Acl.matches(scheme, id, identity.id))
  }
}
