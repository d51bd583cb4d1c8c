/** ACLs as sentences, with warnings of what is open to the world. */

export interface Entry {
  readonly scheme: string
  readonly id: string
  /** Letters of `cdrwa`. */
  readonly perms: string
}

export interface Explained {
  readonly identity: string
  readonly may: string
  readonly warning: string | undefined
}

export const permissions = [
  { letter: "r", word: "read it", name: "read" },
  { letter: "w", word: "change its data", name: "write" },
  { letter: "c", word: "create children", name: "create" },
  { letter: "d", word: "delete children", name: "delete" },
  { letter: "a", word: "change this list", name: "admin" }
] as const

/** The schemes that a person may choose. Servers can have others, which are shown and kept. */
export const schemes = ["world", "auth", "digest", "ip", "x509", "sasl"] as const

export const explain = ({ id, perms, scheme }: Entry): Explained => ({
  identity: identityOf(scheme, id),
  may: mayOf(perms),
  warning: warningOf(scheme, id, perms)
})

const identityOf = (scheme: string, id: string): string => {
  switch (scheme) {
    case "world":
      return "Anyone who can connect"
    case "auth":
      return "The identities of this console's connection"
    case "digest":
      return `The user ${id.split(":")[0]}, with a password`
    case "ip":
      return id.includes("/") ? `Clients with an address in ${id}` : `Clients at ${id}`
    case "x509":
      return `The client certificate ${id}`
    case "sasl":
      return `The SASL user ${id}`
    default:
      return `${scheme} ${id}`
  }
}

const mayOf = (perms: string): string => {
  if (permissions.every(({ letter }) => perms.includes(letter))) return "may do everything"
  const words = wordsOf(perms)
  return words.length === 0 ? "may do nothing" : `may ${list(words)}`
}

const wordsOf = (perms: string): ReadonlyArray<string> =>
  permissions.filter(({ letter }) => perms.includes(letter)).map(({ word }) => word)

/** `a, b and c`. */
export const list = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`

const warningOf = (scheme: string, id: string, perms: string): string | undefined => {
  const changes = perms.replace("r", "")
  const isEverywhere = scheme === "ip" && /^(0\.0\.0\.0|::)\/0$/.test(id)
  return changes !== "" && (scheme === "world" || isEverywhere)
    ? `Open to the world: every client that can connect ${mayOf(changes)}.`
    : undefined
}
