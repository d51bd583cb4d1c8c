import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ScriptedSession from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Change } from "../../src/Change.ts"
import * as Counter from "../../src/Counter.ts"
import * as Layouts from "../../src/internal/values/counterLayout.ts"
import * as Lock from "../../src/Lock.ts"
import { itOnEmbedded } from "../support/embedded.ts"
import { beforeLooks, sometimesLose } from "../support/links.ts"
import {
  withClient,
  describeOnServers,
  eventually,
  failure,
  makeChroot,
  text,
  atOnce,
  eachAtOnce
} from "../support/targets.ts"

const hex = (data: Uint8Array) => Buffer.from(data).toString("hex")

const layouts = ["curator", "int32", "text", "exact"] as const

describeOnServers("a counter", (it) => {
  it.inChroot("reads its initial value until the first change creates it, parents included", function* ({ zk }) {
    const counter = yield* withClient(zk)(Counter.make("/counters/visits", { initial: 40n }))
    assert.strictEqual(yield* counter.get, 40n)
    assert.isFalse(yield* zk.exists("/counters"))
    const { attempts, post, pre } = yield* counter.add(2n)
    assert.deepStrictEqual([pre, post, attempts], [40n, 42n, 2])
    assert.strictEqual(yield* counter.get, 42n)
  })

  // aiozk 18
  it.inChroot("counts four increments as four, in each layout, and keeps its type", function* ({ zk }) {
    for (const layout of layouts) {
      const counter = yield* withClient(zk)(Counter.make(`/${layout}`, { layout }))
      for (let n = 0n; n < 4n; n++) {
        const { post, pre } = yield* counter.increment
        assert.deepStrictEqual([pre, post], [n, n + 1n])
      }
      yield* counter.decrement
      assert.strictEqual(yield* counter.get, 3n)
      assert.strictEqual((yield* counter.set(-7n)).pre, 3n)
      assert.strictEqual((yield* counter.update((n) => n * 2n)).post, -14n)
      assert.strictEqual(yield* counter.get, -14n)
    }
    assert.strictEqual(hex(yield* zk.getData("/curator")), "fffffffffffffff2")
    assert.strictEqual(hex(yield* zk.getData("/int32")), "fffffff2")
    assert.strictEqual(text(yield* zk.getData("/text")), "-14")
    assert.match(text(yield* zk.getData("/exact")), /^-14\n[0-9a-f]{16} 7$/)
  })

  // aiozk 19
  it.inChroot("counts in floats, as text that Python reads as a float", function* ({ zk }) {
    const counter = yield* withClient(zk)(Counter.makeFloat("/float"))
    for (let n = 0; n < 4; n++) yield* counter.increment
    assert.strictEqual(yield* counter.get, 4)
    assert.strictEqual(text(yield* zk.getData("/float")), "4.0")
    assert.strictEqual((yield* counter.add(0.5)).post, 4.5)
    assert.strictEqual(text(yield* zk.getData("/float")), "4.5")
    yield* failure(counter.set(Number.NaN), "OutOfRange")
    yield* failure(counter.add(Number.POSITIVE_INFINITY), "OutOfRange")
  })

  // aiozk 20
  it.inChroot(
    "is shared by five sessions that count at once, with no write more than there are counts",
    function* ({ another, zk }) {
      yield* zk.create("/count", { data: "0" })
      const counters = yield* Effect.forEach(Array.from({ length: 5 }), () =>
        Effect.flatMap(another(), (zk) => withClient(zk)(Counter.make("/count", { layout: "text" })))
      )
      yield* atOnce(counters.map(({ increment }) => increment))
      const { data, stat } = yield* zk.get("/count")
      assert.strictEqual(text(data), "5")
      assert.strictEqual(stat.version, 5)
    }
  )

  // aiozk 21
  it.inChroot("counts simultaneous calls on one instance without conflicts", function* ({ zk }) {
    yield* zk.create("/count", { data: "0" })
    const counter = yield* withClient(zk)(Counter.make("/count", { layout: "text" }))
    const changes = yield* atOnce(Array.from({ length: 5 }, () => counter.increment))
    assert.deepStrictEqual(
      changes.map(({ attempts, pre }) => [pre, attempts]),
      [0n, 1n, 2n, 3n, 4n].map((n) => [n, 1])
    )
    assert.strictEqual(yield* counter.get, 5n)
  })

  it.inChroot("is set by compare-and-set only while the number is the expected one", function* ({ zk }) {
    const counter = yield* withClient(zk)(Counter.make("/count"))
    const first = yield* counter.compareAndSet(0n, 5n)
    assert.deepStrictEqual([first.applied, first.pre, first.post], [true, 0n, 5n])
    const stale = yield* counter.compareAndSet(0n, 6n)
    assert.deepStrictEqual([stale.applied, stale.pre, stale.post], [false, 5n, 5n])
    assert.strictEqual(yield* counter.get, 5n)
  })

  it.inChroot("fails with OutOfRange for a number that does not fit, and writes nothing", function* ({ zk }) {
    const wide = yield* withClient(zk)(Counter.make("/wide", { initial: 2n ** 63n - 1n }))
    assert.strictEqual((yield* failure(wide.increment, "OutOfRange")).value, 2n ** 63n)
    assert.isFalse(yield* zk.exists("/wide"))
    yield* wide.set(-(2n ** 63n))
    yield* failure(wide.decrement, "OutOfRange")
    const narrow = yield* withClient(zk)(Counter.make("/narrow", { layout: "int32" }))
    yield* narrow.set(2n ** 31n - 1n)
    yield* failure(narrow.increment, "OutOfRange")
    assert.strictEqual(yield* narrow.get, 2n ** 31n - 1n)
  })

  // 1.11: ValueError in aiozk.
  it.inChroot(
    "fails with DataInvalid for data that is not a number, empty data too, until it is set",
    function* ({ zk }) {
      for (const layout of layouts) {
        yield* zk.create(`/${layout}`)
        const counter = yield* withClient(zk)(Counter.make(`/${layout}`, { layout }))
        assert.strictEqual((yield* failure(counter.get, "DataInvalid")).path, `/${layout}`)
        yield* zk.set(`/${layout}`, "twelve")
        yield* failure(counter.increment, "DataInvalid")
        assert.strictEqual(text(yield* zk.getData(`/${layout}`)), "twelve")
        yield* counter.set(12n)
        assert.strictEqual((yield* counter.increment).post, 13n)
      }
      yield* zk.create("/empty")
      const counter = yield* withClient(zk)(Counter.make("/empty", { initial: 5n, emptyIsInitial: true }))
      assert.strictEqual((yield* counter.increment).post, 6n)
    }
  )

  it.inChroot("goes on when it is deleted with its parents between two changes", function* ({ zk }) {
    const counter = yield* withClient(zk)(Counter.make("/a/count"))
    yield* counter.add(3n)
    yield* zk.deleteAll("/a")
    assert.strictEqual((yield* counter.increment).post, 1n)
  })

  it.inChroot("fails with Contended after the allowed number of conflicts", function* ({ zk }) {
    const theirs = yield* withClient(zk)(Counter.make("/count", { layout: "text" }))
    yield* theirs.set(0n)
    const meddled = { ...zk, setData: before(theirs.increment, zk.setData) }
    const counter = yield* withClient(meddled)(Counter.make("/count", { layout: "text", attempts: 3 }))
    assert.strictEqual((yield* failure(counter.add(10n), "Contended")).attempts, 3)
    assert.strictEqual(yield* theirs.get, 3n)
  })

  it.inChroot(
    "waits for a lock after the given number of conflicts, and changes under it",
    function* ({ another, zk }) {
      const lock = yield* withClient(yield* another())(Lock.make("/promoted"))
      const theirs = yield* withClient(zk)(Counter.make("/count"))
      yield* theirs.set(0n)
      let meddling = 2
      const meddle = Effect.suspend(() => (meddling-- > 0 ? theirs.increment : Effect.void))
      const meddled = { ...zk, setData: before(meddle, zk.setData) }
      const counter = yield* withClient(meddled)(Counter.make("/count", { promote: { lock: "/promoted", after: 2 } }))
      const locked = yield* Deferred.make<void>()
      const free = yield* Deferred.make<void>()
      const holder = yield* Effect.forkChild(
        lock.withLock(Effect.andThen(Deferred.succeed(locked, undefined), Deferred.await(free)))
      )
      yield* Deferred.await(locked)
      const counting = yield* Effect.forkChild(counter.add(10n))
      yield* eventually(lock.contenders, (all) => all.length === 2)
      assert.strictEqual(yield* theirs.get, 2n)
      yield* Deferred.succeed(free, undefined)
      const { attempts, post, pre } = yield* Fiber.join(counting)
      assert.deepStrictEqual([pre, post, attempts], [2n, 12n, 3])
      yield* Fiber.join(holder)
      yield* eventually(lock.contenders, (all) => all.length === 0)
    }
  )
})

