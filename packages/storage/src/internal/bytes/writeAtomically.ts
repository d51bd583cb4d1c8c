/** Writes a file beside its place, and moves it there when it is complete: an interrupted call leaves no half of a file. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { FileAccessError } from "../../StorageError.ts"

export const writeAtomically = <E, R>(
  file: string,
  bytes: Stream.Stream<Uint8Array, E, R>,
  overwrite: boolean
): Effect.Effect<void, E | FileAccessError, R | FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const orAccessError = Effect.mapError((cause: PlatformError | Error) => accessError(file, cause))
    const name = file.lastIndexOf("/") + 1
    const temporary = `${file.slice(0, name)}.${file.slice(name)}.tmp`
    if (!overwrite && (yield* orAccessError(fs.exists(file)))) {
      return yield* accessError(file, new Error("it exists already"))
    }
    yield* Effect.gen(function* () {
      const handle = yield* orAccessError(fs.open(temporary, { flag: "w" }))
      yield* Stream.runForEach(bytes, (chunk) => orAccessError(handle.writeAll(chunk)))
      yield* orAccessError(handle.sync)
    }).pipe(
      Effect.scoped,
      Effect.andThen(orAccessError(fs.rename(temporary, file))),
      Effect.onError(() => Effect.ignore(fs.remove(temporary)))
    )
  })

const accessError = (file: string, cause: unknown): FileAccessError =>
  new FileAccessError({ file, action: "write", cause })
