/** The data that a command writes: an argument, a file, or the standard input. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { FileError, UsageError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"

/** Undefined where none was given. `-` is the standard input. */
export const readInput = Effect.fnUntraced(function* (data: string | undefined, file: string | undefined) {
  if (data !== undefined && file !== undefined) {
    return yield* new UsageError({ message: "data was given twice, as an argument and with --file: choose one" })
  }
  if (data !== undefined) return new TextEncoder().encode(data)
  return file === undefined ? undefined : yield* readFile(file)
})

/** The bytes of a file, or of the standard input for `-`. */
export const readFile = Effect.fnUntraced(function* (file: string) {
  if (file !== "-") {
    const fs = yield* FileSystem.FileSystem
    return yield* Effect.mapError(
      fs.readFile(file),
      (error) => new FileError({ message: `${file} cannot be read: ${reasonOf(error)}` })
    )
  }
  const stdio = yield* Stdio.Stdio
  return yield* Effect.mapError(
    Stream.mkUint8Array(stdio.stdin),
    (error) => new FileError({ message: `the standard input cannot be read: ${reasonOf(error)}` })
  )
})
