/**
 * What our commands have in common: how one ends when it fails, and how it is run as the program.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import manifest from "@effect-zookeeper/client/package.json" with { type: "json" }

/** An error is one line on stderr, and exit code 1. */
export const reported = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<unknown, never, R> =>
  Effect.catch(effect, (error) =>
    Effect.andThen(
      Console.error(error.message),
      Effect.sync(() => (process.exitCode = 1))
    )
  )

/** Runs a command with the arguments of this process. */
export const runCommand = <Name extends string, Input, Context>(
  command: Command.Command<Name, Input, Context, never, NodeServices.NodeServices>
): void => {
  // pnpm hands a "--" on.
  const args = process.argv.slice(2).filter((arg) => arg !== "--")
  Command.runWith(command, { version: manifest.version })(args).pipe(
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain
  )
}
