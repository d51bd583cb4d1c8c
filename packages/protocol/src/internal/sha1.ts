/**
 * SHA-1 (FIPS 180-4), only for the digest scheme, which prescribes it. This code is synchronous and works in every runtime:
 * `node:crypto` would tie the package to one, and WebCrypto would make the building of an ACL asynchronous. Inputs are as
 * short as a password.
 */

/** The 20 bytes of the hash. */
export const sha1 = (message: Uint8Array): Uint8Array => {
  const padded = pad(message)
  const words = new Uint32Array(80)
  let h0 = 0x67452301
  let h1 = 0xefcdab89
  let h2 = 0x98badcfe
  let h3 = 0x10325476
  let h4 = 0xc3d2e1f0
  for (let offset = 0; offset < padded.byteLength; offset += 64) {
    for (let t = 0; t < 16; t++) words[t] = padded.getUint32(offset + t * 4)
    for (let t = 16; t < 80; t++) {
      words[t] = rotate(words[t - 3]! ^ words[t - 8]! ^ words[t - 14]! ^ words[t - 16]!, 1)
    }
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    for (let t = 0; t < 80; t++) {
      const mixed =
        t < 20
          ? ((b & c) | (~b & d)) + 0x5a827999
          : t < 40
            ? (b ^ c ^ d) + 0x6ed9eba1
            : t < 60
              ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
              : (b ^ c ^ d) + 0xca62c1d6
      const next = (rotate(a, 5) + mixed + e + words[t]!) | 0
      e = d
      d = c
      c = rotate(b, 30)
      b = a
      a = next
    }
    h0 = (h0 + a) | 0
    h1 = (h1 + b) | 0
    h2 = (h2 + c) | 0
    h3 = (h3 + d) | 0
    h4 = (h4 + e) | 0
  }
  const hash = new DataView(new ArrayBuffer(20))
  for (const [index, word] of [h0, h1, h2, h3, h4].entries()) hash.setInt32(index * 4, word)
  return new Uint8Array(hash.buffer)
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/** The message, one set bit, zeros, and the length in bits as 64 bits at the end of a block. */
const pad = (message: Uint8Array): DataView => {
  const blocks = Math.ceil((message.length + 9) / 64)
  const padded = new Uint8Array(blocks * 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n)
  return view
}
