/** Hashes of bytes, by Node. */
import * as Crypto from "node:crypto"
import * as Zlib from "node:zlib"

/** The CRC-32 of bytes that follow others, whose checksum is `before`. */
export const crc32 = (bytes: Uint8Array, before: number): number => Zlib.crc32(bytes, before)

/** In hexadecimal. */
export const sha256 = (bytes: Uint8Array): string => Crypto.createHash("sha256").update(bytes).digest("hex")
