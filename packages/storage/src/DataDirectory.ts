/**
 * The folder in which a server keeps its snapshots and logs: `version-2` in its `dataDir`. It is only read, also that of a
 * server that runs.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Timestamp from "@effect-zookeeper/client/Timestamp"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { readLog } from "./internal/log/readLog.ts"
import * as Rules from "./internal/options.ts"
import { directoryKeys, treeKeys } from "./internal/tree/knownKeys.ts"
import { MutableTree } from "./internal/tree/MutableTree.ts"
import { loadSnapshot } from "./internal/tree/loadSnapshot.ts"
import { isGap, logsFrom, missing, replay, withLastZxid } from "./internal/tree/replay.ts"
import { FileAccessError, IncompleteDirectory, type MalformedFile } from "./StorageError.ts"
import type { Transaction } from "./Transaction.ts"
import type { DataFile, Options, Restored, TreeOptions } from "./internal/tree/model.ts"

export type { DataFile, Options, Restored, TreeOptions } from "./internal/tree/model.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The files of a folder, the oldest first. Other files are not in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listing {
  readonly snapshots: ReadonlyArray<DataFile>
  readonly logs: ReadonlyArray<DataFile>
}

/**
 * Options of `transactions`.
 *
 * @category options
 * @since 0.1.0
 */
export interface TransactionsOptions extends Options {
  /** The first transaction. Default: the first one that the logs have. */
  readonly from?: bigint | undefined
}

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

/**
 * The snapshots and logs of a folder: of `dataDir` itself, or of the `version-2` in it.
 *
 * @category reading
 * @since 0.1.0
 */
export const list = (directory: string): Effect.Effect<Listing, FileAccessError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = yield* fs.readDirectory(directory)
    if (names.includes("version-2")) {
      const inner = join(directory, "version-2")
      return listing(inner, yield* fs.readDirectory(inner))
    }
    return listing(directory, names)
  }).pipe(Effect.mapError((cause) => new FileAccessError({ file: directory, action: "list", cause })))

/**
 * The transactions of all logs from the zxid `from` on, in their order.
 *
 * It fails with `FileAccessError`, with `MalformedFile`, and with `IncompleteDirectory` if transactions are missing between
 * two others. Those at the end of an epoch may be missing without a sign, if the next epoch begins after them.
 *
 * @example
 * ```ts
 * import { DataDirectory } from "@effect-zookeeper/storage"
 * import * as Stream from "effect/Stream"
 *
 * const deletions = DataDirectory.transactions("/var/lib/zookeeper").pipe(
 *   Stream.filter(({ change }) => change._tag === "Delete")
 * )
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const transactions = (
  directory: string,
  options: TransactionsOptions = {}
): Stream.Stream<
  Transaction,
  FileAccessError | MalformedFile | IncompleteDirectory | InvalidArgument,
  FileSystem.FileSystem
> => {
  const mistake = Rules.mistakeIn(knownTransactions, options)
  return mistake === undefined ? transactionsOf(directory, options) : Stream.fail(mistake)
}

/**
 * The tree as it was after a transaction: the newest snapshot that has nothing later, and the transactions after it. Without
 * a zxid it is the tree with which a server starts that has these files. A server that starts also deletes the ephemeral
 * znodes of sessions that have ended.
 *
 * **Details**
 *
 * Unusable snapshots are passed over if an older one and its logs are there. It fails with `FileAccessError`, with
 * `MalformedFile` for a log with wrong bytes, whose `lastZxid` is the last transaction before them, and with `IncompleteDirectory` if
 * files are missing: also if the snapshot has changes of later transactions than the logs have. `/zookeeper/config` may be later than
 * the logs, because servers set it when they start, by `zoo.cfg.dynamic`. The whole tree is in memory.
 *
 * **Gotchas**
 *
 * Before ZooKeeper 3.6 nothing tells up to which transaction a snapshot has changed ACLs. The tree at a zxid before the end of
 * such a snapshot may have ACLs that were set later.
 *
 * @example
 * ```ts
 * import { DataDirectory } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const { tree } = yield* DataDirectory.treeAt("/var/lib/zookeeper", { zxid: 0x1fn })
 *   yield* Effect.log(`${tree.size} znodes at ${tree.zxid}`)
 * })
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const treeAt = (
  directory: string,
  options: TreeOptions = {}
): Effect.Effect<
  Restored,
  FileAccessError | MalformedFile | IncompleteDirectory | InvalidArgument,
  FileSystem.FileSystem
> =>
  Effect.andThen(
    Rules.checkOptions(knownTree, options),
    Effect.suspend(() => loadTree(directory, options))
  )

/**
 * The last transaction that the leaders have made by a time, by their clocks. The logs are read from the last one on whose first
 * transaction is not later, up to the first transaction that is.
 *
 * It fails with `FileAccessError`, with `MalformedFile` for a log with wrong bytes, and with `IncompleteDirectory` if the logs begin
 * after that time, or if transactions are missing.
 *
 * @category reading
 * @since 0.1.0
 */
