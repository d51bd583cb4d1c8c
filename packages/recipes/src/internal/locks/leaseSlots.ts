/**
 * The znodes of a lease: one persistent slot for each possible holder, and one znode of the holder's own below each slot
 * that is taken. A slot is taken, renewed and given back by writes at the version that was read, together with that znode.
 */
import { acquireForked, awaitDetached } from "@effect-zookeeper/client/Detached"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import { WallClock } from "@effect-zookeeper/client/WallClock"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { withJson } from "@effect-zookeeper/client/Json"
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type DataInvalid, type LockLost, LockTimeout, type RecipeError } from "../../Errors.ts"
import type { Held } from "../../Held.ts"
import { makeBackoff, untilDefined } from "../shared/backoff.ts"
import { makeDeadline } from "../shared/clock.ts"
import { awaitChange, ensureParents, isStateConflict } from "../shared/requests.ts"
import { retryAcrossSessions } from "../shared/retry.ts"
import { delayClose, failIfClosing } from "../shared/sessionClose.ts"
import type { LeaseEntry } from "./leaseEntry.ts"
import { awaitGone, decodeEntry, formerHolders, holderPath, writeEntry } from "./leaseSlotWrites.ts"
import { type LossSignal, type Ownership, makeOwnership, releaseReason } from "./ownership.ts"

/**
 * A lease that is held. Besides the members of `Held` it can be renewed.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeldLease extends Held {
  /** Begins the duration anew. Fails with `LockLost` if the lease is over, or another client has taken it. */
  readonly renew: Effect.Effect<void, LockLost | LeaseError>
  /** Milliseconds until it is lost, unless it is renewed. */
  readonly remaining: Effect.Effect<number>
}

/**
 * A current holder of a lease.
 *
 * @category models
 * @since 0.1.0
 */
export interface Holder {
  readonly path: string
  /** Its option `identifier`. */
  readonly identifier: string
  /** Milliseconds until others may have it, by the time of the servers. */
  readonly remaining: number
}

/**
 * Errors of everything that reads or writes leases.
 *
 * @category errors
 * @since 0.1.0
 */
export type LeaseError = DataInvalid | RecipeError

/** Where leases are taken, and for how long. */
export interface LeaseSlots {
  readonly zk: ZooKeeper.Service
  readonly path: string
  /** Written to learn the time of the servers. */
  readonly clock: string
  readonly slots: ReadonlyArray<string>
  /** Milliseconds. */
  readonly duration: number
  readonly identifier: string
  readonly acl: ReadonlyArray<Acl.Acl> | undefined
}

// -----------------------------------------------------------------------------
// obtaining
// -----------------------------------------------------------------------------

/** Takes a slot if one is free, until the Scope closes. */
export const obtain = (leaseSlots: LeaseSlots): Effect.Effect<Option.Option<HeldLease>, LeaseError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const taking = yield* Effect.forkDetach(takeFreeSlot(leaseSlots), {
        startImmediately: true,
        uninterruptible: true
      })
      const exit = yield* Effect.exit(restore(Fiber.await(taking)))
      if (Exit.isFailure(exit)) {
        // A slot that is taken after all is given back in the background.
        const givenBack = leaseSlots.zk.session.closing.giveBack(giveBackOnceTaken(leaseSlots, Fiber.await(taking)))
        yield* Effect.forkDetach(givenBack, { startImmediately: true })
        return yield* Effect.failCause(exit.cause)
      }
      const taken = yield* exit.value
      return taken === undefined ? Option.none() : Option.some(yield* makeHeldLease(leaseSlots, taken, scope))
    })
  )