describeOnServers("a counter whose replies are lost", (it) => {
  // 1.11: one incr() of aiozk counts 2.
  it.inChroot("counts one increment once in the exact layout, and tells what it did", function* ({ breakable }) {
    const { link, zk } = yield* breakable()
    const counter = yield* withClient(zk)(Counter.make("/count", { layout: "exact" }))
    yield* link.loseReply(Operations.create)
    assert.deepStrictEqual(summary(yield* counter.increment), [0n, 1n])
    yield* link.loseReply(Operations.setData)
    assert.deepStrictEqual(summary(yield* counter.increment), [1n, 2n])
    yield* link.loseRequest(Operations.setData)
    assert.deepStrictEqual(summary(yield* counter.increment), [2n, 3n])
    assert.strictEqual(yield* counter.get, 3n)
  })

  it.inChroot("says OutcomeUnknown in layouts that cannot tell, and never counts twice", function* ({ breakable }) {
    for (const layout of ["curator", "int32", "text"] as const) {
      const { link, zk } = yield* breakable()
      const counter = yield* withClient(zk)(Counter.make(`/${layout}`, { layout }))
      yield* counter.set(0n)
      yield* link.loseReply(Operations.setData)
      assert.strictEqual((yield* failure(counter.increment, "OutcomeUnknown")).operation, "increment")
      assert.strictEqual(yield* counter.get, 1n)
      // The version stands still: it was not applied, and is sent again.
      yield* link.loseRequest(Operations.setData)
      assert.deepStrictEqual(summary(yield* counter.increment), [1n, 2n])
      assert.strictEqual(yield* counter.get, 2n)
    }
  })

  it.inChroot(
    "knows its own write in the exact layout when others have written since",
    function* ({ breakable, zk: plain }) {
      const { link, zk } = yield* breakable()
      const theirs = yield* withClient(plain)(Counter.make("/count", { layout: "exact" }))
      const thrice = Effect.all([theirs.increment, theirs.increment, theirs.increment])
      const mine = yield* withClient(beforeLooks(zk, thrice))(Counter.make("/count", { layout: "exact" }))
      yield* mine.set(10n)
      yield* link.loseReply(Operations.setData)
      assert.deepStrictEqual(summary(yield* mine.increment), [10n, 11n])
      assert.strictEqual(yield* mine.get, 14n)
      yield* link.loseRequest(Operations.setData)
      assert.deepStrictEqual(summary(yield* mine.increment), [17n, 18n])
      assert.lengthOf(text(yield* plain.getData("/count")).split("\n"), 3)
    }
  )

  it.inChroot(
    "says OutcomeUnknown when its znode was created again before the write, with a reply and without",
    function* ({ breakable, zk: plain }) {
      for (const layout of layouts) {
        const path = `/remade-${layout}`
        const { link, zk } = yield* breakable()
        let isDue = false
        const get: typeof zk.get = (path) =>
          Effect.tap(zk.get(path), ({ data }) => {
            if (!isDue) return Effect.void
            isDue = false
            return Effect.orDie(Effect.andThen(plain.delete(path), plain.create(path, { data })))
          })
        const counter = yield* withClient({ ...zk, get })(Counter.make(path, { layout }))
        for (const isLost of [false, true]) {
          yield* counter.set(5n)
          yield* plain.delete(path)
          yield* counter.set(5n)
          isDue = true
          if (isLost) yield* link.loseReply(Operations.setData)
          const error = yield* failure(counter.increment, "OutcomeUnknown")
          assert.strictEqual(error.reason, isLost ? "lost" : "remade", layout)
        }
        assert.deepStrictEqual(summary(yield* counter.increment), [6n, 7n])
      }
    }
  )

  it.effect(
    "stays between the acknowledged and the unknown increments, and is exact in the exact layout",
    function* () {
      const clients = 5
      const each = process.env["ZK_LONG"] === "1" ? 100 : 12
      const { breakable, zk } = yield* makeChroot
      for (const layout of ["curator", "exact"] as const) {
        const outcomes = yield* eachAtOnce(Array.from({ length: clients }), () =>
          Effect.gen(function* () {
            const { link, zk } = yield* breakable()
            const counter = yield* withClient(zk)(Counter.make(`/${layout}`, { layout }))
            return yield* Effect.forEach(Array.from({ length: each }), () =>
              Effect.andThen(sometimesLose(link, Operations.setData), Effect.result(counter.increment))
            )
          })
        )
        let done = 0
        let unknown = 0
        for (const outcome of outcomes.flat()) {
          if (Result.isSuccess(outcome)) done++
          else if (outcome.failure._tag === "OutcomeUnknown") unknown++
          else assert.fail(outcome.failure.message)
        }
        const total = Number(yield* (yield* withClient(zk)(Counter.make(`/${layout}`, { layout }))).get)
        assert.isAtLeast(total, done)
        assert.isAtMost(total, done + unknown)
        if (layout === "exact") assert.strictEqual(total, clients * each)
      }
    }
  )
})

