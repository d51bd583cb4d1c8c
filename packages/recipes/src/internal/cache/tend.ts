/**
 * Tending a mirror: the watch, the fibers that look, and what has to be done when the connection or the session was lost.
 */
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RecipeError } from "../../Errors.ts"
import { checkCount, checkPath, checkTimeout } from "../checks.ts"
import { acrossSessions, patiently } from "../patience.ts"
import { beside, withWatches } from "./looking.ts"
import type { Job } from "./Agenda.ts"
import { isFinal, Mirror, type Range } from "./Mirror.ts"

/** What all caches can be told. */
export interface Options {
  /** How many znodes are read at once. Default 64. */
  readonly concurrency?: number | undefined
  /** The most znodes that are held. Default: no limit. */
  readonly maxNodes?: number | undefined
  /**
   * After a lost connection all is read again, within a time up to this, so that many caches do not ask at once. Default
   * 500 milliseconds.
   */
  readonly jitter?: Duration.Input | undefined
  /** Whether `make` waits until all has been read. Default true. */
  readonly wait?: boolean | undefined
}

/** A mirror that is tended until the Scope closes. */
export const make = (
  zk: ZooKeeper.Service,
  range: Omit<Range, "maxNodes">,
  options: Options
): Effect.Effect<Mirror, RecipeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const exit = yield* Effect.exit(restore(start(zk, range, options, scope)))
      if (Exit.isFailure(exit)) yield* Scope.close(scope, exit)
      return yield* exit
    })
  )

const start = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  partial: Omit<Range, "maxNodes">,
  options: Options,
  scope: Scope.Scope
): Effect.fn.Return<Mirror, RecipeError> {
  yield* checkPath(partial.root, true)
  yield* checkCount("maxDepth", partial.maxDepth, { least: 0, most: unbounded })
  const maxNodes = yield* checkCount("maxNodes", options.maxNodes ?? unbounded, { most: unbounded })
  const concurrency = yield* checkCount("concurrency", options.concurrency ?? 64)
  const jitter = (yield* checkTimeout(options.jitter, "jitter")) ?? 500
  const mirror = new Mirror({ ...partial, maxNodes }, beside(zk), yield* Queue.unbounded<Job>())
  const self: Self = { zk, mirror, scope, jitter, session: 0n, isPersistent: true }
  if (!zk.session.serverFeatures.supports("addWatch") || !(yield* watchAll(self))) watchEach(self)
  for (let n = 0; n < concurrency; n++) yield* Effect.forkIn(work(self), scope)
  yield* Effect.forkIn(refresh(self), scope)
  yield* Effect.forkIn(follow(self), scope)
  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => mirror.end(undefined))
  )
  mirror.due.openUnsafe()
  if (options.wait === false) return mirror
  yield* Deferred.await(mirror.loaded)
  const error = mirror.trouble(partial.root)
  return error === undefined ? mirror : yield* error
})

// ---- internal

const unbounded = Number.POSITIVE_INFINITY

interface Self {
  readonly zk: ZooKeeper.Service
  readonly mirror: Mirror
  readonly scope: Scope.Scope
  /** Milliseconds. */
  readonly jitter: number
  /** The session by which all was read last. */
  session: bigint
  /** Whether one persistent watch tells of all; otherwise each znode is watched as it is read. */
  isPersistent: boolean
}

// ---- internal: the watch

/** Sets the persistent watch, and returns when the server holds it; false if it knows no such thing. */
const watchAll = Effect.fnUntraced(function* (self: Self): Effect.fn.Return<boolean, RecipeError> {
  const { mirror, scope, zk } = self
  const { maxDepth, root } = mirror.range
  const ready = Deferred.makeUnsafe<boolean>()
  let isReady = false
  const onReady = () => {
    isReady = true
    Deferred.doneUnsafe(ready, Effect.succeed(true))
  }
  const listening = yield* patiently(
    Stream.runForEach(zk.events(root, { recursive: maxDepth > 0, onReady }), (event) =>
      Effect.sync(() => mirror.onEvent(event))
    )
  ).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isSuccess(exit)) return
        const error = Cause.findErrorOption(exit.cause)
        if (!isReady || error._tag === "None" || !Outcome.isUnimplemented(error.value)) return endBy(mirror, exit.cause)
        // The session has moved to a server that knows no such watch: all is read again, and watched one by one.
        watchEach(self)
        mirror.due.openUnsafe()
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
  const { mirror, scope, zk } = self
  self.isPersistent = false
  const alarm = (kind: "data" | "children", path: string) => mirror.alarm(kind, path)
  mirror.looking = withWatches(zk, mirror.range.root, alarm, scope, (error) => mirror.end(Cause.fail(error)))
}

