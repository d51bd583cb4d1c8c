/** Three processes are runners on a real ensemble under faults, and what runs on their shards is written down. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { holdsOf } from "@effect-zookeeper/test-kit/history/holds"
import * as Nemesis from "@effect-zookeeper/test-kit/trial/Nemesis"
import { assert, describe } from "@effect/vitest"
import * as ClusterTrial from "../support/clusterTrial.ts"
import * as TrialJudge from "../support/trialJudge.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** A thousand faults take some forty minutes of two cores. A run that is slower ends before them, and says how to go on. */
const minutes = 75

describe.skipIf(!isLong)("runners in processes under faults (in test:long only)", () => {
  itQuiet(
    "run no entity, singleton or cron twice at a time, and process every message",
    { timeout: (minutes + 10) * 60_000 },
    function* () {
      const seed = Number(process.env["ZK_SEED"] ?? 20261130)
      const wanted = Number(process.env["ZK_FAULTS"] ?? 1000)
      const { faults, messages, operations } = yield* ClusterTrial.run({ seed, faults: wanted, minutes })
      const { excused, violations } = TrialJudge.overlaps(operations)
      console.log(
        `seed ${seed}, ${faults.length} faults:\n\n${Nemesis.table(faults)}\n\n${TrialJudge.table(operations)}, ` +
          `${messages} messages were processed\n` +
          `${excused} overlaps with a process that stood still, ${violations.length} violations`
      )
      assert.deepStrictEqual(violations, [])
      assert.isAbove(holdsOf(operations).length, 30)
      assert.isAtLeast(faults.length, wanted, "the last minute above says how to go on")
    }
  )
})
