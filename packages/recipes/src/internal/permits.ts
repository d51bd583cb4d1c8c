/**
 * Taking permits of a semaphore.
 *
 * A permit is an ephemeral sequential znode among `leases`, and it is had when no more than the limit stand there up to it:
 * that alone keeps the limit, whoever else does what. Whoever wants permits takes a lock first, so that one at a time
 * watches the leases, and those who wait stand in the order of arrival; who does not want to wait goes without.
 */
import type { ConnectionLoss, SessionClosed, SessionExpired } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { DataInvalid, type LockTimeout, PermitsMismatch, type RecipeError } from "../Errors.ts"
import type { Held } from "../Held.ts"
import type { SharedPermits } from "../Semaphore.ts"
import { makeCalmly } from "./calmly.ts"
import { claim, type Guarding, type Holding, leaveInBackground, release } from "./holding.ts"
import type { Contender } from "./layout.ts"
import * as Line from "./line.ts"
import { acrossSessions, orRenewed, patiently } from "./patience.ts"
import { watched } from "./watching.ts"

/** Where permits are taken. */
export interface Place {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly limit: Limit
  readonly locks: Line.Line
  readonly leases: Line.Line
}

/** How many permits there are, or the znode that says it. */
export type Limit = number | SharedPermits

type TakeError = RecipeError | LockTimeout | PermitsMismatch | DataInvalid

// -----------------------------------------------------------------------------
// taking
// -----------------------------------------------------------------------------

/** Takes so many permits, all or none; gives them back when the Scope closes. `timeout` as with `Line.take`. */
export const take = (
  place: Place,
  count: number,
  timeout: number | undefined
): Effect.Effect<ReadonlyArray<Holding>, TakeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const waiting = yield* Line.waitingFor(place, timeout, restore)
      const calmly = yield* makeCalmly
      while (true) {
        yield* waiting.wait(calmly)
        const turn = yield* Scope.make()
        const exit = yield* Effect.exit(takeInTurn(place, count, waiting, scope, turn))
        // The next one may look as soon as our permits are had, or gone.
        yield* Scope.close(turn, Exit.void)
        const taken = yield* exit
        if (taken !== "Gone") return taken
      }
    })
  )

/** Several permits as one: lost with the first of them. */
export const together = (held: ReadonlyArray<Holding>): Guarding & { readonly held: ReadonlyArray<Held> } => ({
  held,
  lost: Effect.raceAllFirst(held.map(({ lost }) => lost)),
  isLost: () => held.some(({ isLost }) => isLost())
})

/** Uninterruptible but where it waits. `Gone` when what it had is of the past, and has to be taken anew. */
const takeInTurn = Effect.fnUntraced(function* (
  place: Place,
  count: number,
  waiting: Line.Waiting,
  scope: Scope.Scope,
  turn: Scope.Scope
): Effect.fn.Return<ReadonlyArray<Holding> | "Gone", TakeError> {
  const { leases, locks, zk } = place
  const lock = waiting.isOnce
    ? undefined
    : yield* Effect.provideService(Line.takeBy(locks, "lock", Line.predecessor, waiting), Scope.Scope, turn)
  const own: Array<Line.Place> = []
  const standing = yield* Scope.fork(scope)
  const exit = yield* Effect.exit(
    Effect.gen(function* () {
      while (own.length < count) own.push(yield* Line.enter(leases, "lease", waiting.wait))
      const verdict = yield* waiting.wait(awaitRoom({ ...place, known: new Map() }, own, waiting.isOnce, lock))
      if (verdict === "Full") return yield* waiting.tooLate
      const holdings: Array<Holding> = []
      if (verdict === "Gone") return undefined
      for (const { path } of own) {
        const claiming = orRenewed(zk, claim(zk, path, leases.onDisconnect, standing), undefined)
        const holding = yield* waiting.wait(claiming)
        if (holding === undefined) return undefined
        holdings.push(holding)
      }
      return holdings
    })
  )
  if (Exit.isSuccess(exit) && exit.value !== undefined) {
    const holdings = exit.value
    const releaseAll = Effect.forEach(holdings, (holding) => release(zk, holding), { concurrency: "unbounded" })
    yield* Scope.addFinalizer(scope, releaseAll)
    return holdings
  }
  for (const { path } of own) yield* leaveInBackground(zk, path)
  yield* Scope.close(standing, Exit.void)
  return Exit.isSuccess(exit) ? "Gone" : yield* Effect.failCause(exit.cause)
})

// -----------------------------------------------------------------------------
// waiting
// -----------------------------------------------------------------------------

/** `Room` when ours are had, `Full` when one does not wait, `Gone` when ours or the lock are no longer there. */
type Verdict = "Room" | "Full" | "Gone"

const awaitRoom = (
  place: Looking,
  own: ReadonlyArray<Line.Place>,
  isOnce: boolean,
  lock: Holding | undefined
): Effect.Effect<Verdict, RecipeError | PermitsMismatch | DataInvalid> => {
  const { zk } = place
  const gone = Effect.succeed("Gone" as const)
  return Effect.flatMap(look(place, own), (verdict) =>
    verdict !== "Full" || isOnce || lock === undefined
      ? Effect.succeed(verdict)
      : // A lock that is lost is another's: two would watch, and each count the other's leases.
        Effect.raceFirst(
          Effect.catch(lock.lost, () => gone),
          watchRoom(place, own)
        )
  ).pipe(
    Effect.catchTag("NoNode", () => gone),
    (effect) => orRenewed(zk, effect, "Gone" as const)
  )
}

/** A place, and which of its leases are ephemeral: the others are nobody's permits. */
interface Looking extends Place {
  readonly known: Map<string, boolean>
}

