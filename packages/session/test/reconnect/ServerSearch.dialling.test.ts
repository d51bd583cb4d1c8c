/** The dialling of a search for a server: addresses side by side, many clients apart, pauses after each round. */
import { assert, describe } from "@effect/vitest"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as TransportModule from "@effect-zookeeper/transport/Transport"
import { itEffect, itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { SessionOptions } from "../../src/Session.ts"
import { listen } from "../support/listen.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import { startSession, connect, itOnNetwork, reconnect } from "../support/session.ts"
import { settle, pass } from "../support/time.ts"

const address = (n: number): ServerAddress => ({ host: `10.0.0.${n}`, port: 2181 })

/** Begins to connect where names have these addresses. */
const beginWith = (
  network: MemoryNetwork,
  addresses: (name: string) => ReadonlyArray<ServerAddress>,
  options: SessionOptions
) => {
  network.transport = { ...network.transport, resolve: ({ host }) => Effect.succeed(addresses(host)) }
  return startSession(network, options)
}

const slowly = (server: ServerAddress) => (server.host === "slow" ? Effect.never : Effect.succeed([server]))

describe("addresses of which some are silent", () => {
  itEffect("the next one is dialled after 250 ms while one is not open, and the others are left then", function* () {
    const network = yield* MemoryNetwork.make
    for (const n of [1, 2]) network.set(`10.0.0.${n}:2181`, "hang")
    const fiber = yield* beginWith(network, () => [1, 2, 3, 4].map(address), { servers: "zk" })
    yield* TestClock.adjust("249 millis")
    assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181"])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181", "10.0.0.2:2181"])
    yield* TestClock.adjust("250 millis")
    yield* network.welcome()
    assert.strictEqual((yield* Fiber.join(fiber)).info.id, 0x100n)
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181", "10.0.0.2:2181", "10.0.0.3:2181"])
  })

  itOnNetwork(
    "the session is asked for on one connection at a time: another is asked when the time of one is over",
    function* (network) {
      const fiber = yield* beginWith(network, () => [1, 2].map(address), {
        servers: "zk",
        sessionTimeout: "4 seconds"
      })
      const first = yield* network.accept
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(network.waiting, 0)
      assert.isFalse(first.isLeft)
      yield* TestClock.adjust("1 millis")
      const second = yield* network.accept
      assert.isTrue(first.isLeft)
      yield* second.greet()
      assert.strictEqual((yield* Fiber.join(fiber)).info.id, 0x100n)
    }
  )

  for (const [names, each, silent] of [
    [5, 1, 4],
    [3, 2, 5],
    [1, 24, 23]
  ] as const) {
    itOnNetwork(
      `the last of ${names} times ${each} addresses is found within connectTimeout, the others silent`,
      function* (network) {
        const clock = yield* Clock.Clock
        const servers = Array.from({ length: names }, (_, n) => `s${n}`)
        const fiber = yield* beginWith(
          network,
          (name) => Array.from({ length: each }, (_, n) => address(Number(name.slice(1)) * each + n)),
          { servers: servers.join(","), sessionTimeout: "40 seconds" }
        )
        // They accept, as a listener does whose process hangs, and say nothing.
        for (let n = 0; n < silent; n++) {
          while (network.waiting === 0) yield* TestClock.adjust("100 millis")
          yield* network.accept
        }
        while (network.waiting === 0) yield* TestClock.adjust("100 millis")
        yield* network.welcome()
        yield* Fiber.join(fiber)
        assert.isBelow(clock.currentTimeMillisUnsafe(), 15_000)
      }
    )
  }

  itOnNetwork("a name that is not resolved does not keep the next server waiting", function* (network) {
    network.transport = { ...network.transport, resolve: slowly }
    const fiber = yield* startSession(network, { servers: "slow,slow,slow,quick" })
    yield* TestClock.adjust("750 millis")
    yield* network.welcome()
    yield* Fiber.join(fiber)
  })
})

