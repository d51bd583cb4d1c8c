/** Clients of a real ensemble under random faults; the checker judges their results. */
import { assert, describe } from "@effect/vitest"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { check, summary } from "../../src/history/check.ts"
import type * as History from "../../src/history/History.ts"
import { fromLines } from "../../src/history/History.ts"
import * as Nemesis from "../../src/trial/Nemesis.ts"
import * as Trial from "../../src/trial/Trial.ts"

const isLong = process.env["ZK_LONG"] === "1"

describe("clients of an ensemble whose members are killed, paused, restarted and cut off", () => {
  itQuiet(
    "see linearizable registers, sessions that never go back, every watch, and their own ephemerals",
    { timeout: isLong ? 1_200_000 : 240_000 },
    function* () {
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
    }
  )
})
