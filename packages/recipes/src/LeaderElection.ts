/**
 * One leader at a time among the candidates, in order of arrival.
 *
 * **Guarantees**
 *
 * - An effect under `whileLeader` is interrupted before another client can lead: leadership ends a margin before the
 *   servers could end the session, by this process's monotonic clock. Its candidate then runs again, behind those who
 *   wait.
 * - `held.fencingToken` is the epoch: it grows with each leader. The server refuses `held.transaction` of a former leader.
 * - When a waiting candidate goes away, only the first in the queue can become leader.
 *
 * As with a lock, a process that is itself stopped for longer than its session cannot stop in time; there the token
 * protects you.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LockLost, type LockTimeout, type RecipeError } from "./Errors.ts"
import type { Held, HoldOptions } from "./Held.ts"
import type { HeldLayer, LayerOptions as HeldLayerOptions } from "./HeldLayer.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { type Guarded, toEffect, guardScoped } from "./internal/locks/guard.ts"
import * as HeldLayers from "./internal/locks/heldLayer.ts"
import {
  parseContenders,
  type ContenderKind,
  latchKind,
  type Layout as LockLayout,
  lockKind
} from "./internal/locks/nodeNames.ts"
import type { Ownership } from "./internal/locks/ownership.ts"
import { untilDefined } from "./internal/shared/backoff.ts"
import {
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"
import { retryAcrossSessions, retryStream, endWhenClosed } from "./internal/shared/retry.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Names of the candidates' znodes.
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
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends HoldOptions {
  /** Default `latch`. */
  readonly layout?: Layout | undefined
}

/**
 * Options of `layer` and `layerService`.
 *
 * @category options
 * @since 0.1.0
 */
export interface LayerOptions<E> extends Options, HeldLayerOptions<E> {}

/**
 * The leader, or a candidate.
 *
 * @category models
 * @since 0.1.0
 */
export type Participant = ContenderQueue.Contender

