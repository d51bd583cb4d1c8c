/** Tests whose steps are a generator's, and those that begin with the same thing: a server, a chroot, a client. */
import { it, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type { TestOptions } from "vitest"

/** The steps of a test, as those of `Effect.gen`. */
export type Steps<A, R> = (given: A) => Generator<Effect.Effect<unknown, unknown, R | Scope.Scope>, unknown, never>

/** Defines a test that is given something. */
export interface TestWith<A, R = never> {
  (name: string, steps: Steps<A, R>): void
  (name: string, options: TestOptions, steps: Steps<A, R>): void
}

/** The tests that are given the result of an effect, which runs in the Scope of each. */
export const testWith = <A, E, R>(test: Vitest.Tester<R>, given: Effect.Effect<A, E, R>): TestWith<A, R> =>
  define((name, steps, options) =>
    test(
      name,
      () =>
        Effect.flatMap(given, (a) =>
          Effect.gen(() => steps(a) as Generator<Effect.Effect<unknown, unknown, R>, unknown, never>)
        ),
      options
    )
  )

/** The tests that are given the result of an effect on a server of their own, or on something else that a layer makes. */
export const testOn = <A, E, R, E2>(
  test: Vitest.Tester<Scope.Scope>,
  layer: Layer.Layer<R, E2>,
  given: Effect.Effect<A, E, NoInfer<R> | Scope.Scope>
): TestWith<A, R> =>
  define((name, steps, options) =>
    test(
      name,
      () => Effect.flatMap(given, (a) => Effect.gen(() => steps(a))).pipe(Effect.scoped, Effect.provide(layer)),
      options
    )
  )

const define =
  <A, R>(test: (name: string, steps: Steps<A, R>, options: TestOptions | undefined) => void): TestWith<A, R> =>
  (name: string, ...args: [Steps<A, R>] | [TestOptions, Steps<A, R>]) =>
    args.length === 1 ? test(name, args[0], undefined) : test(name, args[1], args[0])

/** Tests in virtual time, that of a `TestClock`. */
export const itEffect = testWith(it.effect, Effect.void)

/** Tests in real time, for real servers and sockets. */
export const itLive = testWith(it.live, Effect.void)

/** The same, where warnings of lost connections and the like are no news. */
export const itQuiet = testOn(it.live, Layer.succeed(References.MinimumLogLevel, "Error"), Effect.void)
