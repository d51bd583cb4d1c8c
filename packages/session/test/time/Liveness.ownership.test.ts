/** Until when a session owns: what proves it, and what ends it. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Frames from "../support/frames.ts"
import { itLogged } from "../support/logs.ts"
import { nine, pong, commit, keepFor, owning } from "../support/nineSeconds.ts"
import { awaitState, connect, digest, reconnect } from "../support/session.ts"
import { now } from "../support/time.ts"

const itConnected = testWith(it.effect, connect(nine))

describe("ownership", () => {
  itEffect("ends a timeout less the margin after what was confirmed last, while disconnected", function* () {
    const { network, server, session } = yield* connect(nine)
    const ownership = yield* owning(session)
    // A quarter of the timeout after the handshake, which a quorum has committed, a proof is due.
    yield* TestClock.adjust("2249 millis")
    assert.lengthOf(yield* server.requests, 0)
    yield* TestClock.adjust("1 millis")
    const proof = yield* server.nextRequest
    assert.strictEqual(proof.name, "multi")
    assert.deepStrictEqual(proof.body, [{ operation: "check", request: { path: "/", version: -1 } }])
    // Committed half a second later. It confirms what was sent a quarter of the timeout before it: the handshake.
    yield* TestClock.adjust("500 millis")
    commit(server, proof.xid)
    yield* TestClock.adjust("2250 millis")
    assert.strictEqual(session.info.deadline, 8_100_000_000n)
    // The next one confirms the one before.
    const next = yield* server.nextRequest
    commit(server, next.xid)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(session.info.deadline, 10_350_000_000n)
    network.set("a:2181", "hang")
    server.cut()
    yield* TestClock.adjust("5348 millis")
    assert.isUndefined(ownership.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    assert.strictEqual(session.info.state._tag, "Disconnected")
  })

  itConnected("ends while a server that is cut off from its ensemble commits nothing", function* ({ server, session }) {
    const ownership = yield* owning(session)
    yield* keepFor(server, 9)
    assert.isUndefined(ownership.pollUnsafe())
    let seconds = 0
    while (ownership.pollUnsafe() === undefined && seconds < 9) {
      server.send(Frames.notification(Frames.event.data, "/nobody"))
      yield* keepFor(server, 1, "pings")
      seconds++
    }
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    // The last proof was sent within the last second but two and a quarter, and confirmed one a quarter older than it.
    assert.isAtMost(seconds, 7)
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  itEffect("goes by any answer where the options say so, and sends nothing for it", function* () {
    const { server, session } = yield* connect({ ...nine, ownershipProof: "server" })
    const ownership = yield* owning(session)
    const seen = yield* keepFor(server, 60)
    assert.isUndefined(ownership.pollUnsafe())
    assert.deepStrictEqual([...new Set(seen)], ["ping"])
  })

  itEffect("is proved for as long as it is waited for, and by pings alone otherwise", function* () {
    const { server, session } = yield* connect(nine)
    assert.deepStrictEqual([...new Set(yield* keepFor(server, 30))], ["ping"])
    // The first proof after a time without any confirms a ping.
    yield* Fiber.join(yield* owning(session))
    yield* keepFor(server, 1)
    const ownership = yield* owning(session)
    const seen = yield* keepFor(server, 90)
    assert.isUndefined(ownership.pollUnsafe())
    assert.notInclude(seen, "ping")
    assert.isAtMost(seen.length, 42)
    yield* Fiber.interrupt(ownership)
    yield* keepFor(server, 3)
    assert.deepStrictEqual([...new Set(yield* keepFor(server, 30))], ["ping"])
  })

  for (const [margin, most] of [
    [900, 4],
    [2250, 4],
    [2300, 8],
    [4500, 8]
  ] as const) {
    itEffect(`is proved ${most} times a timeout at most with a margin of ${margin} of 9000 ms`, function* () {
      const { server, session } = yield* connect({ ...nine, ownershipMargin: margin })
      const ownership = yield* owning(session)
      yield* keepFor(server, 9)
      for (let timeouts = 0; timeouts < 10; timeouts++) {
        const proofs = (yield* keepFor(server, 9)).filter((name) => name === "multi")
        assert.isAtLeast(proofs.length, most - 1)
        assert.isAtMost(proofs.length, most)
      }
      assert.isUndefined(ownership.pollUnsafe())
    })
  }

  itEffect("does not begin with a new session that a read-only server has granted", function* () {
    const { server, session } = yield* connect({ ...nine, allowReadOnly: true, grant: { readOnly: true } })
    assert.isTrue(session.info.readOnly)
    assert.isAtMost(Number(session.info.deadline), 0)
    // A wait for it asks for no proof: such a server commits nothing.
    assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
    assert.notInclude(yield* keepFor(server, 1), "multi")
  })

  itEffect("ends while a read-only server goes on with the session, as old ones do", function* () {
    const { network, server, session } = yield* connect({ ...nine, servers: "a", allowReadOnly: true })
    const ownership = yield* owning(session)
    network.writeModes.set("a:2181", "ro")
    server.cut()
    yield* TestClock.adjust("500 millis")
    const readOnly = yield* network.accept
    assert.strictEqual((yield* readOnly.greet({ readOnly: true })).sessionId, session.info.id)
    yield* awaitState(session, "Connected")
    // It answers all the time, also what looks like a proof.
    const seen = yield* keepFor(readOnly, 8)
    assert.notInclude(seen, "multi")
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    assert.isTrue(session.info.readOnly)
  })

  itConnected("needs no proofs of its own while the application writes", function* ({ server, session }) {
    const ownership = yield* owning(session)
    for (let second = 0; second < 60; second++) {
      const set = session.request(Operations.setData, { path: "/x", data: null, version: -1 }, "/x")
      const write = yield* Effect.forkChild(Effect.exit(set), now)
      const { name, xid } = yield* server.nextRequest
      assert.strictEqual(name, "setData")
      // A refusal is committed as a success is.
      server.reply(xid, 1n, second % 2 === 0 ? -101 : -103)
      yield* Fiber.join(write)
      yield* TestClock.adjust("1 second")
    }
    assert.isUndefined(ownership.pollUnsafe())
  })

  itConnected("is not proved by requests that a server refuses by itself", function* ({ server, session }) {
    const ownership = yield* owning(session)
    const refusals = [-119, -127, -6, -102]
    for (let second = 0; second < 9 && ownership.pollUnsafe() === undefined; second++) {
      yield* TestClock.adjust("1 second")
      for (const { name, xid } of yield* server.requests) {
        if (name === "ping") pong(server)
        else server.reply(xid, 1n, refusals[second % refusals.length]!)
      }
    }
    yield* TestClock.adjust("100 millis")
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
  })

  itEffect("ends when a proof says within its results that the session is over", function* () {
    const { server, session } = yield* connect({ ...nine, sessionExpiry: "fail" })
    const ownership = yield* owning(session)
    yield* TestClock.adjust("2250 millis")
    const { xid } = yield* server.nextRequest
    server.replyWith(xid, 1n, Operations.multi, [{ operation: "error", error: -112 }])
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    yield* awaitState(session, "Expired")
  })

  itEffect("ends while a server sends events but answers nothing, and is not revived by a late proof", function* () {
    const { server, session } = yield* connect(nine)
    const held = yield* owning(session)
    for (let i = 0; i < 8; i++) {
      yield* TestClock.adjust("1 second")
      server.send(Frames.notification(Frames.event.data, "/nobody"))
    }
    assert.isUndefined(held.pollUnsafe())
    yield* TestClock.adjust("100 millis")
    assert.strictEqual((yield* Fiber.join(held))._tag, "OwnershipLost")
    assert.strictEqual(session.info.state._tag, "Connected")
    const late = yield* server.requests
    for (const { name, xid } of late) if (name === "multi") commit(server, xid)
    yield* TestClock.adjust("1 millis")
    // It confirms nothing that is young enough; the next one confirms it.
    assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
    yield* keepFor(server, 4)
    const next = yield* owning(session)
    yield* keepFor(server, 20)
    assert.isUndefined(next.pollUnsafe())
    assert.strictEqual(session.info.id, 0x100n)
  })

  itEffect("is not owned after a time without proofs, until the one that is asked for then has come", function* () {
    const { server, session } = yield* connect(nine)
    yield* keepFor(server, 30)
    assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
    yield* TestClock.adjust(0)
    const asked = (yield* server.requests).filter(({ name }) => name === "multi")
    assert.lengthOf(asked, 1)
    // Asking again while it is on its way sends no other.
    assert.strictEqual((yield* Fiber.join(yield* owning(session)))._tag, "OwnershipLost")
    commit(server, asked[0]!.xid)
    yield* TestClock.adjust(0)
    const ownership = yield* owning(session)
    yield* keepFor(server, 30)
    assert.isUndefined(ownership.pollUnsafe())
  })

  itConnected(
    "is kept alive by pings while its proofs wait for the answer to credentials",
    function* ({ network, server, session }) {
      yield* owning(session)
      yield* Effect.forkChild(session.addAuth(digest("ann:secret")), now)
      assert.strictEqual((yield* server.nextRequest).name, "auth")
      server.cut()
      // The pause after a connection on which nothing was answered.
      yield* TestClock.adjust("200 millis")
      const next = yield* network.welcome()
      const seen = []
      for (let tenth = 0; tenth < 35; tenth++) {
        yield* TestClock.adjust("100 millis")
        seen.push(...(yield* next.requests).map(({ name }) => name))
      }
      assert.deepStrictEqual(seen, ["auth", "ping"])
    }
  )

  itEffect("has the margin of the options", function* () {
    const { session } = yield* connect({ ...nine, ownershipMargin: "4 seconds" })
    assert.strictEqual(session.info.deadline, 5_000_000_000n)
  })

  itEffect("goes on with each margin that is accepted", function* () {
    for (const margin of [0, 100, 3000, 4500]) {
      const { server, session } = yield* connect({ ...nine, ownershipMargin: margin })
      const ownership = yield* owning(session)
      yield* keepFor(server, 40)
      assert.isUndefined(ownership.pollUnsafe(), `margin ${margin}`)
    }
  })

  itLogged("has half of what the server grants as its margin where the options leave too little", function* (lines) {
    const { network, server, session } = yield* connect({
      sessionTimeout: "30 seconds",
      ownershipMargin: "8 seconds",
      servers: "a,b",
      grant: { timeOut: 4000 }
    })
    assert.strictEqual(session.info.deadline, 2_000_000_000n)
    assert.lengthOf(lines, 1)
    assert.match(lines[0]!, /ownershipMargin is 8000 ms.*half of.*4000 ms.*2000 ms is used instead/)
    // It is said once.
    server.cut()
    yield* reconnect(network, session, { timeOut: 4000 })
    assert.lengthOf(lines, 1)
  })

  itEffect("ends in time after a server grants less than before", function* () {
    const { network, server, session } = yield* connect({ sessionTimeout: "30 seconds", servers: "a,b" })
    server.cut()
    yield* reconnect(network, session, { timeOut: 3000 })
    const ownership = yield* owning(session)
    network.set("a:2181", "hang")
    network.set("b:2181", "hang")
    yield* TestClock.adjust("2700 millis")
    assert.strictEqual(ownership.pollUnsafe()?._tag, "Success")
    yield* TestClock.adjust("1300 millis")
    assert.strictEqual(session.info.state._tag, "Connecting")
  })

  itConnected("ends when the session is closed, and its deadline is not in the future", function* ({ session }) {
    const ownership = yield* owning(session)
    yield* TestClock.adjust("1 second")
    yield* session.info.detach
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    assert.strictEqual(session.info.deadline, 1_000_000_000n)
  })
})
