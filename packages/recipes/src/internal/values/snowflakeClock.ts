/**
 * Times that are used once: for each number of a process, a znode has the time up to which its holder may make ids.
 *
 * The holder writes it in a transaction that is refused once the number is another's, and the next holder reads it before its
 * first id. So the times of two holders of a number never overlap, whatever their clocks say, and whenever a holder that stood
 * still goes on.
 */
import { type InvalidArgument, SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { DataInvalid, OutOfRange, type RecipeError } from "../../Errors.ts"
import * as WorkerNumbers from "../locks/workerNumbers.ts"
import { sleepJittered } from "../shared/backoff.ts"
import type { AclOptions } from "../shared/options.ts"
import { ensureParents, getOrUndefined, isStateConflict } from "../shared/requests.ts"
import { failIfFinal } from "../shared/retry.ts"

interface Source extends AclOptions {
  readonly numbers: WorkerNumbers.WorkerNumbers
  /** Of the znodes with the times. */
  readonly directory: string
  readonly epoch: number
  /** Milliseconds. */
  readonly reserve: number
}

type NextError = OutOfRange | DataInvalid | RecipeError

interface SnowflakeClock {
  readonly next: Effect.Effect<bigint, NextError>
  readonly workerId: Effect.Effect<Option.Option<number>>
}

/** Gives the number and the rest of the reserved time back when the Scope closes. */
export const make = Effect.fnUntraced(function* (
  source: Source
): Effect.fn.Return<SnowflakeClock, InvalidArgument, Scope.Scope> {
  const clock = yield* Clock.Clock
  const turn = Semaphore.makeUnsafe(1)
  let worker: Worker | undefined
  /** The newest time that was used with any number. */
  let lastTime = -1
  let isClosed = false

  /** The present number, if it has not been lost. */
  const current = (): Worker | undefined => (worker === undefined || worker.owned.isLost(false) ? undefined : worker)

  const giveBack = Effect.suspend(() => {
    const former = worker
    if (former === undefined) return Effect.void
    worker = undefined
    lastTime = Math.max(lastTime, former.last)
    return Scope.close(former.scope, Exit.void)
  })

  const take: Effect.Effect<Worker, NextError> = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      yield* giveBack
      const scope = yield* Scope.make()
      const taking = Effect.provideService(takeNumber(source), Scope.Scope, scope)
      const taken = yield* Effect.onError(restore(taking), () => Scope.close(scope, Exit.void))
      // With another number, too, the ids of this generator grow.
      return (worker = { ...taken, last: Math.max(taken.last, lastTime), scope })
    })
  )

  /** Makes the next id possible: takes a number, reserves time, or lets time pass. */
  const prepare = Effect.suspend((): Effect.Effect<unknown, NextError> => {
    if (isClosed) return Effect.fail(new SessionClosed())
    const mine = current()
    if (mine === undefined) return take
    switch (step(mine, source.epoch, clock)) {
      case "reserve":
        return reserve(source, mine)
      case "wait":
        return Effect.sleep(1)
      case "full":
        return Effect.fail(
          new OutOfRange({
            path: source.numbers.path,
            value: mine.last + 1,
            range: "41 bits of milliseconds since the epoch"
          })
        )
      default:
        return Effect.void
    }
  })

  const next: Effect.Effect<bigint, NextError> = Effect.suspend(() => {
    const mine = current()
    const found = mine === undefined || isClosed ? undefined : step(mine, source.epoch, clock)
    if (mine !== undefined && typeof found === "object") {
      mine.last = found.time
      mine.sequence = found.sequence
      mine.movedAt = found.movedAt
      return Effect.succeed((BigInt(found.time) << 22n) | (BigInt(mine.owned.id) << 12n) | BigInt(found.sequence))
    }
    return Effect.andThen(turn.withPermit(prepare), next)
  })

  const { closing } = source.numbers.zk.session
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosed = true
      const mine = current()
      if (mine === undefined) return giveBack
      // A close of the session waits for the number alone, which is the next holder's then.
      const returning = Effect.raceFirst(returnTime(source, mine), closing.begun)
      return closing.giveBack(Effect.andThen(returning, giveBack))
    })
  )

  return {
    next,
    workerId: Effect.sync(() => Option.map(Option.fromUndefinedOr(current()), ({ owned }) => owned.id))
  }
})

// -----------------------------------------------------------------------------
// time
// -----------------------------------------------------------------------------

/** A number, and the times that were used with it, in milliseconds since the epoch. */
interface Worker {
  readonly owned: WorkerNumbers.OwnedNumber
  readonly scope: Scope.Closeable
  /** Of the last id. */
  last: number
  sequence: number
  /** When `last` was moved on beyond the clock. Monotonic milliseconds. */
  movedAt: number
  /** The first time that is not reserved. */
  end: number
  /** Of the znode with `end`; undefined for none, and `unknown` after a lost reply. */
  version: number | undefined | "unknown"
  /** Of the writes of the end since the last reply to one. */
  losses: Outcome.TotalLosses
}

const LAST_SEQUENCE = 4095

const MAX_TIME = 2 ** 41 - 1

