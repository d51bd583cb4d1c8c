/**
 * Runs a cache: its watch, its reading fibers, and the recovery after a lost connection or session.
 */
import { acquireForked } from "@effect-zookeeper/client/Detached"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RecipeError } from "../../Errors.ts"
import { retryAcrossSessions, retryTransient } from "../shared/retry.ts"
import { checkCount, checkPath, checkTimeout } from "../shared/validate.ts"
import { joiningReader, type NodeReader, watchingReader, type ZnodeRead } from "./nodeReader.ts"
import { type Job, ReadFlags } from "./RefreshQueue.ts"
import { isFinal, CacheState, type CacheRange } from "./CacheState.ts"

/** Options of all caches. */
export interface Options {
  /** How many znodes are read at the same time. Default 64. */
  readonly concurrency?: number | undefined
  /** The largest number of znodes to hold. Default: no limit. */
  readonly maxNodes?: number | undefined
  /**
   * After a lost connection everything is read again, after a random delay up to this, so that many caches do not ask at
   * once. Numbers are milliseconds. Default 500 milliseconds.
   */
  readonly jitter?: Duration.Input | undefined
  /** Whether `make` waits until everything has been read. Default true. */
  readonly wait?: boolean | undefined
}

/** A cache that runs until the Scope closes. */
export const make = (
  zk: ZooKeeper.Service,
  range: Omit<CacheRange, "maxNodes">,
  options: Options
): Effect.Effect<CacheState, RecipeError, Scope.Scope> =>
  acquireForked((restore, own) => restore(startCache(zk, range, options, own)))

const startCache = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  partial: Omit<CacheRange, "maxNodes">,
  options: Options,
  scope: Scope.Scope
): Effect.fn.Return<CacheState, RecipeError> {
  yield* checkPath(partial.root, true)
  yield* checkCount("maxDepth", partial.maxDepth, { least: 0, most: unbounded })
  const maxNodes = yield* checkCount("maxNodes", options.maxNodes ?? unbounded, { most: unbounded })
  const concurrency = yield* checkCount("concurrency", options.concurrency ?? 64)
  const jitter = (yield* checkTimeout(options.jitter, "jitter")) ?? 500
  const cache = new CacheState({ ...partial, maxNodes }, joiningReader(zk, scope), yield* Queue.unbounded<Job>())
  const self: Self = { zk, cache, scope, jitter, session: 0n, isPersistent: true }
  if (!zk.session.serverFeatures.supports("addWatch") || !(yield* watchAll(self))) watchEach(self)
  for (let n = 0; n < concurrency; n++) yield* Effect.forkIn(runWorker(self), scope)
  yield* Effect.forkIn(refreshWhenDue(self), scope)
  yield* Effect.forkIn(followSession(self), scope)
  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => cache.end(undefined))
  )
  cache.refreshDue.openUnsafe()
  if (options.wait === false) return cache
  yield* Deferred.await(cache.loaded)
  const error = cache.readFailure(partial.root)
  return error === undefined ? cache : yield* error
})

/** Reads from the server; the cache reads too. */
export const readThrough = (
  zk: ZooKeeper.Service,
  cache: CacheState,
  path: string
): Effect.Effect<Option.Option<DataAndStat>, RecipeError> =>
  retryAcrossSessions(zk, zk.get(path)).pipe(
    Effect.map(Option.some),
    Effect.catchTag("NoNode", () => Effect.succeedNone),
    Effect.tap(() => Effect.sync(() => cache.refreshQueue.request(path, ReadFlags.data)))
  )

// ---- internal

const unbounded = Number.POSITIVE_INFINITY

interface Self {
  readonly zk: ZooKeeper.Service
  readonly cache: CacheState
  readonly scope: Scope.Scope
  /** Milliseconds. */
  readonly jitter: number
  /** The session that read everything last. */
  session: bigint
  /** Whether one persistent watch covers everything; otherwise each znode is watched as it is read. */
  isPersistent: boolean
}

// ---- internal: the watch

/** Registers the persistent watch, and returns when the server holds it; false if the server does not support it. */
const watchAll = Effect.fnUntraced(function* (self: Self): Effect.fn.Return<boolean, RecipeError> {
  const { cache, scope, zk } = self
  const { maxDepth, root } = cache.range
  const ready = Deferred.makeUnsafe<boolean>()
  let isReady = false
  const onReady = () => {
    isReady = true
    Deferred.doneUnsafe(ready, Effect.succeed(true))
  }
  const listening = yield* retryTransient(
    Stream.runForEach(zk.events(root, { recursive: maxDepth > 0, onReady }), (event) =>
      Effect.sync(() => cache.onEvent(event))
    )
  ).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isSuccess(exit)) return
        const error = Cause.findErrorOption(exit.cause)
        if (!isReady || error._tag === "None" || !Outcome.isUnimplemented(error.value))
          return endIfFatal(cache, exit.cause)
        // The session has moved to a server without such watches: everything is read again, and watched one by one.
        watchEach(self)
        cache.refreshDue.openUnsafe()
      })
    ),
    Effect.forkIn(scope)
  )
  return yield* Effect.raceFirst(
    Deferred.await(ready),
    Effect.catchIf(Effect.as(Fiber.join(listening), false), Outcome.isUnimplemented, () => Effect.succeed(false))
  )
})

const watchEach = (self: Self): void => {
  const { cache, scope, zk } = self
  self.isPersistent = false
  const onFired = (kind: "data" | "children", path: string) => cache.onWatchFired(kind, path)
  cache.reader = watchingReader(zk, cache.range.root, onFired, scope, (error) => cache.end(Cause.fail(error)))
}

/**
 * Ends the cache with the session, after a watch that no server accepts, or with a defect, such as that of a filter that
 * throws.
 */
