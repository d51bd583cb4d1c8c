/**
 * Deletes one znode: with one request, until the outcome is known, or until the znode is gone.
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import { NoNode } from "@effect-zookeeper/protocol/ServerError"
import { type RequestTimeout, SessionClosed } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import type { DeleteError } from "../../Errors.ts"
import type { DeleteOptions } from "../../Models.ts"
import type { Service } from "../../Service.ts"
import { checkVersion, invalid } from "../validate.ts"
import { writeDurably, timedOut } from "./durableWrite.ts"
import { commitNothing } from "./transaction.ts"
import { annotations } from "../tracing.ts"
import { deleteOptions } from "../methodOptions.ts"
import { isGivenUp, isLost, isTransient, retryRarely } from "../../Outcome.ts"
import { readStat } from "./read.ts"
import { sendAndTransform, toClient, withPath } from "../View.ts"
import type { View } from "../View.ts"

export const makeDelete = (view: View): Pick<Service, "delete"> => ({
  delete: (path, options) => {
    const error = checkDelete(path, options)
    return error !== undefined
      ? Effect.fail(error)
      : withPath(view, path, (server) => deleteNode(view, server, path, options))
  }
})

/** "/" cannot be deleted: servers refuse it, and under a chroot the rule is the same. */
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
  const done =
    options.guaranteed === true
      ? guaranteed(view, path, untilKnown(view, path, ofOneCzxid(view, server, path, version), true))
      : options.idempotent === true
        ? untilKnown(view, path, ofOneCzxid(view, server, path, version), false)
        : sendDelete(view, server, path, version)
  const { versions } = view
  return versions === undefined ? done : Effect.tap(done, () => Effect.sync(() => versions.forget(server)))
}

const sendDelete = (view: View, server: string, path: string, version: number): Effect.Effect<void, DeleteError> =>
  sendAndTransform(view, Operations.deleteNode, { path: server, version }, path, constVoid)

/** One attempt. `isRepeated`: an earlier one may have been applied. */
type Attempt = (isRepeated: boolean) => Effect.Effect<void, DeleteError>

/**
 * Deletes again when no reply came. In the background it has no time limit, and it also repeats what a server refuses for the
 * moment.
 */
const untilKnown = (
  view: View,
  path: string,
  attempt: Attempt,
  inBackground: boolean
): Effect.Effect<void, DeleteError> =>
  writeDurably<void, DeleteError>(view, {
    operation: Operations.deleteNode.name,
    path,
    attempt,
    isAmbiguous: () => false,
    findFate: () => Effect.succeed({ _tag: "Unknown" }),
    isTemporary: inBackground ? isTransient : isLost,
    pauses: true,
    ...(inBackground ? { timeout: "none" } : {})
  })

/**
 * Attempts to delete the znode that is there at first, and no other: each looks before it deletes, and sends the version
 * that it saw. After a lost reply a znode that is gone counts as deleted. So does one that was created anew since, which stays.
 */
const ofOneCzxid = (view: View, server: string, path: string, version: number): Attempt => {
  let czxid: bigint | undefined
  const attempt: Attempt = (isRepeated) =>
    Effect.gen(function* () {
      const stat = yield* statBefore(view, server, path, isRepeated)
      if (isRepeated && (stat === undefined || stat.czxid !== (czxid ?? stat.czxid))) return
      if (stat === undefined) return yield* new NoNode({ path, operation: Operations.deleteNode.name })
      czxid = stat.czxid
      yield* sendDelete(view, server, path, version === -1 ? stat.version : version).pipe(
        Effect.catchTag("BadVersion", (error) =>
          // The znode was written after the look.
          version === -1 ? Effect.delay(attempt(isRepeated), "20 millis") : Effect.fail(error)
        ),
        Effect.catchTag("NoNode", (error) => (isRepeated ? Effect.void : Effect.fail(error)))
      )
    })
  return attempt
}

/** The Stat of the znode that is there, read behind a commit if the server may lag or be a former leader. */
const statBefore = (view: View, server: string, path: string, isRepeated: boolean) => {
  const settled = Effect.andThen(commitNothing(view, path), readStat(view, server, path))
  return isRepeated
    ? settled
    : Effect.flatMap(readStat(view, server, path), (stat) => (stat === undefined ? settled : Effect.succeed(stat)))
}

/**
 * Goes on in the background when the caller is interrupted or has waited for `requestTimeout`. Fails with SessionClosed if
 * the session is closed first.
 */
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
      const exit = yield* restore(inTime(view, path, Fiber.await(fiber))).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            abandoned = Exit.isFailure(exit)
          })
        )
      )
      if (Exit.isSuccess(exit)) return
      if (Cause.hasInterruptsOnly(exit.cause)) return yield* new SessionClosed({ maybeApplied: true })
      return yield* Effect.failCause(exit.cause)
    })
  )

const inTime = <A>(view: View, path: string, waiting: Effect.Effect<A>): Effect.Effect<A, RequestTimeout> => {
  const { requestTimeout } = view.session.limits
  if (requestTimeout === undefined) return waiting
  // The delete goes on, and may be applied at any time.
  const late = timedOut({ operation: Operations.deleteNode.name, path }, true)
  return Effect.timeoutOrElse(waiting, { duration: requestTimeout, orElse: () => Effect.fail(late) })
}

/**
 * Deletes in the background a znode that a protected create has left, and reports no outcome: that it was refused is a warning
 * in the log, and so is that eight connections were lost with it; then there is an attempt each minute. It needs no look
 * before: the name has an id in it, so that no other client ever has that path.
 */
export const deleteUntilGone = (view: View, server: string): Effect.Effect<void> => {
  const path = toClient(view, server)
  const once = sendDelete(view, server, path, -1)
  const attempt = untilKnown(view, path, () => once, true).pipe(
    Effect.tapError((error) => (error._tag === "NoNode" ? Effect.void : warn(view, path, error)))
  )
  return attempt.pipe(
    // A close of the session does not wait for these.
    Effect.catchIf(isGivenUp, () => Effect.forkIn(retryRarely(once), view.scope)),
    Effect.ignore,
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
