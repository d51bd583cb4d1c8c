/**
 * What our commands have in common: their flags, how one ends when it fails, and how it is run as the program.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import manifest from "@effect-zookeeper/client/package.json" with { type: "json" }

/** A flag with a number, `value` if it is not given. */
export const number = (name: string, description: string, value: number): Flag.Flag<number> =>
  Flag.Int(name).pipe(
    Flag.withMetavar("number"),
    Flag.withDescription(`${description} (default: ${value})`),
    Flag.withDefault(value)
  )

/** A flag with a text, `value` if it is not given. */
export const text = (name: string, metavar: string, description: string, value: string): Flag.Flag<string> =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.withDefault(value))

/** A flag with a number that may be left out. */
export const optionalNumber = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withMetavar("number"), Flag.withDescription(description), Flag.optional)

/** A flag with a text that may be left out. */
export const optionalText = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** A flag that is given or not. */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** An error is one line on stderr, and exit code 1. */
export const reported = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<unknown, never, R> =>
  Effect.catch(effect, (error) => Effect.map(Console.error(error.message), () => (process.exitCode = 1)))

/** The values of the flags and arguments of a command. */
export type Values<Flags extends Command.Command.Config> = Command.Command.Config.Infer<Flags>

/** Runs this process as a command: a failure of it is one line on stderr, and exit code 1. */
export const runCommand = <const Name extends string, const Flags extends Command.Command.Config>(
  name: Name,
  description: string,
  flags: Flags,
  handler: (values: Values<Flags>) => Effect.Effect<unknown, { readonly message: string }, NodeServices.NodeServices>
): void => {
  const command = Command.make(name, flags, (values) => reported(handler(values)))
  // pnpm hands a "--" on.
  const args = process.argv.slice(2).filter((arg) => arg !== "--")
  Command.runWith(Command.withDescription(command, description), { version: manifest.version })(args).pipe(
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain
  )
}
