/** Keys of a store as names of znodes. Every key has one name, and no two keys have the same. */

/** The name for a key; undefined for a text that is not valid Unicode. */
export const escapeKey = (key: string): string | undefined => {
  if (key === "") return emptyKey
  // Names that a path cannot have, and the one that is the servers' own below "/".
  if (key === "." || key === ".." || key === "zookeeper") return escapeFirst(key)
  try {
    return encodeURIComponent(key)
  } catch {
    return undefined
  }
}

/** The key of a name; undefined for a name that is of no key. */
export const unescapeName = (name: string): string | undefined => {
  if (name === emptyKey) return ""
  try {
    const key = decodeURIComponent(name)
    return escapeKey(key) === name ? key : undefined
  } catch {
    return undefined
  }
}

// ---- internal

/** No other key has it, because a percent sign comes with two digits. */
const emptyKey = "%"

const escapeFirst = (key: string): string =>
  `%${key.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}${key.slice(1)}`
