/**
 * The writes of a lease. Each is a transaction that names the holder's own znode below the slot, which has an id in its name:
 * so no write of a former holder fits, not even into a slot that was deleted and made anew, whose versions begin again.
 */
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
import { sleepJittered } from "../values/compareAndSet.ts"
import { retryAcrossSessions, isSessionReplaced } from "../shared/retry.ts"
import { watchScoped } from "../shared/watches.ts"
import { isStateConflict } from "../values/exactlyOnce.ts"

/** What stands in a slot that is taken; a free one is empty. */
const LeaseEntry = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    identifier: Schema.String,
    /** Milliseconds. One without an end would be nobody's for ever. */
    duration: Schema.Finite,
    /** Tells this write from all others. */
    nonce: Schema.String
  })
)
export type LeaseEntry = typeof LeaseEntry.Type

/** Who is in a slot; undefined for nobody. */
export const decodeEntry = (slot: string, data: Uint8Array): Effect.Effect<LeaseEntry | undefined, DataInvalid> =>
  data.length === 0
    ? Effect.undefined
    : Effect.mapError(
        Schema.decodeEffect(LeaseEntry)(new TextDecoder().decode(data)),
        () => new DataInvalid({ path: slot, expected: "empty or a lease as JSON" })
      )

/**
 * Writes an entry with a version, all or nothing with what stands beside it; undefined when another was faster, or when what
 * the others of the transaction name is not there. A lost reply is resolved by the nonce.
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
  while (true) {
    const sent = yield* Effect.result(zk.transaction(ops))
    if (Result.isSuccess(sent)) return sent.success[0]
    const error = sent.failure
    if (error._tag === "TransactionFailed") {
      return isStateConflict(error.error) ? undefined : yield* Effect.fail(error.error)
    }
    const isLost = Outcome.isLost(error) || error._tag === "SessionExpired"
    if (!isLost && !Outcome.isTransient(error)) return yield* Effect.fail(error)
    if (error._tag === "SessionExpired" && !(yield* isSessionReplaced(zk, error))) return yield* Effect.fail(error)
    // As one: a look at another server than the sync could be a look at the past.
    const read = Effect.andThen(zk.sync(slot), zk.get(slot))
    const now = yield* Effect.catchTag(retryAcrossSessions(zk, read), "NoNode", () => Effect.undefined)
    if (now === undefined) return undefined
    if ((yield* decodeEntry(slot, now.data))?.nonce === entry.nonce) return now.stat
    if (now.stat.version !== version) return undefined
    yield* sleepJittered(100)
  }
})

// -----------------------------------------------------------------------------
// the holder's znode
// -----------------------------------------------------------------------------

const HOLDER_PREFIX = "holder-"

/** The znode that is there for as long as somebody has not lost the slot to another. */
export const holderPath = (slot: string, id: string): string => ZnodePath.join(slot, HOLDER_PREFIX + id)

/** Those of former holders, which go when another takes the slot. */
export const formerHolders = (zk: ZooKeeper.Service, slot: string, { numChildren }: Stat) =>
  numChildren === 0
    ? Effect.succeed([])
    : retryAcrossSessions(zk, zk.getChildren(slot)).pipe(
        Effect.map((names) =>
          names.filter((name) => name.startsWith(HOLDER_PREFIX)).map((name) => ZnodePath.join(slot, name))
        ),
        Effect.catchTag("NoNode", () => Effect.succeed([]))
      )

/** Waits until a znode has gone, over sessions. */
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
