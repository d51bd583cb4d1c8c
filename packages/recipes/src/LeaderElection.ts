/**
 * One leader at a time among those who stand for it, in the order of arrival.
 *
 * ```ts
 * const election = yield* LeaderElection.make("/scheduler/leader", { identifier: "scheduler-3" })
 * yield* election.whileLeader((held) => schedule(held.fencingToken))
 * ```
 *
 * **Guarantees**
 *
 * - What runs under `whileLeader` is interrupted before another can lead: leadership ends a margin before the servers could
 *   give the session up, told by a clock of our own. Its candidate stands again, behind those who wait.
 * - `held.fencingToken` is the epoch: larger with each leader. `held.transaction` of a former leader is refused.
 * - A candidate that goes away while it waits makes nobody leader who is not first.
 *
 * As with a lock, a process that is itself stopped for longer than its session cannot stop in time: there the token holds.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LockLost, type LockTimeout, type RecipeError } from "./Errors.ts"
import type { Held } from "./Held.ts"
import { toBytes } from "./internal/shared/dataCodec.ts"
import { checkPath } from "./internal/shared/validate.ts"
import type { Ownership, OnDisconnect } from "./internal/locks/ownership.ts"
import { parseContenders, type ContenderKind, latchKind, lockKind } from "./internal/locks/nodeNames.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { retryAcrossSessions, retryStream, endWhenClosed } from "./internal/shared/retry.ts"
import { type Guarded, toEffect, guardScoped } from "./internal/locks/guard.ts"
import type { AcquireOptions, Layout as LockLayout } from "./Lock.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How candidates are named.
 *
 * - `latch`: `_c_<uuid>-latch-0000000007`, of Curator's LeaderLatch; the default. `identifier` is the latch's id.
 * - `selector`: `_c_<uuid>-lock-0000000007`, of Curator's LeaderSelector.
 * - `kazoo`: `<32 hex>__lock__0000000007`, of kazoo's Election.
 * - `aiozk`: `candidate-<32 hex>-0000000007`, of aiozk.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "latch" | "selector" | "kazoo" | "aiozk"

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Default `latch`. */
  readonly layout?: Layout | undefined
  /** Who stands, for others to see. Default: nothing. */
  readonly identifier?: Data | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /**
   * What a lost connection means for the leader. `continue`, the default: nothing until the session is in doubt. `stop`: it
   * leads no longer, at once.
   */
  readonly onDisconnect?: OnDisconnect | undefined
}

/**
 * One who leads or stands for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Participant {
  readonly path: string
  /** What it wrote as `identifier`. */
  readonly identifier: Uint8Array
}

/**
 * @category models
 * @since 0.1.0
 */
export interface LeaderElection {
  readonly path: string
  /**
   * Stands, runs the effect while leading, and resigns. When leadership is lost the effect is interrupted, and once its
   * finalizers have run the candidate stands again. Gives what the effect first completes with, and fails as it fails. Each
   * call is a candidate of its own.
   */
  readonly whileLeader: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>)
  ) => Effect.Effect<A, E | RecipeError, R>
  /**
   * Stands, and leads until the Scope closes or `held.lost` fails. Nothing is interrupted by a loss: race what you do with
   * it.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, LockTimeout | RecipeError, Scope.Scope>
  /** Who leads now, as far as the connected server knows. */
  readonly leader: Effect.Effect<Option.Option<Participant>, RecipeError>
  /** Who leads now, then each who leads after that; None for nobody. May skip some, never misses the last. */
  readonly changes: Stream.Stream<Option.Option<Participant>, RecipeError>
  /** Who leads and who waits for it, in queue order. */
  readonly participants: Effect.Effect<ReadonlyArray<Participant>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * An election at a path. Nothing is sent before it is used; the path and its parents are created then, as containers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<LeaderElection, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.election, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const { kind, layout } = layouts[options.layout ?? "latch"]
    const queue: ContenderQueue.ContenderQueue = {
      zk,
      path,
      layout,
      kinds: { candidate: kind },
      data: toBytes(options.identifier ?? ""),
      acl: options.acl,
      onDisconnect: options.onDisconnect ?? "continue"
    }
    const acquireLeadership = (timeout: number | undefined) =>
      ContenderQueue.acquire(queue, "candidate", ContenderQueue.predecessor, timeout)
    // Who waits for ever is never too late.
    const awaitLeadership = Effect.catchTag(acquireLeadership(undefined), "LockTimeout", Effect.die)
    const participants = ContenderQueue.contendersWithIdentifier(queue)
    return {
      path,
      whileLeader: (guarded) => leadUntilComplete(awaitLeadership, guarded),
      acquire: (options) => Effect.flatMap(Known.checkedTimeout(Known.acquire, options), acquireLeadership),
      leader: Effect.suspend(() => currentLeader(queue)),
      changes: leaderChanges(queue),
      participants
    }
  })