/** Ends with the session, with a watch that no server bears, or with a bug: one of the application's, such as a filter that throws, is nobody's to survive. */
const endBy = (mirror: Mirror, cause: Cause.Cause<RecipeError>): void => {
  const error = Cause.findErrorOption(cause)
  if (Cause.hasDies(cause) || (error._tag === "Some" && (isFinal(error.value) || Outcome.isGivenUp(error.value))))
    mirror.end(cause)
}

// ---- internal: looking

const work = (self: Self): Effect.Effect<never> =>
  Effect.forever(
    Effect.flatMap(Queue.take(self.mirror.agenda.queue), (job) => {
      self.mirror.agenda.begin(job)
      return look(self, job).pipe(
        Effect.catch((error) => failed(self, job, error)),
        Effect.catchCause((cause) => Effect.sync(() => endBy(self.mirror, cause))),
        Effect.andThen(Effect.suspend(() => done(self, job)))
      )
    }),
    // Waiting for a reply lets the others run.
    { disableYield: true }
  )

const look = Effect.fnUntraced(function* ({ mirror, zk }: Self, job: Job): Effect.fn.Return<void, RecipeError> {
  const { looking } = mirror
  mirror.isIn(zk.session.history)
  let seen = yield* mirror.wantsData(job) ? looking.get(job.path) : looking.stat(job.path)
  if (seen !== undefined && seen.data === undefined && mirror.lacksData(job, seen.stat)) {
    seen = yield* looking.get(job.path)
  }
  mirror.isIn(zk.session.history)
  if (seen === undefined) return mirror.sawNothing(job)
  if (!mirror.saw(job, seen)) return
  const list = yield* looking.list(job.path)
  if (list === undefined) mirror.sawNothing(job)
  else mirror.sawList(job, list)
})

const failed = Effect.fnUntraced(function* ({ mirror, scope }: Self, job: Job, error: RecipeError) {
  if (isFinal(error)) return mirror.end(Cause.fail(error))
  const { attempts, isNews } = mirror.couldNotRead(job, error)
  if (isNews)
    yield* Effect.logWarning(`${Printable.escape(job.path)} is not cached, for it cannot be read: ${error.message}`)
  const again = Effect.sync(() => mirror.agenda.askAgain(job.path))
  yield* Effect.forkIn(Effect.delay(again, (yield* Random.nextBetween(0.8, 1.2)) * pause(error, attempts)), scope)
})

/** Milliseconds until a znode that cannot be read is tried again. */
const pause = (error: RecipeError, attempts: number): number =>
  // A reply that is too large costs the connection.
  error._tag === "FrameTooLarge" ? 60_000 : Math.min(60_000, 1000 * 2 ** (attempts - 1))

const done = ({ mirror, scope }: Self, job: Job): Effect.Effect<void> => {
  mirror.agenda.finish(job)
  if (!mirror.takeRoom()) return Effect.void
  // Where znodes come and go at the limit it is not read for each of them.
  return Effect.asVoid(Effect.forkIn(Effect.delay(mirror.due.open, "1 second"), scope))
}

// ---- internal: sweeping

/** Reads all, whenever that is due. */
const refresh = Effect.fnUntraced(function* (self: Self): Effect.fn.Return<never> {
  const { mirror, zk } = self
  while (true) {
    yield* Latch.await(mirror.due)
    if (self.session !== 0n) yield* Effect.sleep((yield* Random.next) * self.jitter)
    mirror.due.closeUnsafe()
    const session = zk.session.id
    mirror.isIn(zk.session.history)
    if (session !== self.session) {
      // The server of a new session may lag behind what was seen by the one before.
      if (self.session !== 0n) {
        yield* Effect.catch(acrossSessions(zk, zk.sync(mirror.range.root)), (error) =>
          Effect.sync(() => isFinal(error) && mirror.end(Cause.fail(error)))
        )
      }
      self.session = session
    }
    yield* mirror.agenda.sweep()
    // Otherwise it is due again, or will be with the next connection.
    if (!mirror.due.isOpen() && zk.session.state._tag === "Connected") mirror.becomeLive()
  }
})

/** Follows the states of the session. */
const follow = Effect.fnUntraced(function* (self: Self) {
  const { mirror, zk } = self
  let isNew = true
  yield* Stream.runForEach(zk.session.states, ({ _tag }) =>
    Effect.sync(() => {
      if (_tag === "Connected") {
        // A persistent watch says `Gap` when the server holds it again.
        if (!self.isPersistent && !isNew) mirror.due.openUnsafe()
      } else if (_tag === "Disconnected" || _tag === "EnsembleBehind") {
        if (mirror.freshness === "live") mirror.become("suspended")
      } else {
        mirror.become("lost")
      }
      isNew = false
    })
  )
  // No other state follows: any request tells why.
  yield* Effect.catch(acrossSessions(zk, zk.stat(mirror.range.root)), (error) =>
    Effect.sync(() => mirror.end(Cause.fail(error)))
  )
})
