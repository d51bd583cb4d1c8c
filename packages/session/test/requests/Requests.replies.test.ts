/** What becomes of requests by their replies: in order, malformed, refused, followed by an event. */
import { assertEach, eachAtOnce, failure, numbersBelow } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { MAX_LOSSES } from "../../src/SessionError.ts"
import { answerRead, whoAmI, answerWhoAmI } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import {
  samePath,
  connect,
  create,
  exists,
  get,
  set,
  reconnect,
  answered,
  two,
  itConnected
} from "../support/session.ts"
import { now, settle } from "../support/time.ts"

describe("replies", () => {
  for (const [title, count, options, xids] of [
    ["go to their callers in the order of the requests, which share one write", 5, {}, [1, 2, 3, 4, 5]],
    [
      "keep their callers when xids wrap",
      100,
      { firstXid: 2_147_483_645 },
      [2_147_483_645, 2_147_483_646, 2_147_483_647, 1, 2, 3]
    ]
  ] as const) {
    itEffect(title, function* () {
      const { server, session } = yield* connect({ ...two, ...options })
      const names = numbersBelow(count).map(String)
      const reads = yield* Effect.forkChild(eachAtOnce(names, (name) => get(session, `/${name}`)))
      yield* settle
      const requests = yield* server.requests
      assertEach(requests.slice(0, xids.length), ({ xid }) => xid, xids)
      for (const request of requests) answerRead(server, request)
      assert.deepStrictEqual(yield* Fiber.join(reads), names)
    })
  }

  itConnected(
    "give back their memory if it is much and nothing of it is kept, also in pieces",
    function* ({ server, session }) {
      const children = numbersBelow(2000).map((n) => `child-${String(n)}`)
      const path = "/"
      const list = session.request(Operations.getChildren, { path, watch: false }, path)
      for (const cut of [-1, 4, 10_000]) {
        let size = 0
        const { children: names } = yield* answered(server, list, (xid) => {
          const frame = Frames.framed(Frames.replyWith(xid, 1n, Operations.getChildren, { children }))
          size = frame.length
          if (cut > 0) server.sendRaw(frame.slice(0, cut))
          server.sendRaw(frame.slice(Math.max(cut, 0)))
        })
        assert.deepStrictEqual(names, children)
        yield* settle
        assert.include(server.released, size)
        server.released.length = 0
      }
      const few = children.slice(0, 3)
      const small = yield* answered(server, list, (xid) =>
        server.replyWith(xid, 1n, Operations.getChildren, { children: few })
      )
      assert.deepStrictEqual(small.children, few)
      const data = new Uint8Array(100_000).fill(7)
      const read = session.request(Operations.getData, { path, watch: false }, path)
      const value = yield* answered(server, read, (xid) =>
        server.replyWith(xid, 1n, Operations.getData, { data, stat: Frames.stat })
      )
      assert.deepStrictEqual(value.data, data)
      // Another frame in the same chunk is still to be read, or a value of it is kept.
      const both = yield* Effect.forkChild(Effect.all([list, read], { concurrency: 2 }), now)
      const xids = [(yield* server.nextRequest).xid, (yield* server.nextRequest).xid] as const
      const frames = [
        Frames.framed(Frames.replyWith(xids[0], 1n, Operations.getChildren, { children })),
        Frames.framed(Frames.replyWith(xids[1], 1n, Operations.getData, { data, stat: Frames.stat }))
      ]
      server.sendRaw(Buffer.concat(frames))
      assert.deepStrictEqual((yield* Fiber.join(both))[1].data, data)
      yield* settle
      assert.deepStrictEqual(server.released, [])
    }
  )

  itEffect("with a typed error fail with the error of the row, which names path and operation", function* () {
    const { server, session } = yield* connect(two)
    const fails = Effect.fnUntraced(function* <E>(effect: Effect.Effect<unknown, E>, code: number) {
      return yield* answered(server, Effect.flip(effect), (xid) => server.reply(xid, 1n, code))
    })
    const noNode = yield* fails(get(session, "/gone"), -101)
    assert.deepInclude({ ...noNode }, { _tag: "NoNode", path: "/gone", operation: "getData" })
    const badVersion = yield* fails(set(session, "/x", "y", 3), -103)
    assert.deepInclude({ ...badVersion }, { _tag: "BadVersion", path: "/x", operation: "setData" })
    const unknown = yield* fails(get(session, "/x"), -777)
    assert.deepInclude({ ...unknown }, { _tag: "ServerRefused", code: -777, name: "Unknown(-777)", path: "/x" })
    const notNamed = yield* fails(get(session, "/x"), -119)
    assert.deepInclude({ ...notNamed }, { _tag: "ServerRefused", code: -119, name: "NotReadOnly" })
    assert.strictEqual(session.info.state._tag, "Connected")
    assert.lengthOf(yield* server.requests, 0)
  })

  for (const [name, forge] of [
    ["a wrong xid", (xid: number) => Frames.framed(Frames.reply(xid + 1, 1n))],
    ["an unknown special xid", () => Frames.framed(Frames.reply(-77, 1n))],
    ["too short a header", (xid: number) => Frames.framed(Frames.reply(xid, 1n).slice(0, 15))],
    ["no bytes at all", () => Frames.framed(new Uint8Array(0))],
    ["a negative length", () => Uint8Array.of(0xff, 0xff, 0xff, 0xf0)],
    ["an answer to credentials that were not sent", () => Frames.framed(Frames.reply(Operations.Xid.auth, 0n))],
    ["a malformed event", () => Frames.framed(Frames.reply(Operations.Xid.notification, -1n, 0, new Uint8Array(3)))]
  ] as const) {
    itEffect(`of ${name} end the connection; reads are sent again, writes fail`, function* () {
      const { network, server, session } = yield* connect(two)
      const read = yield* Effect.forkChild(get(session, "/1"), now)
      const write = yield* Effect.forkChild(Effect.flip(set(session, "/2", "x")), now)
      const { xid } = yield* server.nextRequest
      server.sendRaw(forge(xid))
      const error = yield* Fiber.join(write)
      assert.deepInclude({ ...error }, { _tag: "ConnectionLoss", maybeApplied: true })
      const next = yield* reconnect(network, session)
      const requests = yield* next.requests
      assert.deepStrictEqual(Frames.shape(requests), ["getData /1"])
      answerRead(next, requests[0]!)
      assert.strictEqual(yield* Fiber.join(read), "1")
      assert.lengthOf(network.dialled, 2)
    })
  }

  itConnected("without a request end the connection", function* ({ network, server, session }) {
    server.reply(1, 1n)
    yield* settle
    assert.isTrue(server.isLeft)
    // The connection had proved nothing yet: the next attempt waits for its turn if it is the same server.
    yield* TestClock.adjust("1 second")
    yield* reconnect(network, session)
    assert.strictEqual(session.info.id, 0x100n)
  })

  itEffect("above maxFrameSize fail their caller with FrameTooLarge and end the connection", function* () {
    const { network, server, session } = yield* connect({ ...two, maxFrameSize: 2000 })
    const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
    const second = yield* Effect.forkChild(get(session, "/2"), now)
    const { xid } = yield* server.nextRequest
    server.send(Frames.reply(xid, 1n, 0, new Uint8Array(2001)))
    assert.deepInclude({ ...(yield* Fiber.join(read)) }, { _tag: "FrameTooLarge", size: 2017, limit: 2000 })
    const next = yield* reconnect(network, session)
    answerRead(next, yield* next.nextRequest)
    assert.strictEqual(yield* Fiber.join(second), "2")
  })

  itEffect("above maxFrameSize, however many, cost no other request its attempts", function* () {
    const { network, server, session } = yield* connect({ ...two, maxFrameSize: 2000 })
    const reads = yield* Effect.forEach(numbersBelow(MAX_LOSSES + 2), (id) =>
      Effect.forkChild(Effect.flip(get(session, `/large/${id}`)), now)
    )
    const last = yield* Effect.forkChild(get(session, "/last"), now)
    let current = server
    for (const read of reads) {
      const { xid } = yield* current.nextRequest
      current.send(Frames.reply(xid, 1n, 0, new Uint8Array(2001)))
      assert.strictEqual((yield* Fiber.join(read))._tag, "FrameTooLarge")
      while (network.waiting === 0) yield* TestClock.adjust("100 millis")
      current = yield* reconnect(network, session)
    }
    answerRead(current, yield* current.nextRequest)
    assert.strictEqual(yield* Fiber.join(last), "last")
  })
})

