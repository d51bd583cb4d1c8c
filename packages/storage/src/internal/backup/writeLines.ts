/** Writes a backup file of lines that are encoded. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { FileAccessError } from "../../StorageError.ts"
import { backupCompressionOf } from "../bytes/fileContents.ts"
import { concat } from "../bytes/concat.ts"
import { gzipMembers } from "../bytes/gzip.ts"
import { crc32 } from "../bytes/hashes.ts"
import { writeAtomically } from "../bytes/writeAtomically.ts"
import { endLine } from "./BackupDecoder.ts"
import type { EncodedLines } from "./encodeEntry.ts"
import type { Header } from "./lines.ts"

/** Fails, and leaves no file, if there are not as many znodes as the header says: their source has changed meanwhile. */
export const writeLines = <E, R>(
  file: string,
  header: Header,
  lines: Stream.Stream<EncodedLines, E, R>,
  overwrite: boolean
): Effect.Effect<void, E | FileAccessError, R | FileSystem.FileSystem> => {
  const bytes = Stream.suspend(() => {
    const all = new Lines(header)
    const chunks = Stream.mapAccumArray(
      lines,
      () => all,
      (_, some) => [all, all.add(some)]
    )
    const end = Effect.suspend(() =>
      all.znodes === header.znodes
        ? Effect.succeed(all.end())
        : Effect.fail(
            changed(file, `it had ${header.znodes} znodes at first, and ${all.znodes} when they were written`)
          )
    )
    return Stream.concat(chunks, Stream.fromArrayEffect(end))
  })
  return writeAtomically(file, backupCompressionOf(file) === "gzip" ? gzipMembers(bytes) : bytes, overwrite)
}

// ---- internal

/** The size of chunks, in bytes. */
const CHUNK = 1_000_000

const changed = (file: string, how: string): FileAccessError =>
  new FileAccessError({ file, action: "write", cause: new Error(`the source has changed meanwhile: ${how}`) })

const encoder = new TextEncoder()

/** Collects lines to chunks, and counts them. */
class Lines {
  private parts: Array<Uint8Array>
  private size: number
  znodes = 0
  private crc = 0

  constructor(header: Header) {
    const bytes = encoder.encode(`${JSON.stringify(header)}\n`)
    this.parts = [bytes]
    this.size = bytes.length
  }

  /** The chunks that are full. */
  add(lines: ReadonlyArray<EncodedLines>): ReadonlyArray<Uint8Array> {
    const full: Array<Uint8Array> = []
    for (const { bytes, count } of lines) {
      this.znodes += count
      this.parts.push(bytes)
      this.size += bytes.length
      if (this.size >= CHUNK) full.push(this.take())
    }
    return full
  }

  end(): ReadonlyArray<Uint8Array> {
    const rest = this.take()
    return [rest, encoder.encode(endLine(this.znodes, this.crc))]
  }

  private take(): Uint8Array {
    const bytes = concat(this.parts)
    this.parts = []
    this.size = 0
    this.crc = crc32(bytes, this.crc)
    return bytes
  }
}
