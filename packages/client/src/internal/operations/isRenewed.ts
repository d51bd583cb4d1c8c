import type { SessionError } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { isSessionReplaced } from "../../Outcome.ts"
import type { View } from "../View.ts"

/** Whether the outcome is an expiry that a new session follows. Fails if no session follows. */
export const isRenewed = <E extends SessionError | { readonly _tag: "NoAuth" }>(
  view: View,
  exit: Exit.Exit<unknown, E>
): Effect.Effect<boolean, E> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(false)
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isNone(error) || error.value._tag !== "SessionExpired") return Effect.as(exit, false)
  const expired = error.value
  return Effect.flatMap(isSessionReplaced(view.session.info), (followed) =>
    followed ? Effect.succeed(true) : Effect.fail(expired)
  )
}
