/** Tests that begin with the same thing: a server, a chroot, a client. */
import type { Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
