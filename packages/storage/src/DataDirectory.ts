/**
 * The folder in which a server keeps its snapshots and logs: `version-2` in its `dataDir`. It is only read, also that of a
 * server that runs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { MutableTree } from "./internal/tree/MutableTree.ts"
import { DIGEST_VERSION } from "./internal/tree/treeDigest.ts"
import { loadSnapshot } from "./internal/tree/loadSnapshot.ts"
import type { ReadOptions } from "./Snapshot.ts"
import { FileAccessError, IncompleteDirectory, type MalformedFile } from "./StorageError.ts"
import type { Transaction } from "./Transaction.ts"
import * as TransactionLog from "./TransactionLog.ts"
import type { Tree } from "./Tree.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A snapshot or log of a folder. Its zxid is that in its name: the last transaction before a snapshot was begun, or the first
 * transaction of a log.
 *
 * @category models
 * @since 0.1.0
 */
export interface DataFile {
  readonly path: string
  readonly zxid: bigint
}

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
 * Options of `treeAt` and `transactions`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends ReadOptions {
  /** The folder of the logs, if the servers have a `dataLogDir`. Default: the folder of the snapshots. */
  readonly logDirectory?: string | undefined
}

/**
 * Options of `treeAt`.
 *
 * @category options
 * @since 0.1.0
 */
