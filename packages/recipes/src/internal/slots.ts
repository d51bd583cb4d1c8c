/**
 * The znodes of a lease: one persistent slot for each that may hold it, and below a slot that is taken one znode of its
 * holder's own. A slot is taken, renewed and given back by writes with the version that was read, together with that znode.
 */
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import { WallClock } from "@effect-zookeeper/client/WallClock"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { withJson } from "@effect-zookeeper/protocol/Json"
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type LockLost, LockTimeout } from "../Errors.ts"
import type { HeldLease, Holder, LeaseError } from "../Lease.ts"
import { type Guarding, type Holding, keepOpen, makeHolding, unlessClosing, releaseOf } from "./holding.ts"
import { awaitChange, ensure, withinFrom } from "./line.ts"
import { acrossSessions } from "./patience.ts"
import { awaitGone, decode, type Entry, formerHolders, holderPath, writeEntry } from "./slotWriting.ts"
import { inHand } from "./watching.ts"
import { isAboutZnodes } from "./witness.ts"

/** Where leases are taken, and for how long. */
export interface Place {
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
export const obtain = (place: Place): Effect.Effect<Option.Option<HeldLease>, LeaseError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const taking = yield* Effect.forkDetach(takeAny(place), { startImmediately: true, uninterruptible: true })
      const exit = yield* Effect.exit(restore(Fiber.await(taking)))
      if (Exit.isFailure(exit)) {
        // What it comes to is given back by somebody who has the time.
        const givenBack = place.zk.session.closing.giveBack(giveBackOf(place, Fiber.await(taking)))
        yield* Effect.forkDetach(givenBack, { startImmediately: true })
        return yield* Effect.failCause(exit.cause)
      }
      const taken = yield* exit.value
      return taken === undefined ? Option.none() : Option.some(yield* hold(place, taken, scope))
    })
  )

/** Waits for a slot; `timeout` in milliseconds, none if left out, and with 0 it tries once. */
export const obtainWithin = (
  place: Place,
  timeout: number | undefined
): Effect.Effect<HeldLease, LeaseError | LockTimeout, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const late = new LockTimeout({ path: place.path, timeout: timeout ?? 0 })
      const until = yield* withinFrom(timeout === 0 ? place.zk.session.timeout : timeout)
      const scope = yield* Effect.scope
      while (true) {
        const own = yield* Scope.fork(scope)
        const attempt = Effect.provideService(obtain(place), Scope.Scope, own)
        const exit = yield* Effect.exit(restore(until(attempt, late)))
        if (Exit.isSuccess(exit) && Option.isSome(exit.value)) return exit.value.value
        yield* Scope.close(own, Exit.void)
        if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
        if (timeout === 0) return yield* late
        yield* restore(until(awaitFree(place), late))
      }
    })
  )

/** A slot that is ours, as it was written last. */
interface Taken {
  readonly slot: string
  /** The znode below it that is this holder's alone. */
  readonly own: string
  readonly entry: Entry
  readonly clock: WallClock
  stat: Stat
  /** By the clock, from before the write was asked for. */
  since: number
  /** Taken by whoever writes: one after the other, each with the version that the one before has left. */
  readonly writing: Semaphore.Semaphore
}

const takeAny = Effect.fnUntraced(function* (place: Place): Effect.fn.Return<Taken | undefined, LeaseError> {
  const { acl, duration, identifier, zk } = place
  yield* unlessClosing(zk)
  const clock = yield* Effect.clockWith((clock) => Effect.succeed(new WallClock(clock)))
  for (const slot of yield* Random.shuffle(place.slots)) {
    const seen = yield* look(place, slot)
    if (seen.entry !== undefined && (yield* remainingOf(place, seen.entry, seen.stat)) > 0) continue
    const nonce = yield* Guid.make
    const entry: Entry = { version: 1, identifier, duration, nonce }
    const own = holderPath(slot, nonce)
    const former = yield* formerHolders(zk, slot, seen.stat)
    const since = clock.now()
    const stat = yield* writeEntry(zk, slot, entry, seen.stat.version, [
      ...former.map((path) => Op.delete(path)),
      Op.create(own, { acl })
    ])
    if (stat !== undefined) return { slot, own, entry, clock, stat, since, writing: Semaphore.makeUnsafe(1) }
  }
  return undefined
})