describe("a request too large for servers", () => {
  itConnected("is refused before a byte is sent, and the next one goes", function* ({ server, session }) {
    yield* failure(create(session, "/big", "x".repeat(1_048_576)), "FrameTooLarge")
    const read = yield* Effect.forkChild(get(session, "/1"), now)
    const request = yield* server.nextRequest
    assert.strictEqual(request.name, "getData")
    answerRead(server, request)
    assert.strictEqual(yield* Fiber.join(read), "1")
  })
})

describe("an operation that the server does not know", () => {
  itEffect("is refused, remembered for that server, and not sent there again", function* () {
    const { network, server, session } = yield* connect(two)
    const first = yield* answered(server, Effect.flip(whoAmI(session)), (xid) => server.reply(xid, -1n, -6))
    assert.deepInclude({ ...first }, { _tag: "ServerRefused", code: -6, name: "Unimplemented" })
    assert.isFalse(session.info.serverFeatures.supports("whoAmI"))
    assert.deepInclude({ ...(yield* Effect.flip(whoAmI(session))) }, { _tag: "ServerRefused", code: -6 })
    yield* settle
    assert.lengthOf(yield* server.requests, 0)
    server.cut()
    const next = yield* reconnect(network, session)
    assert.isTrue(session.info.serverFeatures.supports("whoAmI"))
    yield* answerWhoAmI(session, next)
  })

  itConnected("is not taken for one when the refusal belongs to a transaction", function* ({ server, session }) {
    yield* answered(server, Effect.flip(exists(session, "/x")), (xid) => server.reply(xid, 5n, -6))
    assert.isTrue(session.info.serverFeatures.supports("exists"))
  })
})

describe("a watch", () => {
  itEffect("has any number of waiting callers, and gets events behind its reply in the same packet", function* () {
    const { server, session } = yield* connect(two)
    const watched = yield* Effect.forkChild(
      Effect.flatMap(session.watchData(samePath("/1")), ({ changed }) =>
        Effect.all([changed, changed], { concurrency: 2 })
      ),
      now
    )
    const request = yield* server.nextRequest
    assert.isTrue(request.body.watch)
    const reply = Frames.framed(
      Frames.replyWith(request.xid, 1n, Operations.getData, { data: null, stat: Frames.stat })
    )
    const event = Frames.framed(Frames.notification(Frames.event.data, "/1"))
    server.sendRaw(Uint8Array.of(...reply, ...event))
    const events = yield* Fiber.join(watched)
    assertEach(events, ({ path, type }) => [type, path], [
      ["NodeDataChanged", "/1"],
      ["NodeDataChanged", "/1"]
    ])
  })
})
