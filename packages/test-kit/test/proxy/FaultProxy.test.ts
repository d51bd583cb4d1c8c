import { assert, describe, it } from "@effect/vitest"
import { itEffect, itLive, testWith } from "../../src/TestWith.ts"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assertEach, awaitCondition, now } from "../../src/Expectations.ts"
import * as FaultProxy from "../../src/FaultProxy.ts"
import { freePorts } from "../../src/internal/server/ports.ts"
import * as ScriptedServer from "../../src/ScriptedServer.ts"
import * as TestServer from "../../src/TestServer.ts"
import { connect, ints, readInts, reply, request } from "../support/rawClient.ts"
import * as Znode from "../support/znode.ts"

/** Answers the handshake with [7], and each request with its payload. `applied` are the payloads that reached it. */
const setUp = Effect.gen(function* () {
  const applied: Array<number> = []
  const server = yield* ScriptedServer.make((connection) =>
    Effect.gen(function* () {
      yield* connection.nextFrame
      yield* connection.send(ints(7))
      while (true) {
        const [xid = 0, , payload = 0] = readInts(yield* connection.nextFrame)
        applied.push(payload)
        yield* connection.send(reply(xid, payload))
      }
    })
  )
  const proxy = yield* FaultProxy.make(server)
  const open = Effect.gen(function* () {
    const client = yield* connect(proxy.port)
    yield* client.send(ints(0))
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [7])
    return client
  })
  return { applied, server, proxy, open }
})

/** A test with a proxy before that server. */
const itProxied = testWith(it.effect, setUp)

/** Sends back what it is sent. */
const makeEcho = ScriptedServer.make((connection) =>
  Effect.forever(Effect.flatMap(connection.nextFrame, connection.send))
)

const CREATE = 1
const GET = 4

describe("FaultProxy, without a fault", () => {
  itProxied("forwards frames both ways and logs what they are", function* ({ open, proxy }) {
    const client = yield* open
    yield* client.send(request(1, CREATE, 10))
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [1, 0, 0, 0, 10])
    const { accepted, current, frames } = yield* proxy.seen
    assert.deepStrictEqual([accepted, current], [1, 1])
    assertEach(frames, ({ direction, op, xid }) => [direction, op, xid], [
      ["up", "connect", undefined],
      ["down", "connect", undefined],
      ["up", CREATE, 1],
      ["down", CREATE, 1]
    ])
    assert.deepStrictEqual(yield* proxy.requests, [CREATE])
    client.socket.end()
    yield* proxy.awaitSeen((seen) => seen.current === 0)
  })

  itProxied("moves connections that come later to another target", function* ({ open, proxy, server }) {
    const other = yield* ScriptedServer.make((connection) => connection.send(ints(99)))
    yield* open
    yield* proxy.setTarget(other)
    const client = yield* connect(proxy.port)
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [99])
    assert.strictEqual(yield* server.accepted, 1)
  })

  itProxied("listens where it is told, on the port of another too", function* ({ proxy, server }) {
    const elsewhere = yield* FaultProxy.make(server, { host: "127.0.0.2", port: proxy.port })
    assert.strictEqual(elsewhere.connectString, `127.0.0.2:${proxy.port}`)
    const client = yield* connect(elsewhere.port, elsewhere.host)
    yield* client.send(ints(0))
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [7])
    assert.deepStrictEqual([(yield* proxy.seen).accepted, (yield* elsewhere.seen).accepted], [0, 1])
    // Each refuses alone, and comes back where it was.
    yield* elsewhere.accept("refuse")
    assert.match((yield* Effect.flip(connect(elsewhere.port, elsewhere.host))).message, /ECONNREFUSED/)
    yield* connect(proxy.port)
    yield* elsewhere.heal
    yield* connect(elsewhere.port, elsewhere.host)
  })

  itProxied("resets the client when nothing listens at the target", function* ({ proxy }) {
    yield* proxy.setTarget({ host: "127.0.0.1", port: 1 })
    assert.strictEqual(yield* (yield* connect(proxy.port)).ended, "rst")
  })
})

