/**
 * The parts of a snapshot, in the order in which servers write them: header, sessions, ACLs, znodes, checksum; since 3.6 the
 * digest of the tree and a second checksum; since 3.9 the last zxid and a third one.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteError } from "@effect-zookeeper/protocol/JuteError"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Records from "@effect-zookeeper/protocol/Records"
import type { SnapshotRecord } from "./model.ts"
import { Adler32 } from "../bytes/adler32.ts"
import type { ByteWindow } from "../bytes/ByteWindow.ts"
import type { RecordDecoder } from "../bytes/decodeStream.ts"
import { ZnodeRecord } from "../records.ts"
import { hex, Malformed } from "../bytes/Malformed.ts"

/** `ZKSN`. */
export const SNAPSHOT_MAGIC = 0x5a4b534e
export const SNAPSHOT_VERSION = 2

const HEADER_SIZE = 16

/** The fields of a znode after its data, which have a fixed size: the number of its ACL and its Stat. */
const FIXED_SIZE = 68

/** A checksum, and the path `/`. */
const SEAL_SIZE = 13

/** Everything after the first checksum. A digest of 3.6 is text of up to 16 digits. */
const MAX_TAIL = 8 + 4 + 4 + 20 + SEAL_SIZE + 8 + SEAL_SIZE

/** The bytes of all ACLs that are kept, at most: 64 MiB. An empty one takes memory, too. */
const MAX_ACL_BYTES = 67_108_864
const ACL_OVERHEAD = 64

/** The number of the ACL `world:anyone` with all permissions, which is not in the table. */
export const OPEN_ACL = -1n

/** Stands for an ACL that is not in the table; known by its identity, for a file may have empty ones. */
export const UNKNOWN_ACL: ReadonlyArray<Acl.Acl> = Object.freeze([])

const aclCodec = Jute.codec(Jute.NullOr(Jute.Vector(Records.Acl)))

type Part = "header" | "sessions" | "acls" | "znodes" | "seal" | "tail"

export class SnapshotDecoder implements RecordDecoder<SnapshotRecord> {
  private part: Part = "header"
  /** How many sessions or ACLs are left. */
  private left = 0
  private readonly acls = new Map<bigint, ReadonlyArray<Acl.Acl>>([[OPEN_ACL, Acl.open]])
  private aclBytes = 0
  private isFirstZnode = true
  private readonly checksum = new Adler32()
  private readonly reader = new JuteReader(new Uint8Array(0))
  private readonly allowsUnknownAcls: boolean

  /**
   * Servers write the table of ACLs before the znodes, and go on meanwhile: a znode may have an ACL that was new then. With
   * `allowsUnknownAcls` it has `UNKNOWN_ACL`, until a transaction of the logs tells. Otherwise that is an error.
   */
  constructor(allowsUnknownAcls = false) {
    this.allowsUnknownAcls = allowsUnknownAcls
  }

  next(window: ByteWindow): SnapshotRecord | undefined {
    for (;;) {
      switch (this.part) {
        case "header":
          if (!window.has(HEADER_SIZE + 4)) return undefined
          this.readHeader(window)
          continue
        case "sessions": {
          if (this.left > 0) {
            if (!window.has(12)) return undefined
            const reader = this.read(window, 12)
            this.left--
            return withJson<SnapshotRecord>({ _tag: "Session", id: reader.long(), timeout: reader.int() })
          }
          if (!window.has(4)) return undefined
          this.left = this.readCount(window, "the number of ACLs")
          this.part = "acls"
          continue
        }
        case "acls": {
          if (this.left === 0) {
            this.part = "znodes"
            continue
          }
          const size = aclSize(window)
          if (size === undefined) return undefined
          return this.readAcl(window, size)
        }
        case "znodes": {
          const size = znodeSize(window)
          if (size === undefined) return undefined
          if (size === 5) {
            this.skip(window, size)
            this.part = "seal"
            continue
          }
          return this.readZnode(window, size)
        }
        case "seal":
          if (!window.has(SEAL_SIZE)) return undefined
          this.readSeal(window)
          this.part = "tail"
          continue
        case "tail":
          if (window.available > MAX_TAIL) {
            throw new Malformed("Corrupt", window.offset, "the end of the snapshot", `${window.available} bytes more`)
          }
          // All that is left is read at the end of the file, whose position tells what it is.
          window.has(window.available + 1)
          return undefined
      }
    }
  }

