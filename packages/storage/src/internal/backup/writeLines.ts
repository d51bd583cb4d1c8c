/** Writes a backup file of lines that are encoded. */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { FileAccessError } from "../../StorageError.ts"
import { backupCompressionOf } from "../bytes/fileContents.ts"
import { gzipMembers } from "../bytes/gzip.ts"
import { crc32 } from "../bytes/hashes.ts"
import { writeAtomically } from "../bytes/writeAtomically.ts"
import { endLine } from "./BackupDecoder.ts"
import type { Header } from "./lines.ts"

/** The lines of znodes are without their line feeds. */
export const writeLines = <E, R>(
  file: string,
  header: Header,
  lines: Stream.Stream<string, E, R>,
  overwrite: boolean
): Effect.Effect<void, E | FileAccessError, R | FileSystem.FileSystem> => {
  const bytes = Stream.mapAccumArray(
    lines,
    () => new Lines(header),
    (all, some) => [all, all.add(some)],
    { onHalt: (all) => all.end() }
  )
  return writeAtomically(file, backupCompressionOf(file) === "gzip" ? gzipMembers(bytes) : bytes, overwrite)
}

// ---- internal

/** The size of chunks, in characters. */
const CHUNK = 1_000_000

const encoder = new TextEncoder()

/** Collects lines to chunks, and counts them. */
class Lines {
  private text: string
  private znodes = 0
  private crc = 0

  constructor(header: Header) {
    this.text = `${JSON.stringify(header)}\n`
  }

  /** The chunks that are full. */
  add(lines: ReadonlyArray<string>): ReadonlyArray<Uint8Array> {
    const full: Array<Uint8Array> = []
    for (const line of lines) {
      this.znodes++
      this.text += `${line}\n`
      if (this.text.length >= CHUNK) full.push(this.take())
    }
    return full
  }

  end(): ReadonlyArray<Uint8Array> {
    const rest = this.take()
    return [rest, encoder.encode(endLine(this.znodes, this.crc))]
  }

  private take(): Uint8Array {
    const bytes = encoder.encode(this.text)
    this.text = ""
    this.crc = crc32(bytes, this.crc)
    return bytes
  }
}
