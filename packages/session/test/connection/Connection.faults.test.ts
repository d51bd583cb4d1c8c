/** What networks and servers do wrong, on real sockets: broken frames, connections that hang, half open, slow. */
import { assertEach, eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { retainedBytes, MiB } from "@effect-zookeeper/test-kit/MemoryUse"
import { itLive, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type { SessionOptions } from "../../src/Session.ts"
import * as Frames from "../support/frames.ts"
import { awaitState, connectLive, create, exists, get, set, statesOf, type SessionService } from "../support/session.ts"
import * as SlowReader from "../support/slowReader.ts"
import { now } from "../support/time.ts"

const quick = { retry: Schedule.spaced("5 millis") } as const
const direct = Effect.suspend(() => connectLive({ servers: TestServer.connectString() }))

const elapsed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const start = yield* Clock.currentTimeMillis
  yield* effect
  return (yield* Clock.currentTimeMillis) - start
})

/** A session through a proxy, and a few znodes whose data is their name. */
const setUp = Effect.fnUntraced(function* (
  sessionTimeout: `${number} seconds` = "20 seconds",
  more: SessionOptions = {}
) {
  const proxy = yield* FaultProxy.make(TestServer.target())
  const session = yield* connectLive({ ...quick, ...more, sessionTimeout, servers: proxy.connectString })
  const root = TestServer.freshPath("faults")
  yield* create(session, root)
  const paths = Array.from({ length: 8 }, (_, n) => `${root}/node-${n}`)
  yield* Effect.forEach(paths, (path) => create(session, path, path), { concurrency: 8 })
  return { proxy, session, paths, root }
})

const readAll = (session: SessionService, paths: ReadonlyArray<string>) =>
  eachAtOnce(paths, (path) => Effect.result(get(session, path)))

const valueOrTag = (result: Result.Result<string, { readonly _tag: string }>) =>
  Result.isSuccess(result) ? result.success : result.failure._tag

const { getData } = Operations
const reply = { direction: "down", op: getData.opCode } as const

const itProxied = testWith(it.live, setUp())

describe("a broken reply costs one connection at most, never the client, and no caller gets another's reply", () => {
  const huge = 0x7fffffff
  /** `fails`: the error of the one read whose reply that is, if it fails. */
  const cases: ReadonlyArray<readonly [name: string, action: FaultProxy.FrameAction, lost: 0 | 1, fails?: string]> = [
    ["a reply that comes twice", { _tag: "Duplicate" }, 1],
    ["swapped replies", { _tag: "Swap" }, 1],
    ["a wrong xid", { _tag: "SetXid", xid: 123_456 }, 1],
    ["the xid of a ping", { _tag: "SetXid", xid: -2 }, 1],
    ["the xid of an event", { _tag: "SetXid", xid: -1 }, 1],
    ["the xid of an answer to credentials", { _tag: "SetXid", xid: -4 }, 1],
    ["an unknown error code", { _tag: "SetError", code: -777 }, 0, "ServerRefused"],
    ["an error of the row", { _tag: "SetError", code: -101 }, 0, "NoNode"],
    ["a flipped byte in the xid", { _tag: "CorruptByte", offset: 3 }, 1],
    ["a flipped byte in the error", { _tag: "CorruptByte", offset: 12 }, 0, "ServerRefused"],
    ["a flipped byte in a length within", { _tag: "CorruptByte", offset: 17 }, 1, "ProtocolError"],
    ["a body that is cut short", { _tag: "Truncate", length: 30 }, 1, "ProtocolError"],
    ["a header that is cut short", { _tag: "Truncate", length: 15 }, 1],
    ["an empty frame", { _tag: "Truncate", length: 0 }, 1],
    ["a negative length", { _tag: "SetLength", length: -1 }, 1],
    ["a huge length", { _tag: "SetLength", length: huge }, 1, "FrameTooLarge"],
    ["a short length", { _tag: "SetLength", length: 20 }, 1, "ProtocolError"],
    ["a length of one more", { _tag: "SetLength", length: 40 }, 1, "ProtocolError"],
    ["a reply without a request", { _tag: "Inject", body: Frames.reply(999_999, 1n) }, 1],
    ["an event of an unknown type", { _tag: "Inject", body: Frames.notification(77, "/nowhere") }, 0],
    ["an event for a path that is not watched", { _tag: "Inject", body: Frames.notification(3, "/nowhere") }, 0],
    ["a malformed event", { _tag: "Inject", body: Frames.reply(-1, -1n, 0, Uint8Array.of(1, 2, 3)) }, 1],
    ["garbage", { _tag: "Inject", body: new Uint8Array(100).fill(0x5a) }, 1]
  ]
  for (const [name, action, lost, fails] of cases) {
    itLive(name, function* () {
      const { paths, proxy, session } = yield* setUp()
      const { id } = session.info
      const { accepted } = yield* proxy.seen
      yield* proxy.rule({ match: reply, action, skip: 2 })
      const results = yield* readAll(session, paths)
      let failed = 0
      results.forEach((result, index) => {
        if (Result.isSuccess(result)) assert.strictEqual(result.success, paths[index])
        else {
          failed++
          assert.strictEqual(result.failure._tag, fails)
        }
      })
      assert.strictEqual(failed, fails === undefined ? 0 : 1)
      const after = yield* readAll(session, paths)
      assertEach(after, valueOrTag, paths)
      assert.strictEqual((yield* proxy.seen).accepted - accepted, lost)
      assert.strictEqual(session.info.id, id)
    })
  }

  itProxied(
    "a write whose reply has another's xid has ConnectionLoss, and was applied once",
    function* ({ proxy, root, session }) {
      const { id } = session.info
      const path = `${root}/seq-`
      const match = { direction: "down", op: Operations.create.opCode } as const
      yield* proxy.rule({ match, action: { _tag: "SetXid", xid: 7777 } })
      const error = yield* Effect.flip(create(session, path, "", 2))
      assert.deepInclude({ ...error }, { _tag: "ConnectionLoss", maybeApplied: true, path })
      const { children } = yield* session.request(Operations.getChildren, { path: root, watch: false }, root)
      assert.lengthOf(children?.filter((name) => name.startsWith("seq-")) ?? [], 1)
      assert.strictEqual(session.info.id, id)
    }
  )
})