// -----------------------------------------------------------------------------
// holding
// -----------------------------------------------------------------------------

const hold = Effect.fnUntraced(function* (place: Place, taken: Taken, scope: Scope.Scope) {
  const { zk } = place
  yield* keepOpen(zk, "persistent", scope)
  const holding = makeHolding(zk, taken.slot, taken.stat.mzxid, {
    checks: () => [Op.check(taken.slot, taken.stat.version), Op.check(taken.own)]
  })
  /** Asks the clocks, too: after a standstill they know before anybody else does. */
  const isLost = () => {
    if (remainingTo(taken) <= 0) holding.giveUp("expired")
    return holding.isLost()
  }
  yield* Effect.forkIn(runOut(taken, isLost), scope, { startImmediately: true })
  // Time alone would tell too late: nothing can be renewed by then.
  const closed = Effect.map(zk.session.closing.begun, () => holding.giveUp("closed"))
  yield* Effect.forkIn(closed, scope, { startImmediately: true })
  yield* Effect.forkIn(noticeLoss(place, taken, holding), scope, { startImmediately: true })
  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => {
      holding.giveUp(releaseOf(zk))
      return zk.session.closing.giveBack(giveBack(place, taken))
    })
  )
  const held: HeldLease & Guarding = withJson({
    path: holding.path,
    fencingToken: holding.fencingToken,
    lost: holding.lost,
    isLost,
    transaction: (ops) =>
      Effect.suspend(() =>
        isLost()
          ? Effect.fail(holding.giveUp("expired"))
          : // A renewal on its way would look like another holder's write.
            taken.writing.withPermit(holding.transaction(ops))
      ),
    renew: renew(place, taken, holding, isLost),
    remaining: Effect.sync(() => Math.max(0, remainingTo(taken)))
  })
  return held
})

/** How often the clocks are compared, in milliseconds: what wakes from a sleep runs no longer than that without its lease. */
const tick = 250

/** Tells of the end; whoever renews moves it. */
const runOut = (taken: Taken, isLost: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    isLost()
      ? Effect.void
      : Effect.andThen(
          Effect.sleep(Math.min(remainingTo(taken), tick, Math.max(20, taken.entry.duration / 100))),
          runOut(taken, isLost)
        )
  )

/** Tells that others may have it, because somebody has deleted it or has taken it by another clock. */
const noticeLoss = ({ zk }: Place, taken: Taken, holding: Holding): Effect.Effect<void> =>
  awaitGone(zk, taken.own).pipe(
    Effect.andThen(Effect.sync(() => holding.giveUp("deleted"))),
    // Without a session, or the right to look, time is left to tell.
    Effect.ignore
  )

/**
 * Milliseconds until it is over: a tenth of the duration earlier than others may have it, which is time to stop what is
 * guarded, and for clocks that run at different rates.
 */
const remainingTo = ({ clock, entry, since }: Taken): number => since + entry.duration * 0.9 - clock.now()

/**
 * Whoever stops to wait for it does not stop it: a write whose fate is not known would be taken for the next one, which then
 * seems to have begun the duration later than it did.
 */
const renew = (
  place: Place,
  taken: Taken,
  holding: Holding,
  isLost: () => boolean
): Effect.Effect<void, LockLost | LeaseError> =>
  Effect.uninterruptibleMask((restore) =>
    inHand(restore, taken.writing.withPermit(renewAlone(place, taken, holding, isLost)), () => Effect.void)
  )

const renewAlone = Effect.fnUntraced(function* (
  { zk }: Place,
  taken: Taken,
  holding: Holding,
  isLost: () => boolean
): Effect.fn.Return<void, LockLost | LeaseError> {
  if (!isLost()) {
    const entry = { ...taken.entry, nonce: yield* Guid.make }
    // Tried anew after a lost reply: counted from before the first try.
    const since = taken.clock.now()
    const stat = yield* writeEntry(zk, taken.slot, entry, taken.stat.version, [Op.check(taken.own)])
    if (stat === undefined) holding.giveUp("deleted")
    else {
      taken.stat = stat
      taken.since = since
    }
  }
  // It may have run out, or have been given back, while the write was on its way.
  if (isLost()) return yield* holding.giveUp("expired")
})

