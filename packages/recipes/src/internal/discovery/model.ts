/**
 * Registered instances, and how they are picked.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { RecipeError } from "../../Errors.ts"
import type { Instance } from "../../ServiceInstance.ts"

/**
 * Options of `provider`.
 *
 * @category options
 * @since 0.1.0
 */
export interface ProviderOptions<A> {
  /**
   * How to pick. `roundRobin`, the default: each in turn, by their ids, beginning with any. `random`: any. `sticky`: any,
   * and then the same for as long as it can be picked.
   */
  readonly strategy?: "roundRobin" | "random" | "sticky" | undefined
  /** When an instance with errors is left out, and for how long. */
  readonly downInstances?: DownInstances | undefined
  /** Which enabled instances may be picked. Default: all. */
  readonly filter?: ((instance: Instance<A>) => boolean) | undefined
}

/**
 * When an instance with errors is left out.
 *
 * @category options
 * @since 0.1.0
 */
export interface DownInstances {
  /** How many errors within `timeout` take an instance out. Default 2. */
  readonly threshold?: number | undefined
  /** How long, since the first error. Numbers are milliseconds. Default 30 seconds. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * The fields of a registered instance that can change.
 *
 * @category models
 * @since 0.1.0
 */
export type InstanceChange<A> = Partial<
  Pick<Instance<A>, "address" | "port" | "sslPort" | "payload" | "uriSpec" | "enabled">
>

/**
 * An instance that is registered here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registration<A> {
  readonly path: string
  /** As it was registered, or changed last. */
  readonly instance: Instance<A>
  /** Changes the fields that others see, and waits until they are written. */
  readonly update: (change: InstanceChange<A>) => Effect.Effect<Instance<A>, RecipeError>
}

/**
 * Picks instances of one service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Provider<A> {
  readonly name: string
  /** An instance by the strategy; None if none may be picked. Sends no request. */
  readonly pick: Effect.Effect<Option.Option<Instance<A>>>
  /** All instances that may be picked now, by their ids. */
  readonly candidates: Effect.Effect<ReadonlyArray<Instance<A>>>
  /** Reports a failure of an instance: after `threshold` of them it is not picked until `timeout` is over. */
  readonly noteError: (instance: Instance<unknown>) => Effect.Effect<void>
}
