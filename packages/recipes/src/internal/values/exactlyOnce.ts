/**
 * Transactions that are applied exactly once, because their fate can be learnt when a reply is lost.
 *
 * Each one also writes an ephemeral znode that no other client writes: a marker. When the reply is lost, the version of
 * the marker tells whether the transaction was applied; it is sent again only if it was not. A marker serves one
 * transaction after the other, and there are as many markers as transactions at a time.
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { TransactionFailed } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { OutcomeUnknown, type RecipeError } from "../../Errors.ts"
import { deleteEphemeral, deleteInBackground } from "../shared/sessionClose.ts"
import { makeBackoff, sleepJittered } from "../shared/backoff.ts"
import { afterCommit, ensureParents, isStateConflict } from "../shared/requests.ts"
import { failIfFinal } from "../shared/retry.ts"

/** Applies transactions exactly once. */
export interface ExactlyOnce {
  /**
   * Applies all operations or none, once. Fails with `OutcomeUnknown` only when the session ended before the fate was
   * learnt. `operation` and `path` name the application's call.
   */
  readonly transact: (
    subject: { readonly operation: string; readonly path: string },
    ops: ReadonlyArray<Op.Write>
  ) => Effect.Effect<void, TransactionFailed | OutcomeUnknown | RecipeError>
}

/**
 * Markers below a path, which are deleted when the Scope closes. All users with one session and one Scope share a pool of
 * them: a queue that is made for each call leaves nothing behind but the markers that the next one uses.
 */
export const make = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  directory: string,
  acl: ReadonlyArray<Acl.Acl> | undefined
): Effect.fn.Return<ExactlyOnce, never, Scope.Scope> {
  const markerPool = yield* poolOf(zk.session)

  const takeMarker: Effect.Effect<Marker> = Effect.suspend(() => {
    const marker = markerPool.take(zk, directory)
    if (marker !== undefined) return Effect.succeed(marker)
    return Effect.map(Guid.make, (id): Marker => ({
      zk,
      directory,
      path: ZnodePath.join(directory, id),
      session: zk.session.id,
      version: undefined
    }))
  })

  const returnMarker = (marker: Marker): Effect.Effect<void> => {
    if (marker.version === undefined) return Effect.void
    // A marker from a session that is over may have been created in the next one: it is not used again.
    const isUsable = marker.session === zk.session.id && marker.version <= LAST_VERSION
    const surplus = isUsable ? markerPool.give(marker) : marker
    return surplus === undefined ? Effect.void : deleteInBackground(surplus.zk, surplus.path)
  }

  /** The fate of a transaction without a reply. */
  const learnFate = Effect.fnUntraced(function* (
    marker: Marker
  ): Effect.fn.Return<"Applied" | "NotApplied" | "Unknown", RecipeError> {
    const { path, session, version } = marker
    const now = yield* afterCommit(zk, zk.stat(path))
    if (Option.isNone(now)) return version === undefined && session === zk.session.id ? "NotApplied" : "Unknown"
    if (now.value.version === version) return "NotApplied"
    if (now.value.version !== nextVersion(version)) return "Unknown"
    marker.version = nextVersion(version)
    return "Applied"
  })

  /** An interruption leaves no marker behind. */
  const deleteMarkerOnError = <A, E>(marker: Marker, waiting: Effect.Effect<A, E>) =>
    Effect.onError(waiting, () => deleteInBackground(zk, marker.path))

  return {
    transact: ({ operation, path }, ops) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const losses = Outcome.totalLosses()
          const backoff = yield* makeBackoff
          while (true) {
            const marker = yield* takeMarker
            const { version } = marker
            const markerWrite =
              version === undefined
                ? Op.create(marker.path, { mode: "ephemeral", acl })
                : Op.setData(marker.path, "", { version })
            const sent = yield* deleteMarkerOnError(
              marker,
              restore(Effect.result(zk.transaction([...ops, markerWrite])))
            )
            if (Result.isSuccess(sent)) {
              marker.version = nextVersion(version)
              return yield* returnMarker(marker)
            }
            const error = sent.failure
            if (error._tag === "TransactionFailed") {
              if (error.index < ops.length) {
                yield* returnMarker(marker)
                return yield* new TransactionFailed({ ...error, results: error.results.slice(0, ops.length) })
              }
              // The marker was deleted or written by another client: another marker is taken.
              if (error.error._tag === "NoNode" && version === undefined)
                yield* restore(ensureParents(zk, directory, acl))
              else if (isStateConflict(error.error)) yield* deleteInBackground(zk, marker.path)
              else return yield* Effect.fail(error.error)
              yield* restore(backoff)
              continue
            }
            const failure = yield* Effect.tapError(failIfFinal(zk, error), () => returnMarker(marker))
            if (failure === "lost") {
              losses.add(error)
              const fate = yield* deleteMarkerOnError(
                marker,
                restore(Effect.mapError(learnFate(marker), Outcome.markMaybeApplied))
              )
              if (fate === "Unknown") {
                yield* deleteInBackground(zk, marker.path)
                return yield* new OutcomeUnknown({ operation, path, reason: "lost" })
              }
              yield* returnMarker(marker)
              if (fate === "Applied") return
              if (error._tag === "ConnectionLoss" && losses.isGivenUp) {
                return yield* Effect.fail(Outcome.markUnapplied(losses.withTotal(error)))
              }
            } else if (failure === "transient") {
              yield* returnMarker(marker)
              yield* restore(sleepJittered(100))
            }
          }
        })
      )
  }
})

