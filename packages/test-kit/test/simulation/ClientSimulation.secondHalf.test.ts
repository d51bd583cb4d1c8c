import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { checkProperties, SEEDS } from "../support/simulation.ts"

// In two files, so that two workers share them.
describe("the client in the second half of the worlds", () => {
  it.live("keeps P1 to P7, P10 and P11", () => Effect.asVoid(checkProperties(1 + SEEDS / 2, SEEDS / 2)), 600_000)
})
