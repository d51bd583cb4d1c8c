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
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LockLost, type LockTimeout, type RecipeError } from "./Errors.ts"
import type { Held } from "./Held.ts"
import { bytesOf } from "./internal/dataOf.ts"
import { checkPath } from "./internal/checks.ts"
import type { Holding, OnDisconnect } from "./internal/holding.ts"
import { contendersOf, type Kind, latchKind, lockKind } from "./internal/layout.ts"
import * as Line from "./internal/line.ts"
import { acrossSessions, patientStream, untilClosed } from "./internal/patience.ts"
import { type Guarded, effectOf, usingScoped } from "./internal/using.ts"
import type { AcquireOptions, Layout as LockLayout } from "./Lock.ts"
import * as Known from "./internal/options.ts"

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
  /** Who leads and who waits for it, by the order of the line. */
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
    const line: Line.Line = {
      zk,
      path,
      layout,
      kinds: { candidate: kind },
      data: bytesOf(options.identifier ?? ""),
      acl: options.acl,
      onDisconnect: options.onDisconnect ?? "continue"
    }
    const stand = (timeout: number | undefined) => Line.take(line, "candidate", Line.predecessor, timeout)
    // Who waits for ever is never too late.
    const standForEver = Effect.catchTag(stand(undefined), "LockTimeout", Effect.die)
    const participants = Line.identified(line)
    return {
      path,
      whileLeader: (guarded) => untilComplete(standForEver, guarded),
      acquire: (options) => Effect.flatMap(Known.timeoutOf(Known.acquire, options), stand),
      leader: Effect.suspend(() => firstOf(line)),
      changes: leaders(line),
      participants
    }
  })

// ---- internal

const layouts: Readonly<Record<Layout, { readonly layout: LockLayout; readonly kind: Kind }>> = {
  latch: { layout: "curator", kind: latchKind },
  selector: { layout: "curator", kind: lockKind },
  kazoo: { layout: "kazoo", kind: latchKind },
  aiozk: { layout: "aiozk", kind: latchKind }
}

/** Leads and leads again, until the effect completes. */
const untilComplete = <A, E, R>(
  stand: Effect.Effect<Holding, RecipeError, Scope.Scope>,
  guarded: Guarded<A, E, R>
): Effect.Effect<A, E | RecipeError, R> => {
  const once = Effect.suspend(() => {
    let office: Holding | undefined
    return usingScoped(stand, (holding) => {
      office = holding
      return Effect.map(effectOf(guarded, holding), (value) => ({ value }))
    }).pipe(
      Effect.catch((error) =>
        // The office is what was lost, and not some lock of the application's: stand again.
        office !== undefined && isLossOf(office, error) ? Effect.undefined : Effect.fail(error as E | RecipeError)
      )
    )
  })
  return Effect.flatMap(once, (done) =>
    done === undefined ? untilComplete(stand, guarded) : Effect.succeed(done.value)
  )
}

const isLossOf = (office: Holding, error: unknown): boolean => error instanceof LockLost && error.path === office.path

/** The first of the line; who is gone by the time of the look is nobody, and neither is what is not ephemeral. */
const firstOf = (
  line: Line.Line,
  others: Set<string> = new Set()
): Effect.Effect<Option.Option<Participant>, RecipeError> =>
  Effect.flatMap(Line.contenders(line), (all) => {
    const first = all.find(({ name }) => !others.has(name))
    if (first === undefined) return Effect.succeedNone
    const path = ZnodePath.join(line.path, first.name)
    return acrossSessions(line.zk, line.zk.get(path)).pipe(
      Effect.flatMap((seen) => {
        if (Line.isContender(seen)) return Effect.succeedSome({ path, identifier: seen.data })
        others.add(first.name)
        return firstOf(line, others)
      }),
      Effect.catchTag("NoNode", () => firstOf(line, others))
    )
  })

const leaders = (line: Line.Line): Stream.Stream<Option.Option<Participant>, RecipeError> =>
  Stream.suspend(() => {
    const others = new Set<string>()
    const isFirst = ({ name }: { readonly name: string }) => !others.has(name)
    return patientStream(line.zk.childrenChanges(line.path)).pipe(
      Stream.map(
        (seen) => contendersOf(Option.isSome(seen) ? seen.value.children : [], line.kinds).find(isFirst)?.name
      ),
      Stream.changes,
      Stream.mapEffect(() => firstOf(line, others)),
      Stream.changesWith((a, b) => Option.getOrUndefined(a)?.path === Option.getOrUndefined(b)?.path),
      untilClosed
    )
  })