// ---- internal

interface Marker {
  /** The view of the client whose paths these are. */
  readonly zk: ZooKeeper.Service
  readonly directory: string
  readonly path: string
  /** The session in which it is created. */
  readonly session: bigint
  /** Undefined before it is created. */
  version: number | undefined
}

const nextVersion = (version: number | undefined): number => (version === undefined ? 0 : version + 1)

/** More than this many at once are rare, and markers of other paths have to go some time. */
const MAX_IDLE = 16

/** The idle markers of a session, of all paths and all views of the client. */
class MarkerPool {
  private readonly session: ZooKeeper.Service["session"]
  /** The most recently used are at the end. */
  private readonly idle: Array<Marker> = []
  private isClosed = false

  constructor(session: ZooKeeper.Service["session"]) {
    this.session = session
  }

  take(zk: ZooKeeper.Service, directory: string): Marker | undefined {
    while (true) {
      const at = this.idle.findLastIndex((marker) => marker.zk === zk && marker.directory === directory)
      if (at === -1) return undefined
      const [marker] = this.idle.splice(at, 1)
      // Markers of a session that is over are gone, or will be.
      if (marker?.session === this.session.id) return marker
    }
  }

  /** Gives the marker that is to be deleted in its place. */
  give(marker: Marker): Marker | undefined {
    if (this.isClosed) return marker
    this.idle.push(marker)
    return this.idle.length > MAX_IDLE ? this.idle.shift() : undefined
  }

  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    return Effect.forEach(this.idle.splice(0), ({ path, zk }) => deleteEphemeral(zk, path), {
      concurrency: "unbounded",
      discard: true
    })
  })
}

/** By Scope and session. */
const markerPools = new WeakMap<Scope.Scope, WeakMap<ZooKeeper.Service["session"], MarkerPool>>()

const poolOf = (session: ZooKeeper.Service["session"]): Effect.Effect<MarkerPool, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    let ofScope = markerPools.get(scope)
    if (ofScope === undefined) markerPools.set(scope, (ofScope = new WeakMap()))
    const there = ofScope.get(session)
    if (there !== undefined) return Effect.succeed(there)
    const pool = new MarkerPool(session)
    ofScope.set(session, pool)
    return Effect.as(Scope.addFinalizer(scope, pool.close), pool)
  })

/** Before the versions wrap. */
const LAST_VERSION = 2_000_000_000