/** Something else happens before each call of a method. */
const before =
  <P extends ReadonlyArray<unknown>, A, E, E2>(
    first: Effect.Effect<unknown, E2>,
    method: (...args: P) => Effect.Effect<A, E>
  ) =>
  (...args: P): Effect.Effect<A, E> =>
    Effect.andThen(Effect.orDie(first), method(...args))

const wholeLayouts = layouts.map((layout) => [layout, Layouts[layout]] as const)

const mark: Layouts.Mark = { writer: "0123456789abcdef", write: 1 }

const znode = (data: Uint8Array, stat: Partial<Stat> = {}): { readonly data: Uint8Array; readonly stat: Stat } => ({
  data,
  stat: { ...ScriptedSession.stat, ...stat }
})

describe("the layouts of a counter", () => {
  for (const [name, layout] of wholeLayouts) {
    it.prop(`${name} gives back each number that fits`, [Schema.BigInt], ([n]) => {
      const value = BigInt.asIntN(name === "int32" ? 32 : 64, n)
      assert.isTrue(layout.numbers.fits(value))
      assert.strictEqual(layout.decode(layout.encode(value, mark, undefined)), value)
    })

    it(`${name} gives back the ends of its range`, () => {
      const bits = name === "int32" ? 31n : 63n
      for (const value of [2n ** bits - 1n, -(2n ** bits), 0n, -1n]) {
        assert.isTrue(layout.numbers.fits(value))
        assert.strictEqual(layout.decode(layout.encode(value, mark, undefined)), value)
      }
      assert.isFalse(layout.numbers.fits(2n ** bits))
      assert.isFalse(layout.numbers.fits(-(2n ** bits) - 1n))
    })
  }

  it("text reads the numbers of other programs, and nothing else", () => {
    const decode = (text: string) => Layouts.text.decode(new TextEncoder().encode(text))
    assert.strictEqual(decode("-12"), -12n)
    assert.strictEqual(decode("+12\n"), 12n)
    for (const text of ["", " ", "1.0", "0x10", "1e3", "9223372036854775808", "1 2", "-"]) {
      assert.isUndefined(decode(text), text)
    }
    const float = (text: string) => Layouts.float.decode(new TextEncoder().encode(text))
    assert.strictEqual(float("1e+21"), 1e21)
    assert.strictEqual(float("-.5"), -0.5)
    assert.strictEqual(float("4"), 4)
    for (const text of ["", "nan", "inf", "1e999", "0x10", "1,5"]) assert.isUndefined(float(text), text)
  })

  it("exact remembers 64 writers, and fails when it cannot know any more", () => {
    const attempt = { found: znode(new TextEncoder().encode("0"), { version: 5, mzxid: 5n }), data: new Uint8Array() }
    const after = (others: number) => {
      let data = Layouts.exact.encode(1n, mark, attempt.found)
      for (let n = 0; n < others; n++) {
        data = Layouts.exact.encode(1n, { writer: n.toString(16).padStart(16, "f"), write: 1 }, znode(data))
      }
      return znode(data, { version: 6 + others })
    }
    const recognize = Layouts.exact.recognize(mark)
    assert.isTrue(recognize(after(0), attempt))
    assert.isTrue(recognize(after(63), attempt))
    assert.isUndefined(recognize(after(64), attempt))
    // The same number of writers, and too few writes for any to have made room.
    assert.isFalse(Layouts.exact.recognize({ ...mark, write: 2 })(znode(after(63).data, { version: 60 }), attempt))
    assert.isFalse(recognize(attempt.found, attempt))
  })
})