describe("FaultProxy, connections", () => {
  itProxied("refuses, resets, closes, hangs, and accepts again on the same port", function* ({ open, proxy, server }) {
    yield* proxy.accept("refuse")
    assert.match((yield* Effect.flip(connect(proxy.port))).message, /ECONNREFUSED/)
    yield* proxy.accept("reset")
    assert.strictEqual(yield* (yield* connect(proxy.port)).ended, "rst")
    yield* proxy.accept("close")
    assert.strictEqual(yield* (yield* connect(proxy.port)).ended, "fin")
    yield* proxy.accept("hang")
    const client = yield* connect(proxy.port)
    yield* client.send(ints(0))
    assert.strictEqual(yield* server.accepted, 0)
    yield* proxy.dropAll("fin")
    assert.strictEqual(yield* client.ended, "fin")
    yield* proxy.heal
    yield* open
  })

  for (const ending of ["rst", "fin"] as const) {
    itProxied(`drops all connections with ${ending}`, function* ({ open, proxy }) {
      const clients = [yield* open, yield* open]
      yield* proxy.dropAll(ending)
      for (const client of clients) assert.strictEqual(yield* client.ended, ending)
    })
  }

  itProxied("half-closes towards the client and still forwards what it sends", function* ({ applied, open, proxy }) {
    const client = yield* open
    yield* proxy.halfClose("client")
    assert.strictEqual(yield* client.ended, "fin")
    yield* client.send(request(1, CREATE, 5))
    yield* proxy.awaitFrames({ direction: "down", op: CREATE })
    assert.deepStrictEqual(applied, [5])
  })

  itLive("half-closes towards the server and still forwards what it sends", function* () {
    const heard: Array<string> = []
    const server = yield* ScriptedServer.make((connection) =>
      Effect.gen(function* () {
        yield* connection.send(ints(7))
        heard.push((yield* Effect.exit(connection.nextFrame))._tag)
      })
    )
    const proxy = yield* FaultProxy.make(server)
    const client = yield* connect(proxy.port)
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [7])
    yield* proxy.halfClose("server")
    yield* awaitCondition(() => heard.length === 1)
    // The client's own side had not been closed: its frame was the end.
    assert.deepStrictEqual(heard, ["Failure"])
  })

  itProxied(
    "cuts the next connection at each byte offset of the handshake's reply, and only that one",
    function* ({ open, proxy }) {
      for (const ending of ["rst", "fin"] as const) {
        for (let after = 0; after <= 8; after++) {
          yield* proxy.cutNext({ direction: "down", after, ending })
          const client = yield* connect(proxy.port)
          yield* client.send(ints(0))
          assert.strictEqual(yield* client.ended, ending)
          assert.lengthOf(client.received, after)
        }
      }
      yield* open
    }
  )

  itProxied("cuts upwards before the server has the whole request", function* ({ applied, open, proxy }) {
    yield* proxy.cutNext({ direction: "up", after: 8 + 15, ending: "rst" })
    const client = yield* open
    yield* client.send(request(1, CREATE, 5))
    assert.strictEqual(yield* client.ended, "rst")
    assert.deepStrictEqual(applied, [])
  })
})

describe("FaultProxy, how bytes travel", () => {
  itProxied("keeps what is sent into a black hole until it heals", function* ({ applied, open, proxy }) {
    const client = yield* open
    yield* proxy.blackHole("down")
    yield* client.send(request(1, CREATE, 5))
    yield* proxy.awaitFrames({ direction: "down", op: CREATE })
    assert.deepStrictEqual(applied, [5])
    assert.lengthOf(client.received, 8)
    yield* proxy.blackHole("up")
    yield* client.send(request(2, CREATE, 6))
    yield* proxy.awaitFrames({ direction: "up", op: CREATE }, 2)
    assert.deepStrictEqual(applied, [5])
    yield* proxy.heal
    assert.strictEqual(readInts(yield* client.nextFrame)[4], 5)
    assert.strictEqual(readInts(yield* client.nextFrame)[4], 6)
  })

  itLive("delays, throttles and cuts into single bytes without losing any", function* () {
    const { open, proxy } = yield* setUp
    const client = yield* open
    const elapsed = (xid: number) =>
      client.send(request(xid, GET, xid)).pipe(
        Effect.andThen(client.nextFrame),
        Effect.tap((frame) => Effect.sync(() => assert.strictEqual(readInts(frame)[4], xid))),
        Effect.timed,
        Effect.map(([duration]) => Duration.toMillis(duration))
      )
    yield* proxy.shape("both", { delay: Duration.millis(60) })
    assert.isAtLeast(yield* elapsed(1), 115)
    yield* proxy.shape("both", {})
    // 24 bytes of reply.
    yield* proxy.shape("down", { bytesPerSecond: 200 })
    assert.isAtLeast(yield* elapsed(2), 95)
    yield* proxy.shape("down", { chunk: 1 })
    const before = client.sizes.length
    yield* elapsed(3)
    assert.isAbove(client.sizes.length - before, 1)
  })
})

