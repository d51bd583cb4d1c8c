/** `zk template`: a file that is made from a subtree, and follows it, for a command or a service that reads it. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { deadline } from "../frame/deadline.ts"
import { CommandEnded, FileError, UsageError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"
import { printAll, Printer, printOne } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { changesOf, follow } from "./following.ts"
import { compile } from "./liquid.ts"
import { type Place, placeFile, runShell } from "./placeFile.ts"
import { type FollowFlags, planOf, supervise } from "./supervise.ts"

export interface Input extends FollowFlags {
  readonly path: string
  readonly template: string
  readonly output: string | undefined
  readonly mode: string | undefined
  readonly check: string | undefined
  readonly reload: string | undefined
}

export const template = Effect.fnUntraced(function* (input: Input) {
  const { command, output, path, reload } = input
  yield* refuseMeaningless(input)
  const plan = yield* planOf(input)
  const mode = yield* modeOf(input.mode)
  const render = yield* readTemplate(input.template)
  const inTime = yield* deadline((yield* Client).settings)
  const live = yield* inTime(follow(path, stored, render))
  const { note } = yield* Printer
  if (output === undefined) {
    return yield* printOne(Output.Rendered, { path, text: live.current }, ({ text = "" }) => text)
  }
  const place: Place = { file: output, mode, check: input.check }
  /** A text that cannot be placed leaves the file as it is. */
  const placeNext = (text: string) =>
    placeFile(place, text).pipe(
      Effect.catch((error) => Effect.as(note(`${shown(output)} stays as it was: ${error.message}`), false))
    )
  const first = yield* inTime(placeFile(place, live.current))
  const changes = plan.follows ? yield* changesOf(live, plan.settle) : undefined
  if (command.length > 0) {
    return yield* supervise({
      plan,
      first: live.current,
      changes,
      variables: () => ({}),
      take: (text) =>
        Effect.map(placeNext(text), (isChanged) => (isChanged ? `${shown(output)} has changed` : undefined))
    })
  }
  const reloadAfter = (isChanged: boolean) =>
    reload === undefined || !isChanged ? Effect.succeed(0) : runShell(reload, { ZK_FILE: output })
  const later =
    changes === undefined
      ? Stream.empty
      : Stream.fromEffectRepeat(Queue.take(changes)).pipe(
          Stream.mapEffect(placeNext),
          Stream.filter((isChanged) => isChanged)
        )
  let exitCode = 0
  const items = Stream.concat(Stream.make(first), later).pipe(
    Stream.mapEffect((changed) =>
      Effect.gen(function* () {
        const code = yield* reloadAfter(changed)
        if (code !== 0) yield* note(`--reload has ended with ${code}`)
        exitCode = code
        return { path, file: output, changed }
      })
    )
  )
  const printing = printAll(
    Output.Rendered,
    items,
    ({ changed }) => `${shown(output)}  ${changed ? "written" : "as it was"}\n`,
    { isLive: true }
  )
  yield* changes === undefined ? inTime(printing) : printing
  if (exitCode !== 0) return yield* new CommandEnded({ exitCode })
}, Effect.scoped)

// ---- internal

const stored = Schema.fromJsonString(Schema.String)

const refuseMeaningless = ({ check, command, mode, output, reload, signal }: Input) => {
  const given = Object.entries({ check, mode, reload, signal }).find(([, value]) => value !== undefined)
  const mistake =
    output === undefined && command.length > 0
      ? "a command needs a file to read: name one with --output"
      : output === undefined && given !== undefined
        ? `--${given[0]} is for a file: name one with --output`
        : reload !== undefined && command.length > 0
          ? "--reload and a command exclude each other: the command is started again, or gets --signal"
          : signal !== undefined && command.length === 0
            ? "--signal is for a command, after --; see --reload"
            : undefined
  return mistake === undefined ? Effect.void : Effect.fail(new UsageError({ message: mistake }))
}

const modeOf = (mode: string | undefined) =>
  mode === undefined
    ? Effect.undefined
    : /^0?[0-7]{3}$/.test(mode)
      ? Effect.succeed(Number.parseInt(mode, 8))
      : Effect.fail(new UsageError({ message: `--mode ${JSON.stringify(mode)} is no mode; write it as in 640` }))

const readTemplate = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const text = yield* Effect.mapError(
    fs.readFileString(file),
    (error) => new FileError({ message: `the template cannot be read: ${reasonOf(error)}` })
  )
  return yield* Effect.mapError(
    compile(text, paths.dirname(paths.resolve(file))),
    ({ message }) => new UsageError({ message: `${file}: ${message}` })
  )
})
