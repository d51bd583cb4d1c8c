/** How a command ends that asked several servers, each for its own answer. */
import * as Effect from "effect/Effect"
import { NotAllAnswered } from "../frame/errors.ts"
import { inFlags } from "../output/flagNames.ts"
import { Printer } from "../output/Printer.ts"
import { count } from "../output/text.ts"

/**
 * Fails if a server has not answered, after each reason was told: with the reason where none has answered, and otherwise with
 * `NotAllAnswered`. `what` is what they were asked for.
 */
export const failOf = Effect.fnUntraced(function* <E extends { readonly message: string }>(
  failures: ReadonlyArray<E>,
  servers: number,
  what: string
) {
  const [first, ...others] = failures
  if (first === undefined) return
  const { note } = yield* Printer
  const isNone = failures.length === servers
  for (const { message } of isNone ? others : failures) yield* note(`zk: ${inFlags(message)}`)
  return yield* Effect.fail(
    isNone
      ? first
      : new NotAllAnswered({ message: `${failures.length} of ${count(servers, "server")} did not answer ${what}` })
  )
})
