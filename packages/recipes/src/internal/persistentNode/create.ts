/**
 * Creates a kept znode once, whatever replies are lost.
 */
import { awaitDetached } from "@effect-zookeeper/client/Detached"
import type * as CreateMode from "@effect-zookeeper/client/CreateMode"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import type { CreateOptions } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import { ensureParents } from "../shared/requests.ts"
import { retryTransient } from "../shared/retry.ts"
import { deleteOwn } from "./close.ts"
import type { PersistentNodeError } from "./model.ts"
import { isClosed, isProtected, type NodeState, noteSession } from "./NodeState.ts"

/** Creates the znode, or finds that there is one; gives its path. */
export const create = Effect.fnUntraced(function* (self: NodeState): Effect.fn.Return<string, PersistentNodeError> {
  const { options, zk } = self
  if (self.czxid !== undefined) yield* self.backoff
  while (true) {
    const asked = self.actualPath
    const request: CreateOptions = {
      data: self.data,
      acl: options.acl,
      ttl: options.ttl,
      mode: asked === undefined ? self.mode : withoutSequence(self.mode),
      protected: asked === undefined ? (options.protected ?? isProtected(self.mode, options)) : false
    }
    noteSession(self)
    if (asked !== undefined) self.mayExist = true
    // A close interrupts the wait but not the request: it is not repeated, and its znode is deleted if it succeeds.
    const once = Effect.suspend(() =>
      isClosed(self) ? Effect.fail(new SessionClosed()) : zk.create(asked ?? self.path, request)
    )
    const outcome = yield* Effect.uninterruptibleMask((restore) =>
      awaitDetached(restore, retryTransient(once), (path) => onLateCreate(self, path)).pipe(
        Effect.tap((path) => Effect.sync(() => noteCreated(self, path))),
        Effect.result
      )
    )
    if (outcome._tag === "Success") return outcome.success
    const error = outcome.failure
    if (error._tag === "NodeExists") {
      if (asked !== undefined) return asked
      // An id is unique. Without one, the counter of a parent that was created again is behind the names in it.
      yield* self.backoff
      continue
    }
    // A znode that may be there is deleted by a close, and looked for before another create.
    if (!Outcome.mayBeApplied(error)) self.mayExist = false
    if (error._tag !== "NoNode") return yield* error
    if (options.parents === false) return yield* error
    yield* ensureParents(zk, ZnodePath.parent(self.path) ?? "/", options.acl)
  }
})

/**
 * Handles the result of a create whose caller has gone. In one step: a close either comes before it, or finds the note.
 */
const onLateCreate = (self: NodeState, path: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (isClosed(self) && self.options.deleteOnClose !== false) return deleteOwn(self, path)
    noteCreated(self, path)
    return Effect.void
  })

const noteCreated = (self: NodeState, path: string): void => {
  self.actualPath = path
  self.mayExist = true
  noteSession(self)
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