// ---- internal

const layouts: Readonly<Record<Layout, { readonly layout: LockLayout; readonly kind: ContenderKind }>> = {
  latch: { layout: "curator", kind: latchKind },
  selector: { layout: "curator", kind: lockKind },
  kazoo: { layout: "kazoo", kind: latchKind },
  aiozk: { layout: "aiozk", kind: latchKind }
}

/** Leads and leads again, until the effect completes. */
const leadUntilComplete = <A, E, R>(
  acquireLeadership: Effect.Effect<Ownership, RecipeError, Scope.Scope>,
  guarded: Guarded<A, E, R>
): Effect.Effect<A, E | RecipeError, R> => {
  const once = Effect.suspend(() => {
    let leadership: Ownership | undefined
    return guardScoped(acquireLeadership, (holding) => {
      leadership = holding
      return Effect.map(toEffect(guarded, holding), (value) => ({ value }))
    }).pipe(
      Effect.catch((error) =>
        // Leadership is what was lost, and not some lock of the application's: stand again.
        leadership !== undefined && isLossOf(leadership, error)
          ? Effect.undefined
          : Effect.fail(error as E | RecipeError)
      )
    )
  })
  return Effect.flatMap(once, (done) =>
    done === undefined ? leadUntilComplete(acquireLeadership, guarded) : Effect.succeed(done.value)
  )
}

const isLossOf = (leadership: Ownership, error: unknown): boolean =>
  error instanceof LockLost && error.path === leadership.path

/** The first of the queue; who is gone by the time of the look is nobody, and neither is what is not ephemeral. */
const currentLeader = (
  queue: ContenderQueue.ContenderQueue,
  nonContenders: Set<string> = new Set()
): Effect.Effect<Option.Option<Participant>, RecipeError> =>
  Effect.flatMap(ContenderQueue.contenders(queue), (all) => {
    const first = all.find(({ name }) => !nonContenders.has(name))
    if (first === undefined) return Effect.succeedNone
    const path = ZnodePath.join(queue.path, first.name)
    return retryAcrossSessions(queue.zk, queue.zk.get(path)).pipe(
      Effect.flatMap((seen) => {
        if (ContenderQueue.isContender(seen)) return Effect.succeedSome({ path, identifier: seen.data })
        nonContenders.add(first.name)
        return currentLeader(queue, nonContenders)
      }),
      Effect.catchTag("NoNode", () => currentLeader(queue, nonContenders))
    )
  })

const leaderChanges = (queue: ContenderQueue.ContenderQueue): Stream.Stream<Option.Option<Participant>, RecipeError> =>
  Stream.suspend(() => {
    const nonContenders = new Set<string>()
    const isFirst = ({ name }: { readonly name: string }) => !nonContenders.has(name)
    return retryStream(queue.zk.childrenChanges(queue.path)).pipe(
      Stream.map(
        (seen) => parseContenders(Option.isSome(seen) ? seen.value.children : [], queue.kinds).find(isFirst)?.name
      ),
      Stream.changes,
      Stream.mapEffect(() => currentLeader(queue, nonContenders)),
      Stream.changesWith((a, b) => Option.getOrUndefined(a)?.path === Option.getOrUndefined(b)?.path),
      endWhenClosed
    )
  })
