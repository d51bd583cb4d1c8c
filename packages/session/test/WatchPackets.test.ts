/** Watches are registered again in packets that the server bears. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { at, awaitState, connect } from "./support/session.ts"

const two = { servers: "a,b", sessionTimeout: "60 seconds" } as const

const watched = Effect.fnUntraced(function* (options: Parameters<typeof connect>[0]) {
  const { network, server, session } = yield* connect({ ...two, ...options })
  for (let index = 0; index < 200; index++) {
    const fiber = yield* Effect.forkChild(session.watchExists(at(`/${index}${"n".repeat(1000)}`)), {
      startImmediately: true
    })
    server.reply((yield* server.nextRequest).xid, 1n, -101)
    const { changed } = yield* Fiber.join(fiber)
    yield* Effect.forkChild(changed, { startImmediately: true })
  }
  const reconnect = Effect.gen(function* () {
    const next = yield* network.accept
    yield* next.greet()
    yield* awaitState(session, "Connected")
    yield* TestClock.adjust("1 millis")
    const requests = yield* next.requests
    return { next, packets: requests.filter(({ name }) => name === Operations.setWatches.name) }
  })
  return { server, reconnect }
})

describe("packets of watches", () => {
  it.effect("are halved when a connection is lost with them, until the server bears them", () =>
    Effect.gen(function* () {
      const { reconnect, server } = yield* watched({})
      server.cut()
      const first = yield* reconnect
      assert.lengthOf(first.packets, 2)
      first.next.cut()
      yield* TestClock.adjust("1 second")
      const second = yield* reconnect
      assert.lengthOf(second.packets, 4)
      for (const { xid } of second.packets) second.next.reply(xid, 1n)
      yield* TestClock.adjust("2 seconds")
      // What was borne once is what the next server gets.
      second.next.cut()
      assert.lengthOf((yield* reconnect).packets, 4)
    })
  )

  it.effect("are no larger than maxRequestSize", () =>
    Effect.gen(function* () {
      const { reconnect, server } = yield* watched({ maxRequestSize: 20_000 })
      server.cut()
      assert.lengthOf((yield* reconnect).packets, 11)
    })
  )
})