  end(window: ByteWindow): SnapshotRecord {
    if (this.part !== "tail") {
      const found = `the end of the file, ${window.available} bytes later`
      throw new Malformed("Truncated", window.offset, expectedPart[this.part], found)
    }
    let digest: Extract<SnapshotRecord, { _tag: "End" }>["digest"]
    let lastZxid: bigint | undefined
    const size = window.available
    const hasLastZxid =
      size === LAST_ZXID_SIZE || (size > LAST_ZXID_SIZE && size !== DIGEST_SIZE && this.hasTwoParts(window))
    if (size > (hasLastZxid ? LAST_ZXID_SIZE : 0)) {
      const at = window.offset
      const reader = this.reader
      reader.reset(window.bytes, window.position, window.end)
      try {
        const zxid = reader.long()
        const version = reader.int()
        const value = version < 2 ? digestOfText(reader.ustring()) : reader.long()
        digest = withJson({ zxid, version, value })
      } catch (error) {
        throw orTruncated(error, at, "the digest of the tree")
      }
      this.skip(window, reader.offset - window.position)
      this.needTail(window, SEAL_SIZE, "the checksum of the digest")
      this.readSeal(window)
    }
    if (window.available > 0) {
      this.needTail(window, LAST_ZXID_SIZE, "the last zxid and its checksum")
      lastZxid = this.read(window, 8).long()
      this.readSeal(window)
    }
    if (window.available > 0) {
      throw new Malformed("Corrupt", window.offset, "the end of the snapshot", `${window.available} bytes more`)
    }
    return withJson<SnapshotRecord>({ _tag: "End", size: window.offset, digest, lastZxid })
  }

  private readHeader(window: ByteWindow): void {
    const start = window.offset
    const reader = this.read(window, HEADER_SIZE)
    const magic = reader.int()
    if (magic !== SNAPSHOT_MAGIC) {
      throw new Malformed("Foreign", start, `${hex(SNAPSHOT_MAGIC)}, with which snapshots begin`, hex(magic))
    }
    const version = reader.int()
    if (version !== SNAPSHOT_VERSION) {
      throw new Malformed("Foreign", start + 4, `version ${SNAPSHOT_VERSION} of the format`, `${version}`)
    }
    const database = reader.long()
    if (database !== -1n) throw new Malformed("Corrupt", start + 8, "the database id -1", `${database}`)
    this.left = this.readCount(window, "the number of sessions")
    this.part = "sessions"
  }

  private readCount(window: ByteWindow, what: string): number {
    const at = window.offset
    const count = this.read(window, 4).int()
    if (count < 0) throw new Malformed("Corrupt", at, what, `${count}`)
    return count
  }

  private readAcl(window: ByteWindow, size: number): SnapshotRecord {
    const at = window.offset
    this.aclBytes += size + ACL_OVERHEAD
    if (this.aclBytes > MAX_ACL_BYTES) {
      throw new Malformed("TooLarge", at, `at most ${MAX_ACL_BYTES} bytes of ACLs`, `${this.aclBytes}`)
    }
    const reader = this.read(window, size)
    this.left--
    const id = reader.long()
    const acl = decode(() => aclCodec.read(reader), at, "an ACL") ?? []
    this.acls.set(id, acl)
    return withJson<SnapshotRecord>({ _tag: "Acl", id, acl })
  }

  private readZnode(window: ByteWindow, size: number): SnapshotRecord {
    const at = window.offset
    const reader = this.read(window, size)
    const path = reader.text()
    if (this.isFirstZnode ? path !== "" : !isPath(path)) {
      // It may be data, which belongs in no error.
      const found = `another text, of ${path.length} characters`
      throw new Malformed("Corrupt", at, this.isFirstZnode ? "the root" : "the path of a znode", found)
    }
    this.isFirstZnode = false
    const data = reader.buffer()
    const aclId = reader.long()
    const acl = this.acls.get(aclId) ?? (this.allowsUnknownAcls ? UNKNOWN_ACL : undefined)
    if (acl === undefined) throw new Malformed("Corrupt", at, KNOWN_ACL, `${aclId}`)
    const znode = new ZnodeRecord({
      path: path === "" ? "/" : path,
      data,
      acl,
      czxid: reader.long(),
      mzxid: reader.long(),
      ctime: reader.millis(),
      mtime: reader.millis(),
      version: reader.int(),
      cversion: reader.int(),
      aversion: reader.int(),
      owner: reader.long(),
      pzxid: reader.long()
    })
    return { _tag: "Znode", znode, offset: at }
  }

