/** Takes a backup file apart into its lines, and checks that they are whole. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"
import type { Entry } from "../live/model.ts"
import { containerOwner, ttlOwner } from "../../Znode.ts"
import type { ByteWindow } from "../bytes/ByteWindow.ts"
import type { RecordDecoder } from "../bytes/decodeStream.ts"
import { crc32 } from "../bytes/hashes.ts"
import { Malformed } from "../bytes/Malformed.ts"
import { childrenEverOf } from "../live/counters.ts"
import { ZnodeRecord } from "../records.ts"
import { isRecord } from "./isRecord.ts"
import { End, Header, type Record } from "./lines.ts"

export type BackupItem =
  | { readonly _tag: "Header"; readonly header: Header }
  | { readonly _tag: "Entry"; readonly entry: Entry }
  | { readonly _tag: "End" }

export class BackupDecoder implements RecordDecoder<BackupItem> {
  private crc = 0
  private znodes = 0
  private root = "/"
  private hasHeader = false
  private hasEnd = false
  /** How many bytes after the position have no line feed. */
  private searched = 0
  /** Whether the znodes are decoded; if not, they are left out. */
  private readonly decodes: boolean

  constructor(decodes: boolean) {
    this.decodes = decodes
  }

  next(window: ByteWindow): BackupItem | undefined {
    while (true) {
      const line = this.line(window)
      if (line === undefined) return undefined
      const item = this.item(line.bytes, line.offset)
      if (item !== undefined) return item
    }
  }

  end(window: ByteWindow): BackupItem | undefined {
    if (window.available > 0 && !this.hasHeader) throw foreign(window.offset)
    if (!this.hasEnd) {
      throw new Malformed("Truncated", window.offset, "a line with the end of the backup", "the end of the file")
    }
    if (window.available > 0) throw afterEnd(window.offset)
    return undefined
  }

  /** The next line, with its line feed. */
  private line(window: ByteWindow): { readonly bytes: Uint8Array; readonly offset: number } | undefined {
    const { bytes, end, offset, position } = window
    const at = bytes.subarray(0, end).indexOf(LINE_FEED, position + this.searched)
    if (at === -1) {
      if (!this.hasHeader && window.available > MAX_HEADER) throw foreign(offset)
      this.searched = window.available
      window.has(window.available + 1)
      return undefined
    }
    this.searched = 0
    window.position = at + 1
    return { bytes: bytes.subarray(position, at + 1), offset }
  }

  private item(bytes: Uint8Array, offset: number): BackupItem | undefined {
    if (this.hasEnd) throw afterEnd(offset)
    if (!this.hasHeader) {
      const header = Result.getOrUndefined(decodeHeader(textOf(bytes)))
      if (header === undefined || !isPath(header.path)) throw foreign(offset)
      this.hasHeader = true
      this.root = header.path
      this.crc = crc32(bytes, this.crc)
      return { _tag: "Header", header }
    }
    if (startsLikeEnd(bytes)) {
      this.checkEnd(bytes, offset)
      this.hasEnd = true
      return { _tag: "End" }
    }
    this.crc = crc32(bytes, this.crc)
    this.znodes++
    if (!this.decodes) return undefined
    const entry = decodeEntry(bytes, offset)
    if (!ZnodePath.isUnder(this.root, entry.znode.path)) {
      throw new Malformed(
        "Corrupt",
        offset,
        `a znode of ${JSON.stringify(this.root)}`,
        Printable.escape(JSON.stringify(entry.znode.path))
      )
    }
    return { _tag: "Entry", entry }
  }

  private checkEnd(bytes: Uint8Array, offset: number): void {
    const end = Result.getOrUndefined(decodeEnd(textOf(bytes)))
    const checksum = crcText(this.crc)
    if (end === undefined || end.end !== this.znodes || end.crc32 !== checksum) {
      const expected = `the end of ${this.znodes} znodes with the checksum ${checksum}`
      throw new Malformed(
        "Corrupt",
        offset,
        expected,
        end === undefined ? "another line" : Printable.escape(JSON.stringify(end))
      )
    }
  }
}

/** A znode of a line. Throws `Malformed`. */
export const decodeEntry = (bytes: Uint8Array, offset: number): Entry => {
  const record = recordOf(textOf(bytes))
  const data = record === undefined ? undefined : dataOf(record)
  if (record === undefined || data === undefined || !isPath(record.path)) {
    // The line may have data, which belongs in no error.
    throw new Malformed("Corrupt", offset, "the line of a znode", `another line, of ${bytes.length} bytes`)
  }
  const { acl, kind, path, stat } = record
  return {
    znode: new ZnodeRecord({
      path,
      data,
      acl,
      czxid: bigintOf(stat.czxid),
      mzxid: bigintOf(stat.mzxid),
      pzxid: bigintOf(stat.pzxid),
      ctime: stat.ctime,
      mtime: stat.mtime,
      version: stat.version,
      cversion: childrenEverOf(stat),
      aversion: stat.aversion,
      owner: ownerOf(record)
    }),
    numChildren: stat.numChildren,
    isKindKnown: kind !== undefined
  }
}

/** The line at the end of a backup. */
export const endLine = (znodes: number, crc: number): string =>
  `${JSON.stringify({ end: znodes, crc32: crcText(crc) })}\n`

// ---- internal

const LINE_FEED = 10

/** A file without a line feed in so many bytes is no backup. */
const MAX_HEADER = 1_048_576

const decodeHeader = Schema.decodeUnknownResult(Schema.fromJsonString(Header))
const decodeEnd = Schema.decodeUnknownResult(Schema.fromJsonString(End))

const recordOf = (text: string): Record | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Empty, which is no JSON, if it is not UTF-8. */
const textOf = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    return ""
  }
}

const endStart = new TextEncoder().encode('{"end":')

const startsLikeEnd = (bytes: Uint8Array): boolean => endStart.every((byte, index) => bytes[index] === byte)

const crcText = (crc: number): string => crc.toString(16).padStart(8, "0")

const isPath = (path: string): boolean => ZnodePath.check(path) === undefined

const bigintOf = (hex: string): bigint => BigInt.asIntN(64, BigInt(hex))

/** Undefined if it is not base64. */
const dataOf = ({ base64, text }: Record): Uint8Array | null | undefined => {
  if (text !== undefined) return new TextEncoder().encode(text)
  return base64 === undefined ? null : Result.getOrUndefined(Base64.decode(base64))
}

const ownerOf = ({ kind, stat, ttl = 0 }: Record): bigint => {
  if (kind === "container") return containerOwner
  return kind === "ttl" ? ttlOwner(BigInt(ttl)) : bigintOf(stat.ephemeralOwner)
}

const foreign = (offset: number): Malformed =>
  new Malformed("Foreign", offset, 'a line with "format":"effect-zookeeper-backup" and "version":1', "another line")

const afterEnd = (offset: number): Malformed =>
  new Malformed("Corrupt", offset, "the end of the file", "more bytes after the line with the end")
