/** The line that says how far a long command has come. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { make as makePrinter, Printer } from "../../src/internal/output/Printer.ts"
import { withCount, withProgress } from "../../src/internal/output/progress.ts"
import { whileWaiting } from "../../src/internal/guard/waiting.ts"

/** The text that a terminal gets, or a pipe, while something runs for `seconds`. */
const textOf = <E>(seconds: number, isTerminal: boolean, running: Effect.Effect<unknown, E, Printer>) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const sink = () => Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => texts.push(String(chunk))))
    const stdio = Stdio.make({
      args: Effect.succeed([]),
      stdinIsTerminal: Effect.succeed(isTerminal),
      stdoutIsTerminal: Effect.succeed(isTerminal),
      stderrIsTerminal: Effect.succeed(isTerminal),
      stdout: sink,
      stderr: sink,
      stdin: Stream.empty
    })
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(Effect.provideService(makePrinter("text", false), Stdio.Stdio, stdio), (printer) =>
        Effect.provideService(running, Printer, printer)
      )
    )
    for (let step = 0; step < seconds * 4; step++) yield* TestClock.adjust("250 millis")
    yield* Fiber.join(fiber)
    return texts.join("").replaceAll("\r\u001b[K", "<")
  })

/** The same of something that counts, and prints a line after three seconds. */
const written = (seconds: number, isTerminal: boolean, total: Effect.Effect<number, string>) => {
  let done = 0
  const running = Effect.gen(function* () {
    const { write } = yield* Printer
    for (let second = 1; second <= seconds; second++) {
      yield* Effect.sleep("999 millis")
      done += 100
      if (second === 3) yield* write("found\n")
    }
  })
  return textOf(seconds, isTerminal, withCount({ phase: "znodes", done: Effect.sync(() => done), total }, running))
}

describe("the progress of a long command", () => {
  it.effect("is a line on a terminal, which goes before anything is printed and at the end", () =>
    Effect.gen(function* () {
      const text = yield* written(4, true, Effect.succeed(500))
      assert.match(text, /^znodes 100 of 500, 100\/s, 4 s left<znodes 100 of 500, 67\/s, 6 s left<znodes 200/)
      assert.include(text, "<found\n")
      assert.isTrue(text.endsWith("<"), text)
    })
  )

  it.effect("has no time that is left where the whole is not known", () =>
    Effect.gen(function* () {
      assert.match(yield* written(2, true, Effect.fail("unknown")), /^znodes 100, 100\/s</)
    })
  )

  it.effect("is not there in the first second, and nowhere but on a terminal", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* written(1, true, Effect.succeed(500)), "")
      assert.strictEqual(yield* written(4, false, Effect.succeed(500)), "found\n")
    })
  )
})

describe("the progress that a backup, a restore or a copy reports", () => {
  const reporting = withProgress((onProgress) =>
    Effect.gen(function* () {
      for (let second = 1; second <= 25; second++) {
        onProgress({ phase: "writing", done: second * 100, total: 2500 })
        yield* Effect.sleep("1 second")
      }
    })
  )

  it.effect("is a line on a terminal, and nothing elsewhere", () =>
    Effect.gen(function* () {
      assert.match(yield* textOf(25, true, reporting), /<writing 1200 of 2500, 10\d\/s, 1\d s left</)
      assert.strictEqual(yield* textOf(25, false, reporting), "")
    })
  )
})

describe("a command that waits for its turn", () => {
  const holder = (name: string) => ({ identifier: new TextEncoder().encode(name) })
  const waiting = (holders: Effect.Effect<ReadonlyArray<{ readonly identifier: Uint8Array }>, string>) =>
    whileWaiting("/l", holders, (acquired) =>
      Effect.gen(function* () {
        yield* Effect.sleep("2500 millis")
        yield* acquired
        yield* (yield* Printer).write("runs\n")
        yield* Effect.sleep("5 seconds")
      })
    )

  it.effect("says for whom on a terminal, until it is its turn", () =>
    Effect.gen(function* () {
      const one = Effect.succeed([holder("host:1\u001b[2J")])
      const text = yield* textOf(8, true, waiting(one))
      assert.match(text, /^waiting for \/l, held by host:1[^<]*<runs\n$/)
      assert.notInclude(text, "\u001b")
      const many = Effect.succeed(["a", "b", "c", "d"].map(holder))
      assert.match(yield* textOf(8, true, waiting(many)), /^waiting for \/l, held by a, b, c and 1 more</)
      assert.match(yield* textOf(8, true, waiting(Effect.fail("lost"))), /^waiting for \/l</)
    })
  )

  it.effect("says nothing elsewhere, and nothing where it need not wait", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOf(8, false, waiting(Effect.succeed([holder("a")]))), "runs\n")
      const atOnce = whileWaiting("/l", Effect.succeed([holder("a")]), (acquired) =>
        Effect.andThen(acquired, Effect.sleep("5 seconds"))
      )
      assert.strictEqual(yield* textOf(6, true, atOnce), "")
    })
  )
})
