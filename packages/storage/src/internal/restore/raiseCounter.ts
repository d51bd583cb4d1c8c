/** The number of the next sequential child is raised by children that are created and deleted in the same transaction. */
import type { InvalidArgument, NoAuth, SessionError, TransactionFailed } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { childrenEverOf } from "../live/counters.ts"

/** The number of pairs in a transaction, and the bytes that it may have: servers take 1 MiB. */
const MAX_PAIRS = 500
const MAX_BYTES = 300_000

export type Raised =
  | { readonly _tag: "Enough" }
  | { readonly _tag: "Raised"; readonly from: number }
  | {
      readonly _tag: "NotRaised"
      readonly from: number
      readonly reason: "limit" | "notPermitted" | "ephemeral" | "missing"
    }

export interface RaiseOptions {
  readonly maxRaise: number
  /** Gets by how much the counter will be raised. */
  readonly onNeeded?: (pairs: number) => void
  /** Gets by how much each transaction has raised it. */
  readonly onRaised?: (pairs: number) => void
}

/** Brings the counter of a znode to at least `to`. */
export const raiseCounter = (
  zk: Service,
  path: string,
  to: number,
  options: RaiseOptions
): Effect.Effect<Raised, NoAuth | InvalidArgument | SessionError | TransactionFailed> =>
  Effect.gen(function* () {
    let first: number | undefined
    let before = -1
    let losses = Outcome.totalLosses()
    while (true) {
      const found = yield* Outcome.retryTransient(zk.stat(path))
      if (Option.isNone(found)) return { _tag: "NotRaised", from: first ?? 0, reason: "missing" }
      const { value: stat } = found
      const now = childrenEverOf(stat)
      first ??= now
      if (now > before) losses = Outcome.totalLosses()
      before = now
      if (now >= to) return first === now ? { _tag: "Enough" } : { _tag: "Raised", from: first }
      if (stat.ephemeralOwner !== 0n) return { _tag: "NotRaised", from: now, reason: "ephemeral" }
      if (to - now > options.maxRaise) return { _tag: "NotRaised", from: now, reason: "limit" }
      if (first === now) options.onNeeded?.(to - now)
      // The number is looked at again after a transaction whose fate is not known, at a server that knows of it.
      const refusal = yield* addPairs(zk, path, to - now, options.onRaised).pipe(
        Effect.as(undefined),
        Effect.catchIf(Outcome.isLost, (error) => {
          losses.add(error)
          return losses.isGivenUp
            ? Effect.fail(losses.withTotal(error))
            : Effect.as(Outcome.retryTransient(zk.sync(path)), undefined)
        }),
        Effect.catchTag("TransactionFailed", (error) => {
          if (error.error._tag === "NoAuth") return Effect.succeed("notPermitted" as const)
          // Another client has deleted it, which the next look tells.
          return error.error._tag === "NoNode" ? Effect.undefined : Effect.fail(error)
        })
      )
      if (refusal !== undefined) return { _tag: "NotRaised", from: now, reason: refusal }
    }
  })

// ---- internal

const addPairs = (zk: Service, path: string, count: number, onRaised: RaiseOptions["onRaised"]) =>
  Effect.gen(function* () {
    const child = ZnodePath.join(path, `counter-${yield* Guid.make}`)
    const size = 2 * (child.length * 3 + 100)
    const most = Math.max(1, Math.min(MAX_PAIRS, Math.floor(MAX_BYTES / size)))
    for (let left = count; left > 0; left -= most) {
      const pairs = Math.min(left, most)
      const ops: Array<Op.Write> = []
      for (let pair = 0; pair < pairs; pair++) ops.push(Op.create(child), Op.delete(child))
      yield* zk.transaction(ops)
      onRaised?.(pairs)
    }
  })
