/** The sessions of an ensemble, which all pages of a cluster share. */
import type { Inspector } from "@effect-zookeeper/console/Cluster"
import type { Session } from "@effect-zookeeper/console/SessionModels"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { makeSessionFeed } from "../../src/internal/ensemble/sessions.ts"

/** So many sessions, which the servers tell after a time. */
const made = Effect.fnUntraced(function* (count: number, time: number) {
  const asked = { sessions: 0, watches: 0 }
  const sessions = Array.from({ length: count }, (_, index): Session => ({
    session: BigInt(index + 1),
    client: `10.0.0.${index % 256}:4000`,
    server: index === 7 ? "zk9.example:2181" : "zk1.example:2181"
  }))
  const paths = (number: number) =>
    Array.from({ length: number }, (_, index) => ({ path: `/app/${index}`, isInside: true }))
  const inspector: Inspector = {
    members: () => Effect.succeed({ members: [] }),
    word: () => Effect.succeed(""),
    doctor: () => Effect.succeed([]),
    sessions: Effect.suspend(() => {
      asked.sessions++
      return Effect.delay(
        Effect.succeed({ sessions, problems: [], ephemerals: (id: bigint) => paths(Number(id)) }),
        time
      )
    }),
    watches: Effect.suspend(() => {
      asked.watches++
      return Effect.delay(Effect.succeed({ problems: ["zk2 tells none"], of: () => paths(2_000) }), time)
    }),
    recipes: () => Stream.empty
  }
  return { asked, ...(yield* makeSessionFeed(inspector)) }
})

/** A page asks every five seconds. */
const page = <A, E>(ask: Effect.Effect<A, E>) =>
  Effect.forkChild(Effect.repeat(ask, Schedule.spaced("5 seconds")), { startImmediately: true })

describe("the sessions", () => {
  itEffect("are asked for once in a round for all pages, with and without a session open", function* () {
    const { asked, detail, list } = yield* made(3, 100)
    yield* page(list("", 500))
    yield* page(list("zk", 500))
    yield* page(detail(1n))
    yield* TestClock.adjust("52 seconds")
    assert.isAtLeast(asked.sessions, 10)
    assert.isAtMost(asked.sessions, 11)
    assert.strictEqual(asked.watches, 0)
  })

  itEffect("are asked for less often of servers that answer slowly", function* () {
    const { asked, list } = yield* made(3, 3_000)
    yield* page(list("", 500))
    yield* page(list("", 500))
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(asked.sessions, 4)
  })

  itEffect("come in the number that a page wants, of those that match, with the numbers of all", function* () {
    const { detail, list } = yield* made(20_000, 0)
    const all = yield* list("", 1_000)
    assert.deepStrictEqual([all.sessions.length, all.matching, all.total], [1_000, 20_000, 20_000])
    const one = yield* list("ZK9", 1_000)
    assert.deepStrictEqual([one.sessions.map(({ session }) => session), one.matching, one.total], [[8n], 1, 20_000])
    const { matching } = yield* list("0x4e20", 1_000)
    assert.strictEqual(matching, 1)
    const few = yield* detail(999n)
    assert.deepStrictEqual([few.ephemerals?.length, few.isTruncated], [999, false])
    const many = yield* detail(1_001n)
    assert.deepStrictEqual([many.ephemerals?.length, many.isTruncated], [1_000, true])
    assert.deepStrictEqual((yield* detail(-1n)).session, { session: -1n })
  })

  itEffect("have watches that are asked for when a person wants them, once at a time", function* () {
    const { asked, watches } = yield* made(3, 1_000)
    const both = yield* Effect.forkChild(Effect.all([watches(1n), watches(2n)], { concurrency: 2 }))
    yield* TestClock.adjust("1 second")
    const [first] = yield* Fiber.join(both)
    assert.deepStrictEqual([first.watches.length, first.isTruncated, first.problems], [1_000, true, ["zk2 tells none"]])
    assert.strictEqual(asked.watches, 1)
    const again = yield* Effect.forkChild(watches(1n))
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(again)
    assert.strictEqual(asked.watches, 2)
  })
})
