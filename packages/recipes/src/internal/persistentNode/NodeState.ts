/**
 * The state of a kept znode, and the results for callers that wait for it.
 */
import * as Bytes from "@effect-zookeeper/client/Bytes"
import * as CreateMode from "@effect-zookeeper/client/CreateMode"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { toBytes } from "../shared/bytes.ts"
import type { Options, PersistentNodeError, Status } from "./model.ts"

/** A znode, as its keeper knows it. */
export interface NodeState {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly mode: CreateMode.CreateMode
  readonly options: Options
  readonly status: SubscriptionRef.SubscriptionRef<Status>
  /** Open when there is work that no watch reports. */
  readonly wake: Latch.Latch
  /** Pauses before work that was repeated often of late. */
  readonly backoff: Effect.Effect<void>
  /** The sessions that may have created the znode. */
  readonly sessions: Set<bigint>
  /** The znode's path; undefined until the server has named it. */
  actualPath: string | undefined
  /** A create was sent, and nothing has shown since that there is no such znode. */
  mayExist: boolean
  /** The znode that was seen last. */
  czxid: bigint | undefined
  /** What tells our znode from another's in the modes that outlive sessions, where no owner does. */
  readonly lasting: LastingState
  data: Uint8Array
  /** Whether the znode has held `data`. */
  isWritten: boolean
  waiting: Array<Deferred.Deferred<void, PersistentNodeError>>
  /** Of the writes of the data since the last reply to one. */
  losses: Outcome.TotalLosses
}

/** Our znode in a mode that outlives sessions. */
export interface LastingState {
  /** The transaction that created it: by us, or before us where `make` has found it. */
  czxid: bigint | undefined
  /** Creates whose outcome is not known: each may have made a znode. */
  readonly attempts: Set<CreateAttempt>
  /** Whether it was decided once whose znode is at the path. Until then one that is there at a fixed path is taken over. */
  isDecided: boolean
}

/** A create of a fixed path that was sent. */
export interface CreateAttempt {
  /** No znode that is as old as this transaction is of this create. */
  after: bigint
  readonly data: Uint8Array
  /** A reply to it was lost. */
  isOpen: boolean
}

export const makeLasting = (): LastingState => ({ czxid: undefined, attempts: new Set(), isDecided: false })

/** Whether the name is known only after the create. */
export const isNamedByServer = ({ mode, options }: NodeState) =>
  CreateMode.isSequential(mode) || isProtected(mode, options)

export const isProtected = (mode: CreateMode.CreateMode, options: Options) =>
  (options.protected ?? CreateMode.isSequential(mode)) !== false

// -----------------------------------------------------------------------------
// status and results
// -----------------------------------------------------------------------------

/** Publishes a status, if it is new. */
export const setStatus = ({ status }: NodeState, next: Status): Effect.Effect<void> =>
  Effect.suspend(() =>
    Equal.equals(SubscriptionRef.getUnsafe(status), next) ? Effect.void : SubscriptionRef.set(status, next)
  )

export const isClosed = ({ status }: NodeState): boolean => SubscriptionRef.getUnsafe(status)._tag === "Closed"

/** Waits until the znode is there, and gives its path. */
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

/** Has the data written, and waits until it is. */
export const setData = (self: NodeState, data: Data): Effect.Effect<void, PersistentNodeError> =>
  Effect.suspend(() => {
    const status = SubscriptionRef.getUnsafe(self.status)
    if (status._tag === "Closed") return Effect.fail(new SessionClosed())
    // The keeper has ended, so the data would never be written.
    if (status._tag === "Refused" && isFinal(status.error)) return Effect.fail(status.error)
    const written = Deferred.makeUnsafe<void, PersistentNodeError>()
    // Those who wait already are answered after eight losses, also if new data replace theirs again and again.
    if (self.waiting.length === 0) forgetLosses(self)
    self.data = toBytes(data)
    self.isWritten = false
    self.waiting.push(written)
    self.wake.openUnsafe()
    return Deferred.await(written)
  })

/** Completes the calls that wait for their data to be written. */
export const settleWaiting = (self: NodeState, outcome: Effect.Effect<void, PersistentNodeError>): void => {
  const { waiting } = self
  self.waiting = []
  for (const written of waiting) Deferred.doneUnsafe(written, outcome)
}

/** The next write begins to count anew. */
export const forgetLosses = (self: NodeState): void => {
  self.losses = Outcome.totalLosses()
}

/** This session can do no more, and no other follows. */
export const isFinal = ({ _tag }: PersistentNodeError): boolean =>
  _tag === "SessionExpired" || _tag === "SessionClosed" || _tag === "AuthFailed"

// -----------------------------------------------------------------------------
// results of reads
// -----------------------------------------------------------------------------

/** Decides whose znode it is: `Past` if one of our former sessions left it. In modes that outlive sessions it is noted. */
export const decideOwner = (self: NodeState, stat: Stat, data: Uint8Array): "Own" | "Past" | "Foreign" => {
  const { lasting, mode } = self
  if (CreateMode.isEphemeral(mode)) return ownerOf(self, stat)
  const isTakenOver = !lasting.isDecided && stat.ephemeralOwner === 0n && !isNamedByServer(self)
  const isOwn = isTakenOver || isOwnLasting(self, stat, data)
  lasting.isDecided = true
  lasting.attempts.clear()
  if (isOwn) lasting.czxid = stat.czxid
  return isOwn ? "Own" : "Foreign"
}

/** Whose ephemeral znode it is. */
export const ownerOf = ({ sessions, zk }: NodeState, { ephemeralOwner }: Stat): "Own" | "Past" | "Foreign" =>
  ephemeralOwner === zk.session.id ? "Own" : sessions.has(ephemeralOwner) ? "Past" : "Foreign"

/**
 * Whether a znode that outlives sessions is ours by its czxid, or was made by a create whose outcome is not known: then it is
 * younger than that, and is as that create made it.
 */
export const isOwnLasting = ({ lasting }: NodeState, { czxid, version }: Stat, data: Uint8Array): boolean =>
  czxid === lasting.czxid ||
  [...lasting.attempts].some((attempt) => czxid > attempt.after && version === 0 && Bytes.equals(data, attempt.data))

/** There is no such znode, or another client has it. */
export const markAbsent = (self: NodeState): Effect.Effect<void> =>
  Effect.suspend(() => {
    self.mayExist = false
    self.lasting.attempts.clear()
    return setStatus(self, { _tag: "Absent" })
  })

/** Notes the current session as one that may have created the znode. */
export const noteSession = ({ sessions, zk }: NodeState): void => {
  if (zk.session.id !== 0n) sessions.add(zk.session.id)
}

/** If this session's znode has a fixed name, no former session's znode can be there. */
export const forgetFormerSessions = (self: NodeState): void => {
  if (self.actualPath !== self.path) return
  self.sessions.clear()
  noteSession(self)
}

/** The znode has held this data: completes the calls that wait for it. */
export const markWritten = (self: NodeState, data: Uint8Array): void => {
  if (data !== self.data) return
  self.isWritten = true
  settleWaiting(self, Effect.void)
}
