/** A `SnapshotFile` on Node's own files. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Fs from "node:fs/promises"
import { type SnapshotFile, SnapshotFileError } from "../../SnapshotFile.ts"
import { decodeSnapshot, encodeSnapshot, notASnapshot } from "../snapshot/storedSnapshot.ts"

export const nodeSnapshotFile = (file: string): SnapshotFile => {
  const failed = (operation: "load" | "save") => (error: Failure | Schema.SchemaError) =>
    new SnapshotFileError({ file, operation, reason: error._tag === "SchemaError" ? notASnapshot : error.reason })
  return {
    file,
    load: attempt(() => Fs.readFile(file, "utf8")).pipe(
      Effect.flatMap(decodeSnapshot),
      Effect.map(Option.some),
      Effect.catchIf(isNotFound, () => Effect.succeedNone),
      Effect.mapError(failed("load"))
    ),
    save: (snapshot) =>
      encodeSnapshot(snapshot).pipe(
        // A write that has begun goes on by itself: the next owner of the file must not meet it.
        Effect.flatMap((text) => Effect.uninterruptible(attempt(() => replace(file, text)))),
        Effect.mapError(failed("save"))
      )
  }
}

// ---- internal

interface Failure {
  readonly _tag: "Failure"
  readonly isNotFound: boolean
  readonly reason: string
}

const attempt = <A>(f: () => Promise<A>): Effect.Effect<A, Failure> =>
  Effect.tryPromise({
    try: f,
    catch: (error): Failure => ({
      _tag: "Failure",
      isNotFound: error instanceof Error && "code" in error && error.code === "ENOENT",
      reason: error instanceof Error ? error.message : String(error)
    })
  })

const isNotFound = (error: Failure | Schema.SchemaError): boolean => error._tag === "Failure" && error.isNotFound

/** A crash leaves the old file or the new one. */
const replace = async (file: string, text: string): Promise<void> => {
  const fresh = `${file}.new`
  // An older one may have another mode.
  await Fs.rm(fresh, { force: true })
  const handle = await Fs.open(fresh, "wx", 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await Fs.rename(fresh, file)
}
