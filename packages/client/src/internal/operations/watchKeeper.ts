import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { RequestPath } from "@effect-zookeeper/session/Session"
import type { SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Scope from "effect/Scope"
import { isUnimplemented } from "../../Outcome.ts"
import type { View } from "../View.ts"

/**
 * A persistent watch beside the one-shot watches of a stream.
 *
 * Servers since 3.8.4 and 3.9.2 tell nothing of a znode that this client may not read, and use up a one-shot watch all the
 * same; a persistent one stays. Servers without persistent watches tell everything, so that nothing has to be kept there.
 */
export interface WatchKeeper {
  /** Has the server keep the watch, if it can. Nothing waits for its answer. */
  readonly keep: Effect.Effect<void>
  /** Whether the connected server may keep back events. */
  readonly isNeeded: () => boolean
}

/** The watch ends with the Scope. */
export const makeWatchKeeper = (view: View, path: RequestPath, scope: Scope.Scope): WatchKeeper => {
  const { info } = view.session
  let isKept = false
  /** The connection whose server knows no such watches: every connection has a state of its own. */
  let unknownOn: unknown
  const onEnd = (reason: SessionError) => {
    isKept = false
    if (isUnimplemented(reason)) unknownOn = info.state
  }
  const isNeeded = () => unknownOn !== info.state && info.serverFeatures.supports(Operations.addWatch.name)
  const listener = { onEvent: constVoid, onEnd }
  const register = Effect.flatMap(Scope.fork(scope), (own) =>
    view.session.watchPersistently(path, { recursive: false, listener }).pipe(
      Effect.provideService(Scope.Scope, own),
      // The server refuses it, as it may for want of READ, or the session ends: the next read or look asks again.
      Effect.catch((error) =>
        Effect.andThen(
          Scope.close(own, Exit.void),
          Effect.sync(() => onEnd(error))
        )
      )
    )
  )
  const keep = Effect.suspend(() => {
    if (isKept || !isNeeded()) return Effect.void
    isKept = true
    return Effect.asVoid(Effect.forkIn(register, scope, { startImmediately: true }))
  })
  return { keep, isNeeded }
}
