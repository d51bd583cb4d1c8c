/**
 * Creates a kept znode once, whatever replies are lost.
 */
import { awaitDetached } from "@effect-zookeeper/client/Detached"
import * as CreateMode from "@effect-zookeeper/client/CreateMode"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { type CreateError, SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { CreateOptions } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import { ensureParents } from "../shared/requests.ts"
import { retryTransient } from "../shared/retry.ts"
import { deleteOwn } from "./close.ts"
import type { PersistentNodeError } from "./model.ts"
import { type CreateAttempt, isClosed, isProtected, type NodeState, noteSession } from "./NodeState.ts"

/** Creates the znode, or finds that there is one; gives its path. */
export const create = Effect.fnUntraced(function* (self: NodeState): Effect.fn.Return<string, PersistentNodeError> {
  const { options, zk } = self
  if (self.czxid !== undefined) yield* self.backoff
  while (true) {
    const asked = self.actualPath
    const { data } = self
    const request: CreateOptions = {
      data,
      acl: options.acl,
      ttl: options.ttl,
      mode: asked === undefined ? self.mode : withoutSequence(self.mode),
      protected: asked === undefined ? (options.protected ?? isProtected(self.mode, options)) : false
    }
    noteSession(self)
    const attempt = asked === undefined ? undefined : yield* beginAttempt(self, asked, data)
    if (asked !== undefined) self.mayExist = true
    // A close interrupts the wait but not the request: it is not repeated, and its znode is deleted if it succeeds.
    const once = Effect.suspend(() =>
      isClosed(self) ? Effect.fail(new SessionClosed()) : send(self, asked ?? self.path, request)
    ).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (attempt !== undefined && Outcome.mayBeApplied(error)) attempt.isOpen = true
        })
      )
    )
    const outcome = yield* Effect.uninterruptibleMask((restore) =>
      awaitDetached(restore, retryTransient(once), (created) => onLateCreate(self, created)).pipe(
        Effect.tap((created) => Effect.sync(() => noteCreated(self, created))),
        Effect.result
      )
    )
    if (outcome._tag === "Success") return outcome.success.path
    // Every reply has come: none of the requests was applied.
    if (attempt !== undefined && !attempt.isOpen) self.lasting.attempts.delete(attempt)
    const error = outcome.failure
    if (error._tag === "NodeExists") {
      if (asked !== undefined) return asked
      // An id is unique. Without one, the counter of a parent that was created again is behind the names in it.
      yield* self.backoff
      continue
    }
    // A znode that may be there is deleted by a close, and looked for before another create.
    self.mayExist = Outcome.mayBeApplied(error) || self.lasting.attempts.size > 0
    if (error._tag !== "NoNode") return yield* error
    if (options.parents === false) return yield* error
    yield* ensureParents(zk, ZnodePath.parent(self.path) ?? "/", options.acl)
  }
})

/** A znode that a create is known to have made. */
interface Created {
  readonly path: string
  /** Known in the modes that outlive sessions; in the others the owner tells whose it is. */
  readonly czxid: bigint | undefined
}

const send = ({ mode, zk }: NodeState, path: string, request: CreateOptions): Effect.Effect<Created, CreateError> =>
  CreateMode.isEphemeral(mode)
    ? Effect.map(zk.create(path, request), (path) => ({ path, czxid: undefined }))
    : Effect.map(zk.createWithStat(path, request), ({ path, stat }) => ({ path, czxid: stat.czxid }))

/**
 * Notes that a create of a fixed path is sent, in the modes that outlive sessions. A znode that is there by then is not of that
 * create: the reply to a sync, which is sent just before it, tells how far the ensemble is.
 */
const beginAttempt = Effect.fnUntraced(function* ({ lasting, mode, zk }: NodeState, path: string, data: Uint8Array) {
  if (CreateMode.isEphemeral(mode)) return undefined
  const attempt: CreateAttempt = { after: zk.session.lastZxid, data, isOpen: false }
  lasting.attempts.add(attempt)
  const synced = Effect.map(zk.sync(path), () => {
    // On the next connection the sync is answered after the create.
    if (!attempt.isOpen) attempt.after = zk.session.lastZxid
  })
  yield* Effect.forkDetach(Effect.ignore(synced), { startImmediately: true })
  return attempt
})

/**
 * Handles the result of a create whose caller has gone. In one step: a close either comes before it, or finds the note.
 */
const onLateCreate = (self: NodeState, created: Created): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (isClosed(self) && self.options.deleteOnClose !== false) return deleteOwn(self, created.path, created.czxid)
    noteCreated(self, created)
    return Effect.void
  })

const noteCreated = (self: NodeState, { czxid, path }: Created): void => {
  self.actualPath = path
  self.mayExist = true
  noteSession(self)
  if (czxid === undefined) return
  self.lasting.czxid = czxid
  self.lasting.isDecided = true
  self.lasting.attempts.clear()
}

/** The mode that creates a znode with the same number again. */
const withoutSequence = (mode: CreateMode.CreateMode): CreateMode.CreateMode => {
  switch (mode) {
    case "ephemeralSequential":
      return "ephemeral"
    case "persistentSequential":
      return "persistent"
    case "persistentSequentialWithTtl":
      return "persistentWithTtl"
    default:
      return mode
  }
}
