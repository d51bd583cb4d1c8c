/** F41: names of servers that move, vanish, hang, or are wrong: each attempt asks anew, and none waits for ever. */
import { assert, describe } from "@effect/vitest"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as TransportModule from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import { itEffect, itLive } from "@effect-zookeeper/test-kit/TestWith"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { makeSession } from "../../src/internal/makeSession.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import { awaitState, connect, create, get, startSession } from "../support/session.ts"
import { now } from "../support/time.ts"

describe("F41: a name", () => {
  itLive("that vanishes and comes back elsewhere is found there at once, and the session goes on", function* () {
    const old = yield* FaultProxy.make(TestServer.target())
    let addresses: ReadonlyArray<string> | undefined = ["127.0.0.1"]
    let asked = 0
    const lookup = (host: string) =>
      Effect.suspend(() => {
        asked++
        assert.strictEqual(host, "zk.example")
        return addresses === undefined ? Effect.fail(new Error("ENOTFOUND")) : Effect.succeed(addresses)
      })
    const session = yield* makeSession({
      servers: `zk.example:${old.port}`,
      sessionTimeout: "20 seconds",
      retry: Schedule.spaced("20 millis")
    }).pipe(Effect.provide(TransportModule.layer({ lookup })))
    const { id } = session.info
    const path = TestServer.freshPath("moved")
    yield* create(session, path, "still here")
    addresses = undefined
    yield* old.accept("refuse")
    yield* old.dropAll("rst")
    yield* awaitState(session, "Disconnected")
    const reading = yield* Effect.forkChild(get(session, path), now)
    const before = asked
    yield* awaitCondition(() => asked > before + 3)
    assert.isUndefined(reading.pollUnsafe())
    const moved = yield* FaultProxy.make(TestServer.target(), { host: "127.0.0.2", port: old.port })
    const found = asked
    addresses = ["127.0.0.2"]
    assert.strictEqual(yield* Fiber.join(reading), "still here")
    assert.isAtMost(asked - found, 2)
    assert.strictEqual((yield* moved.seen).accepted, 1)
    assert.strictEqual(session.info.id, id)
  })

  for (const bad of ["refused", "empty"] as const) {
    itEffect(`that is wrong among three (${bad}) is passed over, in whatever order they are tried`, function* () {
      for (let turn = 0; turn < 6; turn++) {
        const network = yield* MemoryNetwork.make
        network.transport = {
          ...network.transport,
          resolve: (server) =>
            server.host !== "bad"
              ? Effect.succeed([server])
              : bad === "empty"
                ? Effect.succeed([])
                : Effect.fail(new TransportError({ server: "bad:2181", reason: "Resolve" }))
        }
        const session = yield* startSession(network, {
          servers: "bad,good1,good2",
          sessionTimeout: "6 seconds",
          session: (yield* connect()).session.info
        })
        yield* TestClock.adjust("300 millis")
        const server = yield* network.welcome()
        const { info } = yield* Fiber.join(session)
        // The other good one comes next, whether the bad one is between them or not.
        server.cut()
        yield* TestClock.adjust("300 millis")
        const next = yield* network.accept
        assert.notStrictEqual(next.server, server.server)
        yield* next.greet()
        assert.strictEqual(info.id, 0x100n)
        assert.isTrue(network.dialled.every((name) => name.startsWith("good")))
      }
    })
  }
})
