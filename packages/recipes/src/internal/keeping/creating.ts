/**
 * Creating a znode that is kept in being, once, whatever becomes of the replies.
 */
import type * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import type { CreateOptions } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type { PersistentNodeError } from "../../PersistentNode.ts"
import { ensure } from "../line.ts"
import { patiently } from "../patience.ts"
import { inHand } from "../watching.ts"
import { remove } from "./closing.ts"
import { isClosed, isProtected, type Kept, remember } from "./kept.ts"

/** Creates the znode, or finds that there is one; gives its path. */
export const create = Effect.fnUntraced(function* (self: Kept): Effect.fn.Return<string, PersistentNodeError> {
  const { options, zk } = self
  if (self.czxid !== undefined) yield* self.calmly
  while (true) {
    const asked = self.actual
    const request: CreateOptions = {
      data: self.data,
      acl: options.acl,
      ttl: options.ttl,
      mode: asked === undefined ? self.mode : exactly(self.mode),
      protected: asked === undefined ? (options.protected ?? isProtected(self.mode, options)) : false
    }
    remember(self)
    if (asked !== undefined) self.mayExist = true
    // Whoever stops to wait for it, by a close, does not stop it: it is not asked again, and deleted if it succeeds.
    const once = Effect.suspend(() =>
      isClosed(self) ? Effect.fail(new SessionClosed()) : zk.create(asked ?? self.path, request)
    )
    const outcome = yield* Effect.uninterruptibleMask((restore) =>
      inHand(restore, patiently(once), (path) => lateCreated(self, path)).pipe(
        Effect.tap((path) => Effect.sync(() => created(self, path))),
        Effect.result
      )
    )
    if (outcome._tag === "Success") return outcome.success
    const error = outcome.failure
    if (error._tag === "NodeExists") {
      if (asked !== undefined) return asked
      // Nobody else has an id; without one, the counter of a parent that was created anew is behind the names in it.
      yield* self.calmly
      continue
    }
    self.mayExist = false
    if (error._tag !== "NoNode") return yield* error
    if (options.parents === false) return yield* error
    yield* ensure(zk, ZnodePath.parent(self.path) ?? "/", options.acl)
  }
})

/** A create that was waited for no longer. In one step: a close either comes before it, or finds what it has noted. */
const lateCreated = (self: Kept, path: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (isClosed(self) && self.options.deleteOnClose !== false) return remove(self, path)
    created(self, path)
    return Effect.void
  })

const created = (self: Kept, path: string): void => {
  self.actual = path
  self.mayExist = true
  remember(self)
}

/** The mode in which a znode that had a number gets the same again. */
const exactly = (mode: CreateMode.CreateMode): CreateMode.CreateMode => {
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
