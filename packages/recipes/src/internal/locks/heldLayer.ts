/** Builds a Layer while something is held, tears it down with the hold, and builds it again with the next one. */
import type * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Printable from "@effect-zookeeper/client/Printable"
import { AuthFailed, InvalidArgument, SessionClosed, SessionExpired } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { LockLost, LockTimeout, type RecipeError } from "../../Errors.ts"
import type { Held } from "../../Held.ts"
import type { HeldLayer, LayerOptions } from "../../HeldLayer.ts"
import { makeBackoff } from "../shared/backoff.ts"
import { makeDeadline } from "../shared/clock.ts"
import { checkedTimeout, checkOptions, knownAcquire } from "../shared/options.ts"
import { guardScoped } from "./guard.ts"
import { guard, type Ownership, releaseReason } from "./ownership.ts"

/** A Layer, or a function that makes it for what is held. */
export type LayerWhileHeld<Services, E, R> = Layer.Layer<Services, E, R> | ((held: Held) => Layer.Layer<Services, E, R>)

/** A queue in which a recipe holds something, and how it does that. */
export interface Turns {
  readonly queue: { readonly zk: ZooKeeper.Service; readonly path: string }
  readonly acquire: (timeout: number | undefined) => Effect.Effect<Ownership, LockTimeout | RecipeError, Scope.Scope>
}

/** Checks the options, and makes the services of a recipe's Layers. */
export const makeFor = Effect.fnUntraced(function* <O extends LayerOptions<unknown>, Services, E, R>(
  known: KnownOptions.KnownOptions<O>,
  makeTurns: Effect.Effect<Turns, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>,
  layer: LayerWhileHeld<Services, E, R>,
  options: LayerOptions<E>
) {
  yield* checkOptions(known, options)
  const turns = yield* makeTurns
  const { path, zk } = turns.queue
  return yield* make({ zk, path, acquire: awaitTurn(turns) }, layer, options)
})

/** Waits for as long as it takes. */
export const awaitTurn = ({ acquire }: Turns): Effect.Effect<Ownership, RecipeError, Scope.Scope> =>
  // Without a timeout there is no LockTimeout.
  Effect.catchTag(acquire(undefined), "LockTimeout", Effect.die)

// ---- internal

/** How the hold is acquired. */
interface Source {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly acquire: Effect.Effect<Ownership, RecipeError, Scope.Scope>
}

/** Acquires, builds and tears down in the background, until the Scope closes. */
const make = Effect.fnUntraced(function* <Services, E, R>(
  source: Source,
  layer: LayerWhileHeld<Services, E, R>,
  { retry }: LayerOptions<E>
): Effect.fn.Return<HeldLayer<Services, E>, never, R | Scope.Scope> {
  const { path } = source
  const environment = yield* Effect.context<R>()
  const state = yield* SubscriptionRef.make<State<Services, E>>({ period: undefined, end: undefined })
  const self: Self<Services, E> = {
    ...source,
    state,
    build: (held, scope) =>
      Layer.buildWithMemoMap(
        typeof layer === "function" ? layer(held) : layer,
        // Layers that the application has already are shared; all others begin anew with each hold.
        Layer.CurrentMemoMap.forkOrCreate(environment),
        scope
      ).pipe(Effect.provideContext(environment)),
    retry: retry ?? pauses
  }
  yield* Effect.forkScoped(run(self), { startImmediately: true })
  const awaitEnd = (now: State<Services, E>) => (now.end === undefined ? Effect.succeed(now) : now.end)
  return {
    path,
    held: Effect.sync(() => heldOf(SubscriptionRef.getUnsafe(state))),
    changes: SubscriptionRef.changes(state).pipe(
      Stream.mapEffect(awaitEnd),
      Stream.map(heldOf),
      Stream.changesWith((a, b) => Option.getOrUndefined(a) === Option.getOrUndefined(b)),
      Stream.catchIf(isClosed, () => Stream.empty)
    ),
    use: (effect, options) =>
      Effect.flatMap(checkedTimeout(knownAcquire, options), (timeout) =>
        Effect.flatMap(awaitPeriod(self, timeout), (period) => usePeriod(period, effect))
      ),
    failure: SubscriptionRef.changes(state).pipe(
      Stream.mapEffect(awaitEnd),
      Stream.runDrain,
      Effect.andThen(Effect.never)
    )
  }
})

/** The pauses where the application names none. A request that is given up has cost eight connections. */
const pauses: Schedule.Schedule<unknown> = Schedule.modifyDelay(
  Schedule.jittered(Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])),
  ({ duration, input }) =>
    Outcome.isGivenUp(input) ? Effect.map(Outcome.longPause, Duration.millis) : Effect.succeed(duration)
)

interface Self<Services, E> extends Source {
  readonly state: SubscriptionRef.SubscriptionRef<State<Services, E>>
  readonly build: (held: Held, scope: Scope.Scope) => Effect.Effect<Context.Context<Services>, E>
  readonly retry: Schedule.Schedule<unknown, E | RecipeError>
}

