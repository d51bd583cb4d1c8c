/**
 * Taking permits of a semaphore.
 *
 * A permit is an ephemeral sequential znode among `leases`. It is held when it is among the first so many of them: that
 * alone keeps the limit, whatever other clients do. A client that wants permits takes a lock first, so that only one at a
 * time watches the leases, and the others wait in order of arrival. A client that tries once skips the lock.
 */
import { acquireForked, watchScoped } from "@effect-zookeeper/client/Detached"
import type { ConnectionLoss, SessionClosed, SessionExpired } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { DataInvalid, type LockTimeout, PermitsMismatch, type RecipeError } from "../../Errors.ts"
import type { Held } from "../../Held.ts"
import { makeBackoff, sleepJittered, untilDefined } from "../shared/backoff.ts"
import { claim, type LossSignal, type Ownership, release } from "./ownership.ts"
import type { ContenderNode } from "./nodeNames.ts"
import * as ContenderQueue from "./ContenderQueue.ts"
import { createIfMissing } from "../shared/requests.ts"
import { deleteInBackground } from "../shared/sessionClose.ts"
import { retryAcrossSessions, orIfSessionReplaced, retryTransient } from "../shared/retry.ts"

/** The znodes of a semaphore, and how many permits it has. */
export interface PermitPool {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly limit: Limit
  readonly locks: ContenderQueue.ContenderQueue
  readonly leases: ContenderQueue.ContenderQueue
}

/**
 * A number of permits that can be changed while they are in use. Lowering it takes no permit away from its holder.
 *
 * @category options
 * @since 0.1.0
 */
export interface SharedPermits {
  /** The znode with the number, as Curator's SharedCount writes it: four bytes, the highest first. */
  readonly at: string
  /** The number to create it with, where there is no such znode. */
  readonly initial: number
}

/** How many permits there are, or the znode that says it. */
export type Limit = number | SharedPermits

type TakeError = RecipeError | LockTimeout | PermitsMismatch | DataInvalid

// -----------------------------------------------------------------------------
// taking
// -----------------------------------------------------------------------------

/**
 * Takes so many permits, all or none; gives them back when the Scope closes. `timeout` as with `ContenderQueue.acquire`.
 */
export const acquire = (
  pool: PermitPool,
  count: number,
  timeout: number | undefined
): Effect.Effect<ReadonlyArray<Ownership>, TakeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const waiting = yield* ContenderQueue.makeWaiting(pool, timeout, restore)
      const backoff = yield* makeBackoff
      while (true) {
        yield* waiting.wait(backoff)
        const turn = yield* Scope.make()
        const exit = yield* Effect.exit(acquireInTurn(pool, count, waiting, turn))
        // The next client may look as soon as our permits are acquired, or gone.
        yield* Scope.close(turn, Exit.void)
        const taken = yield* exit
        if (taken !== "Gone") return taken
      }
    })
  )

/** Several permits as one: lost with the first of them. */
export const combine = (held: ReadonlyArray<Ownership>): LossSignal & { readonly held: ReadonlyArray<Held> } => ({
  held,
  lost: Effect.raceAllFirst(held.map(({ lost }) => lost)),
  isLost: () => held.some(({ isLost }) => isLost())
})

/**
 * Uninterruptible except where it waits. `Gone` when its znodes are of a session that is over, so that it has to begin
 * again.
 */
const acquireInTurn = Effect.fnUntraced(function* (
  pool: PermitPool,
  count: number,
  waiting: ContenderQueue.Waiting,
  turn: Scope.Scope
): Effect.fn.Return<ReadonlyArray<Ownership> | "Gone", TakeError, Scope.Scope> {
  const { leases, locks, zk } = pool
  const lock = waiting.isOnce
    ? undefined
    : yield* Effect.provideService(
        ContenderQueue.acquireWaiting(locks, "lock", ContenderQueue.predecessor, waiting),
        Scope.Scope,
        turn
      )
  const positions: Array<ContenderQueue.Position> = []
  const attempt = Effect.fnUntraced(function* (
    scope: Scope.Scope
  ): Effect.fn.Return<ReadonlyArray<Ownership> | "Gone", TakeError> {
    while (positions.length < count) positions.push(yield* ContenderQueue.join(leases, "lease", waiting.wait))
    const verdict = yield* waiting.wait(awaitRoom({ ...pool, known: new Map() }, positions, waiting.isOnce, lock))
    if (verdict === "Full") return yield* waiting.timeoutError()
    if (verdict === "Gone") return "Gone"
    const ownerships: Array<Ownership> = []
    for (const { path } of positions) {
      const claiming = orIfSessionReplaced(zk, claim(zk, path, leases, scope), undefined)
      const ownership = yield* waiting.wait(claiming)
      if (ownership === undefined) return "Gone"
      ownerships.push(ownership)
    }
    return ownerships
  })
  return yield* acquireForked(
    (_, own) =>
      Effect.onExit(attempt(own), (exit) =>
        Exit.isSuccess(exit) && exit.value !== "Gone"
          ? Scope.addFinalizer(own, releaseAll(zk, exit.value))
          : Effect.forEach(positions, ({ path }) => deleteInBackground(zk, path), { discard: true })
      ),
    (taken) => taken !== "Gone"
  )
})

