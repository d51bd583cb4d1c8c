/** `zk edit`: the data of a znode in an editor, written by the version that was read. */
import { BadVersion } from "@effect-zookeeper/client/Errors"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { decodeUtf8 } from "../../ZnodeData.ts"
import { Client } from "../frame/Client.ts"
import { Conflict, FileError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"
import { block, linesOf, readable } from "../output/data.ts"
import { Printer } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { diffLines } from "../watch/diff.ts"
import { printChanges } from "./report.ts"

export interface Input {
  readonly path: string
}

export const edit = Effect.fnUntraced(function* ({ path }: Input) {
  const printer = yield* Printer
  const zk = yield* (yield* Client).lastingWriter("edit")
  const { data, stat } = yield* zk.get(path)
  if (decodeUtf8(data) === undefined) {
    return yield* new FileError({
      message: `${shown(path)} is not text, and an editor may damage it; use get and set --file`
    })
  }
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const folder = yield* fs.makeTempDirectory({ prefix: "zk-edit-" }).pipe(Effect.mapError(toFileError))
  const name = ZnodePath.name(path).replaceAll(/[^\w.-]/g, "_") || "root"
  const file = paths.join(folder, name)
  yield* fs.writeFile(file, data, { mode: 0o600 }).pipe(Effect.mapError(toFileError))
  const forget = Effect.ignore(fs.remove(folder, { recursive: true }))
  /** Text that was typed is never thrown away, nor what the editor has saved of it for itself: vim's .swp, Emacs' #…#. */
  const keep = Effect.gen(function* () {
    const left = yield* Effect.option(fs.readFile(file))
    if (Option.isSome(left) && !sameBytes(data, left.value)) return yield* printer.note(`the text is kept in ${file}`)
    const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])
    const others = names.filter((each) => each !== name)
    if (others.length === 0) return yield* forget
    yield* Effect.ignore(fs.remove(file))
    yield* printer.note(
      `what the editor has saved is kept in ${others.map((each) => paths.join(folder, each)).join(", ")}`
    )
  })
  yield* Effect.onError(runEditor(file), () => keep)
  const edited = yield* fs.readFile(file).pipe(Effect.mapError(toFileError))
  if (sameBytes(data, edited)) {
    yield* printer.note(`${shown(path)}: no change`)
    return yield* forget
  }
  const write = zk.setData(path, edited, { version: stat.version })
  const written = yield* write.pipe(
    // The session may have expired while the editor was open, which shows only now.
    Effect.catchTag("SessionExpired", (error) => (error.maybeApplied ? Effect.fail(error) : write)),
    Effect.catchTags({
      BadVersion: () => conflict(path, file, new BadVersion({ path, operation: "setData" })),
      NoNode: (error) => conflict(path, file, error)
    }),
    Effect.tapError(({ _tag }) =>
      _tag === "Conflict"
        ? saveTheirs(zk.getData(path), `${file}.theirs`, edited)
        : printer.note(`what you wrote is in ${file}`)
    ),
    Effect.onInterrupt(() => printer.note(`it may have been written or not; the text is in ${file}`))
  )
  yield* forget
  yield* printChanges([{ action: "set", path, version: written.version }])
})

// ---- internal

const toFileError = (error: unknown) =>
  new FileError({ message: `the file for the editor cannot be used: ${reasonOf(error)}` })

const runEditor = Effect.fnUntraced(function* (file: string) {
  const editor = yield* Config.String("VISUAL").pipe(
    Config.orElse(() => Config.String("EDITOR")),
    Config.withDefault("vi"),
    Effect.mapError((error) => new FileError({ message: error.message }))
  )
  const [command = "vi", ...args] = editor.trim().split(/\s+/)
  const code = yield* ChildProcess.make(command, [...args, file], {
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
    extendEnv: true,
    // It stays in the group of the terminal's foreground, where it can read keys and gets Ctrl-C itself.
    detached: false
  }).pipe(
    Effect.flatMap(({ exitCode }) => exitCode),
    Effect.scoped,
    Effect.mapError(
      (error) => new FileError({ message: `${editor} cannot be started: ${reasonOf(error, "program")}; set EDITOR` })
    )
  )
  if (Number(code) !== 0) {
    return yield* new FileError({ message: `the editor ended with ${code}; nothing was written` })
  }
})

/** Keeps the text of the user; the present one is saved beside it. */
const conflict = (path: string, file: string, cause: { readonly _tag: string }) =>
  Effect.fail(
    new Conflict({
      message:
        cause._tag === "NoNode"
          ? `${shown(path)} was deleted meanwhile; what you wrote is kept in ${file}`
          : `${shown(path)} was changed meanwhile; what you wrote is kept in ${file}, and the other version is in ${file}.theirs`
    })
  )

/** Saves the present data, and shows the lines in which it differs from what the user wrote. */
const saveTheirs = <E, R>(read: Effect.Effect<Uint8Array, E, R>, file: string, mine: Uint8Array) =>
  Effect.ignore(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { note } = yield* Printer
      const theirs = yield* read
      yield* fs.writeFile(file, theirs, { mode: 0o600 })
      const changed = diffLines(linesOf(yield* readable(theirs)), linesOf(yield* readable(mine)))
      const lines = changed.map(({ line, sign }) => `${sign} ${line}`)
      if (lines.length > 0) yield* note(`- theirs, + yours\n${block(lines, "  ").trimEnd()}`)
    })
  )

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])