describe("a server that cannot be reached", () => {
  for (const mode of ["refuse", "reset", "close"] as const) {
    itLive(`because it answers with ${mode} is tried until it can be, and nothing is lost`, function* () {
      const { paths, proxy, session } = yield* setUp()
      const { id } = session.info
      yield* proxy.accept(mode)
      const { accepted } = yield* proxy.seen
      const disconnect = yield* elapsed(Effect.andThen(proxy.dropAll("rst"), awaitState(session, "Disconnected")))
      assert.isBelow(disconnect, 5000)
      const read = yield* Effect.forkChild(get(session, paths[0]!), now)
      if (mode !== "refuse") yield* proxy.awaitSeen((seen) => seen.accepted >= accepted + 5)
      else yield* Effect.sleep("50 millis")
      assert.isUndefined(read.pollUnsafe())
      yield* proxy.heal
      assert.strictEqual(yield* Fiber.join(read), paths[0])
      assert.strictEqual(session.info.id, id)
    })
  }

  itLive("because it accepts and sends nothing is left for the next one within the session's time", function* () {
    const { paths, proxy, session } = yield* setUp("4 seconds")
    const { id } = session.info
    const silent = yield* FaultProxy.make(TestServer.target())
    yield* silent.accept("hang")
    yield* session.updateServers(`${proxy.connectString},${silent.connectString}`)
    yield* get(session, paths[0]!)
    const { accepted } = yield* silent.seen
    const states = yield* statesOf(session)
    yield* proxy.dropAll("rst")
    const time = yield* elapsed(get(session, paths[0]!))
    assert.deepStrictEqual(states, ["Connected", "Disconnected", "Connected"])
    // Half of the session's time for each of the two servers.
    assert.isAtLeast(time, 1900)
    assert.isBelow(time, 4000)
    assert.strictEqual((yield* silent.seen).accepted, accepted + 1)
    assert.strictEqual(session.info.id, id)
  })

  itProxied("because it has half closed the connection is noticed at once", function* ({ paths, proxy, session }) {
    const { id } = session.info
    const time = yield* elapsed(Effect.andThen(proxy.halfClose("client"), awaitState(session, "Disconnected")))
    assert.isBelow(time, 5000)
    assert.strictEqual(yield* get(session, paths[0]!), paths[0])
    assert.strictEqual(session.info.id, id)
  })
})

describe("a connection that swallows bytes", () => {
  // Two thirds of five seconds until it is given up, and a second server to go to.
  for (const direction of ["both", "up", "down"] as const) {
    itLive(`${direction} is given up in time, and what became of a write is told truly`, function* () {
      const { paths, proxy, session } = yield* setUp("5 seconds")
      const other = yield* direct
      const way = yield* FaultProxy.make(TestServer.target())
      const { id } = session.info
      yield* session.updateServers(`${proxy.connectString},${way.connectString}`)
      // The list may have moved the session: the hole is wherever it is.
      yield* get(session, paths[0]!)
      yield* Effect.forEach([proxy, way], (each) => each.blackHole(direction))
      const writing = yield* Effect.forkChild(Effect.flip(set(session, paths[0]!, "written")), now)
      const reading = yield* Effect.forkChild(get(session, paths[1]!), now)
      const time = yield* elapsed(awaitState(session, "Disconnected"))
      assert.isAtLeast(time, 900)
      assert.isBelow(time, 4600)
      assert.deepInclude({ ...(yield* Fiber.join(writing)) }, { _tag: "ConnectionLoss", maybeApplied: true })
      assert.strictEqual(yield* get(other, paths[0]!), direction === "down" ? "written" : paths[0])
      yield* Effect.forEach([proxy, way], (each) => each.accept("refuse"))
      yield* Effect.forEach([proxy, way], (each) => each.dropAll("rst"))
      yield* Effect.forEach([proxy, way], (each) => each.heal)
      // The session of five seconds has been silent for three and more: no question to servers may take the rest.
      const reconnecting = yield* elapsed(Effect.map(Fiber.join(reading), (read) => assert.strictEqual(read, paths[1])))
      assert.isBelow(reconnecting, 1500)
      assert.strictEqual(session.info.id, id)
    })
  }
})

