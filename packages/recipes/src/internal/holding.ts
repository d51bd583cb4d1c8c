/**
 * Holding something by an ephemeral znode: to claim it, to be told of its loss, to guard an effect with it, to give it back.
 */
import { TransactionFailed } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { WatchedData } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LockLost, type RecipeError } from "../Errors.ts"
import type { Held } from "../Held.ts"
import { patiently } from "./patience.ts"
import { watched } from "./watching.ts"

/** Something held, seen from within. */
export interface Holding extends Held {
  readonly isLost: () => boolean
  /** Tells whoever listens that it is held no longer. Gives the loss; the first reason stands. */
  readonly giveUp: (reason: LockLost["reason"]) => LockLost
}

/** What a loss of the connection means: nothing until the session is in doubt, or the end. */
export type OnDisconnect = "continue" | "stop"

/**
 * Claims what an ephemeral znode stands for; undefined when the znode is gone or is another session's. The loss is watched
 * until the Scope closes.
 */
export const claim = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  onDisconnect: OnDisconnect,
  scope: Scope.Scope
): Effect.fn.Return<Holding | undefined, RecipeError> {
  while (true) {
    const attempt = yield* Scope.fork(scope)
    const own = yield* watched(patiently(zk.getAndWatch(path))).pipe(
      Effect.provideService(Scope.Scope, attempt),
      Effect.catchTag("NoNode", () => Effect.undefined)
    )
    if (own !== undefined) {
      const holding = makeHolding(zk, path, own.stat.czxid)
      const loss = watchLoss(zk, holding, own.stat.czxid, Fiber.join(own.changing), onDisconnect)
      // Ownership first, the session afterwards: one that is replaced in between is noticed by one of the two.
      yield* Effect.forkIn(loss, attempt, { startImmediately: true })
      if (own.stat.ephemeralOwner === zk.session.id && !holding.isLost()) return holding
      holding.giveUp("session")
    }
    yield* Scope.close(attempt, Exit.void)
    if (own?.stat.ephemeralOwner !== zk.session.id) return undefined
    // The answer came so late that it proves nothing: ask again.
  }
})

/** What is held, as far as a guard has to know it. */
export interface Guarding extends Pick<Held, "lost"> {
  readonly isLost?: (() => boolean) | undefined
}

/**
 * Runs an effect for as long as something is held: when it is lost the effect is interrupted, and `LockLost` is reported
 * once its finalizers have run. With what is lost already, nothing begins.
 */
export const guard = <A, E, R>(held: Guarding, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockLost, R> =>
  Effect.suspend(() => (held.isLost?.() === true ? held.lost : Effect.raceFirst(held.lost, effect)))

/** Gives it back, and only then stops to watch: the deletion uses up the watch. */
export const release = (zk: ZooKeeper.Service, holding: Holding): Effect.Effect<void> =>
  Effect.suspend(() => {
    holding.giveUp("released")
    return leave(zk, holding.path)
  })

/**
 * Deletes an ephemeral znode of ours, and goes on in the background, across reconnections, until it is gone or the session
 * has ended. Waits for it a second at most: nobody who is cut off is held up.
 */
export const leave = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  Effect.asVoid(Effect.timeoutOption(leaveForSure(zk, path), "1 second"))

/** `leave`, waited for until it is done. */
export const leaveForSure = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  zk.delete(path, { guaranteed: true }).pipe(
    Effect.catchTag(["NoNode", "SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`${path} could not be deleted: ${error.message}`))
  )

/** `leave` without waiting. */
export const leaveInBackground = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  // The delete itself lives with the session, and ends with it.
  Effect.asVoid(Effect.forkDetach(leave(zk, path), { startImmediately: true }))

/** A holding that nobody watches yet. `checks` are what has to hold at the server for a write of the holder. */
export const makeHolding = (
  zk: ZooKeeper.Service,
  path: string,
  fencingToken: bigint,
  checks: () => ReadonlyArray<Op.Check> = () => [Op.check(path)]
): Holding => {
  const lost = Deferred.makeUnsafe<never, LockLost>()
  let loss: LockLost | undefined
  const giveUp = (reason: LockLost["reason"]): LockLost => {
    if (loss === undefined) {
      loss = new LockLost({ path, reason })
      Deferred.doneUnsafe(lost, Effect.fail(loss))
    }
    return loss
  }
  return {
    path,
    fencingToken,
    lost: Deferred.await(lost),
    isLost: () => loss !== undefined,
    giveUp,
    // A server that refuses tells of the loss too, if nobody has before.
    transaction: (ops) => Effect.suspend(() => fenced(zk, checks(), ops, () => giveUp("deleted")))
  }
}

// ---- internal

const watchLoss = (
  zk: ZooKeeper.Service,
  holding: Holding,
  czxid: bigint,
  changed: WatchedData["changed"],
  onDisconnect: OnDisconnect
) => {
  const losses: Array<Effect.Effect<LockLost["reason"]>> = [
    Effect.catch(zk.session.ownership, () => Effect.succeed("session" as const)),
    watchOwn(zk, holding.path, czxid, changed)
  ]
  if (onDisconnect === "stop") losses.push(watchConnection(zk))
  return Effect.map(Effect.raceAllFirst(losses), (reason) => holding.giveUp(reason))
}

/**
 * Waits for the deletion of our znode; what else happens to it is none of our business. While the connection was lost it may
 * have been deleted and another have been made at its path, which is told as a change.
 */
const watchOwn = (
  zk: ZooKeeper.Service,
  path: string,
  czxid: bigint,
  changed: WatchedData["changed"]
): Effect.Effect<LockLost["reason"]> =>
  Effect.gen(function* () {
    let { type } = yield* changed
    while (type !== "NodeDeleted") {
      const again = Effect.scoped(
        Effect.flatMap(watched(patiently(zk.getAndWatch(path))), ({ changing, stat }) =>
          stat.czxid === czxid ? Fiber.join(changing) : Effect.undefined
        )
      )
      type = (yield* again)?.type ?? "NodeDeleted"
    }
    return "deleted" as const
  }).pipe(
    Effect.catchTag("NoNode", () => Effect.succeed("deleted" as const)),
    Effect.catchTag(["SessionExpired", "SessionClosed"], () => Effect.succeed("session" as const)),
    // Forbidden to look: the session's ownership is left to tell.
    Effect.catch(() => Effect.never)
  )

const watchConnection = (zk: ZooKeeper.Service): Effect.Effect<LockLost["reason"]> =>
  zk.session.states.pipe(
    Stream.takeUntil((state) => state._tag !== "Connected"),
    Stream.runDrain,
    Effect.as("disconnected" as const)
  )

const fenced = <const Ops extends ReadonlyArray<Op.Write>>(
  zk: ZooKeeper.Service,
  checks: ReadonlyArray<Op.Check>,
  ops: Ops,
  refused: () => LockLost
) =>
  zk.transaction([...checks, ...ops]).pipe(
    // The first results are those of the checks; the rest are by the order of `ops`.
    Effect.map((results) => results.slice(checks.length) as Op.WriteResults<Ops>),
    Effect.catchTag("TransactionFailed", ({ error, index, results }) =>
      Effect.fail(
        index < checks.length
          ? refused()
          : new TransactionFailed({ index: index - checks.length, error, results: results.slice(checks.length) })
      )
    )
  )
