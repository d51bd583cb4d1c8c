/** Everything in these packages that takes foreign bytes or text, as targets of the fuzz tests. */
import * as Effect from "effect/Effect"
import { makeCodecTargets } from "./codecTargets.ts"
import { dataTargets } from "./dataTargets.ts"
import type { Target } from "./Fuzz.ts"
import { serverTargets } from "./serverTargets.ts"
import { textTargets } from "./textTargets.ts"

/** All targets. `seed` decides the valid inputs that are made up; the others were recorded. */
export const make = Effect.fnUntraced(function* (seed: number): Effect.fn.Return<ReadonlyArray<Target>> {
  const codecs = yield* makeCodecTargets(seed)
  return [...codecs, ...textTargets, ...dataTargets, ...serverTargets(codecs)]
})
