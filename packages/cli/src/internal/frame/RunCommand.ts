/** Runs `zk` with other arguments, in the same process, and gives the exit code. */
import type * as Command from "effect/cli/Command"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export const RunCommand = Context.Reference<
  (args: ReadonlyArray<string>) => Effect.Effect<number, never, Command.Environment>
>("@effect-zookeeper/cli/RunCommand", { defaultValue: () => () => Effect.die("no command runs") })
