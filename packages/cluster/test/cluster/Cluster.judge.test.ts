/** The judgement of trials, on histories that are written by hand. */
import * as History from "@effect-zookeeper/test-kit/history/History"
import * as Recorder from "@effect-zookeeper/test-kit/history/Recorder"
import { assert, describe, it } from "@effect/vitest"
import * as TrialJudge from "../support/trialJudge.ts"

/** A history whose clock goes on by a second with each thing that is noted. */
const historyOf = (steps: (clientOf: (name: string, session?: string) => Recorder.Recorder) => void) => {
  const lines: Array<History.Line> = []
  let second = 0
  steps((client, session = "1") =>
    Recorder.make({
      client,
      session: () => session,
      write: (line) => lines.push(line),
      now: () => second++ * 1_000_000
    })
  )
  return History.fromLines(lines)
}

describe("the judgement of a trial", () => {
  it("finds what ran twice at a time", () => {
    const operations = historyOf((clientOf) => {
      const [one, other] = [clientOf("runner-0.1"), clientOf("runner-1.1")]
      one.note({ f: "acquire", path: "first" }, "a")
      other.note({ f: "acquire", path: "first" }, "b")
      one.note({ f: "release", path: "first", of: "a" })
      other.note({ f: "acquire", path: "second" }, "c")
      other.note({ f: "release", path: "second", of: "c" })
      one.note({ f: "acquire", path: "second" }, "d")
    })
    const { excused, violations } = TrialJudge.overlaps(operations)
    assert.strictEqual(excused, 0)
    assert.lengthOf(violations, 1)
    assert.include(violations[0], "two ran for 1000.0 ms: acquire first by runner-0.1")
  })

  it("excuses a process that stood still, for as long as it did", () => {
    const operations = historyOf((clientOf) => {
      const [one, other] = [clientOf("runner-0.1"), clientOf("runner-1.1")]
      one.note({ f: "acquire", path: "first" }, "a")
      one.note({ f: "acquire", path: "second" }, "b")
      const goOn = one.begin({ f: "pause", path: "" })
      other.note({ f: "acquire", path: "first" }, "c")
      other.note({ f: "acquire", path: "second" }, "d")
      one.note({ f: "release", path: "first", of: "a" })
      goOn()
      one.note({ f: "release", path: "second", of: "b" })
    })
    const { excused, violations } = TrialJudge.overlaps(operations)
    assert.strictEqual(excused, 1)
    assert.lengthOf(violations, 1)
  })

  it("counts what ran and moved, and tells how long a singleton ran on no runner", () => {
    const operations = historyOf((clientOf) => {
      const [one, other, again] = [clientOf("runner-0.1"), clientOf("runner-1.1"), clientOf("runner-0.2")]
      one.note({ f: "acquire", path: "first" }, "a")
      one.note({ f: "crash", path: "" })
      other.note({ f: "acquire", path: "first" }, "b")
      other.note({ f: "release", path: "first", of: "b" })
      clientOf("runner-1.1", "2").note({ f: "acquire", path: "account 7" }, "c")
      again.note({ f: "acquire", path: "first" }, "d")
    })
    assert.deepStrictEqual(
      TrialJudge.table(operations)
        .split("\n")
        .map((line) => line.split(/  +/)),
      [
        ["what ran", "times", "moved"],
        ["entities", "1", "0"],
        ["singletons", "3", "2"],
        ["cron", "0", "0"],
        [""],
        ["singletons that ran on no runner", "times", "median, s", "longest, s"],
        ["after a kill", "1", "1.0", "1.0"],
        ["after they were stopped", "1", "2.0", "2.0"],
        [""],
        ["1 sessions were replaced"]
      ]
    )
  })
})
