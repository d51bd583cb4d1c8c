/** A tree is brought to a later transaction by those of the logs. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { DataFile, Restored, TreeOptions } from "./model.ts"
import { IncompleteDirectory, MalformedFile } from "../../StorageError.ts"
import { readLog } from "../log/readLog.ts"
import { requireAcls } from "./loadSnapshot.ts"
import { type MutableTree, tooLarge } from "./MutableTree.ts"
import { DIGEST_VERSION } from "./treeDigest.ts"

export interface Replay {
  readonly tree: MutableTree
  readonly digest: { readonly zxid: bigint; readonly version: number; readonly value: bigint } | undefined
  /** The last transaction that has left a trace in the tree. */
  readonly latest: bigint
  readonly snapshot: DataFile | undefined
  readonly logs: ReadonlyArray<DataFile>
  readonly logDirectory: string
  readonly unusable: ReadonlyArray<MalformedFile>
  readonly options: TreeOptions
}

/** Applies the transactions after those of the tree. */
export const replay = ({ digest, latest, logDirectory, logs, options, snapshot, tree, unusable }: Replay) =>
  Effect.gen(function* () {
    const { zxid } = options
    let count = 0
    let partial: MalformedFile | undefined
    let isCompared = false
    let different: bigint | undefined
    // Until the last transaction of which the snapshot has a trace, the tree may be ahead of the transactions.
    const comparesFrom = latest > tree.zxid ? latest : tree.zxid
    const compare = (at: bigint, known: { readonly version: number; readonly value: bigint } | undefined) => {
      if (known === undefined || known.version !== DIGEST_VERSION || at < comparesFrom) return
      isCompared = true
      // A digest is that of the whole tree: one that agrees shows that those before it were wrong, not the tree. Servers write wrong
      // ones for some transactions that fail while others wait.
      if (known.value === tree.digest) different = undefined
      else different ??= at
    }
    if (digest !== undefined && digest.zxid === tree.zxid && digest.zxid > 0n) compare(tree.zxid, digest)

    /** The transaction after the wanted one, where that is in no log: proof that no other is missing before it. */
    let later: bigint | undefined
    for (const log of logsFrom(logs, tree.zxid + 1n)) {
      if (tree.zxid === zxid) break
      if (zxid !== undefined && log.zxid > zxid) later ??= log.zxid
      if (later !== undefined) break
      partial = undefined
      yield* readLog(log.path, options).pipe(
        // Bytes after the wanted transaction may be wrong.
        Stream.takeUntil((transaction) => zxid !== undefined && transaction.zxid >= zxid),
        Stream.runForEachArray((transactions): Effect.Effect<void, MalformedFile | IncompleteDirectory> => {
          for (const transaction of transactions) {
            if (transaction.zxid <= tree.zxid) continue
            if (zxid !== undefined && transaction.zxid > zxid) {
              later = transaction.zxid
              return Effect.void
            }
            if (isGap(tree.zxid, transaction.zxid)) {
              return Effect.fail(missing(logDirectory, tree.zxid, transaction.zxid))
            }
            tree.apply(transaction)
            const problem = tooLarge(tree, options)
            if (problem !== undefined) {
              const { offset } = transaction
              return Effect.fail(new MalformedFile({ file: log.path, offset, within: "file", ...problem }))
            }
            count++
            compare(transaction.zxid, transaction.digest)
          }
          return Effect.void
        }),
        Effect.catchTag("MalformedFile", (error) => {
          if (error.problem === "Partial") {
            partial = error
            return Effect.void
          }
          // A tree that is too large is no better up to this transaction, and one that a snapshot is ahead of cannot be had.
          return Effect.fail(
            error.problem === "TooLarge" || tree.zxid < latest ? error : withLastZxid(error, tree.zxid)
          )
        })
      )
    }
    if (later !== undefined && isGap(tree.zxid, later)) return yield* missing(logDirectory, tree.zxid, later)
    if (later === undefined && zxid !== undefined && tree.zxid < zxid) {
      return yield* new IncompleteDirectory({
        directory: logDirectory,
        problem: `the last transaction is ${Hex64.format(tree.zxid)}, before the zxid ${Hex64.format(zxid)} that was asked for`
      })
    }
    if (zxid === undefined && tree.zxid < latest) {
      const end = Hex64.format(tree.zxid)
      return yield* new IncompleteDirectory({
        directory: logDirectory,
        problem: `the logs end at ${end}, and the snapshot has changes up to ${Hex64.format(latest)}; are the logs in another folder (logDirectory)?`
      })
    }
    if (snapshot !== undefined) yield* requireAcls(snapshot.path, tree)
    const restored: Restored = {
      tree,
      snapshot,
      transactions: count,
      unusable,
      partial,
      digest:
        different !== undefined
          ? withJson({ _tag: "Different", zxid: different })
          : isCompared
            ? { _tag: "Same" }
            : { _tag: "None" }
    }
    return restored
  })

/** The same error, with the last transaction that can be read. */
export const withLastZxid = (error: MalformedFile, lastZxid: bigint): MalformedFile => {
  const { expected, file, found, offset, problem, within } = error
  return new MalformedFile({ file, problem, offset, within, expected, found, lastZxid })
}

/** Within an epoch, zxids follow each other without a gap. The first transaction of an epoch has the counter 1. */
export const isGap = (previous: bigint, next: bigint): boolean =>
  next > previous + 1n && (previous >> 32n === next >> 32n || (next & COUNTER) !== 1n)

export const missing = (directory: string, previous: bigint, next: bigint): IncompleteDirectory =>
  new IncompleteDirectory({
    directory,
    problem: `no file has the transactions after ${Hex64.format(previous)} and before ${Hex64.format(next)}`
  })

/** The logs that can have transactions from a zxid on: those that begin there, and the last one that begins before it. */
export const logsFrom = (logs: ReadonlyArray<DataFile>, from: bigint): ReadonlyArray<DataFile> => {
  const first = logs.findLastIndex(({ zxid }) => zxid <= from)
  return logs.slice(Math.max(first, 0))
}

const COUNTER = 0xffffffffn
