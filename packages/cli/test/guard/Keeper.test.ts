/** The keeper ends a command by what it was told last, and the error says so. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExitCode from "../../src/ExitCode.ts"
import { runHeld } from "../../src/internal/guard/hold.ts"

/** A session whose deadline never moves. */
const sessionUntil = (left: Duration.Input) =>
  Effect.map(Clock.monotonicTimeNanos, (now) => ({
    id: 1n,
    timeout: 3000,
    deadline: now + Duration.toNanosUnsafe(left)
  }))

const held = { path: "/l", fencingToken: 7n }

describe("a command whose hold is not confirmed in time", () => {
  it.live("is ended by the keeper, and the error says why", () =>
    Effect.gen(function* () {
      const session = yield* sessionUntil("3 seconds")
      const holder = { zk: { session }, margin: Duration.millis(600) }
      const error = yield* Effect.flip(runHeld(holder, held, ["sleep", "60"]))
      assert.deepStrictEqual(
        { tag: error._tag, message: error.message, code: ExitCode.of(error) },
        {
          tag: "HoldUncertain",
          message: "/l may be held by another: its hold was not confirmed in time, and the command was ended",
          code: 7
        }
      )
    })
  )

  it.live("has its own exit code where it ends by itself before", () =>
    Effect.gen(function* () {
      const session = yield* sessionUntil("1 minute")
      const holder = { zk: { session }, margin: Duration.millis(600) }
      const error = yield* Effect.flip(runHeld(holder, held, ["sh", "-c", "exit $ZK_FENCING_TOKEN"]))
      assert.deepInclude(error, { _tag: "CommandEnded", exitCode: 7 })
    })
  )
})
