/**
 * A file that keeps the last good state of a tree, so that a process can start while ZooKeeper is out of reach.
 *
 * The file has the data of the znodes as ZooKeeper has it: what is encrypted there is encrypted here. It is replaced as a
 * whole, and only its owner may read it (mode 600). `snapshotFile` of the module `Promise` makes one without Effect's FileSystem.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import type { Snapshot } from "./internal/snapshot/model.ts"
import { decodeSnapshot, encodeSnapshot, notASnapshot } from "./internal/snapshot/storedSnapshot.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A file with a snapshot; {@link make} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotFile {
  /** The path of the file. */
  readonly file: string
  /** The snapshot that was saved last, or none if there is no file. Fails with `SnapshotFileError`. */
  readonly load: Effect.Effect<Option.Option<Snapshot>, SnapshotFileError>
  /** Replaces the file. Fails with `SnapshotFileError`, and then the file is as it was. */
  readonly save: (snapshot: Snapshot) => Effect.Effect<void, SnapshotFileError>
}

/**
 * The file cannot be read or written, or is not a snapshot.
 *
 * @category errors
 * @since 0.1.0
 */
export class SnapshotFileError extends ErrorClass.make(
  Schema.TaggedError<SnapshotFileError>()("SnapshotFileError", {
    file: Schema.String,
    operation: Schema.Literals(["load", "save"]),
    reason: Schema.String
  })
) {
  override get message(): string {
    const { file, operation, reason } = this
    return `the snapshot in ${Printable.escape(file)} cannot be ${operation === "load" ? "loaded" : "saved"}: ${Printable.escape(reason)}`
  }
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Describes the file; it is not opened. Its folder has to exist.
 *
 * @example
 * ```ts
 * import { LiveConfig, SnapshotFile } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 *
 * // Starts with the last good value if ZooKeeper does not answer within 2 seconds.
 * export const port = Effect.gen(function* () {
 *   const file = yield* SnapshotFile.make("/var/lib/mail/config.json")
 *   return yield* LiveConfig.make(Config.Port("port"), { path: "/config/mail", file, fileAfter: "2 seconds" })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (file: string): Effect.Effect<SnapshotFile, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => ({
    file,
    load: fs.readFileString(file).pipe(
      Effect.flatMap(decodeSnapshot),
      Effect.map(Option.some),
      Effect.catchIf(isNotFound, () => Effect.succeedNone),
      Effect.mapError((error) => new SnapshotFileError({ file, operation: "load", reason: reasonOf(error) }))
    ),
    save: (snapshot) =>
      encodeSnapshot(snapshot).pipe(
        Effect.flatMap((text) => replace(fs, file, text)),
        Effect.mapError((error) => new SnapshotFileError({ file, operation: "save", reason: reasonOf(error) }))
      )
  }))

// ---- internal

/** A crash leaves the old file or the new one. */
const replace = (fs: FileSystem.FileSystem, file: string, text: string) => {
  const fresh = `${file}.new`
  return Effect.scoped(
    Effect.gen(function* () {
      // An older one may have another mode.
      yield* fs.remove(fresh, { force: true })
      const handle = yield* fs.open(fresh, { flag: "wx", mode: 0o600 })
      yield* handle.writeAll(new TextEncoder().encode(text))
      yield* handle.sync
    })
  ).pipe(Effect.andThen(fs.rename(fresh, file)))
}

const isNotFound = (error: PlatformError | Schema.SchemaError): boolean =>
  error._tag === "PlatformError" && error.reason._tag === "NotFound"

const reasonOf = (error: PlatformError | Schema.SchemaError): string =>
  error._tag === "SchemaError" ? notASnapshot : error.message