/** The part of a `Worker` that the next id changes. */
interface NextTime extends Pick<Worker, "sequence" | "movedAt"> {
  readonly time: number
}

/** The time and the count of the next id, or what it needs first. It changes nothing. */
const step = (worker: Worker, epoch: number, clock: Clock.Clock): NextTime | "reserve" | "wait" | "full" => {
  const { end, last, sequence } = worker
  let { movedAt } = worker
  const now = clock.currentTimeMillisUnsafe() - epoch
  let time = last
  let count = sequence + 1
  if (now > last) {
    time = now
    count = 0
  } else if (sequence === LAST_SEQUENCE) {
    // Within the clock's own millisecond the next one comes soon. A clock that is behind is not waited for, but it goes no
    // faster than time does.
    const monotonic = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    if (now === last || monotonic < movedAt + 1) return "wait"
    time = last + 1
    count = 0
    movedAt = monotonic
  }
  if (time > MAX_TIME || time < 0) return "full"
  return time < end ? { time, sequence: count, movedAt } : "reserve"
}

// -----------------------------------------------------------------------------
// reserving
// -----------------------------------------------------------------------------

const pathOf = ({ directory }: Source, { id }: { readonly id: number }): string => ZnodePath.join(directory, String(id))

/** Takes a number, and reads up to when its former holders may have made ids. */
const takeNumber = Effect.fnUntraced(function* (
  source: Source
): Effect.fn.Return<Omit<Worker, "scope">, DataInvalid | RecipeError, Scope.Scope> {
  // Without a timeout there is no LockTimeout.
  const owned = yield* Effect.catchTag(WorkerNumbers.acquire(source.numbers, undefined), "LockTimeout", Effect.die)
  const { end, version } = yield* readEnd(source, owned)
  return {
    owned,
    last: end - 1,
    sequence: LAST_SEQUENCE,
    movedAt: Number.NEGATIVE_INFINITY,
    end,
    version,
    losses: Outcome.totalLosses()
  }
})

const readEnd = Effect.fnUntraced(function* (
  source: Source,
  owned: WorkerNumbers.OwnedNumber
): Effect.fn.Return<{ readonly end: number; readonly version: number | undefined }, DataInvalid | RecipeError> {
  const path = pathOf(source, owned)
  // The server has shown that the former holder's znode is gone, so it has all that this one could write.
  const found = yield* getOrUndefined(source.numbers.zk, path)
  if (found === undefined) return { end: 0, version: undefined }
  const text = new TextDecoder().decode(found.data)
  if (/^[0-9]{1,15}$/.test(text)) return { end: Number(text), version: found.stat.version }
  return yield* new DataInvalid({ path, expected: "a time in milliseconds as text" })
})

/**
 * Moves the end of the reserved time on. A loss of the number is no error: the next step takes another one. Nor is a lost
 * reply, until so many connections are lost that the write is given up.
 */
const reserve = (source: Source, worker: Worker): Effect.Effect<void, NextError> =>
  Effect.suspend(() => {
    const from = Math.max(worker.last + 1, 0)
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      writeEnd(source, worker, Math.max(from, now - source.epoch) + source.reserve)
    )
  })

const writeEnd = Effect.fnUntraced(function* (
  source: Source,
  worker: Worker,
  end: number
): Effect.fn.Return<void, DataInvalid | RecipeError> {
  const { acl, numbers } = source
  const { losses, owned } = worker
  const path = pathOf(source, owned)
  const version = worker.version === "unknown" ? (yield* readEnd(source, owned)).version : worker.version
  const write =
    version === undefined ? Op.create(path, { data: String(end), acl }) : Op.setData(path, String(end), { version })
  // Its fate is unknown until the reply is there, also to a caller that is interrupted.
  worker.version = "unknown"
  const sent = yield* Effect.result(owned.transaction([write]))
  if (Result.isSuccess(sent)) {
    worker.version = version === undefined ? 0 : version + 1
    worker.end = end
    worker.losses = Outcome.totalLosses()
    return
  }
  const error = sent.failure
  if (error._tag === "LockLost") return
  if (error._tag === "TransactionFailed") {
    worker.losses = Outcome.totalLosses()
    if (error.error._tag === "NoNode" && version === undefined)
      return yield* ensureParents(numbers.zk, source.directory, acl)
    // An earlier write, whose reply was lost, was applied: the next attempt reads first.
    return isStateConflict(error.error) ? undefined : yield* Effect.fail(error.error)
  }
  losses.add(error)
  const failure = yield* failIfFinal(numbers.zk, error)
  if (error._tag === "ConnectionLoss" && losses.isGivenUp) {
    // When it is tried again, it begins to count anew.
    worker.losses = Outcome.totalLosses()
    return yield* losses.withTotal(error)
  }
  if (failure === "transient") yield* sleepJittered(100)
})

/** The next holder of the number begins where this one has stopped. */
const returnTime = (source: Source, worker: Worker): Effect.Effect<void> =>
  worker.version === undefined ? Effect.void : Effect.ignore(writeEnd(source, worker, worker.last + 1))
