/** A command that runs on one of the machines that begin it. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"
import { describeSlowOnServers } from "../support/zk.ts"

const job = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ runs: Schema.Array(Output.Run) })))

const skipped = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Skipped))

const hour = 3_600_000

describeSlowOnServers("zk once", (it) => {
  it.inChroot("runs on one of many machines that begin at a time", function* ({ chroot, servers, zk }) {
    const at = `${servers}${chroot}`
    const machines = yield* Effect.forEach(
      [1, 2, 3],
      (name) => start(at, ["once", "/cron/job", "--period", "1h", "--", "sh", "-c", `echo ${name}; sleep 0.5; exit 4`]),
      { concurrency: "unbounded" }
    )
    const ends = yield* Effect.forEach(machines, ({ end }) => end, { concurrency: "unbounded" })
    assert.deepStrictEqual(ends.map(({ code }) => code).toSorted(), [0, 0, 4], JSON.stringify(ends))
    assert.lengthOf(ends.map(({ err, out }) => out + err).join(""), 2)
    const { runs } = job(new TextDecoder().decode(yield* zk.getData("/cron/job")))
    assert.lengthOf(runs, 1)
    assert.strictEqual(runs[0]?.exitCode, 4)
    assert.isAtLeast(runs[0]?.ended ?? 0, 1)

    // Later in the same period, it has been run; in the next one, it is run again.
    const later = yield* (yield* start(at, ["once", "/cron/job", "--period", "1h", "--json", "--", "echo", "again"]))
      .end
    assert.deepStrictEqual(skipped(later.out), { path: "/cron/job", ran: false, reason: "done", last: runs[0]! })
    const text = yield* (yield* start(at, ["once", "/cron/job", "--period", "1h", "--verbose", "--", "echo", "again"]))
      .end
    assert.include(text.err, "/cron/job: nothing is run here, because it was run; the last run began at ")
    const before = { ...runs[0]!, began: runs[0]!.began - 0.6 * hour }
    yield* zk.set(
      "/cron/job",
      Schema.encodeSync(Schema.fromJsonString(Schema.Struct({ runs: Schema.Array(Output.Run) })))({ runs: [before] })
    )
    const next = yield* (yield* start(at, ["once", "/cron/job", "--period", "1h", "--", "echo", "again"])).end
    assert.deepStrictEqual(next, { code: 0, out: "again\n", err: "" })
    assert.lengthOf(job(new TextDecoder().decode(yield* zk.getData("/cron/job"))).runs, 2)
  })

  it.inChroot("runs once for each stamp, and without one once for ever", function* ({ chroot, servers }) {
    const run = (...args: ReadonlyArray<string>) =>
      Effect.flatMap(start(`${servers}${chroot}`, ["once", ...args, "--", "echo", "ran"]), ({ end }) =>
        Effect.map(end, ({ code, out }) => `${code} ${out.trim()}`)
      )
    assert.strictEqual(yield* run("/j", "--stamp", "monday"), "0 ran")
    assert.strictEqual(yield* run("/j", "--stamp", "monday"), "0 ")
    assert.strictEqual(yield* run("/j", "--stamp", "tuesday"), "0 ran")
    assert.strictEqual(yield* run("/j", "--stamp", "monday"), "0 ")
    assert.strictEqual(yield* run("/ever"), "0 ran")
    assert.strictEqual(yield* run("/ever"), "0 ")
  })

  it.inChroot(
    "with --retry is run elsewhere where it fails, and waits while another runs",
    function* ({ chroot, servers, zk }) {
      const at = `${servers}${chroot}`
      const folder = yield* inFolder
      const begun = Path.join(folder, "begun")
      const go = Path.join(folder, "go")
      const failing = `touch ${begun}; while [ ! -e ${go} ]; do sleep 0.05; done; exit 1`
      const first = yield* start(at, ["once", "/j", "--retry", "--", "sh", "-c", failing])
      while (!Fs.existsSync(begun)) yield* Effect.sleep("25 millis")
      const hasty = yield* (yield* start(at, ["once", "/j", "--retry", "--wait", "0", "--", "echo", "ran"])).end
      assert.strictEqual(hasty.code, 124)
      const without = yield* (yield* start(at, ["once", "/j", "--json", "--", "echo", "ran"])).end
      assert.deepInclude(skipped(without.out), { ran: false, reason: "running" })
      const second = yield* start(at, ["once", "/j", "--retry", "--", "echo", "ran"])
      while ((yield* zk.getChildren("/j/lock")).length < 2) yield* Effect.sleep("25 millis")
      Fs.writeFileSync(go, "")
      assert.strictEqual((yield* first.end).code, 1)
      assert.deepStrictEqual(yield* second.end, { code: 0, out: "ran\n", err: "" })
      assert.deepStrictEqual(
        job(new TextDecoder().decode(yield* zk.getData("/j"))).runs.map(({ exitCode }) => exitCode),
        [0, 1]
      )
    }
  )

  it.inChroot("refuses options that exclude each other, and a znode of another kind", function* ({ run, zk }) {
    yield* zk.create("/other", { data: "text" })
    const refused = (...args: ReadonlyArray<string>) =>
      Effect.map(run(["once", ...args, "--", "true"]), ({ code, err }) => `${code} ${err.trim()}`)
    assert.include(yield* refused("/j", "--period", "1h", "--stamp", "a"), "2 zk: --period and --stamp exclude")
    assert.include(yield* refused("/j", "--wait", "1s"), "2 zk: --wait is for --retry")
    assert.include(yield* refused("/j", "--period", "often"), "2 zk: --period")
    assert.strictEqual(yield* refused("/other"), "4 zk: /other has data that is not of a job; name another znode")
    assert.strictEqual((yield* run(["once", "/j", "--read-only", "--", "true"])).code, 6)
    assert.isFalse(yield* zk.exists("/j"))
  })
})
