/**
 * Services that exist only while this process holds something: a lock, or the leadership.
 *
 * `Lock.layer` and `LeaderElection.layer` build a Layer when they hold it, tear it down before another process can, and
 * build it again the next time. `layerService` of both also gives this service to the rest of the application, which is
 * there all the time: a web server can answer while another process leads.
 *
 * @since 0.1.0
 */
import type { LockLost, LockTimeout, RecipeError } from "./Errors.ts"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import type { Held } from "./Held.ts"
import type { AcquireOptions } from "./internal/shared/options.ts"

export type { AcquireOptions } from "./internal/shared/options.ts"

/**
 * The services of a Layer that is built only while something is held. Declare a service of your own with it, and provide
 * that by `layerService`.
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
 * // Fails at once with `LockTimeout` while another process leads.
 * export const enqueue = (job: string) =>
 *   Effect.flatMap(Leading, (leading) =>
 *     leading.use(
 *       Effect.flatMap(Scheduler, (scheduler) => scheduler.enqueue(job)),
 *       { timeout: 0 }
 *     )
 *   )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface HeldLayer<in Services, out E = never> {
  readonly path: string
  /** The hold under which the services are there; None while another process has it, or while they are being built. */
  readonly held: Effect.Effect<Option.Option<Held>>
  /** `held`, then each newer one. May skip some, but never the last. Fails as `failure` does. */
  readonly changes: Stream.Stream<Option.Option<Held>, E | RecipeError>
  /**
   * Waits until the services are there, and runs the effect with them. If the hold is lost meanwhile, the effect is
   * interrupted, and the call fails with `LockLost` once its finalizers have run; the services are torn down after that.
   *
   * Fails with `LockTimeout` if the services are not there within `timeout`, which counts the wait and not the effect; 0
   * does not wait. Fails as `failure` does when they will never be there.
   */
  readonly use: <A, E2, R>(
    effect: Effect.Effect<A, E2, R>,
    options?: AcquireOptions
  ) => Effect.Effect<A, E | E2 | LockLost | LockTimeout | RecipeError, Exclude<R, Services>>
  /**
   * Never succeeds. Fails when the services will not be built again: the session has ended for good, or the schedule
   * `retry` has. Race the application with it where it should end then.
   */
  readonly failure: Effect.Effect<never, E | RecipeError>
}

/**
 * The options of a Layer that is built while something is held, beside those of the lock or the election.
 *
 * @category options
 * @since 0.1.0
 */
export interface LayerOptions<E> {
  /**
   * When to try again after the Layer could not be built, or after an error of the recipe. The hold is given up before
   * that, so that another process can try. Default: jittered pauses from 100 milliseconds, doubling up to 5 seconds, without
   * an end; a minute after eight lost connections.
   */
  readonly retry?: Schedule.Schedule<unknown, E | RecipeError> | undefined
}