interface State<Services, E> {
  readonly period: Period<Services> | undefined
  /** Why no services will follow. */
  readonly end: Exit.Exit<never, E | RecipeError> | undefined
}

/** The time from the end of a build to the beginning of the teardown. */
interface Period<Services> {
  readonly held: Ownership
  readonly services: Context.Context<Services>
  /** Fails when the teardown begins. */
  readonly ended: Deferred.Deferred<never, LockLost>
  users: number
  /** Open when no effect uses the services. */
  readonly unused: Latch.Latch
}

const heldOf = ({ period }: State<never, unknown>): Option.Option<Held> => Option.fromUndefinedOr(period?.held)

/** One hold after the other; ends when there will be none. */
const run = <Services, E>(self: Self<Services, E>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { path, retry, state } = self
    const backoff = yield* makeBackoff
    let pause = yield* Schedule.toStepWithSleep(retry)
    let built = false
    const onBuilt = Effect.sync(() => {
      built = true
    })
    while (true) {
      yield* backoff
      let held: Ownership | undefined
      const exit = yield* Effect.exit(
        guardScoped(self.acquire, (ownership) => {
          held = ownership
          return Effect.scoped(Effect.andThen(beginPeriod(self, ownership), Effect.andThen(onBuilt, Effect.never)))
        })
      )
      // The period itself has no end: only a failure ends it.
      if (Exit.isSuccess(exit)) continue
      const error = Cause.findErrorOption(exit.cause)
      if (built) pause = yield* Schedule.toStepWithSleep(retry)
      built = false
      // A loss is no failure: it waits for its turn again.
      if (Option.isSome(error) && held !== undefined && isLossOf(held, error.value)) continue
      const end = Exit.failCause(exit.cause as Cause.Cause<E | RecipeError>)
      const isEnded = Option.isNone(error) || isFinal(error.value)
      if (Option.isNone(error) || !isClosed(error.value))
        yield* Effect.logError(`The layer that is built while ${Printable.escape(path)} is held failed`, exit.cause)
      if (isEnded || Exit.isFailure(yield* Effect.exit(pause(error.value as E | RecipeError)))) {
        return yield* SubscriptionRef.set(state, { period: undefined, end })
      }
    }
  })

const isLossOf = ({ path }: Ownership, error: unknown): boolean => error instanceof LockLost && error.path === path

const isClosed = (error: unknown): boolean => error instanceof SessionClosed

/** Errors after which nothing can be acquired any more. */
const isFinal = (error: unknown): boolean =>
  isClosed(error) || error instanceof SessionExpired || error instanceof AuthFailed || error instanceof InvalidArgument

/** Builds the services, and shows them until the Scope closes. */
const beginPeriod = <Services, E>(
  { build, path, state, zk }: Self<Services, E>,
  held: Ownership
): Effect.Effect<void, E, Scope.Scope> =>
  Effect.gen(function* () {
    const services = yield* build(held, yield* Effect.scope)
    const period: Period<Services> = {
      held,
      services,
      ended: Deferred.makeUnsafe(),
      users: 0,
      unused: Latch.makeUnsafe(true)
    }
    yield* Effect.acquireRelease(SubscriptionRef.set(state, { period, end: undefined }), () =>
      Effect.gen(function* () {
        yield* SubscriptionRef.set(state, { period: undefined, end: undefined })
        const loss = held.isLost() ? yield* Effect.flip(held.lost) : new LockLost({ path, reason: releaseReason(zk) })
        yield* Deferred.fail(period.ended, loss)
        // Those who use the services stop first.
        yield* period.unused.await
      })
    )
  })

/** The present period, or the next one. */
const awaitPeriod = <Services, E>(
  { path, state }: Pick<Self<Services, E>, "path" | "state">,
  timeout: number | undefined
): Effect.Effect<Period<Services>, E | RecipeError | LockTimeout> =>
  Effect.gen(function* () {
    const { end, period } = SubscriptionRef.getUnsafe(state)
    if (period !== undefined) return period
    if (end !== undefined) return yield* end
    const late = () => new LockTimeout({ path, timeout: timeout ?? 0 })
    if (timeout === 0) return yield* late()
    const next = SubscriptionRef.changes(state).pipe(
      Stream.filter(({ end, period }) => end !== undefined || period !== undefined),
      Stream.runHead
    )
    const withDeadline = yield* makeDeadline(timeout)
    yield* withDeadline(next, late)
    return yield* awaitPeriod({ path, state }, timeout)
  })

const usePeriod = <A, E, R, Services>(
  period: Period<Services>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | LockLost, Exclude<R, Services>> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      period.users++
      period.unused.closeUnsafe()
    }),
    () =>
      Effect.raceFirst(
        Deferred.await(period.ended),
        guard(period.held, Effect.provideContext(effect, period.services))
      ),
    () =>
      Effect.sync(() => {
        if (--period.users === 0) period.unused.openUnsafe()
      })
  )
