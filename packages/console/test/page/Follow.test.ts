import { Unavailable } from "@effect-zookeeper/console/ProtocolError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { follow } from "../../page/src/link/follow.ts"

const away = new Unavailable({ message: "the session has expired", maybeApplied: false })

/** A component that clears its list when the stream begins again. */
const shown = () => {
  let items: ReadonlyArray<string> = []
  const states: Array<string> = []
  return {
    items: () => items,
    states,
    hooks: {
      onAgain: () => {
        items = []
      },
      onItem: (item: string) => {
        items = [...items, item]
      },
      onEnd: () => void states.push("end"),
      onLost: () => void states.push("lost"),
      onFailure: () => void states.push("failed")
    }
  }
}

describe("a stream that is followed", () => {
  it.effect("lists nothing twice after an outage, and keeps what was there until something comes", () =>
    Effect.gen(function* () {
      const seen = shown()
      let runs = 0
      const stream = Stream.suspend(() => {
        runs++
        const items = Stream.fromIterable(runs === 2 ? [] : ["/a", "/b"])
        return runs < 3 ? Stream.concat(items, Stream.fail(away)) : items
      })
      const fiber = yield* Effect.forkChild(follow(stream, false, seen.hooks))
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(seen.items(), ["/a", "/b"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(runs, 2)
      assert.deepStrictEqual(seen.items(), ["/a", "/b"])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen.items(), ["/a", "/b"])
      assert.deepStrictEqual(seen.states, ["lost", "lost", "end"])
    })
  )

  it.effect("begins anew with the first item of another connection", () =>
    Effect.gen(function* () {
      const seen = shown()
      seen.hooks.onItem("/before")
      yield* follow(Stream.make("/after"), true, seen.hooks)
      assert.deepStrictEqual(seen.items(), ["/after"])
    })
  )
})
