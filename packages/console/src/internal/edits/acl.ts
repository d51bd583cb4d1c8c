/** ACLs as pages see them: without the hashes of passwords. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Models from "../../Models.ts"
import { Refused } from "../../ProtocolError.ts"

/** The hash of a `digest` entry is of a password, and is not told. */
export const shownAcl = (acl: ReadonlyArray<Acl.Acl>): ReadonlyArray<typeof Models.AclEntry.Type> =>
  acl.map((entry) => {
    const { id, scheme } = entry
    return {
      scheme,
      id: scheme === "digest" ? id.replace(/:.*$/s, "") : id,
      perms: lettersOf(entry)
    }
  })

/** Without the ADMIN permission servers put `x` in the place of a hash. An ACL with it would keep every client out. */
export const isMasked = ({ id, scheme }: Acl.Acl): boolean => scheme === "digest" && id.endsWith(":x")

/** The entries to set. `before` is the ACL whose entries are kept. */
export const newAcl = (
  entries: ReadonlyArray<typeof Models.NewAclEntry.Type>,
  before: ReadonlyArray<Acl.Acl>
): Result.Result<ReadonlyArray<Acl.Acl>, Refused> => {
  const acl: Array<Acl.Acl> = []
  for (const { id, keeps, password, perms, scheme } of entries) {
    if (!/^[cdrwa]*$/.test(perms)) return refuse(`the permissions ${JSON.stringify(perms)} are not letters of cdrwa`)
    const bits = Acl.perms([...perms].flatMap((letter) => namesOf[letter] ?? []))
    if (keeps !== undefined) {
      const kept = before[keeps]
      if (kept === undefined) return refuse(`the ACL has no entry ${keeps} to keep`)
      if (isMasked(kept)) return refuse("the hash of an entry to keep may not be seen by this console")
      acl.push({ ...kept, perms: bits })
    } else if (scheme === "digest") {
      if (password === undefined || id === "" || id.includes(":")) {
        return refuse("a new digest entry needs the name of a user, without a colon, and a password")
      }
      const credentials = Redacted.make(new TextEncoder().encode(`${id}:${password}`))
      acl.push({ scheme, id: Acl.digestIdOf(credentials), perms: bits })
    } else acl.push({ scheme, id, perms: bits })
  }
  return Result.mapError(Acl.validate(acl, "acl"), ({ message }) => new Refused({ reason: "invalid", message }))
}

// ---- internal

const namesOf: Readonly<Record<string, Acl.PermName>> = {
  c: "create",
  d: "delete",
  r: "read",
  w: "write",
  a: "admin"
}

/** The letters behind the last colon of the entry as text. */
const lettersOf = (entry: Acl.Acl): string => Acl.format(entry).replace(/^.*:/s, "")

const refuse = (message: string) => Result.fail(new Refused({ reason: "invalid", message }))
