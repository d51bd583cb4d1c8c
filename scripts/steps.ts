/**
 * Scripts that go step by step: each step says how long it took, and the first that fails ends the script with advice.
 */
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"

export class StepFailed extends Schema.TaggedError<StepFailed>()("StepFailed", {
  /** The problem, and what to do. */
  message: Schema.String
}) {}

/** Fails with a problem, and with advice on its own line unless the problem says it. */
export const fail = (problem: string, advice?: string) =>
  Effect.fail(new StepFailed({ message: advice === undefined ? problem : `${problem}\n→ ${advice}` }))

/** The things that a flag lists by their names, of all that there are. */
export const chosen = Effect.fnUntraced(function* <A>(
  flag: string,
  list: string,
  all: ReadonlyArray<A>,
  name: (a: A) => string
) {
  const names = list.split(",")
  const unknown = names.find((one) => !all.some((a) => name(a) === one))
  if (unknown !== undefined) {
    return yield* fail(`${flag} ${unknown} is unknown`, `choose from ${all.map(name).join(", ")}`)
  }
  return all.filter((a) => names.includes(name(a)))
})

/** Says when a step has been done, and how long it took. */
export const step = <A, E, R>(did: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.timed(effect), ([took, result]) =>
    Effect.as(Console.log(`✓ ${did} (${Duration.toSeconds(took).toFixed(1)} s)`), result)
  )

/** The output of a command, on stdout alone and in all, and its exit code. */
interface Captured {
  readonly code: number
  readonly output: string
  readonly printed: string
}

/** Runs a command without a terminal; dies if it cannot be started. */
export const capture = (
  command: string,
  args: ReadonlyArray<string>,
  cwd: string,
  env?: Readonly<Record<string, string>>
): Effect.Effect<Captured> =>
  Effect.callback((resume) => {
    const options = { cwd, env: { ...process.env, ...env } }
    const child = ChildProcess.spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] })
    let printed = ""
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      printed += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text))
    child.once("error", (error) => resume(Effect.die(error)))
    child.once("close", (code) => resume(Effect.succeed({ code: code ?? 1, output, printed })))
    return stopped(child)
  })

/** Runs a command in this terminal; its exit code. */
export const runInTerminal = (
  command: string,
  args: ReadonlyArray<string>,
  cwd: string,
  env?: Readonly<Record<string, string>>
): Effect.Effect<number, StepFailed> =>
  Effect.callback((resume) => {
    const child = ChildProcess.spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" })
    child.once("error", (error) => resume(fail(`${command} cannot be run: ${error.message}`)))
    child.once("close", (code) => resume(Effect.succeed(code ?? 1)))
    return stopped(child)
  })

/** Stops a process in order, so that it stops its own servers, and waits until it has ended. */
const stopped = (child: ChildProcess.ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    child.once("close", () => resume(Effect.void))
    child.kill("SIGTERM")
  })

/** The output of a command, or a failure with all that it printed. */
export const run = Effect.fnUntraced(function* (
  command: string,
  args: ReadonlyArray<string>,
  cwd: string,
  advice: string
) {
  const line = [Path.basename(command), ...args].join(" ")
  const { code, output, printed } = yield* Effect.catchDefect(capture(command, args, cwd), (error) =>
    fail(`${line} cannot be run: ${String(error)}`, advice)
  )
  return code === 0 ? output : yield* fail(`${printed.trim()}\n\n\`${line}\` ended with ${code}`, advice)
})