/** Waits for a slot. `timeout` is in milliseconds; undefined waits forever, and 0 tries once. */
export const obtainWithin = (
  leaseSlots: LeaseSlots,
  timeout: number | undefined
): Effect.Effect<HeldLease, LeaseError | LockTimeout, Scope.Scope> =>
  Effect.gen(function* () {
    const timeoutError = () => new LockTimeout({ path: leaseSlots.path, timeout: timeout ?? 0 })
    const withDeadline = yield* makeDeadline(timeout === 0 ? leaseSlots.zk.session.timeout : timeout)
    const backoff = yield* makeBackoff
    while (true) {
      const lease = yield* acquireForked(
        (restore, own) =>
          restore(withDeadline(Effect.provideService(obtain(leaseSlots), Scope.Scope, own), timeoutError)),
        Option.isSome
      )
      if (Option.isSome(lease)) return lease.value
      if (timeout === 0) return yield* timeoutError()
      const hasWaited = yield* withDeadline(awaitFree(leaseSlots), timeoutError)
      // A slot is free and could not be taken: another was faster, or something below it is in the way of every client.
      if (!hasWaited) yield* withDeadline(backoff, timeoutError)
    }
  })

/** A slot that we hold, as it was written last. */
interface TakenSlot {
  readonly slot: string
  /** The holder's own znode below the slot. */
  readonly ownPath: string
  readonly entry: LeaseEntry
  readonly clock: WallClock
  stat: Stat
  /** By the clock, from before the write was sent. */
  since: number
  /** Writes run one after the other, each with the version that the one before has left. */
  readonly writing: Semaphore.Semaphore
}

const takeFreeSlot = Effect.fnUntraced(function* (
  leaseSlots: LeaseSlots
): Effect.fn.Return<TakenSlot | undefined, LeaseError> {
  const { acl, duration, identifier, zk } = leaseSlots
  yield* failIfClosing(zk)
  const clock = yield* Effect.clockWith((clock) => Effect.succeed(new WallClock(clock)))
  for (const slot of yield* Random.shuffle(leaseSlots.slots)) {
    const seen = yield* readSlot(leaseSlots, slot)
    if (seen.entry !== undefined && (yield* remainingForOthers(leaseSlots, seen.entry, seen.stat)) > 0) continue
    const nonce = yield* Guid.make
    const entry: LeaseEntry = { version: 1, identifier, duration, nonce }
    const ownPath = holderPath(slot, nonce)
    const former = yield* formerHolders(zk, slot, seen.stat)
    const since = clock.now()
    const stat = yield* writeEntry(zk, slot, entry, seen.stat.version, [
      ...former.map((path) => Op.delete(path)),
      Op.create(ownPath, { acl })
    ])
    if (stat !== undefined) return { slot, ownPath, entry, clock, stat, since, writing: Semaphore.makeUnsafe(1) }
  }
  return undefined
})

// -----------------------------------------------------------------------------
// holding
// -----------------------------------------------------------------------------

const makeHeldLease = Effect.fnUntraced(function* (leaseSlots: LeaseSlots, taken: TakenSlot, scope: Scope.Scope) {
  const { zk } = leaseSlots
  yield* delayClose(zk, "persistent", scope)
  const ownership = makeOwnership(zk, taken.slot, taken.stat.mzxid, {
    checks: () => [Op.check(taken.slot, taken.stat.version), Op.check(taken.ownPath)]
  })
  /** Reads the clocks, too: after a standstill they know of the end before anything else does. */
  const isLost = () => {
    if (remainingOwnership(taken) <= 0) ownership.markLost("expired")
    return ownership.isLost()
  }
  yield* Effect.forkIn(watchExpiry(taken, isLost), scope, { startImmediately: true })
  // Waiting for the end of the lease would be too late: it cannot be renewed by then.
  const closed = Effect.map(zk.session.closing.begun, () => ownership.markLost("closed"))
  yield* Effect.forkIn(closed, scope, { startImmediately: true })
  yield* Effect.forkIn(watchLoss(leaseSlots, taken, ownership), scope, { startImmediately: true })
  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => {
      ownership.markLost(releaseReason(zk))
      return zk.session.closing.giveBack(giveBack(leaseSlots, taken))
    })
  )
  const held: HeldLease & LossSignal = withJson({
    path: ownership.path,
    fencingToken: ownership.fencingToken,
    lost: ownership.lost,
    revocation: Effect.never,
    isLost,
    transaction: (ops) =>
      Effect.suspend(() =>
        isLost()
          ? ownership.failLost("expired")
          : // A renewal on its way would look like another holder's write.
            taken.writing.withPermit(ownership.transaction(ops))
      ),
    renew: renew(leaseSlots, taken, ownership, isLost),
    remaining: Effect.sync(() => Math.max(0, remainingOwnership(taken)))
  })
  return held
})

