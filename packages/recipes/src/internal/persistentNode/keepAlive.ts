/**
 * Keeps one znode in being: a fiber compares the present state with the wanted one, and waits for either to change.
 *
 * Only the Stat tells the owner of the znode, and never the reply of a create: a create that finds a znode may have found
 * its own, created before a reply was lost.
 */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import * as Bytes from "@effect-zookeeper/client/Bytes"
import * as CreateMode from "@effect-zookeeper/client/CreateMode"
import { withJson } from "@effect-zookeeper/client/Json"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { makeBackoff, sleepJittered } from "../shared/backoff.ts"
import { toBytes } from "../shared/bytes.ts"
import { deleteByCzxid } from "../shared/deleteByCzxid.ts"
import { retryTransient } from "../shared/retry.ts"
import { close } from "./close.ts"
import { create } from "./create.ts"
import type { Options, PersistentNode, PersistentNodeError, Status } from "./model.ts"
import {
  settleWaiting,
  forgetFormerSessions,
  forgetLosses,
  markAbsent,
  markWritten,
  isFinal,
  isNamedByServer,
  decideOwner,
  makeLasting,
  awaitPresent,
  type NodeState,
  setData,
  setStatus
} from "./NodeState.ts"
import { awaitRetryTrigger } from "./retryTriggers.ts"
import { keepTtlAlive } from "./ttl.ts"

/** Keeps a znode, until the Scope closes. */
export const make = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  options: Options
): Effect.fn.Return<PersistentNode, never, Scope.Scope> {
  const self: NodeState = {
    zk,
    path,
    mode: options.mode ?? "ephemeral",
    options,
    status: yield* SubscriptionRef.make<Status>({ _tag: "Absent" }),
    wake: Latch.makeUnsafe(),
    backoff: yield* makeBackoff,
    sessions: new Set(),
    actualPath: undefined,
    mayExist: false,
    czxid: undefined,
    lasting: makeLasting(),
    data: toBytes(options.data ?? ""),
    isWritten: false,
    waiting: [],
    losses: Outcome.totalLosses()
  }
  if (!isNamedByServer(self)) self.actualPath = path
  // Its interruption is part of the closing: requests in flight are known when it has ended.
  const keeping = yield* Effect.forkDetach(keepAlive(self), { startImmediately: true })
  yield* Effect.addFinalizer(() => Effect.andThen(Fiber.interrupt(keeping), close(self)))
  const { status } = self
  return {
    path,
    get actualPath() {
      return Option.fromUndefinedOr(self.actualPath)
    },
    get status() {
      return SubscriptionRef.getUnsafe(status)
    },
    get isPresent() {
      return SubscriptionRef.getUnsafe(status)._tag === "Present"
    },
    changes: Stream.takeUntil(SubscriptionRef.changes(status), ({ _tag }) => _tag === "Closed"),
    present: awaitPresent(self),
    setData: (data) => setData(self, data)
  }
})

// -----------------------------------------------------------------------------
// the loop
// -----------------------------------------------------------------------------

const keepAlive = Effect.fnUntraced(function* (self: NodeState) {
  while (true) {
    self.wake.closeUnsafe()
    const outcome = yield* Effect.result(Effect.scoped(reconcile(self)))
    if (outcome._tag === "Success") continue
    const error = outcome.failure
    if (error._tag === "SessionExpired" && CreateMode.isEphemeral(self.mode)) yield* setStatus(self, { _tag: "Absent" })
    if (yield* Outcome.isReplacedExpiry(self.zk.session, error)) continue
    // In this order: a caller that continues after the answer sees the status.
    yield* setStatus(self, { _tag: "Refused", error })
    settleWaiting(self, Effect.fail(error))
    if (isFinal(error)) return
    yield* awaitRetryTrigger(self, error)
  }
})

/** Brings the znode into the wanted state, and waits until that may have changed. */
const reconcile = Effect.fnUntraced(function* (
  self: NodeState
): Effect.fn.Return<void, PersistentNodeError, Scope.Scope> {
  const { options, zk } = self
  const path = self.mayExist && self.actualPath !== undefined ? self.actualPath : yield* create(self)
  // A server that lags would not show the znode of a create without a reply, which would then be taken for another's.
  if (self.lasting.attempts.size > 0) yield* retryTransient(zk.sync(path))
  const seen = yield* Effect.catchTag(
    retryTransient(watchScoped(zk.getAndWatch(path))),
    "NoNode",
    () => Effect.undefined
  )
  if (seen === undefined) return yield* markAbsent(self)
  const { nextChange, data, stat } = seen
  switch (decideOwner(self, stat, data)) {
    case "Foreign":
      return yield* yieldTo(self, path, stat, nextChange)
    case "Past":
      // Created by a former session, which the servers have yet to end. A znode created after it is a later one.
      yield* Effect.catchTag(
        retryTransient(deleteByCzxid(zk, path, ({ czxid }) => czxid === stat.czxid)),
        "NotEmpty",
        () => Effect.void
      )
      return yield* markAbsent(self)
  }
  const isCurrent = Bytes.equals(data, self.data)
  if (!isCurrent && (options.restore === true || !self.isWritten || stat.czxid !== self.czxid)) {
    if (self.isWritten && stat.czxid === self.czxid) yield* self.backoff
    return yield* write(self, path, stat)
  }
  self.czxid = stat.czxid
  forgetFormerSessions(self)
  if (isCurrent) markWritten(self, self.data)
  yield* setStatus(self, withJson({ _tag: "Present", path, czxid: stat.czxid }))
  if (CreateMode.hasTtl(self.mode)) yield* Effect.forkScoped(keepTtlAlive(self, path), { startImmediately: true })
  const change = yield* Effect.raceFirst(Fiber.join(nextChange), self.wake.await)
  if (change?.type === "NodeDeleted") yield* markAbsent(self)
})

/**
 * Writes the data once: if another client was faster, or no reply came, the next read tells. A blind repetition could
 * write into the next owner's znode, whose versions have begun anew. Fails with `ConnectionLoss` when so many connections
 * were lost, one write after the other, that it is given up.
 */
const write = (self: NodeState, path: string, { czxid, version }: Stat): Effect.Effect<void, PersistentNodeError> => {
  const { data, losses } = self
  return self.zk.setData(path, data, { version }).pipe(
    Effect.map(() => {
      self.czxid = czxid
      forgetLosses(self)
      markWritten(self, data)
    }),
    Effect.catchTag(["NoNode", "BadVersion"], () => Effect.sync(() => forgetLosses(self))),
    Effect.catch((error) => {
      losses.add(error)
      if (error._tag === "ConnectionLoss" && losses.isGivenUp) {
        // When it is tried again, it begins to count anew.
        forgetLosses(self)
        return Effect.fail(losses.withTotal(error))
      }
      return error._tag === "RequestTimeout" || Outcome.isTransient(error) ? sleepJittered(100) : Effect.fail(error)
    })
  )
}

/** Leaves the path to its other owner. A znode that the server names gets a new name; for any other path it waits. */
const yieldTo = Effect.fnUntraced(function* <E>(
  self: NodeState,
  path: string,
  { ephemeralOwner }: Stat,
  nextChange: Fiber.Fiber<{ readonly type: string }, E>
) {
  yield* markAbsent(self)
  if (isNamedByServer(self)) {
    self.actualPath = undefined
    return
  }
  yield* setStatus(self, withJson({ _tag: "Blocked", path, owner: ephemeralOwner }))
  const { type } = yield* Fiber.join(nextChange)
  if (type !== "NodeDeleted") yield* self.backoff
})
