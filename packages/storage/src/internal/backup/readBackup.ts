/** A backup as a Stream, with options that have been checked. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ReadOptions } from "../snapshot/model.ts"
import type { FileAccessError, MalformedFile } from "../../StorageError.ts"
import { decodeStream, MAX_RECORD_SIZE } from "../bytes/decodeStream.ts"
import { backupCompressionOf, fileContents, withinOf } from "../bytes/fileContents.ts"
import type { Entry } from "../live/model.ts"
import { BackupDecoder, type BackupItem } from "./BackupDecoder.ts"
import type { Header } from "./lines.ts"

/** The header, and the znodes unless only their checksum is wanted. */
export const readItems = (
  file: string,
  { maxRecordSize = MAX_RECORD_SIZE }: ReadOptions,
  decodes: boolean
): Stream.Stream<BackupItem, FileAccessError | MalformedFile, FileSystem.FileSystem> => {
  const compression = backupCompressionOf(file)
  return decodeStream(fileContents(file, compression), () => new BackupDecoder(decodes), {
    file,
    within: withinOf(compression),
    maxRecordSize
  })
}

export const readEntries = (
  file: string,
  options: ReadOptions
): Stream.Stream<Entry, FileAccessError | MalformedFile, FileSystem.FileSystem> =>
  readItems(file, options, true).pipe(
    Stream.filterMap((item) => (item._tag === "Entry" ? Result.succeed(item.entry) : Result.failVoid))
  )

/** Reads all of it, and compares its checksum. */
export const verifyBackup = (
  file: string,
  options: ReadOptions
): Effect.Effect<Header, FileAccessError | MalformedFile, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    let header: Header | undefined
    yield* Stream.runForEach(readItems(file, options, false), (item) =>
      Effect.sync(() => {
        if (item._tag === "Header") header = item.header
      })
    )
    return header ?? (yield* Effect.die("a decoder gives the header first"))
  })
