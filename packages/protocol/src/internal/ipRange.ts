/**
 * The addresses and ranges that servers accept in an ACL of the scheme "ip": IPv4 in all releases, IPv6 since 3.9.4.
 *
 * Numbers are read as Java's `Integer.parseInt` reads them, so "010.0.0.1" and "+8" are valid: an ACL that a server has
 * stored must not be refused when it is sent back.
 */

/** Whether any release of ZooKeeper accepts the id. */
export const isValid = (id: string): boolean => {
  // Java reads the digits of every script, so such an id is left to the server.
  if (/\P{ASCII}/u.test(id)) return true
  const slash = id.indexOf("/")
  const address = slash === -1 ? id : id.slice(0, slash)
  const width = isIpv4(address) ? 32 : isIpv6(address) ? 128 : undefined
  if (width === undefined) return false
  return slash === -1 || isWithin(id.slice(slash + 1), width)
}

/** A range of IPv4 as servers before 3.9.4 read it: the address as 32 bits, and how many of them count. */
export const parseIpv4 = (id: string): { readonly address: number; readonly bits: number } | undefined => {
  const slash = id.indexOf("/")
  const address = slash === -1 ? id : id.slice(0, slash)
  if (!isIpv4(address)) return undefined
  if (slash !== -1 && !isWithin(id.slice(slash + 1), 32)) return undefined
  return {
    address: address.split(".").reduce((bits, part) => (bits << 8) | Number(part), 0),
    bits: slash === -1 ? 32 : Number(id.slice(slash + 1))
  }
}

const isIpv4 = (address: string): boolean => {
  const parts = address.split(".")
  return parts.length === 4 && parts.every((part) => isWithin(part, 255))
}

const isIpv6 = (address: string): boolean => {
  const halves = address.split("::")
  if (halves.length > 2) return false
  const segments = halves.flatMap((half) => (half === "" ? [] : half.split(":")))
  // The last two segments may be written as an IPv4 address.
  const last = segments.at(-1)
  const mapped = last !== undefined && last.includes(".")
  if (mapped && !isIpv4(last)) return false
  const hex = mapped ? segments.slice(0, -1) : segments
  const count = hex.length + (mapped ? 2 : 0)
  return hex.every(isSegment) && (halves.length === 2 ? count < 8 : count === 8)
}

const isSegment = (segment: string): boolean => segment.length <= 4 && /^[+-]?[\da-f]+$/i.test(segment)

/** An integer from 0 to a limit. */
const isWithin = (text: string, limit: number): boolean => {
  if (!/^[+-]?\d+$/.test(text)) return false
  const value = Number(text)
  return value >= 0 && value <= limit
}
