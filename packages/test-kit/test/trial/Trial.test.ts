/** Clients of a real ensemble under random faults; the checker judges their results. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { check, summary } from "../../src/history/check.ts"
import type * as History from "../../src/history/History.ts"
import { fromLines } from "../../src/history/History.ts"
import * as Nemesis from "../../src/trial/Nemesis.ts"
import * as Trial from "../../src/trial/Trial.ts"

const isLong = process.env["ZK_LONG"] === "1"

describe("clients of an ensemble whose members are killed, paused, restarted and cut off", () => {
  it.live(
    "see linearizable registers, sessions that never go back, every watch, and their own ephemerals",
    () =>
      Effect.gen(function* () {
        const seed = Number(process.env["ZK_SEED"] ?? 20261123)
        const lines: Array<History.Line> = []
        const { faults, surprises, watchesLeft } = yield* Trial.run({
          seed,
          duration: isLong ? "10 minutes" : "30 seconds",
          every: "1 second",
          write: (line) => lines.push(line)
        })
        const operations = fromLines(lines)
        const verdict = check(operations, { watches: { tolerance: 100_000 } })
        console.log(
          `seed ${seed}: ${summary(operations)}\n${faults.length} faults: ${Nemesis.summary(faults)}\n` +
            `${verdict.violations.length} violations, ${verdict.undecided.length} undecided, ${verdict.excused.length} ` +
            `syncs that a deposed leader answered, ${watchesLeft} watches left`
        )
        assert.deepStrictEqual(verdict.violations, [])
        assert.deepStrictEqual(verdict.undecided, [])
        assert.deepStrictEqual(surprises, [])
        assert.strictEqual(watchesLeft, 0)
        assert.isAbove(operations.length, 300)
        assert.isAbove(faults.length, 2)
        // Sessions that expire here do so as they should.
      }).pipe(Effect.provideService(References.MinimumLogLevel, "Error")),
    isLong ? 1_200_000 : 240_000
  )
})
