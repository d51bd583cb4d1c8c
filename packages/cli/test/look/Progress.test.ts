/** The line that says how far a long command has come. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { make as makePrinter, Printer } from "../../src/internal/output/Printer.ts"
import { withCount } from "../../src/internal/output/progress.ts"

/** The text that a terminal gets while something runs for `seconds`, and prints a line after three of them. */
const written = (seconds: number, isTerminal: boolean, total: Effect.Effect<number, string>) =>
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
    let done = 0
    const running = Effect.gen(function* () {
      const { write } = yield* Printer
      for (let second = 1; second <= seconds; second++) {
        yield* Effect.sleep("999 millis")
        done += 100
        if (second === 3) yield* write("found\n")
      }
    })
    const counted = withCount({ phase: "znodes", done: Effect.sync(() => done), total }, running)
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(Effect.provideService(makePrinter("text", false), Stdio.Stdio, stdio), (printer) =>
        Effect.provideService(counted, Printer, printer)
      )
    )
    for (let step = 0; step < seconds * 4; step++) yield* TestClock.adjust("250 millis")
    yield* Fiber.join(fiber)
    return texts.join("").replaceAll("\r\u001b[K", "<")
  })

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
