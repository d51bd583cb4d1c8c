/** Text for a person on the standard error, because the standard output may be a file. */
import * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** A reader that has gone away is no failure of the command. */
export const printError = (stdio: Stdio.Stdio, text: string): Effect.Effect<void> =>
  Stream.make(text).pipe(Stream.run(stdio.stderr({ endOnDone: false })), Effect.ignore)