/** With a session that has ended for good, time does it. */
const giveBack = ({ zk }: Place, taken: Taken): Effect.Effect<void> =>
  Effect.suspend(() =>
    // Repeated after a lost reply it changes nothing: the holder's own znode has gone then.
    acrossSessions(
      zk,
      zk.transaction([Op.setData(taken.slot, "", { version: taken.stat.version }), Op.delete(taken.own)])
    )
  ).pipe(
    taken.writing.withPermit,
    Effect.catchTag("TransactionFailed", ({ error }) => (isAboutZnodes(error) ? Effect.void : Effect.fail(error))),
    Effect.catchTag(["SessionClosed", "SessionExpired"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`the lease ${taken.slot} could not be given back: ${error.message}`)),
    Effect.asVoid
  )

const giveBackOf = (place: Place, taking: Effect.Effect<Exit.Exit<Taken | undefined, LeaseError>>) =>
  Effect.flatMap(taking, (exit) =>
    Exit.isSuccess(exit) && exit.value !== undefined ? giveBack(place, exit.value) : Effect.void
  )

// -----------------------------------------------------------------------------
// looking
// -----------------------------------------------------------------------------

/** Who holds a slot now. */
export const holders = Effect.fnUntraced(function* (place: Place): Effect.fn.Return<ReadonlyArray<Holder>, LeaseError> {
  const all: Array<Holder> = []
  for (const path of place.slots) {
    const { entry, stat } = yield* look(place, path)
    if (entry === undefined) continue
    const remaining = yield* remainingOf(place, entry, stat)
    if (remaining > 0) all.push({ path, identifier: entry.identifier, remaining })
  }
  return all
})

/** What is known of a slot. */
interface Seen {
  /** Who is in it; undefined for nobody. */
  readonly entry: Entry | undefined
  readonly stat: Stat
}

/** A slot and who is in it; created free if there is none. */
const look = (place: Place, slot: string): Effect.Effect<Seen, LeaseError> => {
  const { zk } = place
  return acrossSessions(zk, zk.get(slot)).pipe(
    Effect.flatMap(({ data, stat }) => Effect.map(decode(slot, data), (entry) => ({ entry, stat }))),
    Effect.catchTag("NoNode", () => Effect.andThen(createSlot(place, slot), look(place, slot)))
  )
}

const createSlot = ({ acl, path, zk }: Place, slot: string) =>
  acrossSessions(zk, zk.create(slot, { acl })).pipe(
    Effect.asVoid,
    Effect.catchTag("NoNode", () => ensure(zk, path, acl)),
    Effect.catchTag("NodeExists", () => Effect.void)
  )

/** Milliseconds until others may have it, by the time of the servers. */
const remainingOf = (place: Place, entry: Entry, stat: Stat): Effect.Effect<number, LeaseError> =>
  Effect.map(serverTime(place), (now) => stat.mtime + entry.duration - now)

/** The time of a transaction of this moment. */
const serverTime = (place: Place): Effect.Effect<number, LeaseError> => {
  const { acl, clock, zk } = place
  return acrossSessions(zk, zk.createOrSet(clock, "", { acl, parentAcl: acl })).pipe(
    Effect.map(({ mtime }) => mtime),
    // Others create and delete it all the time: by the next look.
    Effect.catchTag(["NodeExists", "NoNode"], () => Effect.suspend(() => serverTime(place)))
  )
}

/** Waits until a slot changes, or the first of them runs out. */
const awaitFree = Effect.fnUntraced(function* (place: Place): Effect.fn.Return<void, LeaseError> {
  const held = yield* holders(place)
  if (held.length < place.slots.length) return
  const first = Math.min(...held.map(({ remaining }) => remaining))
  yield* Effect.raceAllFirst([
    Effect.sleep(first + 1),
    ...place.slots.map((slot) => acrossSessions(place.zk, awaitChange(place.zk, slot)))
  ])
})