export const zxidAt = (
  directory: string,
  time: number,
  options: Options = {}
): Effect.Effect<
  bigint,
  FileAccessError | MalformedFile | IncompleteDirectory | InvalidArgument,
  FileSystem.FileSystem
> =>
  Effect.gen(function* () {
    const mistake = Rules.mistakeIn(knownDirectory, options) ?? Rules.time("time", time)
    if (mistake !== undefined) return yield* mistake
    return yield* findZxid(directory, time, options)
  })

// ---- internal: options

const knownDirectory = Rules.make<Options>(directoryKeys, '{ logDirectory: "/logs" }')

const knownTransactions = Rules.make<TransactionsOptions>({ ...directoryKeys, from: Rules.zxid }, "{ from: 0x1fn }")

const knownTree = Rules.make<TreeOptions>(treeKeys, "{ zxid: 0x1fn }")

// ---- internal: with options that have been checked

type Failure = FileAccessError | MalformedFile | IncompleteDirectory

const transactionsOf = (
  directory: string,
  options: TransactionsOptions
): Stream.Stream<Transaction, Failure, FileSystem.FileSystem> => {
  const { from = 0n, logDirectory = directory } = options
  return Stream.unwrap(
    Effect.map(list(logDirectory), ({ logs }) => {
      let last: bigint | undefined
      return Stream.fromIterable(logsFrom(logs, from)).pipe(
        Stream.flatMap(({ path }) => completed(readLog(path, options), path === logs.at(-1)?.path)),
        Stream.mapEffect((transaction) => {
          const previous = last
          last = transaction.zxid
          return previous !== undefined && isGap(previous, transaction.zxid)
            ? Effect.fail(missing(logDirectory, previous, transaction.zxid))
            : Effect.succeed(transaction)
        }),
        Stream.filter(({ zxid }) => zxid >= from)
      )
    })
  )
}