const releaseAll = (zk: ZooKeeper.Service, ownerships: ReadonlyArray<Ownership>) =>
  Effect.forEach(ownerships, (ownership) => release(zk, ownership), { concurrency: "unbounded" })

// -----------------------------------------------------------------------------
// waiting
// -----------------------------------------------------------------------------

/**
 * `Room` when our permits are held, `Full` when there is none and `isOnce` holds, `Gone` when our znodes or the lock are
 * gone.
 */
type Verdict = "Room" | "Full" | "Gone"

const awaitRoom = (
  pool: ObservedPool,
  positions: ReadonlyArray<ContenderQueue.Position>,
  isOnce: boolean,
  lock: Ownership | undefined
): Effect.Effect<Verdict, RecipeError | PermitsMismatch | DataInvalid> => {
  const { zk } = pool
  const gone = Effect.succeed("Gone" as const)
  return Effect.flatMap(readState(pool, positions), (verdict) =>
    verdict !== "Full" || isOnce || lock === undefined
      ? Effect.succeed(verdict)
      : // A lock that is lost is another's: two would watch, and each count the other's leases.
        Effect.raceFirst(
          Effect.catch(lock.lost, () => gone),
          watchPool(pool, positions)
        )
  ).pipe(
    Effect.catchTag("NoNode", () => gone),
    (effect) => orIfSessionReplaced(zk, effect, "Gone" as const)
  )
}

/** A pool, and which of its leases are ephemeral: the others are no permits. */
interface ObservedPool extends PermitPool {
  readonly known: Map<string, boolean>
}

/** Reads the state once; this also tells participants that have different limits. */
const readState = Effect.fnUntraced(function* (pool: ObservedPool, positions: ReadonlyArray<ContenderQueue.Position>) {
  const { leases, limit, path, zk } = pool
  while (true) {
    const [parent, children] = yield* retryTransient(zk.read([Op.get(leases.path), Op.getChildren(leases.path)]))
    const { data, stat } = yield* Effect.fromResult(parent)
    const names = yield* Effect.fromResult(children)
    const all = yield* ContenderQueue.inOrderOfArrival(leases, names)
    if (typeof limit !== "number") return yield* judge(pool, positions, all, yield* readLimit(pool, limit))
    const announced = parseAnnouncedLimit(data)
    if (announced === limit || Number.isNaN(announced)) return yield* judge(pool, positions, all, limit)
    const others = (yield* ContenderQueue.onlyEphemeral(leases, all, pool.known)).length - positions.length
    if (announced !== undefined && others > 0)
      return yield* new PermitsMismatch({ path, permits: limit, others: announced })
    const wrote = yield* Effect.result(
      retryTransient(zk.setData(leases.path, String(limit), { version: stat.version }))
    )
    // Without the right to write it cannot tell the others; BadVersion says that another was faster.
    if (Result.isSuccess(wrote) || wrote.failure._tag === "NoAuth") return yield* judge(pool, positions, all, limit)
    if (wrote.failure._tag !== "BadVersion") return yield* Effect.fail(wrote.failure)
    yield* sleepJittered(20)
  }
})

/** Reads again whenever something has changed. */
const watchPool = (pool: ObservedPool, positions: ReadonlyArray<ContenderQueue.Position>) =>
  Effect.repeat(
    Effect.scoped(
      Effect.gen(function* () {
        const { nextChange, permits } = yield* watchLimit(pool)
        const seen = yield* retryTransient(watchScoped(pool.zk.getChildrenAndWatch(pool.leases.path)))
        const verdict = yield* judge(
          pool,
          positions,
          yield* ContenderQueue.inOrderOfArrival(pool.leases, seen.children),
          permits
        )
        if (verdict === "Full") yield* Effect.raceFirst(Fiber.join(seen.nextChange), nextChange)
        return verdict
      })
    ),
    { until: (verdict) => verdict !== "Full" }
  )