describe("a client that is cut off", () => {
  itLive(
    "loses ownership at its deadline, then says Expired itself, and begins a new session when it can",
    function* () {
      // A second before the server can think so, for this machine may be busy.
      const { proxy, root, session } = yield* setUp("2 seconds", { ownershipMargin: "1 second" })
      const other = yield* direct
      const { id } = session.info
      yield* create(session, `${root}/mine`, "", 1)
      const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
      const lost = yield* Effect.forkChild(Effect.andThen(Effect.flip(session.info.ownership), monotonic), now)
      const expired = yield* Effect.forkChild(Effect.andThen(awaitState(session, "Expired"), monotonic), now)
      yield* proxy.accept("hang")
      yield* proxy.blackHole("both")
      const start = yield* monotonic
      const deadline = Number(session.info.deadline) / 1e6
      const lostAt = yield* Fiber.join(lost)
      assert.isAtLeast(lostAt, deadline)
      assert.isBelow(lostAt, deadline + 900)
      // The server cannot have ended it yet: no other session owns the znode.
      assert.strictEqual((yield* exists(other, `${root}/mine`)).stat.ephemeralOwner, id)
      const expiredAt = yield* Fiber.join(expired)
      assert.isAbove(expiredAt, lostAt)
      assert.isBelow(expiredAt - start, 2000 * (4 / 3) + 2500)
      yield* proxy.dropAll("rst")
      yield* proxy.heal
      yield* awaitState(session, "Connected")
      assert.isAtLeast((yield* exists(session, root)).stat.numChildren, 8)
      assert.notStrictEqual(session.info.id, id)
    }
  )
})

describe("a slow connection", () => {
  itProxied("that delivers one byte at a time changes no result", function* ({ paths, proxy, session }) {
    yield* proxy.shape("both", { chunk: 1 })
    for (let round = 0; round < 10; round++) {
      const results = yield* readAll(session, paths)
      assertEach(results, valueOrTag, paths)
    }
  })

  itLive("on which a large reply takes longer than the session's timeout is alive while bytes come", function* () {
    const { paths, proxy, session } = yield* setUp("4 seconds")
    const path = paths[0]!
    const data = "x".repeat(900_000)
    yield* set(session, path, data)
    const { accepted } = yield* proxy.seen
    yield* proxy.shape("down", { bytesPerSecond: 180_000 })
    const time = yield* elapsed(Effect.map(get(session, path), (read) => assert.strictEqual(read.length, data.length)))
    assert.isAtLeast(time, 4000)
    assert.strictEqual((yield* proxy.seen).accepted, accepted)
  })

  itLive("at a thousand bytes a second keeps 20 MB of writes out of memory, and loses none of them", function* () {
    const { paths, proxy, session } = yield* setUp("30 seconds")
    const other = yield* direct
    const payload = new Uint8Array(400_000).fill(1)
    const before = retainedBytes()
    yield* proxy.shape("up", { bytesPerSecond: 1000 })
    const writes = yield* Effect.forkChild(
      eachAtOnce(Array.from({ length: 50 }), () => set(session, paths[0]!, payload)),
      now
    )
    for (let i = 0; i < 4; i++) {
      yield* Effect.sleep("50 millis")
      // Ours, and what the proxy and the sockets hold: it all is in this process.
      assert.isBelow(retainedBytes() - before, 32 * MiB)
    }
    assert.isUndefined(writes.pollUnsafe())
    assert.strictEqual((yield* exists(other, paths[0]!)).stat.version, 0)
    yield* proxy.heal
    yield* Fiber.join(writes)
    assert.strictEqual((yield* exists(other, paths[0]!)).stat.version, 50)
  })

  itLive(
    "to a server that reads nothing keeps one copy of 50 MB of writes that wait, and loses none of them",
    function* () {
      const server = yield* SlowReader.make
      const session = yield* connectLive({ servers: server.connectString, sessionTimeout: "30 seconds" })
      const payload = new Uint8Array(1_000_000).fill(1)
      const before = retainedBytes()
      const writes = yield* Effect.forkChild(
        eachAtOnce(Array.from({ length: 50 }), () => set(session, "/x", payload)),
        now
      )
      let most = 0
      for (let i = 0; i < 4; i++) {
        yield* Effect.sleep("50 millis")
        most = Math.max(most, retainedBytes() - before)
      }
      assert.isUndefined(writes.pollUnsafe())
      assert.isAtMost(server.state.bytes, 1000)
      // One batch with the network and one behind it, of at most 5 MB each, in buffers that double; and what waits is
      // copied, so that callers may use their bytes again.
      assert.isBelow(most, 50_000_000 + 24 * MiB)
      yield* server.read
      yield* Fiber.join(writes)
      assert.strictEqual(server.state.writes, 50)
    }
  )
})