describe("FaultProxy, with bytes that it cannot deliver,", () => {
  const SIZE = 1_000_000
  const TOTAL = 30
  const frame = new Uint8Array(4 + SIZE)
  new DataView(frame.buffer).setInt32(0, SIZE)

  for (const [name, stop] of [
    ["a black hole", (proxy: FaultProxy.FaultProxy) => proxy.blackHole("up")],
    ["a slow direction", (proxy: FaultProxy.FaultProxy) => proxy.shape("up", { bytesPerSecond: 1000 })]
  ] as const) {
    for (const raw of [true, false]) {
      itLive(
        `makes the sender wait behind ${name}, and arrives in the end (${raw ? "bytes" : "frames"})`,
        function* () {
          let arrived = 0
          const server = yield* ScriptedServer.make((connection) =>
            Effect.forever(Effect.map(connection.nextFrame, (frame) => void (arrived += frame.length)))
          )
          const proxy = yield* FaultProxy.make(server, { raw })
          const client = yield* connect(proxy.port)
          yield* stop(proxy)
          const before = process.memoryUsage().arrayBuffers
          // One buffer for all of them: what memory grows by is what the proxy keeps.
          const send = Effect.callback<void>((resume) => void client.socket.write(frame, () => resume(Effect.void)))
          const sending = yield* Effect.forkChild(Effect.repeat(send, { times: TOTAL - 1 }), now)
          for (let i = 0; i < 10; i++) {
            yield* Effect.sleep("20 millis")
            assert.isBelow(process.memoryUsage().arrayBuffers - before, 14_000_000)
          }
          assert.isUndefined(sending.pollUnsafe())
          assert.isBelow(arrived, 2_000_000)
          yield* proxy.heal
          yield* Fiber.join(sending)
          yield* awaitCondition(() => arrived === TOTAL * SIZE)
        }
      )
    }
  }
})

describe("FaultProxy, rules on frames", () => {
  itProxied("loses a request before the server sees it", function* ({ applied, open, proxy }) {
    const client = yield* open
    yield* proxy.rule({ match: { direction: "up", op: CREATE }, action: { _tag: "DropAndReset" } })
    yield* client.send(request(1, GET, 1))
    yield* client.nextFrame
    yield* client.send(request(2, CREATE, 2))
    assert.strictEqual(yield* client.ended, "rst")
    assert.deepStrictEqual(applied, [1])
  })

  itProxied("loses a reply after the request was applied, and acts once", function* ({ applied, open, proxy }) {
    const client = yield* open
    const rule = yield* proxy.rule({ match: { direction: "down", op: CREATE }, action: { _tag: "DropAndReset" } })
    yield* client.send(request(1, CREATE, 1))
    assert.strictEqual(yield* client.ended, "rst")
    assert.deepStrictEqual(applied, [1])
    assert.strictEqual(yield* rule.hits, 1)
    const again = yield* open
    yield* again.send(request(1, CREATE, 2))
    assert.strictEqual(readInts(yield* again.nextFrame)[4], 2)
  })

  itProxied("counts: skips the first, acts on two", function* ({ open, proxy }) {
    const client = yield* open
    const match = { direction: "down", op: GET } as const
    const rule = yield* proxy.rule({ match, action: { _tag: "Drop" }, skip: 1, count: 2 })
    for (const xid of [1, 2, 3, 4]) yield* client.send(request(xid, GET, xid))
    assert.strictEqual(readInts(yield* client.nextFrame)[0], 1)
    assert.strictEqual(readInts(yield* client.nextFrame)[0], 4)
    assert.strictEqual(yield* rule.hits, 2)
  })

  itProxied("holds a reply until it is released", function* ({ open, proxy }) {
    const client = yield* open
    const rule = yield* proxy.rule({ match: { direction: "down", xid: 1 }, action: { _tag: "Hold" } })
    yield* client.send(request(1, GET, 1))
    yield* rule.awaitHits()
    yield* client.send(request(2, GET, 2))
    assert.strictEqual(readInts(yield* client.nextFrame)[0], 2)
    yield* rule.release
    assert.strictEqual(readInts(yield* client.nextFrame)[0], 1)
  })

  const first = [1, 0, 0, 0, 5]
  const second = [2, 0, 0, 0, 6]
  const forged: ReadonlyArray<readonly [FaultProxy.FrameAction, ReadonlyArray<ReadonlyArray<number>>]> = [
    [{ _tag: "Duplicate" }, [first, first, second]],
    [{ _tag: "Swap" }, [second, first]],
    [{ _tag: "SetXid", xid: 77 }, [[77, 0, 0, 0, 5], second]],
    [{ _tag: "SetError", code: -101 }, [[1, 0, 0, -101], second]],
    [{ _tag: "CorruptByte", offset: 19 }, [[1, 0, 0, 0, 5 ^ 0xff], second]],
    [{ _tag: "Truncate", length: 8 }, [[1, 0], second]],
    [{ _tag: "Inject", body: ints(9) }, [first, [9], second]],
    [{ _tag: "Edit", edit: () => ints(3, 3) }, [[3, 3], second]],
    [{ _tag: "SetLength", length: 24 }, [[1, 0, 0, 0, 5, 20]]]
  ]
  for (const [action, expected] of forged) {
    itProxied(`${action._tag} on a reply`, function* ({ open, proxy }) {
      const client = yield* open
      yield* proxy.rule({ match: { direction: "down", op: CREATE }, action })
      yield* client.send(request(1, CREATE, 5))
      yield* client.send(request(2, GET, 6))
      for (const frame of expected) assert.deepStrictEqual(readInts(yield* client.nextFrame), frame)
    })
  }

  itProxied("injects a frame out of nothing", function* ({ open, proxy }) {
    const client = yield* open
    yield* proxy.inject("down", ints(-1, 0, 0, 0))
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [-1, 0, 0, 0])
  })

  itEffect("raw: moves bytes that are no frames", function* () {
    const server = yield* ScriptedServer.make((connection) =>
      connection.sendRaw(new Uint8Array([255, 255, 255, 255, 1]))
    )
    const proxy = yield* FaultProxy.make(server, { raw: true })
    yield* proxy.cutNext({ direction: "down", after: 3, ending: "fin" })
    const client = yield* connect(proxy.port)
    assert.strictEqual(yield* client.ended, "fin")
    assert.deepStrictEqual(client.received, [255, 255, 255])
  })
})

