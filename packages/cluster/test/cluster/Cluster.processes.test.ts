/** Three processes are runners on a real ensemble under faults, and what runs on their shards is written down. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { holdsOf } from "@effect-zookeeper/test-kit/history/holds"
import * as Nemesis from "@effect-zookeeper/test-kit/trial/Nemesis"
import { assert, describe } from "@effect/vitest"
import * as ClusterTrial from "../support/clusterTrial.ts"

const isLong = process.env["ZK_LONG"] === "1"

describe.skipIf(!isLong)("runners in processes under faults (in test:long only)", () => {
  itQuiet(
    "run no entity, singleton or cron twice at a time, and process every message",
    // The thousand faults of a long run take most of an hour.
    { timeout: isLong ? 14_400_000 : 150_000 },
    function* () {
      const seed = Number(process.env["ZK_SEED"] ?? 20261130)
      const { faults, operations } = yield* ClusterTrial.run({
        seed,
        faults: isLong ? Number(process.env["ZK_FAULTS"] ?? 1000) : undefined
      })
      const holds = holdsOf(operations)
      const { excused, violations } = ClusterTrial.overlaps(operations)
      console.log(
        `seed ${seed}: ${faults.length} faults: ${Nemesis.summary(faults)}\n` +
          `${holds.length} runs of entities, singletons and a cron, ` +
          `${excused} overlaps with a process that stood still, ${violations.length} violations`
      )
      assert.deepStrictEqual(violations, [])
      assert.isAbove(holds.length, 30)
    }
  )
})
