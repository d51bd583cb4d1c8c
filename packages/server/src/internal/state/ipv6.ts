/** IPv6 addresses in ACLs, as ZooKeeper 3.9.4 and later read them. */

interface Range {
  /** Eight numbers of 16 bits. */
  readonly segments: ReadonlyArray<number>
  readonly bits: number
}

const BITS = 128

/** An address, perhaps with a number of bits: `2001:db8::/32`. Undefined if it is none. */
export const parseIpv6 = (id: string): Range | undefined => {
  const [address = "", bits, ...more] = id.split("/")
  const segments = segmentsOf(address)
  if (segments === undefined || more.length > 0) return undefined
  if (bits === undefined) return { segments, bits: BITS }
  return /^\+?\d{1,3}$/.test(bits) && Number(bits) <= BITS ? { segments, bits: Number(bits) } : undefined
}

/** Whether an address is within the range of an ACL's entry. */
export const matchesIpv6 = (entryId: string, identity: string): boolean => {
  const range = parseIpv6(entryId)
  const address = segmentsOf(identity)
  if (range === undefined || address === undefined) return false
  return range.segments.every((segment, index) => {
    const compared = Math.min(Math.max(range.bits - index * 16, 0), 16)
    return (segment ^ address[index]!) >>> (16 - compared) === 0
  })
}

/** `::` stands for as many zeros as are missing. */
const segmentsOf = (address: string): ReadonlyArray<number> | undefined => {
  const sides = address.split("::")
  const [before, after] = sides.map((side) => (side === "" ? [] : side.split(":")))
  if (before === undefined || sides.length > 2 || !address.includes(":")) return undefined
  const count = before.length + (after?.length ?? 0)
  if (after === undefined ? count !== 8 : count > 7) return undefined
  const all = [...before, ...Array.from({ length: 8 - count }, () => "0"), ...(after ?? [])]
  return all.every((segment) => /^[\da-f]{1,4}$/i.test(segment))
    ? all.map((segment) => parseInt(segment, 16))
    : undefined
}
