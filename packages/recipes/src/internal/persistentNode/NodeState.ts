/**
 * What is known of a znode that is kept in being, and what those who wait for it are told.
 */
import * as CreateMode from "@effect-zookeeper/client/CreateMode"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import type { Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Options, PersistentNodeError, Status } from "../../PersistentNode.ts"
import { toBytes } from "../shared/dataCodec.ts"

/** A znode, as whoever keeps it knows it. */
export interface NodeState {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly mode: CreateMode.CreateMode
  readonly options: Options
  readonly status: SubscriptionRef.SubscriptionRef<Status>
  /** Open when there is something to be done that no watch tells. */
  readonly wake: Latch.Latch
  /** Pauses before what has been done often of late. */
  readonly backoff: Effect.Effect<void>
  /** The sessions that may have created the znode. */
  readonly sessions: Set<bigint>
  /** Where the znode is or will be; undefined while the server has yet to name it. */
  actualPath: string | undefined
  /** A create was sent, and nothing has shown since that there is no such znode. */
  mayExist: boolean
  /** The znode that was seen last. */
  czxid: bigint | undefined
  data: Uint8Array
  /** Whether the znode has held `data`. */
  isWritten: boolean
  waiting: Array<Deferred.Deferred<void, PersistentNodeError>>
}

/** Whether its name is known when it has been created, and no earlier. */
export const isNamedByServer = ({ mode, options }: NodeState) =>
  CreateMode.isSequential(mode) || isProtected(mode, options)

export const isProtected = (mode: CreateMode.CreateMode, options: Options) =>
  (options.protected ?? CreateMode.isSequential(mode)) !== false

// -----------------------------------------------------------------------------
// what is told of it
// -----------------------------------------------------------------------------

/** Tells those who follow it, if it is news. */
export const setStatus = ({ status }: NodeState, next: Status): Effect.Effect<void> =>
  Effect.suspend(() =>
    Equal.equals(SubscriptionRef.getUnsafe(status), next) ? Effect.void : SubscriptionRef.set(status, next)
  )

export const isClosed = ({ status }: NodeState): boolean => SubscriptionRef.getUnsafe(status)._tag === "Closed"

/** Waits until it stands, and gives its path. */
export const awaitPresent = ({ status }: NodeState): Effect.Effect<string, PersistentNodeError> =>
  SubscriptionRef.changes(status).pipe(
    Stream.filter((current) => current._tag !== "Absent" && current._tag !== "Blocked"),
    Stream.runHead,
    Effect.flatMap((first): Effect.Effect<string, PersistentNodeError> => {
      const current = Option.getOrUndefined(first)
      if (current?._tag === "Present") return Effect.succeed(current.path)
      return Effect.fail(current?._tag === "Refused" ? current.error : new SessionClosed())
    })
  )

/** Has it written, and waits until it was. */
export const setData = (self: NodeState, data: Data): Effect.Effect<void, PersistentNodeError> =>
  Effect.suspend(() => {
    const status = SubscriptionRef.getUnsafe(self.status)
    if (status._tag === "Closed") return Effect.fail(new SessionClosed())
    // Nobody is left to write it.
    if (status._tag === "Refused" && isFinal(status.error)) return Effect.fail(status.error)
    const written = Deferred.makeUnsafe<void, PersistentNodeError>()
    self.data = toBytes(data)
    self.isWritten = false
    self.waiting.push(written)
    self.wake.openUnsafe()
    return Deferred.await(written)
  })

/** Tells those who wait for their data to be written. */
export const settleWaiting = (self: NodeState, outcome: Effect.Effect<void, PersistentNodeError>): void => {
  const { waiting } = self
  self.waiting = []
  for (const written of waiting) Deferred.doneUnsafe(written, outcome)
}

/** Nothing more can be done by this session, and none follows. */
export const isFinal = ({ _tag }: PersistentNodeError): boolean =>
  _tag === "SessionExpired" || _tag === "SessionClosed" || _tag === "AuthFailed"

// -----------------------------------------------------------------------------
// what is seen of it
// -----------------------------------------------------------------------------

/** Whose it is; of the past is what a former session of ours has left. */
export const classifyOwner = (
  { mode, sessions, zk }: NodeState,
  { ephemeralOwner }: Stat
): "Own" | "Past" | "Foreign" => {
  if (!CreateMode.isEphemeral(mode)) return ephemeralOwner === 0n ? "Own" : "Foreign"
  if (ephemeralOwner === zk.session.id) return "Own"
  return sessions.has(ephemeralOwner) ? "Past" : "Foreign"
}

/** There is no such znode, or another has it. */
export const markAbsent = (self: NodeState): Effect.Effect<void> =>
  Effect.suspend(() => {
    self.mayExist = false
    return setStatus(self, { _tag: "Absent" })
  })

/** Notes the session of the moment as one that may have created the znode. */
export const noteSession = ({ sessions, zk }: NodeState): void => {
  if (zk.session.id !== 0n) sessions.add(zk.session.id)
}

/** With a znode of this session there is none of a former one, under a name that is always the same. */
export const forgetFormerSessions = (self: NodeState): void => {
  if (self.actualPath !== self.path) return
  self.sessions.clear()
  noteSession(self)
}

/** The znode has held this: whoever waits for it is told. */
export const markWritten = (self: NodeState, data: Uint8Array): void => {
  if (data !== self.data) return
  self.isWritten = true
  settleWaiting(self, Effect.void)
}
