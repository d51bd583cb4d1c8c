/**
 * A tree that is written into itself would grow without end, for each copy is read again; and one that is written around itself
 * would be overwritten, or deleted as surplus, while it is read.
 */
import { InvalidArgument, type ReadError } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import type { LiveReader } from "../live/model.ts"
import { zxidNow } from "../live/TreeFollower.ts"
import type { WriteError } from "./Writer.ts"

/** A subtree, as a client sees it. */
export interface Place<Client> {
  readonly zk: Client
  readonly path: string
}

/** The mistake of a target that overlaps the source, if both are of the same ensemble. */
export const overlapOf = (
  from: Place<Pick<LiveReader, "chroot">>,
  to: Place<Pick<LiveReader, "chroot">>,
  argument: string
): InvalidArgument | undefined => {
  const source = ZnodePath.toServer(from.zk.chroot, from.path)
  const target = ZnodePath.toServer(to.zk.chroot, to.path)
  const isInside = ZnodePath.isUnder(source, target)
  if (!isInside && !ZnodePath.isUnder(target, source)) return undefined
  const rule =
    source === target
      ? "must not be the tree that is read"
      : isInside
        ? `must be outside of the tree that is read, ${source}: the copy would be copied again, without end`
        : `must not have the tree that is read in it, ${source}: the copy would be written over it`
  return new InvalidArgument({ argument, value: target, rule })
}

/**
 * Whether two clients are of the same ensemble, by whichever names they know its servers. A check in a transaction takes the next
 * zxid of the target and changes nothing. If the source has not come so far before, and has afterwards, it is the same ensemble.
 * The numbers of another one may be there by chance, but not again and again.
 */
export const isSameEnsemble = <E>(
  from: Place<LiveReader>,
  to: Place<Service>,
  atTarget: <A>(effect: Effect.Effect<A, WriteError>) => Effect.Effect<A, E>
): Effect.Effect<boolean, E | ReadError> =>
  Effect.gen(function* () {
    if (from.zk.session === to.zk.session) return true
    for (let round = 0; round < ROUNDS; round++) {
      const before = yield* zxidNow(from.zk, from.path)
      yield* atTarget(takeZxid(to.zk))
      const taken = to.zk.session.lastZxid
      if (taken <= before || (yield* zxidNow(from.zk, from.path)) < taken) return false
    }
    return true
  })

// ---- internal

const ROUNDS = 3

/** It takes one also where the check fails. */
const takeZxid = (zk: Service): Effect.Effect<void, WriteError> =>
  Outcome.retryTransient(zk.transaction([Op.check("/")])).pipe(
    Effect.asVoid,
    Effect.catchTag("TransactionFailed", () => Effect.void)
  )
