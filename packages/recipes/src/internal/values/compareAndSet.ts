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
import * as Bytes from "@effect-zookeeper/client/Bytes"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { type CreateError, InvalidArgument, type SetDataError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { Contended, OutcomeUnknown, type RecipeError, VersionExhausted } from "../../Errors.ts"
import * as Lock from "../../Lock.ts"
import { makeBackoff, sleepJittered } from "../shared/backoff.ts"
import { type AclOptions, checkOptions, knownOptions } from "../shared/options.ts"
import { ensureParents, getAfterCommit, getOrUndefined } from "../shared/requests.ts"
import { failIfFinal } from "../shared/retry.ts"
import { checkCount, checkPath } from "../shared/validate.ts"

/** How to deal with other clients that keep writing in between. */
export interface ContentionOptions extends AclOptions {
  /** After so many attempts in which others wrote in between it fails with `Contended`. Default: it goes on. */
  readonly attempts?: number | undefined
  /**
   * After so many attempts in which others wrote in between (`after`, default 10) it waits for a lock at another path and
   * goes on under it, so that the clients come one by one: Curator's `PromotedToLock`. Default: no lock.
   */
  readonly promote?: { readonly lock: string; readonly after?: number | undefined } | undefined
}

/** The keys of `ContentionOptions`. */
export const contentionKeys = { attempts: true, promote: true, acl: true } as const

/** The znode, and how long to try under contention. */
interface Cell {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly acl: AclOptions["acl"]
  /** After so many conflicts it fails with `Contended`; undefined for never. */
  readonly attempts: number | undefined
  /** After so many conflicts it goes on under a lock. */
  readonly promote: { readonly lock: Lock.Lock; readonly after: number } | undefined
}

/** Checks the options. */
export const makeCell = Effect.fnUntraced(function* (
  path: string,
  { acl, attempts: most, promote }: ContentionOptions
): Effect.fn.Return<Cell, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* checkPath(path)
  const attempts = yield* checkCount("attempts", most)
  yield* checkOptions(knownPromote, promote, "promote")
  if (promote === undefined) return { zk, path, acl, attempts, promote: undefined }
  if (promote.lock === path) {
    const rule = "another path than the recipe's own"
    return yield* new InvalidArgument({ argument: "promote.lock", value: path, rule })
  }
  const after = (yield* checkCount("promote.after", promote.after)) ?? 10
  return { zk, path, acl, attempts, promote: { after, lock: yield* Lock.make(promote.lock, { acl }) } }
})

const knownPromote = knownOptions<NonNullable<ContentionOptions["promote"]>>(
  { lock: true, after: true },
  '{ lock: "/locks/counter" }'
)

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
interface Attempt {
  readonly found: Found
  readonly data: Uint8Array
}

/** Whether an attempt was applied, judged by the present state; undefined when that does not tell. */
export type Recognize = (now: Found, attempt: Attempt) => boolean | undefined

interface ModifyOptions {
  /** Judges attempts without a reply. Default `byVersion`. */
  readonly recognize?: Recognize | undefined
  /** Whether the change is the same when it is made twice: it is repeated then where its fate is unknown. Default false. */
  readonly isIdempotent?: boolean | undefined
}

/** A change is given up after so many attempts whose fate stayed unknown, where each has cost a connection or a timeout. */
const MAX_UNKNOWN = 8

/** Errors of the loop itself. */
type CasError = RecipeError | OutcomeUnknown | VersionExhausted | Contended

/**
 * Reads, decides and writes until a decision is written, or is to write nothing. `decide` may run many times. `operation`
 * is the name of the application's call.
 */
export const modify = <A, E extends { readonly _tag: string }>(
  cell: Cell,
  operation: string,
  decide: (found: Found) => Effect.Effect<Decision<A>, E>,
  { isIdempotent = false, recognize = byVersion }: ModifyOptions = {}
): Effect.Effect<{ readonly result: A; readonly attempts: number }, E | CasError> =>
  Effect.suspend(() => {
    /** The attempts whose fate stayed unknown. */
    let unknown = 0
    const loop = Effect.gen(function* () {
      const { path, zk } = cell
      let conflicts = 0
      let attempts = 0
      let lost: (Attempt & { readonly result: A; readonly error: CreateError | SetDataError }) | undefined
      let losses = Outcome.totalLosses()
      const backoff = yield* makeBackoff
      while (true) {
        // Others write there.
        if (lost !== undefined && unknown > 0) yield* sleepJittered(100)
        const found = yield* lost === undefined
          ? read(cell)
          : Effect.mapError(getAfterCommit(zk, path), Outcome.markMaybeApplied)
        if (lost !== undefined) {
          const applied = recognize(found, lost)
          if (applied === undefined) {
            unknown++
            if (!isIdempotent || losses.isGivenUp || unknown === MAX_UNKNOWN) {
              return yield* new OutcomeUnknown({ path, operation, reason: "lost" })
            }
          }
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
        // A request that was never sent has no reply either.
        if (!Outcome.isLost(error)) losses = Outcome.totalLosses()
        if (error._tag === "BadVersion" || error._tag === "NodeExists") {
          conflicts++
          if (conflicts === cell.attempts) return yield* new Contended({ path, attempts })
          // Versions alone decide a conflict, so clients that are not promoted may still come in between.
          if (conflicts === cell.promote?.after) yield* acquire(cell.promote.lock)
          else yield* sleepJittered(5 * 2 ** Math.min(conflicts, 8))
        } else if (error._tag === "NoNode") {
          yield* backoff
          if (found === undefined) yield* ensureParents(zk, ZnodePath.parent(path) ?? "/", cell.acl)
        } else if ((yield* failIfFinal(zk, error)) === "transient") {
          yield* sleepJittered(100)
        }
      }
    })
    return Effect.mapError(Effect.scoped(loop), (error) => (unknown > 0 ? Outcome.markMaybeApplied(error) : error))
  })

/** The data and Stat; undefined where there is no znode. */
export const read = ({ path, zk }: Cell): Effect.Effect<Found, RecipeError> => getOrUndefined(zk, path)

/**
 * By the version alone. Every write moves `mzxid`: if that has not moved, nothing was applied. If the version is one step
 * on with other data, another client made that step. Anything else may have been either.
 */
export const byVersion: Recognize = (now, { data, found }) => {
  if (found === undefined) {
    if (now === undefined) return false
    return now.stat.version === 0 && !Bytes.equals(now.data, data) ? false : undefined
  }
  if (now === undefined || now.stat.czxid !== found.stat.czxid) return undefined
  if (now.stat.mzxid === found.stat.mzxid) return false
  return now.stat.version === ((found.stat.version + 1) | 0) && !Bytes.equals(now.data, data) ? false : undefined
}

// ---- internal

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
