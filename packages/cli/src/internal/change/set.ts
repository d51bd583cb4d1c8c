/** `zk set`: new data for a znode. */
import * as Effect from "effect/Effect"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { readInput } from "./input.ts"
import { namingVersion } from "./otherVersion.ts"
import { printChanges } from "./report.ts"

export interface Input {
  readonly path: string
  readonly data: string | undefined
  readonly file: string | undefined
  readonly version: number | undefined
  readonly create: boolean
}

export const set = Effect.fnUntraced(function* ({ create, data, file, path, version }: Input) {
  if (create && version !== undefined) {
    return yield* new UsageError({ message: "--create and --version exclude each other: a new znode has no version" })
  }
  const zk = yield* (yield* Client).writer("set")
  const bytes = yield* readInput(data, file)
  if (bytes === undefined) {
    return yield* new UsageError({
      message: "no data: give it as an argument, or with --file (- is the standard input)"
    })
  }
  const stat = yield* create
    ? zk.createOrSet(path, bytes)
    : zk.setData(path, bytes, { version }).pipe(namingVersion(zk, path, version))
  yield* printChanges([{ action: "set", path, version: stat.version }])
})
