/**
 * Taking the lowest number that is free.
 *
 * Each number is a queue of contenders below `numbers`, whose first holds it: that alone keeps two clients from having one
 * number. A client that looks for a free one first waits for its turn, so that clients do not race for the same number.
 */
import { acquireForked, watchScoped } from "@effect-zookeeper/client/Detached"
import * as Op from "@effect-zookeeper/client/Op"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { LockTimeout, RecipeError } from "../../Errors.ts"
import type { HeldWorkerId, Holder } from "./workerIdModel.ts"
import { makeBackoff } from "../shared/backoff.ts"
import { getChildrenOrNone } from "../shared/requests.ts"
import { orIfSessionReplaced, retryAcrossSessions, retryTransient } from "../shared/retry.ts"
import * as ContenderQueue from "./ContenderQueue.ts"
import { lockKind, parseContenders } from "./nodeNames.ts"
import type { Ownership } from "./ownership.ts"

export interface WorkerNumbers {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly limit: number
  /** The queue of those who look for a number. */
  readonly turns: ContenderQueue.ContenderQueue
}

export const kinds = { lock: lockKind }

/** A number that is held, for use within recipes. */
export type OwnedNumber = HeldWorkerId & Ownership

/** Takes a number until the Scope closes. `timeout` as with `ContenderQueue.acquire`. */
export const acquire = (
  numbers: WorkerNumbers,
  timeout: number | undefined
): Effect.Effect<OwnedNumber, LockTimeout | RecipeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { path, turns, zk } = numbers
      const waiting = yield* ContenderQueue.makeWaiting({ path, zk }, timeout, restore)
      const backoff = yield* makeBackoff
      while (true) {
        yield* waiting.wait(backoff)
        const turn = yield* Scope.make()
        const attempt = Effect.gen(function* () {
          // The turn is short: even one who looks once waits for it.
          const mine = yield* ContenderQueue.acquireWaiting(turns, "lock", ContenderQueue.predecessor, {
            ...waiting,
            isOnce: false
          }).pipe(Effect.provideService(Scope.Scope, turn))
          return yield* takeFree(numbers, waiting, mine)
        })
        const exit = yield* Effect.exit(attempt)
        // The next client may look as soon as our number is taken.
        yield* Scope.close(turn, Exit.void)
        const taken = yield* exit
        if (taken !== "Again") return taken
      }
    })
  )

/** The holders of all numbers. */
export const holders = (numbers: WorkerNumbers): Effect.Effect<ReadonlyArray<Holder>, RecipeError> =>
  Effect.gen(function* () {
    const taken = yield* retryAcrossSessions(numbers.zk, readTaken(numbers))
    const all: Array<Holder> = []
    for (const id of [...taken.keys()].toSorted((a, b) => a - b)) {
      const [holder] = yield* ContenderQueue.contendersWithIdentifier(queueOf(numbers, id))
      if (holder !== undefined) all.push({ ...holder, id })
    }
    return all
  })

// ---- internal

const directoryOf = (path: string): string => ZnodePath.join(path, "numbers")

const queueOf = ({ path, turns }: WorkerNumbers, id: number): ContenderQueue.ContenderQueue => ({
  ...turns,
  path: ZnodePath.join(directoryOf(path), String(id))
})

/** One of the free numbers, the lowest first; waits while there is none. `Again` when the turn was lost meanwhile. */
const takeFree = Effect.fnUntraced(function* (
  numbers: WorkerNumbers,
  waiting: ContenderQueue.Waiting,
  turn: Ownership
): Effect.fn.Return<OwnedNumber | "Again", LockTimeout | RecipeError, Scope.Scope> {
  const backoff = yield* makeBackoff
  while (!turn.isLost()) {
    yield* waiting.wait(backoff)
    const free = yield* waiting.wait(lowestFree(numbers, waiting.isOnce, turn))
    if (free === "Again") return "Again"
    if (free === undefined) return yield* waiting.timeoutError()
    // It looks once: a number that another client has taken in the meantime, without its turn, is not waited for.
    const once: ContenderQueue.Waiting = { ...waiting, isOnce: true }
    const owned = yield* acquireForked(() =>
      ContenderQueue.acquireWaiting(queueOf(numbers, free), "lock", ContenderQueue.predecessor, once)
    ).pipe(
      Effect.map((ownership): OwnedNumber => withId(ownership, free)),
      Effect.catchTag("LockTimeout", () => Effect.undefined)
    )
    if (owned !== undefined) return owned
    // The time may be over: the next wait says so.
  }
  return "Again"
})

