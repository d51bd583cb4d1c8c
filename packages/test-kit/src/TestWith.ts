/** Tests that begin with the same thing: a server, a chroot, a client. */
import type { Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** Defines a test that is given something; its steps are those of a generator, as of `Effect.gen`. */
export type TestWith<A, R = never> = (
  name: string,
  steps: (given: A) => Generator<Effect.Effect<unknown, unknown, R | Scope.Scope>, unknown, never>
) => void

/** The tests that are given the result of an effect, which runs in the Scope of each. */
export const testWith =
  <A, E, R>(test: Vitest.Tester<R>, given: Effect.Effect<A, E, R>): TestWith<A, R> =>
  (name, steps) =>
    test(name, () =>
      Effect.flatMap(given, (a) =>
        Effect.gen(() => steps(a) as Generator<Effect.Effect<unknown, unknown, R>, unknown, never>)
      )
    )

/** The tests that are given the result of an effect on a server of their own, or on something else that a layer makes. */
export const testOn =
  <A, E, R, E2>(
    test: Vitest.Tester<Scope.Scope>,
    layer: Layer.Layer<R, E2>,
    given: Effect.Effect<A, E, NoInfer<R> | Scope.Scope>
  ): TestWith<A, R> =>
  (name, steps) =>
    test(name, () =>
      Effect.flatMap(given, (a) => Effect.gen(() => steps(a))).pipe(Effect.scoped, Effect.provide(layer))
    )