/**
 * How often the clocks are compared, in milliseconds: a process that wakes from a sleep runs no longer than that without
 * its lease.
 */
const CLOCK_CHECK_INTERVAL = 250

/** Reports the end of the lease, which each renewal moves. */
const watchExpiry = (taken: TakenSlot, isLost: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    isLost()
      ? Effect.void
      : Effect.andThen(
          Effect.sleep(
            Math.min(remainingOwnership(taken), CLOCK_CHECK_INTERVAL, Math.max(20, taken.entry.duration / 100))
          ),
          watchExpiry(taken, isLost)
        )
  )

/** Reports that others may have it, because it was deleted or taken by another clock. */
const watchLoss = ({ zk }: LeaseSlots, taken: TakenSlot, ownership: Ownership): Effect.Effect<void> =>
  awaitGone(zk, taken.ownPath).pipe(
    Effect.andThen(Effect.sync(() => ownership.markLost("deleted"))),
    // Without a session, or the right to read, the lease ends by its time.
    Effect.ignore
  )

/**
 * Milliseconds until it is over: a tenth of the duration before other clients may have it. That leaves time to stop
 * guarded effects, and for clocks that run at different rates.
 */
const remainingOwnership = ({ clock, entry, since }: TakenSlot): number => since + entry.duration * 0.9 - clock.now()

/**
 * Interrupting the wait does not stop the write: a write with an unknown fate would be taken for the next one, and the
 * lease would seem to begin later than it did.
 */
const renew = (
  leaseSlots: LeaseSlots,
  taken: TakenSlot,
  ownership: Ownership,
  isLost: () => boolean
): Effect.Effect<void, LockLost | LeaseError> =>
  Effect.uninterruptibleMask((restore) =>
    awaitDetached(restore, taken.writing.withPermit(renewOnce(leaseSlots, taken, ownership, isLost)), () => Effect.void)
  )

const renewOnce = Effect.fnUntraced(function* (
  { zk }: LeaseSlots,
  taken: TakenSlot,
  ownership: Ownership,
  isLost: () => boolean
): Effect.fn.Return<void, LockLost | LeaseError> {
  if (!isLost()) {
    const entry = { ...taken.entry, nonce: yield* Guid.make }
    // Counts from before the first attempt, also when a lost reply makes it try again.
    const since = taken.clock.now()
    const stat = yield* writeEntry(zk, taken.slot, entry, taken.stat.version, [Op.check(taken.ownPath)])
    if (stat === undefined) ownership.markLost("deleted")
    else {
      taken.stat = stat
      taken.since = since
    }
  }
  // It may have run out, or have been given back, while the write was on its way.
  if (isLost()) return yield* ownership.failLost("expired")
})

/** Gives the slot back. After the session has ended for good, the lease ends by its time. */
const giveBack = ({ zk }: LeaseSlots, taken: TakenSlot): Effect.Effect<void> =>
  Effect.suspend(() =>
    // Repeating it after a lost reply changes nothing: the holder's own znode is gone by then.
    retryAcrossSessions(
      zk,
      zk.transaction([Op.setData(taken.slot, "", { version: taken.stat.version }), Op.delete(taken.ownPath)])
    )
  ).pipe(
    taken.writing.withPermit,
    Effect.catchTag("TransactionFailed", ({ error }) => (isStateConflict(error) ? Effect.void : Effect.fail(error))),
    Effect.catchTag(["SessionClosed", "SessionExpired"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`the lease ${taken.slot} could not be given back: ${error.message}`)),
    Effect.asVoid
  )

