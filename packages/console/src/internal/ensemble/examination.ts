/** The findings of the doctor, which looks once for all pages. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Finding } from "../../EnsembleModels.ts"
import { makeShared, type Shared } from "../sharedQuestion.ts"

/** The findings of the last minute, or those of a new look. */
export type Examination<E> = Shared<ReadonlyArray<Finding>, E>

export const makeExamination = <E>(
  look: Effect.Effect<ReadonlyArray<Finding>, E>
): Effect.Effect<Examination<E>, never, Scope.Scope> => makeShared(look, () => kept)

// ---- internal

/** Milliseconds. */
const kept = 60_000
