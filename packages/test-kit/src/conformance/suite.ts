/** The conformance suite: the behaviour that applications may rely on, whichever server answers them. */
import { layer as testLayer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { access } from "./access.ts"
import { limits } from "./limits.ts"
import { lostConnections } from "./lostConnections.ts"
import { reading } from "./reading.ts"
import { sessions } from "./sessions.ts"
import { stats } from "./stats.ts"
import { type ConformanceTests, makeChroot, makeChrootWithLink, type Target } from "./Target.ts"
import { testWith } from "../TestWith.ts"
import { transactions } from "./transactions.ts"
import { views } from "./views.ts"
import { watching } from "./watching.ts"
import { writing } from "./writing.ts"

/** Defines all tests for one server. */
export const conformance = <E>(name: string, target: Layer.Layer<Target, E>): void =>
  testLayer(target, { excludeTestServices: true, timeout: "20 seconds" })(name, ({ effect }) => {
    const it = {
      effect: testWith(effect, Effect.void),
      inChroot: testWith(effect, makeChroot()),
      withLink: testWith(effect, makeChrootWithLink())
    }
    for (const define of parts) define(it)
  })

/** A part of the suite: it defines tests that need a server. */
type Part = (it: ConformanceTests) => void

const parts: ReadonlyArray<Part> = [
  writing,
  reading,
  stats,
  access,
  transactions,
  watching,
  sessions,
  lostConnections,
  views,
  limits
]
