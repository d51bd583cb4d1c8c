/** A file that a service reads, which is replaced as a whole once it was checked. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import { CheckFailed, FileError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"

export interface Place {
  readonly file: string
  /** The permissions; those of the file that is there, or else those of its owner alone. */
  readonly mode: number | undefined
  /** A shell command that has to end with 0, with the new file in `ZK_FILE`, before the other one is replaced. */
  readonly check: string | undefined
}

/**
 * Writes the file, unless it has this text already, and says whether it did. The new file is beside the other one until it is
 * complete and checked: readers see one of both. It keeps the owner and the permissions, and a symbolic link stays one.
 */
export const placeFile = Effect.fnUntraced(function* ({ check, file, mode }: Place, text: string) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const orFileError = Effect.mapError(
    (error: unknown) => new FileError({ message: `${file} cannot be written: ${reasonOf(error)}` })
  )
  const target = yield* Effect.orElseSucceed(fs.realPath(file), () => paths.resolve(file))
  const info = yield* Effect.option(fs.stat(target))
  const fresh = paths.join(paths.dirname(target), `.${paths.basename(target)}.${process.pid}.zk`)
  if (Option.isSome(info)) {
    const present = yield* Effect.option(fs.readFileString(target))
    if (
      Option.isSome(present) &&
      present.value === text &&
      (mode === undefined || mode === (info.value.mode & 0o7777))
    ) {
      return false
    }
  }
  yield* Effect.gen(function* () {
    yield* writeNew(fs, fresh, text).pipe(orFileError)
    if (Option.isSome(info)) {
      const { gid, uid } = info.value
      // Only the super user can give a file to another one.
      yield* Effect.ignore(
        fs.chown(
          fresh,
          Option.getOrElse(uid, () => -1),
          Option.getOrElse(gid, () => -1)
        )
      )
    }
    const permissions = mode ?? (Option.isSome(info) ? info.value.mode & 0o7777 : 0o600)
    yield* fs.chmod(fresh, permissions).pipe(orFileError)
    if (check !== undefined) {
      const code = yield* runShell(check, { ZK_FILE: fresh })
      if (code !== 0) return yield* new CheckFailed({ file, check, code })
    }
    yield* fs.rename(fresh, target).pipe(orFileError)
  }).pipe(Effect.ensuring(Effect.ignore(fs.remove(fresh, { force: true }))))
  return true
})

/** Runs a command of the shell, whose output goes to the standard error, and gives its exit code. */
export const runShell = (command: string, env: Readonly<Record<string, string>>) =>
  ChildProcess.make(process.platform === "win32" ? command : `exec 1>&2\n${command}`, [], {
    shell: true,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    env,
    extendEnv: true
  }).pipe(
    Effect.flatMap(({ exitCode }) => exitCode),
    Effect.map(Number),
    Effect.scoped,
    Effect.mapError((error) => new FileError({ message: `${command} cannot be run: ${reasonOf(error, "program")}` }))
  )

// ---- internal

const writeNew = (fs: FileSystem.FileSystem, file: string, text: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* fs.remove(file, { force: true })
      const handle = yield* fs.open(file, { flag: "wx", mode: 0o600 })
      yield* handle.writeAll(new TextEncoder().encode(text))
      yield* handle.sync
    })
  )
