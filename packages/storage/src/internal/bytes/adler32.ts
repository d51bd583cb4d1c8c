/** Adler-32, the checksum in ZooKeeper's files, over bytes that come in pieces. */

const MODULUS = 65_521

/** So many bytes can be added before the sums have to be reduced to stay below 2^32. */
const BLOCK = 5_552

/** A checksum that is continued. */
export class Adler32 {
  private low = 1
  private high = 0

  /** Adds `bytes[start..end)`. */
  update(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let { high, low } = this
    for (let at = start; at < end;) {
      const stop = Math.min(at + BLOCK, end)
      for (; at < stop; at++) {
        low += bytes[at]!
        high += low
      }
      low %= MODULUS
      high %= MODULUS
    }
    this.low = low
    this.high = high
  }

  /** The checksum of everything so far, unsigned. */
  get value(): number {
    return this.high * 65_536 + this.low
  }
}

/** The checksum of these bytes alone. */
export const adler32 = (bytes: Uint8Array, start = 0, end = bytes.length): number => {
  const sum = new Adler32()
  sum.update(bytes, start, end)
  return sum.value
}
