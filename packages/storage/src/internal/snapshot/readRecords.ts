/** The records of the file of a snapshot. */
import type * as FileSystem from "effect/FileSystem"
import type * as Stream from "effect/Stream"
import type { FileAccessError, MalformedFile } from "../../StorageError.ts"
import { decodeStream, MAX_RECORD_SIZE } from "../bytes/decodeStream.ts"
import { compressionOf, fileContents, withinOf } from "../bytes/fileContents.ts"
import type { ReadOptions, SnapshotRecord } from "./model.ts"
import { SnapshotDecoder } from "./SnapshotDecoder.ts"

export const readRecords = (
  file: string,
  { maxRecordSize = MAX_RECORD_SIZE }: ReadOptions,
  allowsUnknownAcls: boolean
): Stream.Stream<SnapshotRecord, FileAccessError | MalformedFile, FileSystem.FileSystem> => {
  const compression = compressionOf(file)
  return decodeStream(fileContents(file, compression), () => new SnapshotDecoder(allowsUnknownAcls), {
    file,
    within: withinOf(compression),
    maxRecordSize
  })
}