describe("FaultProxy, of any bytes", () => {
  itEffect("changes the first bytes of a client, and nothing after them", function* () {
    const echo = yield* makeEcho
    const editGreeting = (bytes: Uint8Array) => bytes.with(7, 9)
    const proxy = yield* FaultProxy.make(echo, { raw: true, editGreeting })
    for (let connection = 0; connection < 2; connection++) {
      const client = yield* connect(proxy.port)
      for (const answer of [9, 5]) {
        yield* client.send(ints(5))
        assert.deepStrictEqual(readInts(yield* client.nextFrame), [answer])
      }
    }
  })
})

describe("FaultProxy, whose target does not listen", () => {
  itLive("resets a connection at once, or lets it wait until the target does", function* () {
    const [port = 0] = yield* freePorts(1)
    const hasty = yield* FaultProxy.make({ host: "127.0.0.1", port })
    assert.strictEqual(yield* (yield* connect(hasty.port)).ended, "rst")
    const brief = yield* FaultProxy.make({ host: "127.0.0.1", port }, { targetPatience: "100 millis" })
    assert.strictEqual(yield* (yield* connect(brief.port)).ended, "rst")
    const patient = yield* FaultProxy.make({ host: "127.0.0.1", port }, { targetPatience: "20 seconds" })
    const client = yield* connect(patient.port)
    yield* client.send(ints(1))
    const late = yield* FaultProxy.make(yield* makeEcho, { port })
    assert.deepStrictEqual(readInts(yield* client.nextFrame), [1])
    assert.strictEqual((yield* late.seen).accepted, 1)
  })
})

describe("FaultProxy, in front of ZooKeeper", () => {
  itLive("tells a lost create from a create whose reply is lost", function* () {
    const proxy = yield* FaultProxy.make(TestServer.target())
    for (const direction of ["up", "down"] as const) {
      const path = TestServer.freshPath("lost")
      const rule = yield* proxy.rule({ match: { direction, op: CREATE }, action: { _tag: "DropAndReset" } })
      yield* Effect.flip(Znode.create(proxy.port, path))
      yield* rule.awaitHits()
      assert.strictEqual(yield* Znode.exists(proxy.port, path), direction === "up" ? -101 : 0)
    }
    assert.deepStrictEqual(yield* proxy.requests, [1, 3, 1, 3])
  })
})
