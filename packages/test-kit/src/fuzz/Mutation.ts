/** Mutations of bytes as broken and hostile peers make them, by a seed. */

/** An integer in `[0, below)`. */
export type Choose = (below: number) => number

/** Pseudo-random integers of 32 bits (mulberry32): the same seed, the same integers. */
const words = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** A generator of pseudo-random choices. */
export const choices = (seed: number): Choose => {
  const next = words(seed)
  return (below) => next() % below
}

/** A generator of pseudo-random numbers in `[0, 1)`. */
export const fractions = (seed: number): (() => number) => {
  const next = words(seed)
  return () => next() / 2 ** 32
}

/**
 * Bytes that mean nothing: at most so many, mostly few, as often as not with the zeros that let a decoder get further.
 */
export const noise = (most: number, choose: Choose): Uint8Array => {
  const length = choose(choose(4) === 0 ? most + 1 : Math.min(most, 120) + 1)
  const isSparse = choose(2) === 0
  return Uint8Array.from({ length }, () => (isSparse && choose(3) > 0 ? 0 : choose(256)))
}

/**
 * Breaks a valid encoding as a broken or hostile peer would, in one to three steps: bits and bytes changed, wrong
 * lengths and counts, pieces cut off, added, doubled, left out or taken from `other`, invalid text.
 */
export const mutate = (valid: Uint8Array, other: Uint8Array, choose: Choose): Uint8Array => {
  let mutated: Uint8Array = valid.slice()
  for (let steps = 1 + (choose(3) === 0 ? choose(3) : 0); steps > 0; steps--) mutated = step(mutated, other, choose)
  return mutated
}

export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** Cuts bytes into pieces at random places, or into single bytes. */
export const pieces = (bytes: Uint8Array, choose: Choose): ReadonlyArray<Uint8Array> => {
  const most = choose(4) === 0 ? 1 : 1 + choose(Math.max(bytes.length, 1))
  const all: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length;) {
    const size = 1 + choose(most)
    all.push(bytes.slice(at, at + size))
    at += size
  }
  return all
}

// ---- internal

const step = (bytes: Uint8Array, other: Uint8Array, choose: Choose): Uint8Array => {
  switch (choose(12)) {
    case 0: {
      for (let flips = 1 + choose(4); flips > 0 && bytes.length > 0; flips--) {
        bytes[choose(bytes.length)]! ^= 1 << choose(8)
      }
      return bytes
    }
    case 1: {
      for (let sets = 1 + choose(4); sets > 0 && bytes.length > 0; sets--) {
        bytes[choose(bytes.length)] = edges[choose(edges.length)]!
      }
      return bytes
    }
    case 2:
    case 3:
    case 4:
      return lie(bytes, choose)
    case 5:
      return bytes.slice(0, choose(bytes.length + 1))
    case 6:
      return concat(bytes, other.subarray(0, choose(other.length + 1)))
    case 7: {
      const cut = choose(bytes.length + 1)
      return concat(bytes.subarray(0, cut), other.subarray(choose(other.length + 1)))
    }
    case 8: {
      const [start, end] = range(bytes, choose)
      return concat(bytes.subarray(0, end), bytes.subarray(start, end), bytes.subarray(end))
    }
    case 9: {
      const [start, end] = range(bytes, choose)
      return concat(bytes.subarray(0, start), bytes.subarray(end))
    }
    case 10: {
      const text = hostileTexts[choose(hostileTexts.length)]!
      const at = choose(bytes.length + 1)
      const kept = bytes.slice()
      kept.set(text.subarray(0, bytes.length - at), at)
      return kept
    }
    default:
      return concat(bytes, noise(64, choose))
  }
}

const edges = [0x00, 0x01, 0x7f, 0x80, 0xff] as const

/**
 * Text that UTF-8 does not know (overlong, surrogates, beyond Unicode, broken off), and text that people do not expect.
 */
const hostileTexts: ReadonlyArray<Uint8Array> = [
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x80],
  [0xff, 0xfe],
  [0xef, 0xbb, 0xbf],
  [0x00],
  [0x2f, 0x2e, 0x2e, 0x2f],
  [0x2f, 0x2f],
  [0xe2, 0x80, 0xa8]
].map((bytes) => Uint8Array.from(bytes))

/** Changes one length or count: an int that could be one where there is any, and any four bytes where there is none. */
const lie = (bytes: Uint8Array, choose: Choose): Uint8Array => {
  if (bytes.length < 4) return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = choose(bytes.length - 3)
  for (let tries = 8; tries > 0; tries--) {
    const value = view.getInt32(at)
    if (value >= -1 && value <= bytes.length - at) break
    at = choose(bytes.length - 3)
  }
  const was = view.getInt32(at)
  const left = bytes.length - at - 4
  const lies = [was + 1, was - 1, -1, -2, 2 ** 31 - 1, -(2 ** 31), 2 ** 29, 0, left, left + 1, left >> 2]
  view.setInt32(at, lies[choose(lies.length)]!)
  return bytes
}

const range = (bytes: Uint8Array, choose: Choose): readonly [start: number, end: number] => {
  const start = choose(bytes.length + 1)
  return [start, start + choose(bytes.length - start + 1)]
}
