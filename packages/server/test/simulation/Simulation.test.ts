import * as Simulation from "@effect-zookeeper/server/Simulation"
import { hostCallsOf } from "@effect-zookeeper/test-kit/simulation/hostCalls"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { now, atOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import { inspect } from "node:util"

/** A little of everything: chance, time, fibers that meet. */
const busy = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<string>()
  const worker = Effect.fnUntraced(function* (name: string) {
    for (let i = 0; i < 5; i++) {
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 5))
      yield* Queue.offer(queue, `${name}${i}`)
    }
  })
  yield* atOnce(["a", "b", "c"].map(worker))
  return (yield* Queue.takeAll(queue)).join(" ")
})

/** A counter whose readers and writers give way between reading and writing. */
const lostUpdate = Effect.gen(function* () {
  const counter = yield* Ref.make(0)
  const add = Effect.flatMap(Ref.get(counter), (value) => Ref.set(counter, value + 1))
  yield* atOnce([add, add])
  assert.strictEqual(yield* Ref.get(counter), 2)
})

const done = <A, E>(result: Simulation.Result<A, E>): A => {
  if (result._tag !== "Done" || Exit.isFailure(result.exit)) return assert.fail(JSON.stringify(result))
  return result.exit.value
}

describe("Simulation", () => {
  it("takes the same course for the same seed, and says so", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const first = Simulation.run(busy, { seed })
      const second = Simulation.run(busy, { seed, record: true })
      assert.strictEqual(first.traceHash, second.traceHash)
      assert.strictEqual(done(first), done(second))
      assert.strictEqual(first.time, second.time)
      assert.strictEqual(first.steps, second.steps)
    }
  })

  it("takes other courses for other seeds", () => {
    const orders = new Set<string>()
    const hashes = new Set<string>()
    for (let seed = 1; seed <= 50; seed++) {
      const result = Simulation.run(busy, { seed })
      orders.add(done(result))
      hashes.add(result.traceHash)
    }
    assert.isAbove(orders.size, 45)
    assert.strictEqual(hashes.size, 50)
  })

  it("gives way between any two operations", () => {
    let found = 0
    for (let seed = 1; seed <= 200; seed++) {
      const result = Simulation.run(lostUpdate, { seed })
      if (result._tag === "Done" && Exit.isFailure(result.exit)) found++
    }
    assert.isAbove(found, 5)
  })

  it("lets nothing begin that was interrupted before it began", () => {
    // The fiber's end must not be put off until after its beginning: then no fiber is left to interrupt it.
    for (let seed = 1; seed <= 300; seed++) {
      const begun: Array<number> = []
      const program = Effect.gen(function* () {
        for (let n = 0; n < 20; n++) {
          const worker = Effect.andThen(
            Effect.sync(() => begun.push(n)),
            Effect.never
          )
          const fiber = yield* Effect.forkDetach(worker)
          const hasBegun = begun.includes(n)
          fiber.interruptUnsafe()
          const exit = yield* Fiber.await(fiber)
          assert.isTrue(Exit.hasInterrupts(exit))
          assert.strictEqual(begun.includes(n), hasBegun)
        }
      })
      const result = Simulation.run(program, { seed, operationsBetweenYields: 3 })
      assert.isUndefined(Simulation.problemOf(result), `seed ${seed}`)
    }
  })

  it("leaps over time in which nothing happens", () => {
    const result = Simulation.run(
      Effect.gen(function* () {
        const before = yield* Clock.monotonicTimeNanos
        yield* Effect.sleep("10 hours")
        return Number((yield* Clock.monotonicTimeNanos) - before) / 1e6
      }),
      { seed: 1 }
    )
    const slept = done(result)
    assert.isAtLeast(slept, 36_000_000)
    assert.isBelow(slept, 36_000_001)
  })

  it("wakes sleepers in the order of their times, whatever the seed", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const woken: Array<number> = []
      const sleeper = (millis: number) => Effect.map(Effect.sleep(millis), () => woken.push(millis))
      done(Simulation.run(atOnce([30, 10, 20].map(sleeper)), { seed }))
      assert.deepStrictEqual(woken, [10, 20, 30])
    }
  })

  it("reports the fibers that wait when nothing can go on", () => {
    const program = Effect.gen(function* () {
      const never = yield* Deferred.make<void>()
      yield* Deferred.await(never).pipe(Effect.annotateLogs("waits for", "Godot"))
    })
    const result = Simulation.run(program, { seed: 1 })
    assert.strictEqual(result._tag, "Hang")
    assert.include(Simulation.problemOf(result)?.reason, "waits for=Godot")
  })

  it("reports a program that goes on for too long, by its steps or by its time", () => {
    const steps = Simulation.run(Effect.forever(Effect.yieldNow), { seed: 1, maxSteps: 1000 })
    assert.strictEqual(steps._tag, "OutOfSteps")
    const time = Simulation.run(Effect.forever(Effect.sleep("1 second")), { seed: 1, maxTime: "1 minute" })
    assert.strictEqual(time._tag, "OutOfTime")
  })

  it("reports fibers and timers that are left behind", () => {
    const result = Simulation.run(
      Effect.forkDetach(Effect.annotateLogs(Effect.sleep("1 hour"), "who", "a straggler"), now),
      { seed: 1 }
    )
    assert.strictEqual(result._tag, "Done")
    assert.strictEqual(result.timers, 1)
    assert.include(Simulation.problemOf(result)?.reason, "who=a straggler")
    assert.isUndefined(Simulation.problemOf(result, true))
  })

  it("forgets a timer whose sleeper was interrupted", () => {
    const result = Simulation.run(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Effect.sleep("1 hour"), now)
        yield* Effect.sleep("1 second")
        yield* Fiber.interrupt(fiber)
      }),
      { seed: 1 }
    )
    assert.isUndefined(Simulation.problemOf(result))
    assert.isBelow(result.time, 2000)
  })

  it("stops one process while the others go on, and catches up afterwards", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const ticks = { stopped: 0, running: 0 }
      const program = Effect.gen(function* () {
        const simulation = yield* Simulation.Simulation
        const stopped = yield* simulation.node("stopped")
        const running = yield* simulation.node("running")
        const tick = (name: keyof typeof ticks) =>
          Effect.repeat(
            Effect.map(Effect.sleep("100 millis"), () => ticks[name]++),
            { times: 99 }
          )
        const fibers = [
          yield* Effect.forkChild(stopped.run(tick("stopped"))),
          yield* Effect.forkChild(running.run(tick("running")))
        ]
        yield* Effect.sleep("2050 millis")
        yield* stopped.pause
        const before = ticks.stopped
        yield* Effect.sleep("3 seconds")
        assert.strictEqual(ticks.stopped, before)
        assert.isAbove(ticks.running, 45)
        yield* stopped.resume
        yield* Fiber.joinAll(fibers)
        assert.isAbove(simulation.now(), 12_900)
      })
      assert.isUndefined(Simulation.problemOf(Simulation.run(program, { seed })))
    }
  })

  it("names the processes that are paused when it hangs", () => {
    const program = Effect.gen(function* () {
      const node = yield* (yield* Simulation.Simulation).node("asleep")
      yield* node.pause
      yield* Fiber.join(yield* Effect.forkChild(node.run(Effect.sleep("1 second"))))
    })
    assert.include(Simulation.problemOf(Simulation.run(program, { seed: 1 }))?.reason, "paused: asleep")
  })

  it("steps the wall clock of a process and leaves its monotonic one alone", () => {
    const program = Effect.gen(function* () {
      const node = yield* (yield* Simulation.Simulation).node("lost in time")
      const read = node.run(Effect.zip(Clock.currentTimeMillis, Clock.monotonicTimeNanos))
      const [wall, monotonic] = yield* read
      yield* node.stepWallClock("-1 hour")
      const [wallAfter, monotonicAfter] = yield* read
      assert.approximately(wallAfter - wall, -3_600_000, 10)
      assert.approximately(Number(monotonicAfter - monotonic) / 1e6, 0, 10)
    })
    assert.isUndefined(Simulation.problemOf(Simulation.run(program, { seed: 1 })))
  })

  it("asks the host for no timer and no microtask", () => {
    const asked = hostCallsOf(() => {
      for (let seed = 1; seed <= 20; seed++) Simulation.run(busy, { seed })
    })
    assert.deepStrictEqual(asked, [])
  })

  itLive("checks many seeds, and says how to see the failing one again", function* () {
    const report = yield* Simulation.check(Effect.asVoid(busy), { seeds: 100 })
    assert.strictEqual(report.seeds, 100)
    const failure = yield* Effect.flip(
      Simulation.check(lostUpdate, { seeds: 200, from: 7, replay: (seed) => `simulate --seed ${seed}` })
    )
    assert.isAtLeast(failure.seed, 7)
    assert.include(failure.message, `simulate --seed ${failure.seed}`)
    assert.include(inspect(failure), failure.message)
    assert.include(inspect(failure), "\n    at ")
    assert.strictEqual(structuredClone(failure).message, failure.message)
    assert.strictEqual(JSON.parse(JSON.stringify(failure)).message, failure.message)
    const again = Simulation.run(lostUpdate, { seed: failure.seed })
    assert.strictEqual(again.traceHash, failure.traceHash)
    assert.isDefined(Simulation.problemOf(again))
  })
})
