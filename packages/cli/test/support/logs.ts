/** Transaction logs that are made by hand. */
import { adler32 } from "../../../storage/src/internal/bytes/adler32.ts"
import { int, long } from "../../../storage/test/support/fields.ts"

/** A log of transactions that begin sessions, one a second: 49 bytes each after the first 16. */
export const logOf = (first: number, count: number) => {
  const parts: Array<Uint8Array> = [Buffer.from("ZKLG"), int(2), long(0)]
  for (let zxid = first; zxid < first + count; zxid++) {
    const record = Buffer.concat([long(1), int(0), long(zxid), long(zxid * 1000), int(-10), int(10_000)])
    parts.push(long(adler32(record)), int(record.length), record, Buffer.from("B"))
  }
  return new Uint8Array(Buffer.concat(parts))
}