const giveBackOnceTaken = (
  leaseSlots: LeaseSlots,
  taking: Effect.Effect<Exit.Exit<TakenSlot | undefined, LeaseError>>
) =>
  Effect.flatMap(taking, (exit) =>
    Exit.isSuccess(exit) && exit.value !== undefined ? giveBack(leaseSlots, exit.value) : Effect.void
  )

// -----------------------------------------------------------------------------
// looking
// -----------------------------------------------------------------------------

/** The current holders. */
export const holders = Effect.fnUntraced(function* (
  leaseSlots: LeaseSlots
): Effect.fn.Return<ReadonlyArray<Holder>, LeaseError> {
  const all: Array<Holder> = []
  for (const path of leaseSlots.slots) {
    const { entry, stat } = yield* readSlot(leaseSlots, path)
    if (entry === undefined) continue
    const remaining = yield* remainingForOthers(leaseSlots, entry, stat)
    if (remaining > 0) all.push({ path, identifier: entry.identifier, remaining })
  }
  return all
})

/** A slot as it was read. */
interface SlotState {
  /** The holder; undefined for none. */
  readonly entry: LeaseEntry | undefined
  readonly stat: Stat
}

/** Reads a slot, and creates it, free, where there is none. */
const readSlot = (leaseSlots: LeaseSlots, slot: string): Effect.Effect<SlotState, LeaseError> => {
  const { zk } = leaseSlots
  return untilDefined(
    retryAcrossSessions(zk, zk.get(slot)).pipe(
      Effect.flatMap(({ data, stat }) => Effect.map(decodeEntry(slot, data), (entry): SlotState => ({ entry, stat }))),
      Effect.catchTag("NoNode", () => Effect.as(createSlot(leaseSlots, slot), undefined))
    )
  )
}

const createSlot = ({ acl, path, zk }: LeaseSlots, slot: string): Effect.Effect<void, RecipeError> => {
  const create = retryAcrossSessions(zk, zk.create(slot, { acl }))
  return create.pipe(
    Effect.catchTag("NoNode", () => Effect.andThen(ensureParents(zk, path, acl), create)),
    // If a parent is reaped meanwhile, the next round creates it.
    Effect.catchTag(["NodeExists", "NoNode"], () => Effect.void),
    Effect.asVoid
  )
}

/** Milliseconds until other clients may have it, by the time of the servers. */
const remainingForOthers = (leaseSlots: LeaseSlots, entry: LeaseEntry, stat: Stat): Effect.Effect<number, LeaseError> =>
  Effect.map(serverTime(leaseSlots), (now) => stat.mtime + entry.duration - now)

/** The current time of the servers, by a transaction. */
const serverTime = (leaseSlots: LeaseSlots): Effect.Effect<number, LeaseError> => {
  const { acl, clock, zk } = leaseSlots
  return untilDefined(
    retryAcrossSessions(zk, zk.createOrSet(clock, "", { acl, parentAcl: acl })).pipe(
      Effect.map(({ mtime }) => mtime),
      // Other clients create and delete it all the time: tried again.
      Effect.catchTag(["NodeExists", "NoNode"], () => Effect.undefined)
    )
  )
}

/** Waits until a slot changes, or the first of them runs out; false if one is free already. */
const awaitFree = Effect.fnUntraced(function* (leaseSlots: LeaseSlots): Effect.fn.Return<boolean, LeaseError> {
  const held = yield* holders(leaseSlots)
  if (held.length < leaseSlots.slots.length) return false
  const shortest = Math.min(...held.map(({ remaining }) => remaining))
  yield* Effect.raceAllFirst([
    Effect.sleep(shortest + 1),
    ...leaseSlots.slots.map((slot) => retryAcrossSessions(leaseSlots.zk, awaitChange(leaseSlots.zk, slot)))
  ])
  return true
})
