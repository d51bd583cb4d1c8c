/** The looks of `zk top` at members that answer late, or not at all. */
import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
import type * as MemberStatus from "@effect-zookeeper/cli/MemberStatus"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { makeLooks, type Sample } from "../../src/internal/diagnose/looks.ts"

const srvr = `Zookeeper version: 3.9.2-e454e8c7, built on 2024-02-12 20:59 UTC
Latency min/avg/max: 0/1.5/20
Received: 46
Sent: 45
Connections: 2
Outstanding: 1
Zxid: 0x200000007
Mode: follower
Node count: 6
`

/** Members that are asked each second; what `zk2` does is that of `hangs`. */
const looking = Effect.gen(function* () {
  const state = { hangs: false, asked: 0 }
  const samples: Array<Sample> = []
  const ask: MemberStatus.Ask = (server, word) => {
    const failed = (reason: "NotAllowed" | "Timeout") =>
      Effect.fail(new FourLetterWords.FourLetterWordError({ server: server.host, word, reason, details: "5s" }))
    if (word === "mntr") return failed("NotAllowed")
    if (server.host === "zk2") state.asked++
    if (server.host === "zk2" && state.hangs) return Effect.delay(failed("Timeout"), "5 seconds")
    return Effect.orDie(Effect.fromResult(FourLetterWords.parse(word, srvr)))
  }
  const servers = ["zk1", "zk2"].map((host) => ({ host, port: 2181 }))
  const looks = makeLooks(() => servers, ask, Duration.seconds(1))
  yield* Stream.fromEffectSchedule(looks, Schedule.fixed("1 second")).pipe(
    Stream.runForEach((sample) => Effect.sync(() => samples.push(sample))),
    Effect.forkScoped
  )
  const last = () =>
    samples.at(-1)?.rows.map(({ at, member: { lag, state }, waiting }) => ({ at, lag, state, waiting }))
  return { samples, state, last }
})

describe("the looks of zk top", () => {
  itEffect("go on each interval while a member hangs, which is asked once at a time", function* () {
    const { last, samples, state } = yield* looking
    yield* TestClock.adjust("500 millis")
    const well = { at: 0, lag: 0, state: "serving" as const, waiting: undefined }
    assert.deepStrictEqual(last(), [well, well])
    state.hangs = true
    yield* TestClock.adjust("1 second")
    // The first picture without its answer waits for half an interval.
    assert.deepStrictEqual([samples.length, last()], [2, [{ ...well, at: 1000 }, well]])
    yield* TestClock.adjust("4 seconds")
    assert.deepStrictEqual(
      samples.map(({ time }) => time),
      [0, 1500, 2000, 3000, 4000, 5000]
    )
    assert.deepStrictEqual(last(), [
      { ...well, at: 5000 },
      { ...well, waiting: 4000 }
    ])
    assert.strictEqual(state.asked, 2)
    // Then it is silent, also while it is asked again.
    yield* TestClock.adjust("4 seconds")
    assert.deepStrictEqual(samples.map(({ time }) => time).slice(6), [6000, 7000, 8000, 9000])
    const silent = { at: 6000, lag: undefined, state: "silent" as const, waiting: undefined }
    assert.deepStrictEqual(last(), [{ ...well, at: 9000 }, silent])
    assert.strictEqual(state.asked, 3)
    state.hangs = false
    yield* TestClock.adjust("6 seconds")
    assert.deepStrictEqual(last(), [
      { ...well, at: 15_000 },
      { ...well, at: 15_000 }
    ])
  })
})
