/** The shards that one runner owns. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { OwnershipUncertain } from "../Errors.ts"
import type { Layout } from "./layout.ts"
import { createLocks, deleteLocks, type LockError } from "./lockZnodes.ts"
import type { Epoch, SessionOwnership } from "./SessionOwnership.ts"

type Done = Deferred.Deferred<void, LockError>

/** The errors of the methods of `ShardLocks`. */
export type ShardError = LockError | OwnershipUncertain | InvalidArgument | SessionError

/**
 * The shards of one runner, by their names.
 *
 * Creates and deletes run on whatever becomes of their callers, until their fate is known or the session is over: a lock that
 * was created for a caller who went away is given back. `claimed` are those that a caller has been told of and has not
 * released. A lock belongs to the epoch in which it was acquired. When that is over, the lock is lost, and counts as such
 * until it is released.
 */
export class ShardLocks {
  private readonly zk: ZooKeeper.Service
  private readonly layout: Layout
  private readonly address: string
  private readonly ownership: SessionOwnership
  private readonly held = new Map<string, Epoch>()
  private readonly claimed = new Set<string>()
  /** How many callers wait for a shard. */
  private readonly wanted = new Map<string, number>()
  private readonly creating = new Map<string, Done>()
  private readonly deleting = new Map<string, Done>()
  /** Shards that others had when this session looked. */
  private foreign: { readonly epoch: Epoch; readonly shards: Set<string> } | undefined
  /** When an end of an epoch was noticed, in monotonic milliseconds. */
  private readonly noticed = new WeakMap<Epoch, number>()
  /** Lets a close of the session go on, which waits while locks are held. */
  private allowClose: Effect.Effect<void> | undefined

  constructor(options: {
    readonly zk: ZooKeeper.Service
    readonly layout: Layout
    readonly address: string
    readonly ownership: SessionOwnership
  }) {
    this.zk = options.zk
    this.layout = options.layout
    this.address = options.address
    this.ownership = options.ownership
  }

  /** Acquires those that are free, and gives all of these that are owned now, provably until the next refresh. */
  acquire(shardIds: ReadonlyArray<string>): Effect.Effect<Array<string>, ShardError> {
    return Effect.acquireUseRelease(
      Effect.sync(() => this.want(shardIds)),
      () => this.acquireWanted(shardIds),
      (_, exit) => {
        this.dropWant(shardIds)
        if (Exit.isSuccess(exit)) for (const id of exit.value) this.claimed.add(id)
        return this.dropUnclaimed(shardIds)
      }
    )
  }

  /** Those that are owned, provably until the next refresh. Fails if any of them was lost with its session. */
  refresh(shardIds: ReadonlyArray<string>): Effect.Effect<Array<string>, ShardError> {
    return Effect.gen({ self: this }, function* () {
      const lost = this.freshlyLost
      if (lost !== undefined) return yield* this.ownership.uncertain(lost)
      const epochs = new Set(shardIds.flatMap((id) => this.held.get(id) ?? []))
      // Without any it tells whether the ensemble can be relied on.
      if (epochs.size === 0) epochs.add(yield* this.ownership.begin)
      for (const epoch of epochs) yield* this.ownership.awaitProof(epoch)
      return this.owned(shardIds)
    })
  }

  /** Gives one back. One of a former session is forgotten: it ends with that. */
  release(shardId: string): Effect.Effect<void, LockError> {
    return this.giveBack([shardId])
  }

  get releaseAll(): Effect.Effect<void, LockError> {
    return Effect.suspend(() => this.giveBack([...this.held.keys(), ...this.creating.keys(), ...this.deleting.keys()]))
  }

  // ---- internal

