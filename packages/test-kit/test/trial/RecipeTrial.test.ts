/** Five processes use recipes on a real ensemble under faults; the checker judges their results. */
import { assert, describe } from "@effect/vitest"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { check, summary } from "../../src/history/check.ts"
import { holdsOf } from "../../src/history/holds.ts"
import * as Nemesis from "../../src/trial/Nemesis.ts"
import * as RecipeTrial from "../../src/trial/RecipeTrial.ts"

const isLong = process.env["ZK_LONG"] === "1"

describe("five processes on an ensemble whose members are killed, paused, restarted and cut off", () => {
  itQuiet(
    "never hold a lock or the leadership together, count right, and lose nothing of a queue",
    { timeout: isLong ? 400_000 : 150_000 },
    function* () {
      const seed = Number(process.env["ZK_SEED"] ?? 20261123)
      const { faults, differing, operations, orphans, restless } = yield* RecipeTrial.run({
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
      if (differing.length > 0) console.log(`the servers differ: ${differing.join("; ")}`)
      else assert.deepStrictEqual(restless, [], `contenders that are left: ${orphans.join(", ")}`)
      if (restless.length === 0)
        assert.deepStrictEqual(
          orphans.filter((contender) => !differing.includes(contender)),
          []
        )
      assert.isAbove(holds.length, 15)
      // On a busy machine a fault lasts until the members have found each other again.
      assert.isAbove(faults.length, 0)
    }
  )
})