/** The same object, which its users may compare, with the number. */
const withId = (ownership: Ownership, id: number): OwnedNumber => Object.assign(ownership, { id })

/** The lowest number without a holder; undefined where there is none and `isOnce` holds. */
const lowestFree = (
  numbers: WorkerNumbers,
  isOnce: boolean,
  turn: Ownership
): Effect.Effect<number | undefined | "Again", RecipeError> => {
  const again = "Again" as const
  const look = Effect.gen(function* () {
    const taken = yield* readTaken(numbers)
    for (let id = 0; id < numbers.limit; id++) if (!taken.has(id)) return id
    // By their names. A persistent znode holds no number, which is looked at only where none is free otherwise.
    const held = yield* onlyHeld(numbers, taken)
    for (let id = 0; id < numbers.limit; id++) if (!held.has(id)) return id
    if (isOnce) return undefined
    yield* awaitFree(numbers)
    return again
  })
  // With its turn lost another client looks at the same time.
  return Effect.raceFirst(
    Effect.catch(turn.lost, () => Effect.succeed(again)),
    orIfSessionReplaced(numbers.zk, Effect.repeat(look, { until: (found) => found !== again }), again)
  )
}

/** The numbers that are held or contended for, with the names of the contenders. */
const readTaken = (numbers: WorkerNumbers): Effect.Effect<Map<number, ReadonlyArray<string>>, RecipeError> =>
  Effect.gen(function* () {
    const { zk } = numbers
    const directory = directoryOf(numbers.path)
    const ids = (yield* getChildrenOrNone(zk, directory))
      .map(Number)
      .filter((id) => Number.isSafeInteger(id) && id >= 0)
    const taken = new Map<number, ReadonlyArray<string>>()
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH)
      const lists = yield* retryTransient(
        zk.read(batch.map((id) => Op.getChildren(ZnodePath.join(directory, String(id)))))
      )
      for (const [index, list] of lists.entries()) {
        if (Result.isFailure(list)) {
          if (list.failure._tag === "NoAuth") return yield* Effect.fail(list.failure)
          continue
        }
        const contenders = parseContenders(list.success, kinds)
        if (contenders.length > 0)
          taken.set(
            batch[index]!,
            contenders.map(({ name }) => name)
          )
      }
    }
    return taken
  })

/** The numbers with an ephemeral contender, or with one that may not be read. */
const onlyHeld = (
  numbers: WorkerNumbers,
  taken: ReadonlyMap<number, ReadonlyArray<string>>
): Effect.Effect<Set<number>, RecipeError> =>
  Effect.gen(function* () {
    const all = [...taken].flatMap(([id, names]) =>
      names.map((name) => ({ id, path: ZnodePath.join(queueOf(numbers, id).path, name) }))
    )
    const held = new Set<number>()
    for (let start = 0; start < all.length; start += BATCH) {
      const batch = all.slice(start, start + BATCH)
      const results = yield* retryTransient(numbers.zk.read(batch.map(({ path }) => Op.get(path))))
      for (const [index, result] of results.entries()) {
        const isHeld = Result.isFailure(result)
          ? result.failure._tag !== "NoNode"
          : ContenderQueue.isContender(result.success)
        if (isHeld) held.add(batch[index]!.id)
      }
    }
    return held
  })

/** Replies stay far below the limit of a frame. */
const BATCH = 1024

/** Waits until a holder may have gone: watches the numbers in batches, and looks again after the first event. */
const awaitFree = (numbers: WorkerNumbers): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { limit, zk } = numbers
      const directory = directoryOf(numbers.path)
      const watches: Array<Effect.Effect<unknown, RecipeError>> = []
      for (let id = 0; id < limit; id++) {
        const path = ZnodePath.join(directory, String(id))
        const seen = yield* retryTransient(watchScoped(zk.getChildrenAndWatch(path)))
        // It has gone since.
        if (parseContenders(seen.children, kinds).length === 0) return
        watches.push(Fiber.join(seen.nextChange))
      }
      yield* Effect.raceAllFirst(watches)
    })
  ).pipe(Effect.catchTag("NoNode", () => Effect.void))
