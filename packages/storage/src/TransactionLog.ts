/**
 * Transaction logs, the files `log.<zxid>` to which servers append each write before they answer it: read as a Stream.
 *
 * The logs of all versions from ZooKeeper 3.4 to 3.9 are known.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { readLog } from "./internal/log/readLog.ts"
import { mistakeIn, readOptions } from "./internal/options.ts"
import type { ReadOptions } from "./Snapshot.ts"
import type { FileAccessError, MalformedFile } from "./StorageError.ts"
import type { Transaction } from "./Transaction.ts"

/**
 * Reads a log, in memory that does not grow with the file.
 *
 * **Details**
 *
 * The checksum of each transaction is compared before the transaction is given. The Stream ends where the file ends or where
 * only zeros are left. It fails with `FileAccessError`, and with `MalformedFile` after all transactions before the wrong
 * byte. The problem `Partial` is an incomplete last transaction, which a server that was killed may leave behind: servers
 * ignore it, and so may you. A file that is cut off exactly between two transactions cannot be told from a complete one.
 *
 * Bytes of data are views of larger chunks: copy what is kept.
 *
 * @example
 * ```ts
 * import { TransactionLog } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const errors = TransactionLog.read("/var/lib/zookeeper/version-2/log.1").pipe(
 *   Stream.filter(({ change }) => change._tag === "Error"),
 *   Stream.runForEach(({ session, zxid }) => Effect.log(`session ${session} was refused at ${zxid}`))
 * )
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (
  file: string,
  options: ReadOptions = {}
): Stream.Stream<Transaction, FileAccessError | MalformedFile | InvalidArgument, FileSystem.FileSystem> => {
  const mistake = mistakeIn(readOptions, options)
  return mistake === undefined ? readLog(file, options) : Stream.fail(mistake)
}
