import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Snowflake from "../../src/Snowflake.ts"
import { closable, describeOnServers, eventually, failure, withClient } from "../support/targets.ts"

const generator = (zk: ZooKeeper.Service, options?: Snowflake.Options) =>
  withClient(zk)(Snowflake.make("/ids", options))

const many = (count: number, { next }: Snowflake.Snowflake) => Effect.forEach(Array.from({ length: count }), () => next)

const assertGrowing = (ids: ReadonlyArray<bigint>) => {
  for (const [index, id] of ids.entries()) if (index > 0) assert.isTrue(ids[index - 1]! < id)
}

/** The wall clock of a generator, which the test sets; the monotonic one goes on. */
const withWallClock =
  (now: () => number) =>
  <E>(effect: Effect.Effect<Snowflake.Snowflake, E, Scope.Scope>) =>
    Effect.flatMap(Clock.Clock, (clock) => {
      const shifted: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
        currentTimeMillisUnsafe: now,
        currentTimeMillis: Effect.sync(now)
      })
      return Effect.map(Effect.provideService(effect, Clock.Clock, shifted), (made): Snowflake.Snowflake => ({
        ...made,
        next: Effect.provideService(made.next, Clock.Clock, shifted)
      }))
    })

describeOnServers("snowflakes", (it) => {
  it.inChroot("have the time, the number of the process and a count", function* ({ another, zk }) {
    const ids = yield* generator(zk)
    assert.isTrue(Option.isNone(yield* ids.workerId))
    const before = Date.now()
    const id = yield* ids.next
    const parts = Snowflake.decode(id)
    assert.isAtLeast(parts.time, before)
    assert.isAtMost(parts.time, Date.now())
    assert.deepInclude(parts, { workerId: 0, sequence: 0 })
    assert.deepStrictEqual(yield* ids.workerId, Option.some(0))
    assert.isTrue(id > 0n && id < 2n ** 63n)
    const other = yield* generator(yield* another())
    assert.strictEqual(Snowflake.decode(yield* other.next).workerId, 1)
  })

  it.inChroot("grow, and differ between processes", function* ({ another, zk }) {
    const lists = yield* Effect.forEach(
      [yield* generator(zk), yield* generator(yield* another())],
      (ids) => many(10_000, ids),
      { concurrency: "unbounded" }
    )
    for (const ids of lists) assertGrowing(ids)
    assert.strictEqual(new Set(lists.flat()).size, 20_000)
  })

  it.inChroot("grow while the clock goes back, and let time stand still then", function* ({ zk }) {
    let now = 1_800_000_000_000
    const ids = yield* withWallClock(() => now)(generator(zk))
    const first = yield* ids.next
    now -= 3_600_000
    const behind = yield* many(9000, ids)
    assertGrowing([first, ...behind])
    // 9,000 ids use up two milliseconds.
    assert.strictEqual(Snowflake.decode(behind.at(-1)!).time, 1_800_000_000_002)
    now = 1_800_000_000_500
    assert.strictEqual(Snowflake.decode(yield* ids.next).time, now)
  })

  it.inChroot(
    "begin after those of the former holder of the number, whose clock was ahead",
    function* ({ another, zk }) {
      const ahead = withWallClock(() => 1_800_000_000_000)(generator(yield* another()))
      const [first, close] = yield* closable(ahead)
      const ids = yield* many(3, first)
      yield* close
      // Its clock is behind, and it has to reserve time all the same.
      const next = yield* withWallClock(() => 1_799_999_995_000)(generator(zk, { reserve: 1 }))
      const later = yield* many(9000, next)
      assert.strictEqual(Snowflake.decode(later[0]!).workerId, Snowflake.decode(ids[0]!).workerId)
      assertGrowing([...ids, ...later])
      // It was closed in order, so that the rest of its time was given back.
      assert.strictEqual(Snowflake.decode(later[0]!).time, 1_800_000_000_001)
    }
  )

  it.inChroot(
    "of a process that goes on after another has got its number are none of the other's",
    function* ({ another, zk }) {
      const former = yield* generator(zk, { reserve: "1 minute" })
      const ids = [yield* former.next]
      const holder = (yield* zk.getChildren("/ids/numbers/0"))[0]!
      yield* zk.delete(`/ids/numbers/0/${holder}`)
      // The former holder may not know yet.
      const latter = yield* generator(yield* another(), { reserve: "1 minute" })
      const others = yield* many(5, latter)
      assert.strictEqual(Snowflake.decode(others[0]!).workerId, 0)
      ids.push(...(yield* many(5, former)))
      const { time } = Snowflake.decode(others[0]!)
      for (const id of ids) {
        const parts = Snowflake.decode(id)
        assert.isTrue(parts.workerId !== 0 || parts.time < time)
      }
      assert.strictEqual(new Set([...ids, ...others]).size, 11)
    }
  )

  it.inChroot("go on with another number after the session was lost", function* ({ another, expire, zk }) {
    const other = yield* another()
    let now = 1_800_000_000_000
    const ids = yield* withWallClock(() => now)(generator(other))
    const first = yield* ids.next
    // The ids grow even if the clock goes back meanwhile.
    now -= 5000
    yield* expire(other)
    const mine = yield* (yield* generator(zk)).next
    assert.strictEqual(Snowflake.decode(mine).workerId, 0)
    const later = yield* eventually(ids.next, (id) => Snowflake.decode(id).workerId === 1)
    assert.isTrue(later > first)
  })

  it.inChroot("are unique whichever reply is lost", function* ({ breakable }) {
    const { link, zk } = yield* breakable({ sessionTimeout: "20 seconds" })
    const all: Array<bigint> = []
    for (const lose of [link.loseReply, link.loseRequest]) {
      for (const operation of [Operations.multi, Operations.getData]) {
        const [ids, close] = yield* closable(generator(zk, { reserve: 1 }))
        all.push(yield* ids.next)
        yield* lose(operation)
        yield* Effect.sleep(5)
        all.push(...(yield* many(3, ids)))
        yield* close
      }
    }
    assert.strictEqual(new Set(all).size, 16)
    assertGrowing(all)
  })

  it.inChroot("cost one write for each reserved time, and none while none is asked for", function* ({ zk }) {
    const ids = yield* generator(zk)
    yield* many(100, ids)
    const { version } = (yield* zk.get("/ids/times/0")).stat
    yield* many(1000, ids)
    assert.strictEqual((yield* zk.get("/ids/times/0")).stat.version, version)
  })

  it.inChroot("are refused where their time does not fit, or the data is not theirs", function* ({ zk }) {
    const late = yield* generator(zk, { epoch: Date.now() - 2 ** 41 })
    assert.strictEqual((yield* failure(late.next, "OutOfRange")).path, "/ids")
    yield* zk.createOrSet("/ids/times/1", "noon")
    yield* zk.createOrSet("/ids/times/0", "noon")
    yield* failure((yield* generator(zk)).next, "DataInvalid")
    yield* failure(generator(zk, { epoch: 0.5 }), "InvalidArgument")
    yield* failure(generator(zk, { reserve: 0 }), "InvalidArgument")
  })
})
