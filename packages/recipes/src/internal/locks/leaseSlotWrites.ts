/**
 * The writes of a lease. Each is a transaction that names the holder's own znode below the slot, which has a unique id in
 * its name: so no write of a former holder fits, not even into a slot that was deleted and created again, whose versions
 * begin anew.
 */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DataInvalid, type RecipeError } from "../../Errors.ts"
import { sleepJittered } from "../shared/backoff.ts"
import { LeaseEntry } from "./leaseEntry.ts"
import { getAfterCommit, getChildrenOrNone, isStateConflict } from "../shared/requests.ts"
import { failIfFinal, retryAcrossSessions } from "../shared/retry.ts"

/** The holder of a slot; undefined for none. */
export const decodeEntry = (slot: string, data: Uint8Array): Effect.Effect<LeaseEntry | undefined, DataInvalid> =>
  data.length === 0
    ? Effect.undefined
    : Effect.mapError(
        Schema.decodeEffect(LeaseEntry)(new TextDecoder().decode(data)),
        () => new DataInvalid({ path: slot, expected: "empty or a lease as JSON" })
      )

/**
 * Writes an entry at a version, together with the other writes of the transaction; undefined when another client was
 * faster, or when the znodes that the transaction names are not there. The nonce resolves a lost reply.
 */
export const writeEntry = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  slot: string,
  entry: LeaseEntry,
  version: number,
  accompanying: ReadonlyArray<Op.Write>
): Effect.fn.Return<Stat | undefined, DataInvalid | RecipeError> {
  const data = yield* Effect.orDie(Schema.encodeEffect(LeaseEntry)(entry))
  const ops = [Op.setData(slot, data, { version }), ...accompanying] as const
  const losses = Outcome.totalLosses()
  while (true) {
    const sent = yield* Effect.result(zk.transaction(ops))
    if (Result.isSuccess(sent)) return sent.success[0]
    const error = sent.failure
    if (error._tag === "TransactionFailed") {
      return isStateConflict(error.error) ? undefined : yield* Effect.fail(error.error)
    }
    losses.add(error)
    const failure = yield* failIfFinal(zk, error)
    const read = getAfterCommit(zk, slot)
    const now = yield* failure === "lost" ? Effect.mapError(read, Outcome.markMaybeApplied) : read
    if (now === undefined) return undefined
    if ((yield* decodeEntry(slot, now.data))?.nonce === entry.nonce) return now.stat
    if (now.stat.version !== version) return undefined
    if (error._tag === "ConnectionLoss" && losses.isGivenUp) {
      return yield* Effect.fail(Outcome.markUnapplied(losses.withTotal(error)))
    }
    // It was not applied, and only a lost or transient request is repeated.
    const isRepeated = Outcome.isLost(error) || Outcome.isTransient(error) || error._tag === "SessionExpired"
    if (!isRepeated) return yield* Outcome.markUnapplied(error)
    yield* sleepJittered(100)
  }
})

// -----------------------------------------------------------------------------
// the holder's znode
// -----------------------------------------------------------------------------

const HOLDER_PREFIX = "holder-"

/** The holder's own znode, which exists until the holder loses the slot. */
export const holderPath = (slot: string, id: string): string => ZnodePath.join(slot, HOLDER_PREFIX + id)

/** The znodes of former holders, which are deleted when another takes the slot. */
export const formerHolders = (zk: ZooKeeper.Service, slot: string, { numChildren }: Stat) =>
  numChildren === 0
    ? Effect.succeed([])
    : Effect.map(getChildrenOrNone(zk, slot), (names) =>
        names.filter((name) => name.startsWith(HOLDER_PREFIX)).map((name) => ZnodePath.join(slot, name))
      )

/** Waits until a znode has gone, across sessions. */
export const awaitGone = (zk: ZooKeeper.Service, path: string): Effect.Effect<void, RecipeError> => {
  const read = Effect.scoped(
    Effect.gen(function* () {
      // A server that lags would not show it yet.
      yield* zk.sync(path)
      const { nextChange, stat } = yield* watchScoped(zk.existsAndWatch(path))
      if (Option.isNone(stat)) return true
      yield* Fiber.join(nextChange)
      return false
    })
  )
  return Effect.asVoid(Effect.repeat(retryAcrossSessions(zk, read), { until: (isGone) => isGone }))
}
