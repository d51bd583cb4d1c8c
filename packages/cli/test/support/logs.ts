/** Transaction logs that are made by hand. */
import { adler32 } from "../../../storage/src/internal/bytes/adler32.ts"
import { int, long, text } from "../../../storage/test/support/fields.ts"

interface Logged {
  readonly session: number
  readonly zxid: number
  readonly type: number
  readonly body: Uint8Array
}

const logWith = (transactions: ReadonlyArray<Logged>) => {
  const parts: Array<Uint8Array> = [Buffer.from("ZKLG"), int(2), long(0)]
  for (const { body, session, type, zxid } of transactions) {
    const record = Buffer.concat([long(session), int(0), long(zxid), long(zxid * 1000), int(type), body])
    parts.push(long(adler32(record)), int(record.length), record, Buffer.from("B"))
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** A log of transactions that begin sessions, one a second: 49 bytes each after the first 16. */
export const logOf = (first: number, count: number) =>
  logWith(
    Array.from({ length: count }, (_, index) => ({ session: 1, zxid: first + index, type: -10, body: int(10_000) }))
  )

/** The log of a session that creates an ephemeral znode and ends. Since ZooKeeper 3.6 its end names the znode. */
export const sessionLog = (path: string, { isNamed }: { readonly isNamed: boolean }) => {
  const create = Buffer.concat([text(path), int(-1), int(0), Buffer.from([1]), int(1)])
  const bodies = [
    [-10, int(10_000)],
    [1, create],
    [-11, isNamed ? Buffer.concat([int(1), text(path)]) : Buffer.alloc(0)]
  ] as const
  return logWith(bodies.map(([type, body], index) => ({ session: 2, zxid: index + 1, type, body })))
}