/** One look, by which participants also learn of different limits. */
const look = Effect.fnUntraced(function* (place: Looking, own: ReadonlyArray<Line.Place>) {
  const { leases, limit, path, zk } = place
  while (true) {
    const [parent, children] = yield* patiently(zk.read([Op.get(leases.path), Op.getChildren(leases.path)]))
    const { data, stat } = yield* Effect.fromResult(parent)
    const names = yield* Effect.fromResult(children)
    const all = yield* Line.inLine(leases, names)
    if (typeof limit !== "number") return yield* judge(place, own, all, yield* readLimit(place, limit))
    const told = toldOthers(data)
    if (told === limit || Number.isNaN(told)) return yield* judge(place, own, all, limit)
    const others = (yield* Line.ephemeral(leases, all, place.known)).length - own.length
    if (told !== undefined && others > 0) return yield* new PermitsMismatch({ path, permits: limit, others: told })
    const wrote = yield* Effect.result(patiently(zk.setData(leases.path, String(limit), { version: stat.version })))
    // Who may not write cannot tell the others; one who was faster has.
    if (Result.isSuccess(wrote) || wrote.failure._tag === "NoAuth") return yield* judge(place, own, all, limit)
    if (wrote.failure._tag !== "BadVersion") return yield* Effect.fail(wrote.failure)
  }
})

/** Looks again whenever something has changed. */
const watchRoom = (place: Looking, own: ReadonlyArray<Line.Place>) =>
  Effect.repeat(
    Effect.scoped(
      Effect.gen(function* () {
        const { changing, permits } = yield* watchLimit(place)
        const seen = yield* watched(patiently(place.zk.getChildrenAndWatch(place.leases.path)))
        const verdict = yield* judge(place, own, yield* Line.inLine(place.leases, seen.children), permits)
        if (verdict === "Full") yield* Effect.raceFirst(Fiber.join(seen.changing), changing)
        return verdict
      })
    ),
    { until: (verdict) => verdict !== "Full" }
  )

/** Ours are had when they stand among the first. Who stands before them is looked at only when there seems to be no room. */
const judge = (
  place: Looking,
  own: ReadonlyArray<Line.Place>,
  all: ReadonlyArray<Contender>,
  permits: number
): Effect.Effect<Verdict, RecipeError> => {
  const verdict = judgeOrder(place, own, all, permits)
  return verdict !== "Full"
    ? Effect.succeed(verdict)
    : Effect.map(Line.ephemeral(place.leases, all, place.known), (all) => judgeOrder(place, own, all, permits))
}

const judgeOrder = (
  { zk }: Place,
  own: ReadonlyArray<Line.Place>,
  all: ReadonlyArray<Contender>,
  permits: number
): Verdict => {
  for (const { owner, path } of own) {
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
export const available = (place: Place): Effect.Effect<number, DataInvalid | RecipeError> =>
  Effect.flatMap(Line.identified(place.leases), ({ length }) => {
    const { limit, zk } = place
    const permits = typeof limit === "number" ? Effect.succeed(limit) : acrossSessions(zk, readLimit(place, limit))
    return Effect.map(permits, (permits) => Math.max(0, permits - length))
  })

const readLimit = (place: Place, shared: SharedPermits): Effect.Effect<number, DataInvalid | RecipeError> =>
  patiently(place.zk.getData(shared.at)).pipe(
    Effect.flatMap((data) => decodeLimit(shared, data)),
    Effect.catchTag("NoNode", () => Effect.andThen(createLimit(place, shared), readLimit(place, shared)))
  )

const watchLimit = (place: Place): Effect.Effect<WatchedLimit, DataInvalid | RecipeError, Scope.Scope> => {
  const { limit, zk } = place
  if (typeof limit === "number") return Effect.succeed({ permits: limit, changing: Effect.never })
  return watched(patiently(zk.getAndWatch(limit.at))).pipe(
    Effect.flatMap(({ changing, data }) =>
      Effect.map(decodeLimit(limit, data), (permits) => ({ permits, changing: Fiber.join(changing) }))
    ),
    Effect.catchTag("NoNode", () => Effect.andThen(createLimit(place, limit), watchLimit(place)))
  )
}

interface WatchedLimit {
  readonly permits: number
  readonly changing: Effect.Effect<unknown, SessionExpired | SessionClosed | ConnectionLoss>
}

const createLimit = ({ leases, zk }: Place, { at, initial }: SharedPermits): Effect.Effect<void, RecipeError> => {
  const data = new Uint8Array(4)
  new DataView(data.buffer).setInt32(0, initial)
  const create = zk.createWithParents(at, { data, acl: leases.acl, parentAcl: leases.acl })
  // Whoever was faster has said the number; whoever deleted it says it again.
  return Effect.catchTag(Effect.asVoid(acrossSessions(zk, create)), ["NodeExists", "NoNode"], () => Effect.void)
}

const decodeLimit = ({ at }: SharedPermits, data: Uint8Array): Effect.Effect<number, DataInvalid> => {
  const permits =
    data.byteLength === 4 ? new DataView(data.buffer, data.byteOffset, data.byteLength).getInt32(0) : undefined
  return permits === undefined || permits < 0
    ? Effect.fail(new DataInvalid({ path: at, expected: "a number of permits in four bytes" }))
    : Effect.succeed(permits)
}

/** What the others were told; undefined when nobody wrote it, NaN when it is something else that stands there. */
const toldOthers = (data: Uint8Array): number | undefined => {
  const text = new TextDecoder().decode(data)
  return text === "" ? undefined : /^[1-9][0-9]*$/.test(text) ? Number(text) : Number.NaN
}
