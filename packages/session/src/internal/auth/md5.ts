/**
 * MD5 (RFC 1321), for DIGEST-MD5 and nothing else. Web Crypto has none, and Node's would tie the session to Node. It is
 * no protection by itself: use it over TLS.
 */

// Amounts of rotation, one row a round of sixteen steps, which repeat each fourth step.
const rotations = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21]
] as const

const sines = Int32Array.from({ length: 64 }, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0)

/** The 16 bytes of the digest. */
export const md5 = (message: Uint8Array): Uint8Array => {
  const padded = pad(message)
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
  for (let offset = 0; offset < padded.byteLength; offset += 64) mix(state, new DataView(padded.buffer, offset, 64))
  const digest = new Uint8Array(16)
  const view = new DataView(digest.buffer)
  state.forEach((word, index) => view.setInt32(index * 4, word, true))
  return digest
}

/** A bit 1, zeros, and the length in bits, so that the whole is a multiple of 64 bytes. */
const pad = (message: Uint8Array): Uint8Array<ArrayBuffer> => {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true)
  return padded
}

const mix = (state: Int32Array, block: DataView): void => {
  let [a = 0, b = 0, c = 0, d = 0] = state
  for (let step = 0; step < 64; step++) {
    const round = step >> 4
    const { f, word } = roundOf(round, step, b, c, d)
    const sum = (a + f + (sines[step] ?? 0) + block.getInt32(word * 4, true)) | 0
    const rotation = rotations[round]?.[step & 3] ?? 0
    ;[a, d, c, b] = [d, c, b, (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0]
  }
  for (const [index, word] of [a, b, c, d].entries()) state[index] = (state[index] ?? 0) + word
}

/** The function of each round, and the word of the block that a step takes. */
const roundOf = (round: number, step: number, b: number, c: number, d: number) => {
  switch (round) {
    case 0:
      return { f: (b & c) | (~b & d), word: step }
    case 1:
      return { f: (d & b) | (~d & c), word: (5 * step + 1) & 15 }
    case 2:
      return { f: b ^ c ^ d, word: (3 * step + 5) & 15 }
    default:
      return { f: c ^ (b | ~d), word: (7 * step) & 15 }
  }
}