describe("many clients", () => {
  /** The most of a tenth of a second, and the mean. */
  const spread = (times: ReadonlyArray<number>, from: number, to: number) => {
    const tenths = Array.from({ length: Math.floor((to - from) / 100) }, () => 0)
    for (const time of times) {
      const tenth = Math.floor((time - from) / 100)
      if (tenth >= 0 && tenth < tenths.length) tenths[tenth]!++
    }
    return { most: Math.max(...tenths), mean: tenths.reduce((a, b) => a + b, 0) / tenths.length }
  }

  itOnNetwork(
    "that lose their servers in the same moment spread, also when their sessions end in the same moment",
    function* (network) {
      const clock = yield* Clock.Clock
      let isUp = true
      const times: Array<number> = []
      const serve = Effect.gen(function* () {
        for (let id = 1n; ; id++) {
          const server = yield* network.accept
          if (isUp) yield* server.greet({ sessionId: id })
          else {
            times.push(clock.currentTimeMillisUnsafe())
            server.cut()
          }
        }
      })
      yield* Effect.forkScoped(serve)
      const clients = Array.from({ length: 50 }, () =>
        Effect.flatMap(startSession(network, { servers: "a,b,c", sessionTimeout: "6 seconds" }), Fiber.join)
      )
      const sessions = yield* Random.withSeed(
        Effect.forEach(clients, (client) => client),
        "fifty clients"
      )
      isUp = false
      for (const connection of network.connections) connection.cut()
      const start = clock.currentTimeMillisUnsafe()
      yield* pass(20_000)
      // All sessions ended by their own reckoning after eight seconds.
      assert.isTrue(sessions.every(({ info }) => info.state._tag !== "Connected"))
      const { mean, most } = spread(times, start + 5000, start + 20_000)
      assert.isAbove(mean, 5)
      assert.isAtMost(most, 3 * mean)
    }
  )

  itLive("over sockets likewise", { timeout: 60_000 }, function* () {
    const times: Array<number> = []
    const servers = yield* Effect.forEach([1, 2, 3], () =>
      listen((socket) => {
        times.push(performance.now())
        socket.destroy()
      })
    )
    const options = { servers: servers.join(","), sessionTimeout: "4 seconds", connectTimeout: "1 minute" } as const
    const start = performance.now()
    const client = Effect.provide(makeSession(options), TransportModule.layer())
    yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkScoped(client))
    // The replies that a busy machine delayed come all at once: such moments say nothing about the clients.
    const stalls: Array<readonly [number, number]> = []
    for (let before = performance.now(); before < start + 10_000;) {
      yield* Effect.sleep("10 millis")
      const now = performance.now()
      if (now - before > 40) stalls.push([before, now + 100])
      before = now
    }
    const isFree = (time: number) => stalls.every(([from, to]) => time < from || time > to)
    const { mean, most } = spread(times.filter(isFree), start + 5000, start + 10_000)
    assert.isAbove(mean, 5)
    assert.isAtMost(most, 3 * mean)
  })
})

describe("the pauses of a search", () => {
  itEffect("come after each server once: one that is lost is tried again although all others are silent", function* () {
    const servers = ["a:2181", "b:2181", "c:2181"]
    const { network, server, session } = yield* connect({
      servers: servers.join(","),
      sessionTimeout: "9 seconds",
      grant: { timeOut: 9000 },
      retry: Schedule.spaced("100 millis")
    })
    const others = servers.filter((name) => name !== server.server)
    for (const name of others) network.set(name, "hang")
    const { id } = session.info
    const before = network.dialled.length
    server.cut()
    // Three seconds for each of the silent ones, side by side.
    yield* pass(3500)
    const dialled = network.dialled.slice(before)
    assert.deepStrictEqual(dialled.slice(0, 2).toSorted(), others)
    assert.deepStrictEqual(dialled.slice(2), [server.server])
    yield* reconnect(network, session, { timeOut: 9000 })
    assert.strictEqual(session.info.id, id)
  })

  itEffect("do not outlast the session: there is one more try before it ends", function* () {
    const { network, server, session } = yield* connect({
      sessionTimeout: "9 seconds",
      retry: Schedule.spaced("1 minute")
    }).pipe(Random.withSeed("one more try"))
    network.set("a:2181", "refuse")
    server.cut()
    yield* settle
    const before = network.dialled.length
    yield* pass(11_900)
    assert.isAbove(network.dialled.length, before)
    assert.strictEqual(session.info.state._tag, "Disconnected")
    // And no more than one: they would all come just before the end.
    assert.strictEqual(network.dialled.length, before + 1)
    yield* pass(200)
    assert.strictEqual(session.info.id, 0n)
  })
})