/**
 * An election at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface LeaderElection {
  readonly path: string
  /**
   * Becomes a candidate, runs the effect while it leads, and resigns. If leadership is lost, the effect is interrupted,
   * and once its finalizers have run it is a candidate again, behind the others. Gives the first result of the effect, and
   * fails with the effect's own errors. Each call is a candidate of its own.
   */
  readonly whileLeader: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>)
  ) => Effect.Effect<A, E | RecipeError, R>
  /**
   * Becomes a candidate, and leads until the Scope closes or `held.lost` fails. A loss interrupts nothing: race your work
   * with `held.lost`. Fails with `LockTimeout` after `timeout`.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, LockTimeout | RecipeError, Scope.Scope>
  /**
   * Asks the leader to give it up, or one contender of `participants`: it hears it by `held.revocation`, and nothing
   * forces it. Curator's `Revoker` does the same. Gives how many were asked. The request replaces the `identifier` in
   * the contender's znode. Fails with `NoAuth` where the ACL does not let this client write there, and with
   * `InvalidArgument` for a path that is not a contender's.
   */
  readonly revoke: (contender?: Pick<Participant, "path">) => Effect.Effect<number, RecipeError>
  /** The current leader, as far as the connected server knows; None without one. */
  readonly leader: Effect.Effect<Option.Option<Participant>, RecipeError>
  /** The current leader, then each new one; None without one. May skip some, but never the last. */
  readonly changes: Stream.Stream<Option.Option<Participant>, RecipeError>
  /** The leader and the waiting candidates, in queue order. */
  readonly participants: Effect.Effect<ReadonlyArray<Participant>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes an election at a path. Nothing is sent before it is used; the first use creates the path and its missing parents,
 * as containers. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { LeaderElection } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const election = yield* LeaderElection.make("/scheduler/leader", { identifier: "scheduler-3" })
 *   // Interrupted when leadership is lost, and run again when it comes back.
 *   yield* election.whileLeader((held) => Effect.log(`leading in epoch ${held.fencingToken}`))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<LeaderElection, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const turns = yield* makeTurns(path, options)
    const { queue } = turns
    const participants = ContenderQueue.contendersWithIdentifier(queue)
    return {
      path,
      whileLeader: (guarded) => leadUntilComplete(HeldLayers.awaitTurn(turns), guarded),
      acquire: (options) => Effect.flatMap(checkedTimeout(knownAcquire, options), turns.acquire),
      revoke: (contender) => ContenderQueue.revoke(queue, ContenderQueue.firstContender, contender),
      leader: Effect.suspend(() => currentLeader(queue)),
      changes: leaderChanges(queue),
      participants
    }
  })

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Builds a Layer only while this process leads. It is a candidate as long as the application runs: it builds `inner` when
 * it has become the leader, tears it down before another process can lead, and builds it anew when it leads again. `inner`
 * may be a function of what is held, which has the fencing token.
 *
 * The Layer itself is built at once, without waiting, and provides nothing: no part of the application can depend on
 * services that come and go. Use `layerService` to reach them. If `inner` cannot be built, this process resigns, so that
 * another can lead, logs the error, and is a candidate again after a pause (`retry`). Fails with `InvalidArgument` for a path
 * or options that are not valid.
 *
 * The teardown of `inner` is a part of stopping in time: it begins `ownershipMargin` before the servers could end the
 * session. Finalizers that take longer run while another process leads.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { LeaderElection } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const scheduler = Layer.effectDiscard(
 *   Effect.acquireRelease(Effect.log("the scheduler starts"), () => Effect.log("the scheduler stops"))
 * )
 *
 * export const program = LeaderElection.layer("/scheduler/leader", scheduler).pipe(
 *   Layer.provide(ZooKeeper.layer({ servers: "zk1:2181,zk2:2181,zk3:2181" })),
 *   Layer.launch
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <Services, E, R>(
  path: string,
  inner: Layer.Layer<Services, E, R> | ((held: Held) => Layer.Layer<Services, E, R>),
  options: LayerOptions<E> = {}
): Layer.Layer<never, InvalidArgument, R | ZooKeeper.ZooKeeper> =>
  Layer.effectDiscard(makeHeldLayer(path, inner, options))

/**
 * `layer`, and a service that tells whether this process leads, and runs effects with the services of `inner` while it
 * does. The service is there all the time.
 *
 * @example
 * ```ts
 * import { type HeldLayer, LeaderElection } from "@effect-zookeeper/recipes"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import type * as Layer from "effect/Layer"
 *
 * class Scheduler extends Context.Service<Scheduler, { readonly enqueue: (job: string) => Effect.Effect<void> }>()(
 *   "app/Scheduler"
 * ) {}
 * declare const schedulerLayer: Layer.Layer<Scheduler>
 *
 * class Leading extends Context.Service<Leading, HeldLayer.HeldLayer<Scheduler>>()("app/Leading") {}
 * export const leadingLayer = LeaderElection.layerService(Leading, "/scheduler/leader", schedulerLayer)
 *
 * // Waits until this process leads.
 * export const enqueue = (job: string) =>
 *   Effect.flatMap(Leading, (leading) => leading.use(Effect.flatMap(Scheduler, ({ enqueue }) => enqueue(job))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerService = <I, Services, E, R>(
  service: Context.Key<I, HeldLayer<Services, E>>,
  path: string,
  inner: Layer.Layer<Services, E, R> | ((held: Held) => Layer.Layer<Services, E, R>),
  options: LayerOptions<E> = {}
): Layer.Layer<I, InvalidArgument, R | ZooKeeper.ZooKeeper> =>
  Layer.effect(service, makeHeldLayer(path, inner, options))

// ---- internal

const makeTurns = Effect.fnUntraced(function* (path: string, options: Options) {
  const { kind, layout } = layouts[options.layout ?? "latch"]
  const queue = yield* ContenderQueue.make(path, options, { candidate: kind }, layout)
  const acquire = (timeout: number | undefined) =>
    ContenderQueue.acquire(queue, "candidate", ContenderQueue.predecessor, timeout)
  return { queue, acquire }
})

const makeHeldLayer = <Services, E, R>(
  path: string,
  inner: HeldLayers.LayerWhileHeld<Services, E, R>,
  options: LayerOptions<E>
) => HeldLayers.makeFor(knownLayer, makeTurns(path, options), inner, options)

const known = knownOptions<Options>({ layout: true, ...ContenderQueue.holdKeys }, '{ identifier: "worker-1" }')

const knownLayer = knownOptions<LayerOptions<unknown>>({ ...known.keys, retry: true }, known.example)

const layouts: Readonly<Record<Layout, { readonly layout: LockLayout; readonly kind: ContenderKind }>> = {
  latch: { layout: "curator", kind: latchKind },
  selector: { layout: "curator", kind: lockKind },
  kazoo: { layout: "kazoo", kind: latchKind },
  aiozk: { layout: "aiozk", kind: latchKind }
}

/** Leads, and leads again after a loss, until the effect completes. */
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
        // Only a loss of leadership makes it a candidate again, and not the loss of one of the application's locks.
        leadership !== undefined && isLossOf(leadership, error)
          ? Effect.undefined
          : Effect.fail(error as E | RecipeError)
      )
    )
  })
  // After a loss it is a candidate again at once, and after growing pauses where losses follow one another.
  return Effect.map(untilDefined(once), ({ value }) => value)
}

const isLossOf = (leadership: Ownership, error: unknown): boolean =>
  error instanceof LockLost && error.path === leadership.path

/** The first ephemeral znode of the queue that is still there when it is read. */
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
