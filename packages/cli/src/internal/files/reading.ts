/** How much of large files has been read, on the terminal. */
import { DataDirectory } from "@effect-zookeeper/storage"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { withCount } from "../output/progress.ts"
import { size } from "../output/text.ts"
import type { Moment } from "./moment.ts"

/**
 * Runs something that reads these files, and shows how many of their bytes it has read. A file that is read twice is named twice;
 * undefined if it is not known how much will be read.
 */
export const withReading = <A, E, R>(files: ReadonlyArray<string> | undefined, run: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    let bytes = 0
    const counting: FileSystem.FileSystem = {
      ...fs,
      stream: (path, options) =>
        Stream.tap(fs.stream(path, options), (chunk) =>
          Effect.sync(() => {
            bytes += chunk.length
          })
        )
    }
    const total =
      files === undefined
        ? Effect.fail("unknown")
        : Effect.map(
            Effect.forEach(files, (file) => fs.stat(file)),
            (all) => all.reduce((sum, stat) => sum + Number(ByteSize.toBigInt(stat.size)), 0)
          )
    return yield* withCount(
      { phase: "read", done: Effect.sync(() => bytes), total, text: size },
      Effect.provideService(run, FileSystem.FileSystem, counting)
    )
  })

/** Reads the tree of a data directory at a moment. A time is looked up in the logs first. */
export const readAt = Effect.fnUntraced(function* <A, E, R>(
  directory: string,
  { time, zxid }: Moment,
  read: (at: { readonly zxid: bigint | undefined }) => Effect.Effect<A, E, R>
) {
  const at = time === undefined ? zxid : yield* withReading(undefined, DataDirectory.zxidAt(directory, time))
  const { logs, snapshots } = yield* DataDirectory.list(directory)
  const snapshot = snapshots.findLast((one) => at === undefined || one.zxid <= at)
  const replayed = between(logs, (snapshot?.zxid ?? 0n) + 1n, at)
  const files = snapshot === undefined ? replayed : [snapshot, ...replayed]
  return yield* withReading(
    files.map(({ path }) => path),
    read({ zxid: at })
  )
})

/** The logs that may have transactions from one zxid to another. */
export const between = (
  logs: ReadonlyArray<DataDirectory.DataFile>,
  from: bigint,
  to: bigint | undefined
): ReadonlyArray<DataDirectory.DataFile> => {
  const first = logs.findLastIndex(({ zxid }) => zxid <= from)
  return logs.slice(Math.max(first, 0)).filter(({ zxid }) => to === undefined || zxid <= to)
}