export interface TreeOptions extends Options {
  /** The last transaction of the tree. Default: the last one that the logs have. */
  readonly zxid?: bigint | undefined
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

/**
 * A tree, and how it was put together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restored {
  readonly tree: Tree
  /** The snapshot from which the tree was made; undefined if the logs begin with the first transaction. */
  readonly snapshot: DataFile | undefined
  /** How many transactions were replayed. */
  readonly transactions: number
  /** Snapshots that could not be used, the newest first, with the reason. A server that starts passes over them, too. */
  readonly unusable: ReadonlyArray<MalformedFile>
  /** The incomplete transaction at the end of the last log, which is not in the tree; servers ignore it as well. */
  readonly partial: MalformedFile | undefined
  /**
   * Whether the digests in the files agree with the tree. `none`: there are no digests to compare, as before ZooKeeper 3.6.
   * `different`: a digest is another one, at the transaction `zxid` for the first time. Servers go on then, and count it.
   */
  readonly digest:
    | { readonly _tag: "Same" }
    | { readonly _tag: "None" }
    | { readonly _tag: "Different"; readonly zxid: bigint }
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
): Stream.Stream<Transaction, FileAccessError | MalformedFile | IncompleteDirectory, FileSystem.FileSystem> => {
  const { from = 0n, logDirectory = directory } = options
  return Stream.unwrap(
    Effect.map(list(logDirectory), ({ logs }) => {
      let last: bigint | undefined
      return Stream.fromIterable(logsFrom(logs, from)).pipe(
        Stream.flatMap(({ path }) => completed(TransactionLog.read(path, options), path === logs.at(-1)?.path)),
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

/**
 * The tree as it was after a transaction: the newest snapshot that has nothing later, and the transactions after it. Without
 * a zxid it is the tree with which a server starts that has these files. A server that starts also deletes the ephemeral
 * znodes of sessions that have ended.
 *
 * **Details**
 *
 * Unusable snapshots are passed over if an older one and its logs are there. It fails with `FileAccessError`, with
 * `MalformedFile` for a log with wrong bytes, and with `IncompleteDirectory` if files are missing. The whole tree is in memory.
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
): Effect.Effect<Restored, FileAccessError | MalformedFile | IncompleteDirectory, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { logDirectory = directory, zxid } = options
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
      return yield* replay({ ...loaded, snapshot, logs, logDirectory, unusable, options })
    }
    if (logs[0] === undefined || (logs[0].zxid & COUNTER) !== 1n || logs[0].zxid >> 32n > 1n) {
      const problem = `no snapshot ${zxid === undefined ? "" : `of zxid ${hex(zxid)} or before it `}can be used${reasons(unusable)}`
      return yield* new IncompleteDirectory({ directory, problem })
    }
    // Servers since 3.5 write a snapshot of their first tree. If it is lost, digests (since 3.6) tell that it was written.
    const first = yield* TransactionLog.read(logs[0].path, options).pipe(
      Stream.runHead,
      Effect.catchTag("MalformedFile", () => Effect.succeedNone)
    )
    const hasConfig = Option.isSome(first) && first.value.digest !== undefined
    const loaded = { tree: MutableTree.initial(hasConfig), digest: undefined, snapshot: undefined }
    return yield* replay({ ...loaded, logs, logDirectory, unusable, options })
  })

// ---- internal: replaying

const COUNTER = 0xffffffffn

interface Replay {
  readonly tree: MutableTree
  readonly digest: { readonly zxid: bigint; readonly version: number; readonly value: bigint } | undefined
  readonly snapshot: DataFile | undefined
  readonly logs: ReadonlyArray<DataFile>
  readonly logDirectory: string
  readonly unusable: ReadonlyArray<MalformedFile>
  readonly options: TreeOptions
}

const replay = ({ digest, logDirectory, logs, options, snapshot, tree, unusable }: Replay) =>
  Effect.gen(function* () {
    const { zxid } = options
    let count = 0
    let partial: MalformedFile | undefined
    let isCompared = false
    let different: bigint | undefined
    // Until the transaction of the snapshot's digest, the tree may be ahead of the transactions.
    const comparesFrom = digest === undefined || digest.zxid < tree.zxid ? tree.zxid : digest.zxid
    const compare = (at: bigint, known: { readonly version: number; readonly value: bigint } | undefined) => {
      if (known === undefined || known.version !== DIGEST_VERSION || at < comparesFrom) return
      isCompared = true
      if (known.value !== tree.digest) different ??= at
    }
    if (digest !== undefined && digest.zxid === tree.zxid && digest.zxid > 0n) compare(tree.zxid, digest)

    /** The transaction after the wanted one, as proof that no other is missing before it. */
    let later: bigint | undefined
    for (const log of logsFrom(logs, tree.zxid + 1n)) {
      if (zxid !== undefined && log.zxid > zxid) later ??= log.zxid
      if (later !== undefined) break
      partial = undefined
      yield* TransactionLog.read(log.path, options).pipe(
        Stream.takeWhile((transaction) => {
          if (zxid !== undefined && transaction.zxid > zxid) later = transaction.zxid
          return later === undefined
        }),
        Stream.runForEachArray((transactions) => {
          for (const transaction of transactions) {
            if (transaction.zxid <= tree.zxid) continue
            if (isGap(tree.zxid, transaction.zxid)) {
              return Effect.fail(missing(logDirectory, tree.zxid, transaction.zxid))
            }
            tree.apply(transaction)
            count++
            compare(transaction.zxid, transaction.digest)
          }
          return Effect.void
        }),
        Effect.catchTag("MalformedFile", (error) => {
          if (error.problem !== "Partial") return Effect.fail(error)
          partial = error
          return Effect.void
        })
      )
    }
    if (later !== undefined && isGap(tree.zxid, later)) return yield* missing(logDirectory, tree.zxid, later)
    if (later === undefined && zxid !== undefined && tree.zxid < zxid) {
      return yield* new IncompleteDirectory({
        directory: logDirectory,
        problem: `the last transaction is ${hex(tree.zxid)}, before the zxid ${hex(zxid)} that was asked for`
      })
    }
    const restored: Restored = {
      tree,
      snapshot,
      transactions: count,
      unusable,
      partial,
      digest:
        different !== undefined
          ? { _tag: "Different", zxid: different }
          : isCompared
            ? { _tag: "Same" }
            : { _tag: "None" }
    }
    return restored
  })

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

/** Within an epoch, zxids follow each other without a gap. The first transaction of an epoch has the counter 1. */
const isGap = (previous: bigint, next: bigint): boolean =>
  next > previous + 1n && (previous >> 32n === next >> 32n || (next & COUNTER) !== 1n)

const missing = (directory: string, previous: bigint, next: bigint): IncompleteDirectory =>
  new IncompleteDirectory({
    directory,
    problem: `no file has the transactions after ${hex(previous)} and before ${hex(next)}`
  })

/** The logs that can have transactions from a zxid on: those that begin there, and the last one that begins before it. */
const logsFrom = (logs: ReadonlyArray<DataFile>, from: bigint): ReadonlyArray<DataFile> => {
  const first = logs.findLastIndex(({ zxid }) => zxid <= from)
  return logs.slice(Math.max(first, 0))
}

// ---- internal: names

const listing = (directory: string, names: ReadonlyArray<string>): Listing => {
  const files = (pattern: RegExp): ReadonlyArray<DataFile> =>
    names
      .flatMap((name) => {
        const digits = pattern.exec(name)?.[1]
        return digits === undefined
          ? []
          : [{ path: join(directory, name), zxid: BigInt.asIntN(64, BigInt(`0x${digits}`)) }]
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

const hex = (zxid: bigint): string => `0x${zxid.toString(16)}`
