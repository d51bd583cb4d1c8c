/**
 * The session as applications see it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { OwnershipLost } from "./SessionError.ts"
import type { SessionState } from "./SessionState.ts"

/**
 * The operations and abilities that the connected server is known to lack. A server cannot be asked for them: an operation
 * that it does not know costs a connection. So the answer is remembered for each server, and the operation is refused
 * from then on without being sent. ClickHouse Keeper announces what it has, and is asked for nothing else.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerFeatures {
  /** False once the server has answered that it does not know the operation (a name of the operation table). */
  readonly supports: (operation: string) => boolean
  /** Whether events carry their transaction, as they do from 3.9 on. Undefined until the first event. */
  readonly eventZxids: boolean | undefined
}

/**
 * The current session: its state, its server, and how long it may be relied on.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionInfo {
  /** The id of the current session; it changes when an expired session is replaced. 0 before the first. */
  readonly id: bigint
  /** The password of the current session: any client that has it can take the session over. */
  readonly password: Redacted.Redacted<Uint8Array>
  /**
   * The number of this history of the ensemble: 0, and one more with each history that `ensembleReset: "accept"` accepted.
   * Transactions are older or newer than one another within a history only; all of a later history are newer.
   */
  readonly history: number
  /**
   * The newest transaction that a server had applied when it answered a request of this client; 0 before the first answer. All
   * that the client has read is at least as new as the zxid before the read. It grows within a history of the ensemble.
   */
  readonly lastZxid: bigint
  readonly state: SessionState
  /** The current state, then each newer one. */
  readonly states: Stream.Stream<SessionState>
  /**
   * When ownership ends unless it is proved again before: a reading of the monotonic clock, in nanoseconds. While no effect
   * waits for `ownership`, only the application's own writes prove anything, and the deadline may be in the past. It is
   * never in the future if the session is over.
   */
  readonly deadline: bigint
  /**
   * Never succeeds. Fails with `OwnershipLost` at `deadline`, and when the session expires or is closed: an owner of anything
   * by this session must stop then. A lapse is final for the effects that waited through it, even if the session goes on.
   *
   * While an effect waits for it, a quorum proves four times in each session timeout that it holds the session, or eight
   * times where `ownershipMargin` is more than a quarter of the timeout. If nothing has proved that lately, it fails at once
   * and asks for a proof. So make or write first what is to be owned, such as by the `create` of an ephemeral znode, which is
   * a proof itself, and wait from then on.
   */
  readonly ownership: Effect.Effect<never, OwnershipLost>
  /** The connected server, as the connect string names it. */
  readonly server: Option.Option<{ readonly host: string; readonly port: number }>
  /** Whether the connected server serves reads only. */
  readonly readOnly: boolean
  /** The timeout that the server granted, in milliseconds; before the first connection the requested one. */
  readonly timeout: number
  readonly serverFeatures: ServerFeatures
  /** Leaves without ending the session: its ephemeral znodes stay until it expires or is taken up again. */
  readonly detach: Effect.Effect<void>
  /** Delays a close of the session, for recipes. */
  readonly closing: SessionClosing
}

/**
 * The close of a session, within its one deadline (`closeTimeout`). For recipes: an owner of something keeps the session
 * from being ended while it is in use, and gives it back.
 *
 * @example
 * ```ts
 * import type { SessionInfo } from "@effect-zookeeper/session/Session"
 * import * as Effect from "effect/Effect"
 *
 * export const guarded = <E, E2>(
 *   session: SessionInfo,
 *   work: Effect.Effect<void, E>,
 *   giveBack: Effect.Effect<void, E2>
 * ) =>
 *   Effect.gen(function* () {
 *     const release = yield* session.closing.hold("ephemeral")
 *     yield* Effect.raceFirst(session.ownership, work).pipe(
 *       Effect.ensuring(session.closing.giveBack(giveBack)),
 *       Effect.ensuring(release)
 *     )
 *   })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionClosing {
  /** When the close must be done: a reading of the monotonic clock, in nanoseconds. None until the close begins. */
  readonly deadline: Option.Option<bigint>
  /** Completes as soon as the close of the session begins. Ownership has ended by then. */
  readonly begun: Effect.Effect<void>
  /**
   * Keeps a close from ending the session until the returned effect has run. If a hold by an ephemeral znode outlives the
   * deadline, the session is left to lapse by itself, because its end would give the znode's place to other clients. A hold
   * by a persistent znode only delays the close until the deadline.
   */
  readonly hold: (by: "ephemeral" | "persistent") => Effect.Effect<Effect.Effect<void>>
  /**
   * Begins to give something back, whatever becomes of the caller, and waits for it: at most one second for everything that
   * is given back together. Once the session is being closed it does not wait, because the close does, for all of it at once.
   */
  readonly giveBack: (effect: Effect.Effect<unknown, unknown>) => Effect.Effect<void>
}
