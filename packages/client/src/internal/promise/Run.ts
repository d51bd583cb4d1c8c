/**
 * How calls of a Promise API are made and run.
 */
import type * as Effect from "effect/Effect"

/**
 * How one call is made: the last parameter of every method, after all parameters that the method declares. Options that
 * are skipped are `undefined`, as in `zk.create("/a", undefined, { signal })`. An object with any other key is not taken
 * for such options.
 *
 * @category options
 * @since 0.1.0
 */
export interface CallOptions {
  /**
   * Aborting it interrupts the call, which then rejects with the signal's reason. A request that was sent may still be
   * applied. A call whose signal was aborted before is not made at all.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs an Effect that needs no more than `R`. The Promise rejects with the error that the Effect fails with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run<in R = never> {
  <A, E>(effect: Effect.Effect<A, E, R>, options?: CallOptions): Promise<A>
  /**
   * Whether an error says that the application itself has ended what runs the Effects, by closing its client for example.
   * Loops over AsyncIterables then end quietly instead of failing. Default: no error does.
   */
  readonly isEnd?: ((error: unknown) => boolean) | undefined
}
