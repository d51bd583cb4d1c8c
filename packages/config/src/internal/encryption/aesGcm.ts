/**
 * The form of encrypted data: `zk\x00E`, version 1, the length and the bytes of the key's name, 12 bytes of nonce, the
 * ciphertext, 16 bytes of tag. All in front of the nonce is authenticated, and so is the context.
 */
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"

export interface Key {
  readonly id: string
  readonly secret: Redacted.Redacted<Uint8Array>
}

/** The name of the key that has encrypted the data; undefined for data of another form. */
export const keyIdOf = (data: Uint8Array): string | undefined => {
  if (data.byteLength <= prefix.byteLength || !prefix.every((byte, index) => data[index] === byte)) return undefined
  const size = data[prefix.byteLength] ?? 0
  const end = prefix.byteLength + 1 + size
  if (size === 0 || data.byteLength < end + nonceSize + tagSize) return undefined
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(data.subarray(prefix.byteLength + 1, end))
}

export const encrypt = ({ id, secret }: Key, plain: Uint8Array, context: string | undefined): Uint8Array => {
  const name = new TextEncoder().encode(id)
  const header = Buffer.concat([prefix, Uint8Array.of(name.byteLength), name])
  // A nonce that repeats under one key would reveal data: randomness has to be the system's own, not a seed's.
  const nonce = Crypto.randomBytes(nonceSize)
  const cipher = Crypto.createCipheriv(algorithm, Redacted.value(secret), nonce, { authTagLength: tagSize })
  cipher.setAAD(associatedData(header, context))
  return new Uint8Array(Buffer.concat([header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
}

/** Undefined if the data is not authentic. It has the form of encrypted data. */
export const decrypt = ({ secret }: Key, data: Uint8Array, context: string | undefined): Uint8Array | undefined => {
  const headerSize = prefix.byteLength + 1 + (data[prefix.byteLength] ?? 0)
  const nonce = data.subarray(headerSize, headerSize + nonceSize)
  const decipher = Crypto.createDecipheriv(algorithm, Redacted.value(secret), nonce, { authTagLength: tagSize })
  decipher.setAAD(associatedData(data.subarray(0, headerSize), context))
  decipher.setAuthTag(data.subarray(-tagSize))
  try {
    const plain = [decipher.update(data.subarray(headerSize + nonceSize, -tagSize)), decipher.final()]
    return new Uint8Array(Buffer.concat(plain))
  } catch {
    return undefined
  }
}

// ---- internal

const algorithm = "aes-256-gcm"
const prefix = Uint8Array.of(0x7a, 0x6b, 0x00, 0x45, 0x01)
const nonceSize = 12
const tagSize = 16

/** The length of the header is in it, so that no two pairs give the same bytes. */
const associatedData = (header: Uint8Array, context: string | undefined): Uint8Array =>
  context === undefined ? header : Buffer.concat([header, Uint8Array.of(1), new TextEncoder().encode(context)])
