/** How much of large files has been read, on the terminal. */
import { DataDirectory, type MalformedFile } from "@effect-zookeeper/storage"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { formatHex } from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { shown, size } from "../output/text.ts"
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

/**
 * How long a record may be: 16 MiB, or more where --max-buffer tells that the servers have a larger `jute.maxbuffer`. The line of a
 * znode in a backup has up to three times the bytes of its data.
 */
export const readOptions = Effect.map(Client, ({ settings: { maxBuffer = 0 } }) => ({
  maxRecordSize: Math.max(16_777_216, 3 * maxBuffer)
}))

/** A data directory, and the folder of its logs if the server has a `dataLogDir`. */
export interface Directory {
  readonly directory: string
  readonly logs: string | undefined
}

/** Reads the tree of a data directory at a moment, and says what was passed over. A time is looked up in the logs first. */
export const readAt = Effect.fnUntraced(function* ({ directory, logs: folder }: Directory, { time, zxid }: Moment) {
  const options = { ...(yield* readOptions), logDirectory: folder }
  const at = time === undefined ? zxid : yield* withReading(undefined, DataDirectory.zxidAt(directory, time, options))
  const { snapshots } = yield* DataDirectory.list(directory)
  const { logs } = yield* DataDirectory.list(folder ?? directory)
  const snapshot = snapshots.findLast((one) => at === undefined || one.zxid <= at)
  const replayed = between(logs, (snapshot?.zxid ?? 0n) + 1n, at)
  const files = snapshot === undefined ? replayed : [snapshot, ...replayed]
  const restored = yield* withReading(
    files.map(({ path }) => path),
    DataDirectory.treeAt(directory, { ...options, zxid: at })
  )
  const { note } = yield* Printer
  for (const { message } of restored.unusable) yield* note(`passed over: ${message}`)
  if (restored.partial !== undefined) yield* note(partialText(restored.partial))
  if (restored.digest._tag === "Different") {
    yield* note(
      `the digest of the tree is another one than that of the servers from ${formatHex(restored.digest.zxid)} on`
    )
  }
  if (logs.length === 0) yield* note(`${shown(folder ?? directory)} has no logs: ${LOGS_ELSEWHERE}`)
  return restored
})

/** The end of a log that was not complete. */
export const partialText = ({ message }: MalformedFile): string =>
  `${message}; a server that was killed leaves such an end`

/** The advice where there are no logs. */
export const LOGS_ELSEWHERE = "a server with a dataLogDir has them there"

/** The logs that may have transactions from one zxid to another. */
export const between = (
  logs: ReadonlyArray<DataDirectory.DataFile>,
  from: bigint,
  to: bigint | undefined
): ReadonlyArray<DataDirectory.DataFile> => {
  const first = logs.findLastIndex(({ zxid }) => zxid <= from)
  return logs.slice(Math.max(first, 0)).filter(({ zxid }) => to === undefined || zxid <= to)
}