const endIfFatal = (cache: CacheState, cause: Cause.Cause<RecipeError>): void => {
  const error = Cause.findErrorOption(cause)
  if (Cause.hasDies(cause) || (error._tag === "Some" && (isFinal(error.value) || Outcome.isGivenUp(error.value))))
    cache.end(cause)
}

// ---- internal: looking

const runWorker = (self: Self): Effect.Effect<never> =>
  Effect.forever(
    Effect.flatMap(Queue.take(self.cache.refreshQueue.queue), (job) => {
      self.cache.refreshQueue.begin(job)
      return Effect.suspend(() => refreshZnode(self, job)).pipe(
        Effect.catch((error) => onReadFailed(self, job, error)),
        Effect.catchCause((cause) => Effect.sync(() => endIfFatal(self.cache, cause))),
        Effect.andThen(Effect.suspend(() => onJobDone(self, job)))
      )
    }),
    // Waiting for a reply lets other fibers run.
    { disableYield: true }
  )

/** Not a generator: it runs for each znode of a tree. */
const refreshZnode = (self: Self, job: Job): Effect.Effect<void, RecipeError> => {
  const { cache, zk } = self
  const { reader } = cache
  const takeIn = (seen: ZnodeRead | undefined) => takeInZnode(self, reader, job, seen)
  cache.setHistory(zk.session.history)
  if (cache.needsData(job)) return Effect.flatMap(reader.get(job.path), takeIn)
  return Effect.flatMap(reader.stat(job.path), (seen) =>
    seen !== undefined && cache.hasOutdatedData(job, seen.stat)
      ? Effect.flatMap(reader.get(job.path), takeIn)
      : takeIn(seen)
  )
}

const takeInZnode = (
  { cache, zk }: Self,
  reader: NodeReader,
  job: Job,
  seen: ZnodeRead | undefined
): Effect.Effect<void, RecipeError> => {
  cache.setHistory(zk.session.history)
  if (seen === undefined) {
    cache.observedAbsence(job)
    return Effect.void
  }
  if (!cache.observed(job, seen)) return Effect.void
  return Effect.map(reader.list(job.path), (list) => {
    if (list === undefined) cache.observedAbsence(job)
    else cache.observedChildren(job, list)
  })
}

const onReadFailed = Effect.fnUntraced(function* ({ cache, scope }: Self, job: Job, error: RecipeError) {
  if (isFinal(error)) return cache.end(Cause.fail(error))
  const { attempts, isNews } = cache.observedFailure(job, error)
  if (isNews)
    yield* Effect.logWarning(`${Printable.escape(job.path)} is not cached, for it cannot be read: ${error.message}`)
  const again = Effect.sync(() => cache.refreshQueue.requestAgain(job.path))
  yield* Effect.forkIn(Effect.delay(again, yield* retryDelay(error, attempts)), scope)
})

/** Milliseconds until a znode that cannot be read is tried again. */
const retryDelay = (error: RecipeError, attempts: number): Effect.Effect<number> =>
  // A reply that is too large ends the connection; a request that is given up has cost eight.
  error._tag === "FrameTooLarge" || Outcome.isGivenUp(error)
    ? Outcome.longPause
    : Effect.map(Random.nextBetween(0.8, 1.2), (jitter) => jitter * Math.min(60_000, 1000 * 2 ** (attempts - 1)))

const onJobDone = ({ cache, scope }: Self, job: Job): Effect.Effect<void> => {
  cache.refreshQueue.finish(job)
  if (!cache.claimFreedRoom()) return Effect.void
  // At the limit of `maxNodes` it is not read after each single deletion.
  return Effect.asVoid(Effect.forkIn(Effect.delay(cache.refreshDue.open, "1 second"), scope))
}

// ---- internal: sweeping

/** Reads everything, whenever that is due. */
const refreshWhenDue = Effect.fnUntraced(function* (self: Self): Effect.fn.Return<never> {
  const { cache, zk } = self
  while (true) {
    yield* Latch.await(cache.refreshDue)
    if (self.session !== 0n) yield* Effect.sleep((yield* Random.next) * self.jitter)
    cache.refreshDue.closeUnsafe()
    const session = zk.session.id
    cache.setHistory(zk.session.history)
    if (session !== self.session) {
      // The server of a new session may lag behind the one before.
      if (self.session !== 0n) {
        yield* Effect.catch(retryAcrossSessions(zk, zk.sync(cache.range.root)), (error) =>
          Effect.sync(() => isFinal(error) && cache.end(Cause.fail(error)))
        )
      }
      self.session = session
    }
    yield* cache.refreshQueue.refreshAll()
    // Otherwise it is due again, or will be with the next connection.
    if (!cache.refreshDue.isOpen() && zk.session.state._tag === "Connected") cache.setLive()
  }
})

/** Follows the states of the session. */
const followSession = Effect.fnUntraced(function* (self: Self) {
  const { cache, zk } = self
  let isNew = true
  yield* Stream.runForEach(zk.session.states, ({ _tag }) =>
    Effect.sync(() => {
      if (_tag === "Connected") {
        // A persistent watch emits `Gap` when the server holds it again.
        if (!self.isPersistent && !isNew) cache.refreshDue.openUnsafe()
      } else if (_tag === "Disconnected" || _tag === "EnsembleBehind") {
        if (cache.freshness === "live") cache.setFreshness("suspended")
      } else {
        cache.setFreshness("lost")
      }
      isNew = false
    })
  )
  // No other state follows: the error of any request gives the reason.
  yield* Effect.catch(retryAcrossSessions(zk, zk.stat(cache.range.root)), (error) =>
    Effect.sync(() => cache.end(Cause.fail(error)))
  )
})