describe("a counter at a version of -1", () => {
  itOnEmbedded("compares with no version that means any, and is set to go on", function* ({ server, zk }) {
    const counter = yield* Counter.make("/count")
    yield* counter.set(1n)
    assert.isTrue(yield* server.setVersion("/count", -2))
    yield* counter.increment
    assert.strictEqual((yield* zk.get("/count")).stat.version, -1)
    assert.strictEqual((yield* failure(counter.increment, "VersionExhausted")).path, "/count")
    assert.strictEqual(yield* counter.get, 2n)
    assert.strictEqual((yield* counter.set(2n)).pre, 2n)
    assert.strictEqual((yield* counter.increment).post, 3n)
  })
})

describe("the arguments of a counter", () => {
  itOnEmbedded("are checked", function* () {
    yield* failure(Counter.make("count"), "InvalidArgument")
    yield* failure(Counter.make("/"), "InvalidArgument")
    yield* failure(Counter.make("/count", { attempts: 0 }), "InvalidArgument")
    yield* failure(Counter.make("/count", { promote: { lock: "/count" } }), "InvalidArgument")
    const counter = yield* Counter.make("/count")
    // @ts-expect-error what callers without types do
    const n: bigint = 1
    assert.strictEqual((yield* failure(counter.add(n), "InvalidArgument")).argument, "n")
    yield* failure(counter.set(n), "InvalidArgument")
    yield* failure(counter.compareAndSet(0n, n), "InvalidArgument")
  })
})

const summary = ({ post, pre }: Change<bigint>) => [pre, post]
