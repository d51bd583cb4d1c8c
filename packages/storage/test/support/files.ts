/** Node's files, and files of a test's own. */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

/** Runs an effect with Node's file system. */
export const withFiles = Effect.provide(NodeFileSystem.layer)

/** Runs an effect with files that are in memory, by their paths. */
export const withMemory = (files: Readonly<Record<string, Uint8Array>>, chunkSize = 65_536) =>
  Effect.provide(
    FileSystem.layerNoop({
      readDirectory: () => Effect.succeed(Object.keys(files).map((path) => path.slice(path.lastIndexOf("/") + 1))),
      stream: (path) => {
        const bytes = files[path] ?? new Uint8Array(0)
        const chunks = Array.from({ length: Math.ceil(bytes.length / chunkSize) }, (_, at) =>
          bytes.slice(at * chunkSize, (at + 1) * chunkSize)
        )
        return Stream.fromIterable(chunks)
      }
    })
  )

/** Runs an effect with files by their last names, in the folder `/data` in memory. */
export const withFolder = (files: Readonly<Record<string, Uint8Array>>) =>
  withMemory(Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`/data/${nameOf(path)}`, bytes])))

/** The last name of a path. */
export const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1)

/** Everything that a stream gives before it ends, and the error if it fails. */
export const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.suspend(() => {
    const records: Array<A> = []
    return stream.pipe(
      Stream.runForEach((record) => Effect.sync(() => records.push(record))),
      Effect.result,
      Effect.map((result) => ({ records, error: Result.isFailure(result) ? result.failure : undefined }))
    )
  })
