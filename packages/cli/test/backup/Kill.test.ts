import { TreeSource } from "@effect-zookeeper/storage"
import { Op } from "@effect-zookeeper/client"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { start } from "../support/processes.ts"
import { describeOnServers } from "../support/zk.ts"

const isLong = process.env["ZK_LONG"] === "1"

describeOnServers("zk backup and zk restore that are killed at any moment", (it) => {
  it.inChroot(
    "go on, and end with the same tree",
    { timeout: isLong ? 900_000 : 120_000 },
    function* ({ chroot, run, servers, zk }) {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-"))),
        (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
      )
      yield* zk.create("/app")
      for (let upper = 0; upper < 40; upper++) {
        const creates = Array.from({ length: 100 }, (_, lower) =>
          Op.create(`/app/${upper}/n${lower}`, { data: `data ${lower}` })
        )
        yield* zk.transaction([Op.create(`/app/${upper}`), ...creates])
        const gone = `/app/${upper}/gone`
        yield* zk.transaction([Op.create(gone), Op.delete(gone), Op.create(gone), Op.delete(gone)])
      }
      const source = TreeSource.live(zk, { path: "/app" })
      assert.strictEqual(yield* source.size, 4041)
      for (let round = 0; round < (isLong ? 20 : 1); round++) {
        yield* Effect.gen(function* () {
          const file = `${folder}/${round}.ndjson.gz`
          const partial = `${file}.partial`
          const moment = yield* Random.nextIntBetween(1, 800_000)
          const process = yield* start(`${servers}${chroot}`, ["backup", "/app", file])
          const size = Effect.sync(() => Fs.statSync(partial, { throwIfNoEntry: false })?.size ?? 0)
          const reached = Effect.repeat(Effect.delay(size, "2 millis"), { until: (bytes) => bytes >= moment })
          yield* Effect.raceFirst(reached, process.end)
          process.child.kill("SIGKILL")
          yield* process.end
          if (!Fs.existsSync(file)) {
            const resumed = yield* run(["backup", "/app", file])
            assert.strictEqual(resumed.code, 0, resumed.err)
            if (moment > 300_000) assert.include(resumed.err, "came from the run before")
          }

          const target = `/copy-${round}`
          const znodes = yield* Random.nextIntBetween(1, 4000)
          const restoring = yield* start(`${servers}${chroot}`, ["restore", file, target, "--yes"])
          const written = Effect.orElseSucceed(zk.countDescendants(target), () => 0)
          yield* Effect.raceFirst(Effect.repeat(written, { until: (count) => count >= znodes }), restoring.end)
          restoring.child.kill("SIGKILL")
          yield* restoring.end
          const restored = yield* run(["restore", file, target, "--yes"])
          assert.strictEqual(restored.code, 0, restored.err)
          const diff = yield* run(["diff", `backup:${file}`, target, "--counters"])
          assert.deepStrictEqual([diff.code, diff.out], [0, ""], diff.err)
          yield* zk.deleteAll(target)
        }).pipe(Effect.scoped, Random.withSeed(`kill ${round}`))
      }
    }
  )
})
