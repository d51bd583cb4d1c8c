/** A log as a Stream, with options that have been checked. */
import type * as FileSystem from "effect/FileSystem"
import type * as Stream from "effect/Stream"
import type { ReadOptions } from "../snapshot/model.ts"
import type { FileAccessError, MalformedFile } from "../../StorageError.ts"
import type { Transaction } from "../../Transaction.ts"
import { decodeStream, MAX_RECORD_SIZE } from "../bytes/decodeStream.ts"
import { fileContents } from "../bytes/fileContents.ts"
import { LogDecoder } from "./LogDecoder.ts"

export const readLog = (
  file: string,
  { maxRecordSize = MAX_RECORD_SIZE }: ReadOptions
): Stream.Stream<Transaction, FileAccessError | MalformedFile, FileSystem.FileSystem> =>
  decodeStream(fileContents(file, "none"), () => new LogDecoder(), { file, within: "file", maxRecordSize })