/**
 * Our permits are held when they are among the first. The ones before them are read only when there seems to be no room.
 */
const judge = (
  pool: ObservedPool,
  positions: ReadonlyArray<ContenderQueue.Position>,
  all: ReadonlyArray<ContenderNode>,
  permits: number
): Effect.Effect<Verdict, RecipeError> => {
  const verdict = judgeOrder(pool, positions, all, permits)
  return verdict !== "Full"
    ? Effect.succeed(verdict)
    : Effect.map(ContenderQueue.onlyEphemeral(pool.leases, all, pool.known), (all) =>
        judgeOrder(pool, positions, all, permits)
      )
}

const judgeOrder = (
  { zk }: PermitPool,
  positions: ReadonlyArray<ContenderQueue.Position>,
  all: ReadonlyArray<ContenderNode>,
  permits: number
): Verdict => {
  for (const { owner, path } of positions) {
    const name = ZnodePath.name(path)
    const index = all.findIndex((lease) => lease.name === name)
    if (index === -1 || owner !== zk.session.id) return "Gone"
    if (index >= permits) return "Full"
  }
  return "Room"
}

// -----------------------------------------------------------------------------
// the limit
// -----------------------------------------------------------------------------

/** How many permits are left. */
export const available = (pool: PermitPool): Effect.Effect<number, DataInvalid | RecipeError> =>
  Effect.flatMap(ContenderQueue.contendersWithIdentifier(pool.leases), ({ length }) => {
    const { limit, zk } = pool
    const permits = typeof limit === "number" ? Effect.succeed(limit) : retryAcrossSessions(zk, readLimit(pool, limit))
    return Effect.map(permits, (permits) => Math.max(0, permits - length))
  })

const readLimit = (pool: PermitPool, shared: SharedPermits): Effect.Effect<number, DataInvalid | RecipeError> =>
  untilDefined(
    retryTransient(pool.zk.getData(shared.at)).pipe(
      Effect.flatMap((data) => decodeLimit(shared, data)),
      Effect.catchTag("NoNode", () => Effect.as(createLimit(pool, shared), undefined))
    )
  )

const watchLimit = (pool: PermitPool): Effect.Effect<WatchedLimit, DataInvalid | RecipeError, Scope.Scope> => {
  const { limit, zk } = pool
  if (typeof limit === "number") return Effect.succeed({ permits: limit, nextChange: Effect.never })
  return untilDefined(
    retryTransient(watchScoped(zk.getAndWatch(limit.at))).pipe(
      Effect.flatMap(({ nextChange, data }) =>
        Effect.map(decodeLimit(limit, data), (permits): WatchedLimit => ({
          permits,
          nextChange: Fiber.join(nextChange)
        }))
      ),
      Effect.catchTag("NoNode", () => Effect.as(createLimit(pool, limit), undefined))
    )
  )
}

interface WatchedLimit {
  readonly permits: number
  readonly nextChange: Effect.Effect<unknown, SessionExpired | SessionClosed | ConnectionLoss>
}

const createLimit = ({ leases, zk }: PermitPool, { at, initial }: SharedPermits): Effect.Effect<void, RecipeError> => {
  const data = new Uint8Array(4)
  new DataView(data.buffer).setInt32(0, initial)
  return createIfMissing(zk, at, { data, acl: leases.acl })
}

const decodeLimit = ({ at }: SharedPermits, data: Uint8Array): Effect.Effect<number, DataInvalid> => {
  const permits =
    data.byteLength === 4 ? new DataView(data.buffer, data.byteOffset, data.byteLength).getInt32(0) : undefined
  return permits === undefined || permits < 0
    ? Effect.fail(new DataInvalid({ path: at, expected: "a number of permits in four bytes" }))
    : Effect.succeed(permits)
}

/** The number that the others were given; undefined if it was never written, NaN for other data. */
const parseAnnouncedLimit = (data: Uint8Array): number | undefined => {
  const text = new TextDecoder().decode(data)
  return text === "" ? undefined : /^[1-9][0-9]*$/.test(text) ? Number(text) : Number.NaN
}
