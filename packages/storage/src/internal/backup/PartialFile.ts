/**
 * The file of a backup that is not complete: the lines of znodes as they were read, in which a later line of a path replaces an
 * earlier one. Another run goes on with it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { FileAccessError } from "../../StorageError.ts"
import type { Entry } from "../live/model.ts"
import { kindOf } from "../../Znode.ts"
import { concat } from "../bytes/concat.ts"
import { MAX_RECORD_SIZE } from "../bytes/decodeStream.ts"
import { fileContents } from "../bytes/fileContents.ts"
import { type Known, knownOf } from "../live/readZnode.ts"
import { decodeEntry } from "./BackupDecoder.ts"
import { type EncodedLines, encodeLines } from "./encodeEntry.ts"

/** Where the newest line of a znode is, and what it counts. */
interface Line {
  /** The order of the znodes: that of their first lines, in which parents are before their children. */
  readonly order: number
  readonly czxid: bigint
  offset: number
  length: number
  bytes: number
  isEphemeral: boolean
}

export class PartialFile {
  /** The znodes that an earlier run has left, by their paths. */
  readonly known = new Map<string, Known>()
  private readonly lines = new Map<string, Line>()
  private readonly handle: FileSystem.File
  private readonly file: string
  private size: number
  private order = 0

  constructor(file: string, handle: FileSystem.File, size: number) {
    this.file = file
    this.handle = handle
    this.size = size
  }

  /** Adds the lines of znodes that are new or have changed. */
  add(entries: ReadonlyArray<Entry>): Effect.Effect<void, FileAccessError> {
    return Effect.suspend(() => {
      const { bytes } = encodeLines(entries)
      let start = 0
      for (const entry of entries) {
        const end = bytes.indexOf(LINE_FEED, start) + 1
        this.remember(entry, this.size + start, end - start)
        start = end
      }
      return this.write(bytes)
    })
  }

  /** Adds the lines of znodes that are gone. */
  remove(paths: ReadonlyArray<string>): Effect.Effect<void, FileAccessError> {
    return Effect.suspend(() => {
      for (const path of paths) this.lines.delete(path)
      return this.write(encoder.encode(paths.map((path) => `${JSON.stringify({ gone: path })}\n`).join("")))
    })
  }

  get totals(): { readonly znodes: number; readonly bytes: number; readonly ephemerals: number } {
    let bytes = 0
    let ephemerals = 0
    for (const line of this.lines.values()) {
      bytes += line.bytes
      if (line.isEphemeral) ephemerals++
    }
    return { znodes: this.lines.size, bytes, ephemerals }
  }

  /** The newest line of each znode, parents before their children. Lines that are beside each other in the file are together. */
  newest(): Stream.Stream<EncodedLines, FileAccessError> {
    const lines = [...this.lines.values()].toSorted((a, b) => a.order - b.order)
    // One for lines in their first order, and one for those that have replaced others.
    let windows: ReadonlyArray<Window> = []
    const windowOf = (line: Line) => windows.find((window) => contains(window, line))
    const step = (from: number) =>
      Effect.gen({ self: this }, function* () {
        const first = lines[from]
        if (first === undefined) return [[], Option.none<number>()] as const
        if (windowOf(first) === undefined) {
          const bytes = yield* this.readAt(first.offset, Math.max(WINDOW, first.length))
          windows = [{ start: first.offset, bytes }, ...windows.slice(0, 1)]
        }
        const found: Array<EncodedLines> = []
        let at = from
        for (let line = lines[at]; line !== undefined; line = lines[at]) {
          const window = windowOf(line)
          if (window === undefined) break
          const { offset } = line
          const begun = at
          let end = offset
          for (; line?.offset === end && contains(window, line); line = lines[++at]) end += line.length
          // A copy: lines that are kept do not keep the whole window.
          found.push({ bytes: window.bytes.slice(offset - window.start, end - window.start), count: at - begun })
        }
        return [found, Option.some(at)] as const
      })
    return Stream.paginate(0, step)
  }

