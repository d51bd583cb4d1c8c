/** Five processes use recipes on a real ensemble under faults; the checker judges their results. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { check, summary } from "../../src/history/check.ts"
import { holdsOf } from "../../src/history/holds.ts"
import * as Nemesis from "../../src/trial/Nemesis.ts"
import * as RecipeTrial from "../../src/trial/RecipeTrial.ts"

const isLong = process.env["ZK_LONG"] === "1"

describe("five processes on an ensemble whose members are killed, paused, restarted and cut off", () => {
  it.live(
    "never hold a lock or the leadership together, count right, and lose nothing of a queue",
    () =>
      Effect.gen(function* () {
        const seed = Number(process.env["ZK_SEED"] ?? 20261123)
        const { faults, operations, orphans, restless } = yield* RecipeTrial.run({
          seed,
          duration: isLong ? "2 minutes" : "20 seconds",
          every: "1 second"
        })
        const verdict = check(operations, { queues: { mayRepeat: true } })
        const holds = holdsOf(operations)
        const refused = operations.filter(({ error, f }) => f === "fenced" && error === "LockLost")
        const lost = operations.filter(({ f }) => f === "lost")
        console.log(
          `seed ${seed}: ${summary(operations)}\n${faults.length} faults: ${Nemesis.summary(faults)}\n` +
            `${holds.length} holds, ${lost.length} lost, ${refused.length} fenced writes refused, ` +
            `${verdict.excused.length} overlaps with a process that stood still, ${verdict.violations.length} violations`
        )
        assert.deepStrictEqual(verdict.violations, [])
        assert.deepStrictEqual(restless, [])
        assert.deepStrictEqual(orphans, [])
        assert.isAbove(holds.length, 15)
        assert.isAbove(faults.length, 2)
      }).pipe(Effect.provideService(References.MinimumLogLevel, "Error")),
    isLong ? 400_000 : 150_000
  )
})
