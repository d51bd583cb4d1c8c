/**
 * Deleting one znode: once, until the outcome is known, or until it is gone.
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import { SessionClosed } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import type { DeleteError } from "../Errors.ts"
import type { DeleteOptions } from "../Models.ts"
import type { Service } from "../ZooKeeper.ts"
import { checkVersion, invalid } from "./arguments.ts"
import { annotations } from "./observe.ts"
import { deleteOptions } from "./options.ts"
import { isLost, isTransient, mayBeApplied, persistently } from "../Outcome.ts"
import { sendFor, toClient, withPath } from "./View.ts"
import type { View } from "./View.ts"

export const makeDelete = (view: View): Pick<Service, "delete"> => ({
  delete: (path, options) => {
    const error = checkDelete(path, options)
    return error !== undefined
      ? Effect.fail(error)
      : withPath(view, path, (server) => deleteNode(view, server, path, options))
  }
})

/** "/" is nobody's to delete: servers refuse it, and a client under a chroot sees the same. */
const checkDelete = (path: string, options: DeleteOptions | undefined) => {
  if (path === "/") return invalid("path", path, "the root cannot be deleted")
  const mistake = KnownOptions.check(deleteOptions, options)
  if (mistake !== undefined) return mistake
  return options?.version === undefined ? undefined : checkVersion(options.version)
}

const deleteNode = (
  view: View,
  server: string,
  path: string,
  options: DeleteOptions = {}
): Effect.Effect<void, DeleteError> => {
  const version = options.version ?? view.versions?.data(server) ?? -1
  const once = sendDelete(view, server, path, version)
  const done =
    options.guaranteed === true
      ? guaranteed(view, path, untilKnown(once, true))
      : options.idempotent === true
        ? untilKnown(once, false)
        : once
  const { versions } = view
  return versions === undefined ? done : Effect.tap(done, () => Effect.sync(() => versions.forget(server)))
}

const sendDelete = (view: View, server: string, path: string, version: number): Effect.Effect<void, DeleteError> =>
  sendFor(view, Operations.deleteNode, { path: server, version }, path, constVoid)

/**
 * Deletes again when no reply came; a znode that is gone then counts as deleted, if an attempt was sent. `patiently`
 * waits for servers that refuse for the moment, too.
 */
const untilKnown = (once: Effect.Effect<void, DeleteError>, patiently: boolean): Effect.Effect<void, DeleteError> =>
  Effect.suspend(() => {
    let lost = false
    return once.pipe(
      Effect.catch((error) => {
        if (lost && error._tag === "NoNode") return Effect.void
        if (mayBeApplied(error)) lost = true
        return Effect.fail(error)
      }),
      Effect.retry({ while: patiently ? isTransient : isLost, schedule: persistently })
    )
  })

/** Goes on with the session when the caller is interrupted. Fails with SessionClosed when the session is closed first. */
const guaranteed = (
  view: View,
  path: string,
  effect: Effect.Effect<void, DeleteError>
): Effect.Effect<void, DeleteError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      let abandoned = false
      const fiber = yield* Effect.interruptible(effect).pipe(
        Effect.tapError((error) => (abandoned ? warn(view, path, error) : Effect.void)),
        view.session.errand
      )
      const exit = yield* restore(Fiber.await(fiber)).pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            abandoned = true
          })
        )
      )
      if (Exit.isSuccess(exit)) return
      if (Cause.hasInterruptsOnly(exit.cause)) return yield* new SessionClosed({ maybeApplied: true })
      return yield* Effect.failCause(exit.cause)
    })
  )

/** Deletes what is in the way, without a word about what came of it: guaranteed, in the background. */
export const deleteUntilGone = (view: View, server: string): Effect.Effect<void> => {
  const path = toClient(view, server)
  return untilKnown(sendDelete(view, server, path, -1), true).pipe(
    Effect.catch((error) => (error._tag === "NoNode" ? Effect.void : warn(view, path, error))),
    view.session.errand,
    Effect.asVoid
  )
}

const warn = (view: View, path: string, error: DeleteError): Effect.Effect<void> =>
  error._tag === "NoNode" || error._tag === "SessionClosed" || error._tag === "SessionExpired"
    ? Effect.void
    : Effect.logWarning(`the guaranteed delete of ${Printable.escape(path)} failed: ${error.message}`).pipe(
        Effect.annotateLogs(annotations(view.session.info))
      )
