/** Questions at the terminal, and what comes before and after them. */
import { assert, describe, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { confirm } from "../../src/internal/change/ask.ts"
import { askPassword } from "../../src/internal/frame/askPassword.ts"

/** A terminal whose user has typed these lines: each comes as keys and as a line, as that of Node gives it. */
const withTyped =
  (...typed: ReadonlyArray<string>) =>
  <A, E>(effect: Effect.Effect<A, E, Stdio.Stdio | Terminal.Terminal>) =>
    Effect.gen(function* () {
      const keys = yield* Queue.unbounded<Terminal.UserInput, Cause.Done>()
      const lines = yield* Queue.unbounded<string>()
      for (const line of typed) {
        for (const input of `${line}\r`) {
          const name = input === "\r" ? "return" : input
          const key = { name, ctrl: false, meta: false, shift: false }
          yield* Queue.offer(keys, { input: Option.some(input), key })
        }
        yield* Queue.offer(lines, line)
      }
      const isTerminal = Effect.succeed(true)
      let err = ""
      const exit = yield* Effect.exit(effect).pipe(
        Effect.provideService(
          Stdio.Stdio,
          Stdio.make({
            args: Effect.succeed([]),
            stdinIsTerminal: isTerminal,
            stdoutIsTerminal: isTerminal,
            stderrIsTerminal: isTerminal,
            stdout: () => Sink.drain,
            stderr: () => Sink.forEach((text) => Effect.sync(() => (err += String(text)))),
            stdin: Stream.empty
          })
        ),
        Effect.provideService(
          Terminal.Terminal,
          Terminal.make({
            columns: Effect.succeed(80),
            rows: Effect.succeed(24),
            size: Effect.die("not used"),
            readInput: Effect.succeed(keys),
            readLine: Effect.flatMap(Queue.poll(lines), (line) =>
              Option.isSome(line) ? Effect.succeed(line.value) : new Terminal.QuitError({})
            ),
            display: () => Effect.void
          })
        )
      )
      return { err, exit }
    })

describe("a question", () => {
  it.effect("is not answered by a password that was typed before", () =>
    Effect.gen(function* () {
      const both = Effect.gen(function* () {
        const password = yield* askPassword("digest:ann")
        yield* confirm("Delete it?", false)
        return Redacted.value(password)
      })
      const declined = yield* withTyped("yes", "no")(both)
      assert.strictEqual(declined.exit._tag, "Failure")
      const agreed = yield* withTyped("no", "yes")(both)
      assert.deepStrictEqual(agreed.exit._tag === "Success" ? agreed.exit.value : agreed.exit, "no")
    })
  )

  it.effect("ends its line where it is left without an answer", () =>
    Effect.gen(function* () {
      const left = yield* withTyped()(confirm("Delete it?", false))
      assert.strictEqual(left.exit._tag, "Failure")
      assert.strictEqual(left.err, "Delete it? [y/N] \n")
      const answered = yield* withTyped("no")(confirm("Delete it?", false))
      assert.strictEqual(answered.err, "Delete it? [y/N] ")
    })
  )
})
