/** Fields of the files of servers, for files that a test puts together. */

export const long = (value: bigint | number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

export const int = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Its length and its bytes. */
export const text = (value: string) => Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)])
