/** The conformance suite: the behaviour that applications may rely on, whichever server answers them. */
import { assert, layer as testLayer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { refused } from "../Expectations.ts"
import * as Release from "../Release.ts"
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

/** Defines all tests for one server, which is of this release or answers as one of it. */
export const conformance = <E>(name: string, release: string, target: Layer.Layer<Target, E>): void =>
  testLayer(target, { excludeTestServices: true, timeout: "20 seconds" })(name, ({ effect }) => {
    const inChroot = testWith(effect, makeChroot("conformance"))
    const it: ConformanceTests = {
      effect: testWith(effect, Effect.void),
      inChroot,
      withLink: testWith(effect, makeChrootWithLink()),
      isAtLeast: (other) => Release.isAtLeast(release, other),
      refusedBefore: (first, title) => (Release.isAtLeast(release, first) ? title : Release.refusedTitle(title, first)),
      since: (first, title, calls, steps) => {
        if (Release.isAtLeast(release, first)) return inChroot(title, steps)
        inChroot(Release.refusedTitle(title, first), function* (given) {
          for (const call of calls(given)) yield* refused(call)
          assert.isTrue(yield* given.zk.exists("/"))
        })
      }
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
