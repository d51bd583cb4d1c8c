/** A tree from a snapshot: all of it, or an error. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { ReadOptions, SnapshotEnd } from "../../Snapshot.ts"
import { type FileAccessError, MalformedFile } from "../../StorageError.ts"
import type { Znode } from "../../Znode.ts"
import { compressionOf, withinOf } from "../bytes/fileContents.ts"
import { readRecords } from "../snapshot/readRecords.ts"
import { KNOWN_ACL, UNKNOWN_ACL } from "../snapshot/SnapshotDecoder.ts"
import { MutableTree, tooLarge, type TreeLimits } from "./MutableTree.ts"

interface Loaded {
  readonly tree: MutableTree
  readonly digest: SnapshotEnd["digest"]
  /** The last transaction that has left a trace in the snapshot. */
  readonly latest: bigint
}

/** The ACLs of some znodes may be known only after transactions of the logs; see `requireAcls`. */
export const loadSnapshot = (
  file: { readonly path: string; readonly zxid: bigint },
  options: ReadOptions & TreeLimits
): Effect.Effect<Loaded, FileAccessError | MalformedFile, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const tree = new MutableTree()
    let latest = file.zxid
    let end: SnapshotEnd | undefined
    let offset = 0
    const add = (znode: Znode) => {
      if (znode.acl === UNKNOWN_ACL) tree.unknownAcls.set(znode.path, offset)
      if (znode.path !== CONFIG) latest = maxOf(latest, znode.czxid, znode.mzxid, znode.pzxid)
      return tree.load(znode)
    }
    yield* readRecords(file.path, options, true).pipe(
      Stream.runForEachArray((records) => {
        for (const record of records) {
          if (record._tag === "Session") tree.sessions.set(record.id, record.timeout)
          if (record._tag === "End") end = record
          if (record._tag === "Znode") {
            offset = record.offset
            if (!add(record.znode)) return Effect.fail(orphan(file.path, record.znode.path, offset))
          }
        }
        const problem = tooLarge(tree, options)
        if (problem !== undefined) return Effect.fail(malformed(file.path, offset, problem))
        return Effect.void
      })
    )
    tree.zxid = file.zxid
    return { tree, digest: end?.digest, latest: maxOf(latest, end?.digest?.zxid ?? 0n, end?.lastZxid ?? 0n) }
  })

/** Fails if ACLs of the znodes of a snapshot are still not known. */
export const requireAcls = (file: string, tree: MutableTree): Effect.Effect<void, MalformedFile> => {
  const [first] = tree.unknownAcls
  if (first === undefined) return Effect.void
  const [path, offset] = first
  const found = `another number, at ${Printable.quote(path)}`
  return Effect.fail(malformed(file, offset, { problem: "Corrupt", expected: KNOWN_ACL, found }))
}

// ---- internal

/** A server writes it at its start, of `zoo.cfg.dynamic`, whose version is a zxid that its logs may not have yet. */
const CONFIG = "/zookeeper/config"

const orphan = (file: string, path: string, offset: number): MalformedFile =>
  malformed(file, offset, {
    problem: "Corrupt",
    expected: "each znode once, and after its parent",
    found: Printable.quote(path)
  })

const malformed = (
  file: string,
  offset: number,
  problem: Pick<MalformedFile, "problem" | "expected" | "found">
): MalformedFile => new MalformedFile({ file, offset, within: withinOf(compressionOf(file)), ...problem })

const maxOf = (...zxids: ReadonlyArray<bigint>): bigint => zxids.reduce((max, zxid) => (zxid > max ? zxid : max))
