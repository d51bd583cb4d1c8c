/** The line of a command that waits for its turn. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Printer } from "../output/Printer.ts"
import { oneLine } from "../output/short.ts"
import { shown } from "../output/text.ts"

/**
 * From the second second on a line on the terminal has the path that is waited for and its holders, and nothing elsewhere.
 * `acquired` ends it, before the guarded command has the terminal.
 */
export const whileWaiting = <A, E, R>(
  path: string,
  holders: Effect.Effect<ReadonlyArray<{ readonly identifier: Uint8Array }>, unknown>,
  wait: (acquired: Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Printer> =>
  Effect.gen(function* () {
    const { progress } = yield* Printer
    if (progress === undefined) return yield* wait(Effect.void)
    const show = Effect.flatMap(
      Effect.orElseSucceed(holders, () => []),
      (found) => progress(waitingText(path, found))
    )
    const shows = Effect.andThen(show, Effect.sleep("2 seconds")).pipe(
      Effect.forever,
      Effect.delay("1 second"),
      Effect.ensuring(progress(""))
    )
    const fiber = yield* Effect.forkChild(shows)
    const end = Effect.asVoid(Fiber.interrupt(fiber))
    return yield* Effect.ensuring(wait(end), end)
  })

// ---- internal

/** How many holders of a semaphore are named. */
const most = 3

const waitingText = (path: string, holders: ReadonlyArray<{ readonly identifier: Uint8Array }>): string => {
  const names = holders
    .slice(0, most)
    .map(({ identifier }) => oneLine(new TextDecoder().decode(identifier)))
    .filter((name) => name !== "")
  const others = holders.length - names.length
  if (names.length === 0) return `waiting for ${shown(path)}`
  return `waiting for ${shown(path)}, held by ${names.join(", ")}${others === 0 ? "" : ` and ${others} more`}`
}
