/** The last hour of the members: what the server keeps of it, and what a page does. */
import type { EnsembleEvent, Member, Members } from "@effect-zookeeper/console/EnsembleModels"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { makeHistory } from "../../src/internal/ensemble/history.ts"
import { add, lastAnswer, makeHistory as makeShown } from "../../page/src/model/ensemble.ts"

const member = (changes: Partial<Member>): Member => ({ server: "zk1:2181", state: "serving", ...changes })

const seconds = 5

const hour = 3_600_000

describe("the history of the members", () => {
  itEffect(
    "is that of the last hour for a page that opens later, with gaps where a member did not answer",
    function* () {
      const history = yield* makeHistory
      let round = 0
      const members = Effect.sync((): Members => {
        round++
        // It is gone for one round, and counts anew a round later, when it was started again.
        const isGone = round === 1000
        const received = round < 1000 ? round * 50 : round * 20
        return { members: [isGone ? member({ state: "unreachable" }) : member({ connections: round, received })] }
      })
      yield* Effect.forkChild(history.sample(members), { startImmediately: true })
      yield* TestClock.adjust("2 hours")
      const [first, last] = yield* Stream.runCollect(Stream.take(history.events, 2))
      assert(first?._tag === "history" && last?._tag === "sample")
      const [series] = first.members
      assert(series !== undefined)
      assert.strictEqual(first.times.length, 720)
      assert.strictEqual(first.times.at(-1), 2 * hour)
      assert.isAtLeast(first.times[0] ?? 0, hour)
      assert.strictEqual(last.time, 2 * hour)
      assert.strictEqual(series.connections.at(-1), round)
      const gone = 1000 - (round - 720) - 1
      assert.deepStrictEqual(series.connections.slice(gone - 1, gone + 2), [999, null, 1001])
      // Packets a second: unknown at the moment at which it came back.
      assert.deepStrictEqual(series.received.slice(gone - 1, gone + 3), [10, null, null, 4])
    }
  )
})

describe("what a page shows of the members", () => {
  const sample = (time: number, ...members: ReadonlyArray<Member>): EnsembleEvent => ({ _tag: "sample", time, members })

  it("begins with the history of the server, goes on with samples, and is not longer than about an hour", () => {
    const shown = makeShown()
    const values = [1, 2, null]
    const series = { lag: values, latency: values, roundTrip: values, connections: values, outstanding: values }
    const more = { watches: values, znodes: values, received: values, sent: values }
    const at = [0, 5000, 10_000]
    add(shown, { _tag: "history", times: at, members: [{ server: "zk1:2181", ...series, ...more }] })
    add(shown, sample(10_000, member({ state: "unreachable" })))
    assert.strictEqual(lastAnswer(shown, "zk1:2181"), 5000)
    for (let time = 15_000; time <= 2 * hour; time += seconds * 1000)
      add(shown, sample(time, member({ connections: time, roundTrip: 1, received: time / 100 })))
    assert.isAtLeast(shown.times[0] ?? 0, hour - 61 * seconds * 1000)
    assert.strictEqual(shown.times.at(-1), 2 * hour)
    const found = shown.series.get("zk1:2181")
    assert(found !== undefined)
    assert.strictEqual(found.connections.length, shown.times.length)
    assert.deepStrictEqual(found.connections, shown.times)
    assert.strictEqual(found.received.at(-1), 10)
  })

  it("has gaps where a member joined later, or was not among them", () => {
    const shown = makeShown()
    add(shown, sample(5000, member({ connections: 1 })))
    add(shown, sample(10_000, member({ connections: 2 }), member({ server: "zk2:2181", connections: 7 })))
    add(shown, sample(15_000, member({ server: "zk2:2181", connections: 8 })))
    assert.deepStrictEqual(shown.series.get("zk1:2181")?.connections, [1, 2, null])
    assert.deepStrictEqual(shown.series.get("zk2:2181")?.connections, [null, 7, 8])
  })
})