  private acquireWanted(shardIds: ReadonlyArray<string>): Effect.Effect<Array<string>, ShardError> {
    return Effect.gen({ self: this }, function* () {
      const epoch = yield* this.ownership.begin
      const collected = yield* Effect.timeoutOption(this.collect(shardIds, epoch), this.ownership.interval * 0.75)
      // With nothing yet it waits on, up to the bound of the call.
      const isEmpty = Option.isNone(collected) && this.owned(shardIds).length === 0
      const failed = isEmpty ? yield* this.collect(shardIds, epoch) : Option.getOrUndefined(collected)
      const owned = this.owned(shardIds)
      // A part of the shards is of use. The next call meets the error again.
      if (owned.length === 0 && failed !== undefined) return yield* Effect.failCause(failed.cause)
      for (const each of new Set(owned.flatMap((id) => this.held.get(id) ?? []))) yield* this.ownership.awaitProof(each)
      return this.owned(shardIds)
    }).pipe(
      Effect.catch((error) =>
        Effect.flatMap(Outcome.isReplacedExpiry(this.zk.session, error), (isReplaced) =>
          isReplaced ? this.acquireWanted(shardIds) : Effect.fail(error)
        )
      )
    )
  }

  /** Acquires what it can. Gives the failure that ended it, if any. */
  private collect(
    shardIds: ReadonlyArray<string>,
    epoch: Epoch
  ): Effect.Effect<Exit.Failure<void, LockError> | undefined> {
    return Effect.gen({ self: this }, function* () {
      let failed = yield* this.attempt(shardIds, epoch)
      // A runner that shuts down gives back one shard after the other, and Sharding asks again after a second only.
      const patience = Math.min(300, this.ownership.interval / 4)
      for (let waited = 0; waited < patience && failed === undefined; waited += 50) {
        if (this.owned(shardIds).length === shardIds.length) break
        yield* Effect.sleep(50)
        failed = yield* this.attempt(shardIds, epoch)
      }
      return failed
    })
  }

  /** Creates the locks that are missing and free, and waits for those that are being created. Gives the failure, if any. */
  private attempt(
    shardIds: ReadonlyArray<string>,
    epoch: Epoch
  ): Effect.Effect<Exit.Failure<void, LockError> | undefined> {
    return Effect.gen({ self: this }, function* () {
      const isOwned = new Set(this.owned(shardIds))
      const missing = shardIds.filter((id) => !isOwned.has(id) && !this.creating.has(id) && !this.deleting.has(id))
      if (missing.length > 0) yield* this.startCreating(missing, epoch)
      const underWay = new Set(shardIds.flatMap((id) => this.creating.get(id) ?? []))
      const exits = yield* Effect.forEach(underWay, (done) => Effect.exit(Deferred.await(done)))
      return exits.find(Exit.isFailure)
    })
  }

  /**
   * An epoch that is over, with locks that a caller was told of and may not ask for: Sharding does not refresh a shard before
   * its messages are reset. Such a refresh fails for half an interval, so that Sharding notices, and then no more, so that
   * it can go on.
   */
  private get freshlyLost(): Epoch | undefined {
    const now = this.ownership.now
    for (const epoch of new Set(Array.from(this.claimed).flatMap((id) => this.held.get(id) ?? []))) {
      if (!epoch.isOver()) continue
      const since = this.noticed.get(epoch) ?? now
      this.noticed.set(epoch, since)
      if (now - since < this.ownership.interval / 2) return epoch
    }
    return undefined
  }

  private owned(shardIds: ReadonlyArray<string>): Array<string> {
    const isOver = new Map<Epoch, boolean>()
    return shardIds.filter((id) => {
      const epoch = this.held.get(id)
      if (epoch === undefined || this.deleting.has(id)) return false
      if (!isOver.has(epoch)) isOver.set(epoch, epoch.isOver())
      return isOver.get(epoch) === false
    })
  }

  private want(shardIds: ReadonlyArray<string>): void {
    for (const id of shardIds) this.wanted.set(id, (this.wanted.get(id) ?? 0) + 1)
  }

  private dropWant(shardIds: ReadonlyArray<string>): void {
    for (const id of shardIds) {
      const count = this.wanted.get(id) ?? 0
      if (count > 1) this.wanted.set(id, count - 1)
      else this.wanted.delete(id)
    }
  }