const loadTree = (directory: string, options: TreeOptions): Effect.Effect<Restored, Failure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { logDirectory = directory, time } = options
    if (time !== undefined) {
      const zxid = yield* findZxid(directory, time, options)
      return yield* loadTree(directory, { ...options, time: undefined, zxid: minOf(options.zxid, zxid) })
    }
    const { zxid } = options
    const { snapshots } = yield* list(directory)
    const { logs } = yield* list(logDirectory)
    const unusable: Array<MalformedFile> = []
    for (const snapshot of snapshots.toReversed()) {
      if (zxid !== undefined && snapshot.zxid > zxid) continue
      const loaded = yield* loadSnapshot(snapshot, options).pipe(
        Effect.catchTag("MalformedFile", (error) => {
          unusable.push(error)
          return Effect.undefined
        })
      )
      if (loaded === undefined || (zxid !== undefined && loaded.latest > zxid)) continue
      const restored = yield* replay({ ...loaded, snapshot, logs, logDirectory, unusable, options }).pipe(
        Effect.catchTag("MalformedFile", (error) => {
          if (error.file !== snapshot.path) return Effect.fail(error)
          unusable.push(error)
          return Effect.undefined
        })
      )
      if (restored !== undefined) return restored
    }
    if (logs[0] === undefined || (logs[0].zxid & COUNTER) !== 1n || logs[0].zxid >> 32n > 1n) {
      const problem = `no snapshot ${zxid === undefined ? "" : `of zxid ${Hex64.format(zxid)} or before it `}can be used${reasons(unusable)}`
      return yield* new IncompleteDirectory({ directory, problem })
    }
    // Servers since 3.5 write a snapshot of their first tree. If it is lost, digests (since 3.6) tell that it was written.
    const first = yield* readLog(logs[0].path, options).pipe(
      Stream.runHead,
      Effect.catchTag("MalformedFile", () => Effect.succeedNone)
    )
    const hasConfig = Option.isSome(first) && first.value.digest !== undefined
    const loaded = { tree: MutableTree.initial(hasConfig), digest: undefined, latest: 0n, snapshot: undefined }
    return yield* replay({ ...loaded, logs, logDirectory, unusable, options })
  })

const findZxid = (
  directory: string,
  time: number,
  options: Options
): Effect.Effect<bigint, Failure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { logDirectory = directory } = options
    const { logs } = yield* list(logDirectory)
    for (const log of logs.toReversed()) {
      const first = yield* readLog(log.path, options).pipe(
        Stream.runHead,
        Effect.catchIf(isPartial, () => Effect.succeedNone)
      )
      if (Option.isNone(first) || first.value.time > time) continue
      let last = first.value.zxid
      yield* transactionsOf(directory, { ...options, from: first.value.zxid }).pipe(
        Stream.takeWhile((transaction) => transaction.time <= time),
        Stream.runForEach(({ zxid }) =>
          Effect.sync(() => {
            last = zxid
          })
        ),
        Effect.catchIf(isPartial, () => Effect.void),
        Effect.mapError((error) => (error._tag === "MalformedFile" ? withLastZxid(error, last) : error))
      )
      return last
    }
    return yield* new IncompleteDirectory({
      directory: logDirectory,
      problem: `no log has a transaction of ${Timestamp.format(time)} or before it`
    })
  })

// ---- internal

const COUNTER = 0xffffffffn

/** A log that is not the last one may end with an incomplete transaction, too: the server then began another log. */
const completed = <R>(
  log: Stream.Stream<Transaction, FileAccessError | MalformedFile, R>,
  isLast: boolean
): Stream.Stream<Transaction, FileAccessError | MalformedFile, R> =>
  isLast
    ? log
    : Stream.catchIf(
        log,
        (error) => error._tag === "MalformedFile" && error.problem === "Partial",
        () => Stream.empty
      )

const listing = (directory: string, names: ReadonlyArray<string>): Listing => {
  const files = (pattern: RegExp): ReadonlyArray<DataFile> =>
    names
      .flatMap((name) => {
        const digits = pattern.exec(name)?.[1]
        return digits === undefined
          ? []
          : [withJson({ path: join(directory, name), zxid: BigInt.asIntN(64, BigInt(`0x${digits}`)) })]
      })
      .toSorted((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0))
  return {
    snapshots: files(/^snapshot\.([0-9a-f]{1,16})(?:\.gz|\.snappy)?$/),
    logs: files(/^log\.([0-9a-f]{1,16})$/)
  }
}

const join = (directory: string, name: string): string => `${directory.replace(/(?<=.)\/+$/, "")}/${name}`

const reasons = (unusable: ReadonlyArray<MalformedFile>): string =>
  unusable.map((error) => `; ${error.message}`).join("")

const isPartial = (error: { readonly _tag: string; readonly problem?: unknown }): boolean =>
  error._tag === "MalformedFile" && error.problem === "Partial"

const minOf = (a: bigint | undefined, b: bigint): bigint => (a !== undefined && a < b ? a : b)
