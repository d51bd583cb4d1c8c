/** What broken and hostile peers make of bytes. */

/** A generator of pseudo-random integers in `[0, below)`: the same seed, the same choices. */
export const choices = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** What a broken or hostile peer makes of a valid encoding. */
export const mutate = (valid: Uint8Array, other: Uint8Array, choose: (below: number) => number): Uint8Array => {
  const mutated = valid.slice()
  switch (choose(6)) {
    case 0: {
      for (let flips = 1 + choose(4); flips > 0 && mutated.length > 0; flips--) {
        mutated[choose(mutated.length)]! ^= 1 << choose(8)
      }
      return mutated
    }
    case 1:
    case 2: {
      if (mutated.length < 4) return mutated
      const view = new DataView(mutated.buffer)
      const at = choose(mutated.length - 3)
      const was = view.getInt32(at)
      view.setInt32(at, [was + 1, was - 1, -1, -2, 2 ** 31 - 1, -(2 ** 31), 2 ** 29][choose(7)]!)
      return mutated
    }
    case 3:
      return mutated.subarray(0, choose(mutated.length + 1))
    case 4:
      return concat(mutated, other.subarray(0, choose(other.length + 1)))
    default: {
      const cut = choose(mutated.length + 1)
      return concat(mutated.subarray(0, cut), other.subarray(choose(other.length + 1)))
    }
  }
}

export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