  /** Takes the lines that an earlier run has left, up to the first one that is not whole. */
  load(expected: string): Effect.Effect<boolean, FileAccessError, FileSystem.FileSystem> {
    return Effect.gen({ self: this }, function* () {
      let good = 0
      let isOurs = true
      let hasHead = false
      /** The parts of a line whose end has not come, and their size. */
      let begun: Array<Uint8Array> = []
      let size = 0
      /** False at the first line that is not whole. */
      const take = (bytes: Uint8Array): boolean => {
        if (!hasHead) {
          hasHead = true
          isOurs = decoder.decode(bytes) === expected
          return isOurs
        }
        try {
          const gone = goneOf(bytes)
          if (gone === undefined) {
            const entry = decodeEntry(bytes, good)
            this.known.set(entry.znode.path, knownOf(entry))
            this.remember(entry, good, bytes.length)
          } else {
            this.lines.delete(gone)
            this.known.delete(gone)
          }
          return true
        } catch {
          return false
        }
      }
      yield* fileContents(this.file, "none").pipe(
        Stream.takeWhile((chunk) => {
          let position = 0
          for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, position)) {
            const end = chunk.subarray(position, at + 1)
            const line = begun.length === 0 ? end : concat([...begun, end])
            begun = []
            size = 0
            if (!take(line)) return false
            good += line.length
            position = at + 1
          }
          if (position < chunk.length) begun.push(chunk.slice(position))
          size += chunk.length - position
          // No line is longer.
          return size <= MAX_LINE
        }),
        Stream.runDrain,
        Effect.catchTag("MalformedFile", Effect.die)
      )
      if (!isOurs) return false
      yield* this.orAccessError(this.handle.truncate(good))
      yield* this.orAccessError(this.handle.seek(BigInt(good), "start"))
      this.size = good
      if (good === 0) yield* this.write(encoder.encode(expected))
      return true
    })
  }

  /** Empties the file, and begins it. */
  begin(head: string): Effect.Effect<void, FileAccessError> {
    return Effect.gen({ self: this }, function* () {
      yield* this.orAccessError(this.handle.truncate(0))
      yield* this.orAccessError(this.handle.seek(0n, "start"))
      this.size = 0
      yield* this.write(encoder.encode(head))
    })
  }

  private remember(entry: Entry, offset: number, length: number): void {
    const { czxid, data, owner, path } = entry.znode
    const before = this.lines.get(path)
    this.lines.set(path, {
      order: before?.czxid === czxid ? before.order : this.order++,
      czxid,
      offset,
      length,
      bytes: data?.length ?? 0,
      isEphemeral: kindOf(owner)._tag === "Ephemeral"
    })
  }

  private write(bytes: Uint8Array): Effect.Effect<void, FileAccessError> {
    if (bytes.length === 0) return Effect.void
    return Effect.map(this.orAccessError(this.handle.writeAll(bytes)), () => {
      this.size += bytes.length
    })
  }

  private readAt(offset: number, size: number): Effect.Effect<Uint8Array, FileAccessError> {
    const buffer = new Uint8Array(Math.min(size, this.size - offset))
    const handle = this.handle
    const orAccessError = this.orAccessError
    return Effect.gen(function* () {
      let have = 0
      while (have < buffer.length) {
        const count = yield* orAccessError(handle.read(buffer.subarray(have), { position: BigInt(offset + have) }))
        if (Number(count) === 0) break
        have += Number(count)
      }
      return buffer
    })
  }

  private readonly orAccessError = <A, R>(effect: Effect.Effect<A, PlatformError, R>) =>
    Effect.mapError(effect, (cause) => new FileAccessError({ file: this.file, action: "write", cause }))
}

/** Opens the file, with the lines that an earlier run with the same head has left, or without them. */
export const openPartialFile = (
  file: string,
  head: string,
  resume: boolean
): Effect.Effect<PartialFile, FileAccessError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const accessError = (cause: unknown) => new FileAccessError({ file, action: "write", cause })
    const exists = yield* Effect.mapError(fs.exists(file), accessError)
    const handle = yield* Effect.mapError(fs.open(file, { flag: exists ? "r+" : "w+" }), accessError)
    const partial = new PartialFile(file, handle, 0)
    if (!exists || !resume) {
      yield* partial.begin(head)
    } else if (!(yield* partial.load(head))) {
      return yield* accessError(
        new Error(
          "it is the rest of a backup with another path or chroot, or with other options: complete that one, or remove the file"
        )
      )
    }
    return partial
  })

// ---- internal

const LINE_FEED = 10

/** The longest line, in bytes: twice the longest record, which is mostly base64. */
const MAX_LINE = MAX_RECORD_SIZE * 2

/** How much is read at a time, in bytes. */
const WINDOW = 262_144

/** Bytes of the file from `start` on. */
interface Window {
  readonly start: number
  readonly bytes: Uint8Array
}

const contains = ({ bytes, start }: Window, { length, offset }: Line): boolean =>
  offset >= start && offset + length <= start + bytes.length

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const decodeGone = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ gone: Schema.String })))

const goneStart = encoder.encode('{"gone":')

const goneOf = (bytes: Uint8Array): string | undefined =>
  goneStart.every((byte, index) => bytes[index] === byte)
    ? Option.getOrUndefined(decodeGone(decoder.decode(bytes)))?.gone
    : undefined