  private readSeal(window: ByteWindow): void {
    const at = window.offset
    const { value } = this.checksum
    const reader = this.read(window, SEAL_SIZE)
    const stored = reader.long()
    if (stored !== BigInt(value)) {
      throw new Malformed("Corrupt", at, `the Adler-32 checksum ${hex(value)} of all bytes before it`, hex(stored))
    }
    const path = reader.int() === 1 ? window.bytes[reader.offset] : undefined
    if (path !== 0x2f) throw new Malformed("Corrupt", at + 8, 'the text "/" after a checksum', "another one")
  }

  /** Whether the first part of the tail, read as a digest with its checksum, leaves exactly a last zxid. */
  private hasTwoParts(window: ByteWindow): boolean {
    const version = window.view.getInt32(window.position + 8)
    const digest = version < 2 ? 16 + Math.max(0, window.view.getInt32(window.position + 12)) : 20
    return window.available === digest + SEAL_SIZE + LAST_ZXID_SIZE
  }

  private needTail(window: ByteWindow, size: number, what: string): void {
    if (window.available < size) {
      throw new Malformed("Truncated", window.offset, what, `the end of the file, ${window.available} bytes later`)
    }
  }

  /** A reader of the next bytes, which are then behind the window and in the checksum. */
  private read(window: ByteWindow, size: number): JuteReader {
    this.reader.reset(window.bytes, window.position, window.position + size)
    this.skip(window, size)
    return this.reader
  }

  private skip(window: ByteWindow, size: number): void {
    this.checksum.update(window.bytes, window.position, window.position + size)
    window.position += size
  }
}

/** The expectation of each znode, for errors. */
export const KNOWN_ACL = "the number of an ACL in the table before the znodes, or a transaction that sets it"

const LAST_ZXID_SIZE = 8 + SEAL_SIZE
const DIGEST_SIZE = 20 + SEAL_SIZE

const expectedPart = {
  header: "the header of a snapshot",
  sessions: "a session",
  acls: "an ACL",
  znodes: "a znode",
  seal: "the checksum after the znodes",
  tail: "the end of the snapshot"
} as const

/** The size of an ACL with its number; undefined if it has not all arrived. */
const aclSize = (window: ByteWindow): number | undefined => {
  if (!window.has(12)) return undefined
  const count = window.view.getInt32(window.position + 8)
  if (count < -1) throw new Malformed("Corrupt", window.offset + 8, "the length of an ACL", `${count}`)
  let size = 12
  for (let i = 0; i < count; i++) {
    size += 4
    for (const what of ["a scheme", "an id"]) {
      if (!window.has(size + 4)) return undefined
      size += 4 + window.lengthAt(size, what)
    }
  }
  return window.has(size) ? size : undefined
}

/** The size of a znode, or 5 for the path `/` that follows the last one; undefined if it has not all arrived. */
const znodeSize = (window: ByteWindow): number | undefined => {
  if (!window.has(5)) return undefined
  const path = window.view.getInt32(window.position)
  if (path < 0) throw new Malformed("Corrupt", window.offset, "the length of a path", `${path}`)
  if (path === 1 && window.bytes[window.position + 4] === 0x2f) return 5
  if (!window.has(path + 8)) return undefined
  const size = 8 + path + window.lengthAt(4 + path, "data") + FIXED_SIZE
  return window.has(size) ? size : undefined
}

const isPath = (path: string): boolean =>
  path.length > 1 && path.charCodeAt(0) === 0x2f && path.charCodeAt(path.length - 1) !== 0x2f

const digestOfText = (text: string | null): bigint => {
  if (text === null || text === "") return 0n
  if (!/^-?[0-9a-f]{1,16}$/i.test(text)) throw new Error("not a number")
  return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
}

const decode = <A>(read: () => A, at: number, what: string): A => {
  try {
    return read()
  } catch (error) {
    if (error instanceof JuteError)
      throw new Malformed("Corrupt", at + error.offset, what, `${error.field}: ${error.problem}`)
    throw error
  }
}

const orTruncated = (error: unknown, at: number, what: string): Malformed =>
  new Malformed("Truncated", at, what, error instanceof Error ? error.message : String(error))
