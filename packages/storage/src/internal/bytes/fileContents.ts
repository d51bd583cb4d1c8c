/** The contents of a file of ZooKeeper, without its compression. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { FileAccessError, type MalformedFile } from "../../StorageError.ts"
import { decodeStream, MAX_RECORD_SIZE } from "./decodeStream.ts"
import { gunzip } from "./gunzip.ts"
import type { Within } from "./Malformed.ts"
import { makeSnappyDecoder } from "./snappy.ts"

export type Compression = "none" | "gzip" | "snappy"

/** The compression by the end of a file's name, as servers tell it. */
export const compressionOf = (file: string): Compression =>
  file.endsWith(".gz") ? "gzip" : file.endsWith(".snappy") ? "snappy" : "none"

/** Backups are compressed by gzip or not at all, whatever else their name ends with. */
export const backupCompressionOf = (file: string): Compression => (file.endsWith(".gz") ? "gzip" : "none")

/** The bytes that the decoders of the contents see. */
export const withinOf = (compression: Compression): Within => (compression === "none" ? "file" : "contents")

/** A file in chunks of 256 KiB. */
export const fileContents = (
  file: string,
  compression: Compression
): Stream.Stream<Uint8Array, FileAccessError | MalformedFile, FileSystem.FileSystem> => {
  const bytes = Stream.unwrap(Effect.map(FileSystem.FileSystem, (fs) => fs.stream(file, { chunkSize: CHUNK }))).pipe(
    Stream.mapError((cause) => new FileAccessError({ file, action: "read", cause }))
  )
  switch (compression) {
    case "none":
      return bytes
    case "gzip":
      return gunzip(bytes, file)
    case "snappy":
      return decodeStream(bytes, makeSnappyDecoder, { file, within: "file", maxRecordSize: MAX_RECORD_SIZE * 2 })
  }
}

const CHUNK = 262_144
