/** The names of the options that the functions of this package take. */
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import type * as Backup from "../Backup.ts"
import type * as BackupFile from "../BackupFile.ts"
import type * as DataDirectory from "../DataDirectory.ts"
import type * as Diff from "../Diff.ts"
import type * as Mirror from "../Mirror.ts"
import type * as Restore from "../Restore.ts"
import type * as Snapshot from "../Snapshot.ts"
import type * as TreeSource from "../TreeSource.ts"

const path = '{ path: "/app" }'

export const backup = KnownOptions.make<Backup.Options>(
  {
    path: true,
    concurrency: true,
    owners: true,
    unreadable: true,
    resume: true,
    overwrite: true,
    maxPasses: true,
    onProgress: true
  },
  path
)

export const backupWrite = KnownOptions.make<BackupFile.WriteOptions>(
  { zxid: true, overwrite: true },
  "{ overwrite: true }"
)

export const snapshotWrite = KnownOptions.make<Snapshot.WriteOptions>(
  { compression: true, overwrite: true },
  '{ compression: "gzip" }'
)

export const diff = KnownOptions.make<Diff.Options>({ ephemerals: true, counters: true }, "{ counters: true }")

const plan: { readonly [K in keyof Restore.Options]-?: true } = {
  path: true,
  overwrite: true,
  acl: true,
  kinds: true,
  counters: true,
  maxRaise: true,
  concurrency: true,
  onProgress: true
}

export const restorePlan = KnownOptions.make<Restore.Options>(plan, path)

export const restoreRun = KnownOptions.make<Restore.RunOptions>({ ...plan, onStep: true }, path)

export const mirror = KnownOptions.make<Mirror.Options>(
  {
    path: true,
    targetPath: true,
    deletes: true,
    owners: true,
    checkInterval: true,
    onStatus: true,
    acl: true,
    kinds: true,
    counters: true,
    maxRaise: true,
    concurrency: true
  },
  path
)

const directory: { readonly [K in keyof DataDirectory.Options]-?: true } = { logDirectory: true, maxRecordSize: true }

export const zxidAt = KnownOptions.make<DataDirectory.Options>(directory, '{ logDirectory: "/logs" }')

export const transactions = KnownOptions.make<DataDirectory.TransactionsOptions>(
  { ...directory, from: true },
  "{ from: 0x1fn }"
)

const treeAtKeys: { readonly [K in keyof DataDirectory.TreeOptions]-?: true } = {
  ...directory,
  zxid: true,
  time: true,
  maxTreeSize: true
}

export const treeAt = KnownOptions.make<DataDirectory.TreeOptions>(treeAtKeys, "{ zxid: 0x1fn }")

export const live = KnownOptions.make<TreeSource.LiveOptions>({ path: true, concurrency: true, owners: true }, path)

export const backupTree = KnownOptions.make<TreeSource.FileOptions>({ path: true, maxRecordSize: true }, path)

export const snapshotTree = KnownOptions.make<TreeSource.SnapshotOptions>(
  { path: true, maxRecordSize: true, maxTreeSize: true },
  path
)

export const directoryTree = KnownOptions.make<TreeSource.DirectoryOptions>({ ...treeAtKeys, path: true }, path)
