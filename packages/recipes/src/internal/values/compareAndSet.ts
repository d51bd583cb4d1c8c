/**
 * Compare and set: read, decide, and write unless another client has written in between; then again.
 *
 * The one loop behind counters, values and id generators. Its rules: a missing znode is created, and the client that comes
 * second reads again; a conflict is followed by a pause with jitter; a write whose reply was lost is never sent again
 * before it is known that it was not applied; and the version -1, which means any to a server, is not compared with.
 *
 * Servers compare versions alone, and those of a znode that is deleted and created again begin anew: a write may meet
 * another znode than the one that was read, at the same version. Nothing in a request can prevent that. The czxid in the
 * reply tells, and such a write is never reported as one that replaced the data that was read.
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { CreateError, RequestTimeout, SetDataError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { Contended, OutcomeUnknown, type RecipeError, VersionExhausted } from "../../Errors.ts"
import type * as Lock from "../../Lock.ts"
import { ensureParents } from "../locks/ContenderQueue.ts"
import { retryAcrossSessions, isSessionReplaced } from "../shared/retry.ts"

/** The znode, and how long to try under contention. */
export interface Cell {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly acl: ReadonlyArray<Acl.Acl> | undefined
  /** After so many conflicts it fails with `Contended`; undefined for never. */
  readonly attempts: number | undefined
  /** After so many conflicts it goes on under a lock. */
  readonly promote: { readonly lock: Lock.Lock; readonly after: number } | undefined
}

/** The znode as it was read; undefined for none. */
export type Found = DataAndStat | undefined

/** The data to write, or none, and the result to give then. */
export interface Decision<A> {
  readonly data: Uint8Array | undefined
  readonly result: A
  /** Writes at any version, also at one that cannot be compared with. Default false. */
  readonly unconditional?: boolean | undefined
}

/** A write without a reply. */
export interface Attempt {
  readonly found: Found
  readonly data: Uint8Array
}

/** Whether an attempt was applied, judged by the present state; undefined when that does not tell. */
export type Recognize = (now: Found, attempt: Attempt) => boolean | undefined

/** Errors of the loop itself. */
export type CasError = RecipeError | OutcomeUnknown | VersionExhausted | Contended

/**
 * Reads, decides and writes until a decision is written, or is to write nothing. `decide` may run many times. `operation`
 * is the name of the application's call.
 */
export const modify = <A, E>(
  cell: Cell,
  operation: string,
  decide: (found: Found) => Effect.Effect<Decision<A>, E>,
  recognize: Recognize = byVersion
): Effect.Effect<{ readonly result: A; readonly attempts: number }, E | CasError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { path, zk } = cell
      let conflicts = 0
      let attempts = 0
      let lost: (Attempt & { readonly result: A; readonly error: CreateError | SetDataError }) | undefined
      let losses = Outcome.totalLosses()
      while (true) {
        const found = yield* lost === undefined
          ? read(cell)
          : Effect.mapError(readAfterSync(cell), Outcome.markMaybeApplied)
        if (lost !== undefined) {
          const applied = recognize(found, lost)
          if (applied === undefined) return yield* new OutcomeUnknown({ path, operation, reason: "lost" })
          if (applied) return { result: lost.result, attempts }
          if (lost.error._tag === "ConnectionLoss" && losses.isGivenUp) {
            return yield* Effect.fail(Outcome.markUnapplied(losses.withTotal(lost.error)))
          }
          lost = undefined
        }
        const { data, result, unconditional = false } = yield* decide(found)
        attempts++
        if (data === undefined) return { result, attempts }
        if (found?.stat.version === -1 && !unconditional) return yield* new VersionExhausted({ path })
        const sent = yield* Effect.result(write(cell, found, data))
        if (Result.isSuccess(sent)) {
          if (isSameBirth(found, sent.success)) return { result, attempts }
          return yield* new OutcomeUnknown({ path, operation, reason: "remade" })
        }
        const error = sent.failure
        if (Outcome.mayBeApplied(error)) {
          losses.add(error)
          lost = { found, data, result, error }
          continue
        }
        losses = Outcome.totalLosses()
        // The other errors say that nothing was applied.
        if (error._tag === "BadVersion" || error._tag === "NodeExists") {
          conflicts++
          if (conflicts === cell.attempts) return yield* new Contended({ path, attempts })
          // Versions alone decide a conflict, so clients that are not promoted may still come in between.
          if (conflicts === cell.promote?.after) yield* acquire(cell.promote.lock)
          else yield* sleepJittered(5 * 2 ** Math.min(conflicts, 8))
        } else if (error._tag === "NoNode") {
          if (found === undefined) yield* ensureParents(zk, ZnodePath.parent(path) ?? "/", cell.acl)
        } else if (Outcome.isTransient(error)) {
          yield* sleepJittered(100)
        } else if (!(yield* isSessionReplaced(zk, error))) {
          return yield* Effect.fail(passed(error))
        }
      }
    })
  )

/** The data and Stat; undefined where there is no znode. */
export const read = ({ path, zk }: Cell): Effect.Effect<Found, RecipeError> =>
  Effect.catchTag(retryAcrossSessions(zk, zk.get(path)), "NoNode", () => Effect.undefined)

/**
 * By the version alone. Every write moves `mzxid`: if that has not moved, nothing was applied. If the version is one step
 * on with other data, another client made that step. Anything else may have been either.
 */
export const byVersion: Recognize = (now, { data, found }) => {
  if (found === undefined) {
    if (now === undefined) return false
    return now.stat.version === 0 && !bytesEqual(now.data, data) ? false : undefined
  }
  if (now === undefined || now.stat.czxid !== found.stat.czxid) return undefined
  if (now.stat.mzxid === found.stat.mzxid) return false
  return now.stat.version === ((found.stat.version + 1) | 0) && !bytesEqual(now.data, data) ? false : undefined
}

/** Whether two data are the same bytes. */
export const bytesEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])

// ---- internal

/** As one: a look at another server than the sync could be a look at the past. */
const readAfterSync = ({ path, zk }: Cell): Effect.Effect<Found, RecipeError> =>
  Effect.catchTag(
    retryAcrossSessions(zk, Effect.andThen(zk.sync(path), zk.get(path))),
    "NoNode",
    () => Effect.undefined
  )

const write = (
  { acl, path, zk }: Cell,
  found: Found,
  data: Uint8Array
): Effect.Effect<Stat | undefined, CreateError | SetDataError> =>
  found === undefined
    ? Effect.as(zk.create(path, { data, acl }), undefined)
    : zk.setData(path, data, { version: found.stat.version })

/** Whether the znode that was written is the one that was read. */
const isSameBirth = (found: Found, written: Stat | undefined): boolean => written?.czxid === found?.stat.czxid

/** Until the loop ends. Without a timeout there is no LockTimeout. */
const acquire = (lock: Lock.Lock) => Effect.catchTag(lock.acquire(), "LockTimeout", (error) => Effect.die(error))

/** Between half and one and a half of so many milliseconds. */
export const sleepJittered = (millis: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(millis * (0.5 + random)))

/** The errors that the branches before leave over. */
const passed = <E extends { readonly _tag: string }>(error: E) => error as Exclude<E, RequestTimeout>