  private startCreating(shardIds: ReadonlyArray<string>, epoch: Epoch): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.allowClose ??= yield* this.zk.session.closing.hold("ephemeral")
      if (this.foreign?.epoch !== epoch) this.foreign = { epoch, shards: new Set() }
      const owner = { zk: this.zk, layout: this.layout, address: this.address, sessionId: epoch.sessionId }
      const create = createLocks(owner, shardIds, this.foreign.shards, (id) => this.held.set(id, epoch)).pipe(
        // One whose reply was lost for good may be there all the same, if only in the session that follows.
        Effect.tapError(() =>
          Effect.ignore(
            deleteLocks(
              { ...owner, sessionId: this.zk.session.id },
              shardIds.filter((id) => !this.held.has(id))
            )
          )
        )
      )
      yield* this.start(
        this.creating,
        shardIds,
        create,
        Effect.suspend(() => this.dropUnclaimed(shardIds))
      )
    }).pipe(Effect.uninterruptible)
  }

  private startDeleting(shardIds: ReadonlyArray<string>, sessionId: bigint): Effect.Effect<void> {
    const owner = { zk: this.zk, layout: this.layout, address: this.address, sessionId }
    const remove = Effect.tap(deleteLocks(owner, shardIds), () => {
      for (const id of shardIds) this.held.delete(id)
      return Effect.void
    })
    return this.start(
      this.deleting,
      shardIds,
      remove,
      Effect.suspend(() => this.allowCloseIfFree)
    )
  }

  /** Begins something that goes on to its own end or the session's, whatever becomes of the caller. */
  private start(
    jobs: Map<string, Done>,
    shardIds: ReadonlyArray<string>,
    effect: Effect.Effect<void, LockError>,
    afterwards: Effect.Effect<void>
  ): Effect.Effect<void> {
    return Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void, LockError>()
      for (const id of shardIds) jobs.set(id, done)
      const job = Effect.onExit(effect, (exit) => {
        for (const id of shardIds) jobs.delete(id)
        Deferred.doneUnsafe(done, exit)
        return afterwards
      })
      return Effect.asVoid(Effect.forkDetach(Effect.ignoreCause(job), { startImmediately: true }))
    }).pipe(Effect.uninterruptible)
  }

  /** Gives back locks that no caller was told of, or waits for. */
  private dropUnclaimed(shardIds: ReadonlyArray<string>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const unclaimed = shardIds.filter(
        (id) => this.held.has(id) && !this.claimed.has(id) && !this.wanted.has(id) && !this.creating.has(id)
      )
      return Effect.andThen(
        this.startGivingBack(unclaimed),
        Effect.suspend(() => this.allowCloseIfFree)
      )
    })
  }

  /** Forgets the locks of former sessions, and begins to delete the others. */
  private startGivingBack(shardIds: ReadonlyArray<string>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const sessionId = this.zk.session.id
      const ours: Array<string> = []
      for (const id of shardIds) {
        const epoch = this.held.get(id)
        if (epoch === undefined || this.deleting.has(id)) continue
        if (epoch.sessionId === sessionId) ours.push(id)
        else this.held.delete(id)
      }
      return ours.length === 0 ? this.allowCloseIfFree : this.startDeleting(ours, sessionId)
    })
  }

  private giveBack(given: ReadonlyArray<string>): Effect.Effect<void, LockError> {
    return Effect.gen({ self: this }, function* () {
      const shardIds = Arr.dedupe(given)
      for (const id of shardIds) this.claimed.delete(id)
      const creating = new Set(shardIds.flatMap((id) => this.creating.get(id) ?? []))
      yield* Effect.forEach(creating, (done) => Effect.ignore(Deferred.await(done)))
      yield* this.startGivingBack(shardIds)
      const deleting = new Set(shardIds.flatMap((id) => this.deleting.get(id) ?? []))
      yield* Effect.forEach(deleting, (done) => Deferred.await(done), { discard: true })
    })
  }

  private get allowCloseIfFree(): Effect.Effect<void> {
    if (this.allowClose === undefined || this.held.size > 0 || this.creating.size > 0) return Effect.void
    const allow = this.allowClose
    this.allowClose = undefined
    return allow
  }
}
