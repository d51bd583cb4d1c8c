/**
 * The transactions of a log. Each has a checksum and a length in front, and the byte `B` behind it, which is written last.
 * Zeros follow the last one, because servers reserve space in advance.
 */
import { JuteError } from "@effect-zookeeper/protocol/JuteError"
import type { Transaction } from "../../Transaction.ts"
import { Adler32, adler32 } from "../bytes/adler32.ts"
import type { ByteWindow } from "../bytes/ByteWindow.ts"
import type { RecordDecoder } from "../bytes/decodeStream.ts"
import { hex, Malformed } from "../bytes/Malformed.ts"
import { TransactionRecord } from "../records.ts"
import { decodeTransaction } from "./transactionCodec.ts"

/** `ZKLG`. */
const LOG_MAGIC = 0x5a4b4c47
const LOG_VERSION = 2
const HEADER_SIZE = 16

/** A checksum and a length. */
const PREFIX_SIZE = 12

/** `B`, after each transaction. */
const END_OF_RECORD = 0x42

type Part = "header" | "transactions" | "padding"

export class LogDecoder implements RecordDecoder<Transaction> {
  private part: Part = "header"
  /** The problem of an incomplete transaction, which zeros follow. */
  private partial: Malformed | undefined
  private lastZxid: bigint | undefined

  next(window: ByteWindow): Transaction | undefined {
    for (;;) {
      switch (this.part) {
        case "header":
          if (!window.has(HEADER_SIZE)) return undefined
          readHeader(window)
          this.part = "transactions"
          continue
        case "transactions": {
          if (!window.has(PREFIX_SIZE)) return undefined
          const length = window.view.getInt32(window.position + 8)
          if (length === 0) {
            if (window.view.getBigInt64(window.position) !== 0n) {
              this.partial = incomplete(window.offset, "a checksum without a transaction")
              window.position += PREFIX_SIZE
            }
            this.part = "padding"
            continue
          }
          if (length < 0) {
            throw new Malformed("Corrupt", window.offset + 8, "the length of a transaction", `${length}`)
          }
          const size = PREFIX_SIZE + length + 1
          if (!window.has(size)) return undefined
          if (window.bytes[window.position + size - 1] === 0) {
            requireIncomplete(window, size)
            this.partial = incomplete(window.offset, "zeros in the place of its end")
            window.position += size - 1
            this.part = "padding"
            continue
          }
          return this.readTransaction(window, size)
        }
        case "padding":
          skipZeros(window, this.partial)
          window.has(1)
          return undefined
      }
    }
  }

  end(window: ByteWindow): undefined {
    if (this.partial !== undefined) throw this.partial
    if (this.part === "header") {
      // A disk that is full leaves such a log: the file was made, and nothing of it is lost.
      if (isStartOfHeader(window.bytes.subarray(window.position, window.end))) {
        throw new Malformed("Partial", window.offset, "the header of a log", ended(window))
      }
      throw new Malformed("Truncated", window.offset, "the header of a log", ended(window))
    }
    if (this.part === "padding" || window.available === 0) return undefined
    const zeros = window.bytes.subarray(window.position, window.end).every((byte) => byte === 0)
    if (zeros) return undefined
    if (window.available > PREFIX_SIZE) requireIncomplete(window, window.available)
    throw incomplete(window.offset, ended(window))
  }

  private readTransaction(window: ByteWindow, size: number): Transaction {
    const { bytes, offset, position, view } = window
    const start = position + PREFIX_SIZE
    const end = position + size - 1
    const marker = bytes[end]
    if (marker !== END_OF_RECORD) {
      throw new Malformed("Corrupt", offset, `a transaction that ends with 0x42 after ${size} bytes`, hex(marker ?? 0))
    }
    const stored = view.getBigInt64(position)
    const checksum = adler32(bytes, start, end)
    if (stored !== BigInt(checksum)) {
      throw new Malformed("Corrupt", offset, `the Adler-32 checksum ${hex(checksum)} of the transaction`, hex(stored))
    }
    const transaction = decode(bytes, start, end, offset + PREFIX_SIZE)
    if (this.lastZxid !== undefined && transaction.zxid <= this.lastZxid) {
      throw new Malformed("Corrupt", offset, `a zxid above ${hex(this.lastZxid)}`, hex(transaction.zxid))
    }
    this.lastZxid = transaction.zxid
    window.position += size
    return new TransactionRecord(transaction, offset, size)
  }
}

/** The magic number, the version, and the database id 0. */
const HEADER = new Uint8Array(HEADER_SIZE)
new DataView(HEADER.buffer).setInt32(0, LOG_MAGIC)
new DataView(HEADER.buffer).setInt32(4, LOG_VERSION)

const isStartOfHeader = (bytes: Uint8Array): boolean => bytes.every((byte, at) => byte === HEADER[at])

const ended = (window: ByteWindow): string => `the end of the file, ${window.available} bytes later`

const readHeader = (window: ByteWindow): void => {
  const { offset, position, view } = window
  const magic = view.getInt32(position)
  if (magic !== LOG_MAGIC)
    throw new Malformed("Foreign", offset, `${hex(LOG_MAGIC)}, with which logs begin`, hex(magic))
  const version = view.getInt32(position + 4)
  if (version !== LOG_VERSION) {
    throw new Malformed("Foreign", offset + 4, `version ${LOG_VERSION} of the format`, `${version}`)
  }
  const database = view.getBigInt64(position + 8)
  if (database !== 0n) throw new Malformed("Corrupt", offset + 8, "the database id 0", `${database}`)
  window.position += HEADER_SIZE
}

const decode = (bytes: Uint8Array, start: number, end: number, offset: number) => {
  try {
    return decodeTransaction(bytes, start, end)
  } catch (error) {
    if (!(error instanceof JuteError)) throw error
    const found = error.field === "" ? error.problem : `${error.field}: ${error.problem}`
    throw new Malformed("Corrupt", offset + error.offset, "a transaction", found)
  }
}

const skipZeros = (window: ByteWindow, partial: Malformed | undefined): void => {
  const { bytes, end } = window
  for (let at = window.position; at < end; at++) {
    if (bytes[at] !== 0) {
      window.position = at
      if (partial !== undefined) {
        const found = `${partial.found}, and other bytes from byte ${window.offset} on`
        throw new Malformed("Corrupt", partial.offset, "a transaction", found)
      }
      throw new Malformed("Corrupt", window.offset, "zeros after the last transaction", hex(bytes[at]!))
    }
  }
  window.position = end
}

/**
 * A wrong length can make a complete transaction look like an incomplete one at the end, and hide those that follow. Then its
 * checksum and its end are found before the end that its length tells.
 */
const requireIncomplete = (window: ByteWindow, size: number): void => {
  const { bytes, position, view } = window
  const stored = view.getBigInt64(position)
  const start = position + PREFIX_SIZE
  const checksum = new Adler32()
  for (let at = start; at < position + size - 1; at++) {
    if (bytes[at] === END_OF_RECORD && BigInt(checksum.value) === stored && at > start) {
      const length = view.getInt32(position + 8)
      throw new Malformed("Corrupt", window.offset + 8, `the length ${at - start} of a transaction`, `${length}`)
    }
    checksum.update(bytes, at, at + 1)
  }
}

const incomplete = (offset: number, found: string): Malformed =>
  new Malformed("Partial", offset, "the rest of the last transaction", found)
