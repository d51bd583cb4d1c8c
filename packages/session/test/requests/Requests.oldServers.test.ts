/**
 * Servers that are older than an operation. They do as ZooKeeper 3.4.13 was seen to do: whatever else is in
 * flight, the refusal comes at once, with the xid of the request, zxid -1 and code -6; then the server closes, and answers
 * nothing that was asked before or after.
 */
import { assertEach, eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Frames from "../support/frames.ts"
import type { MemoryNetwork, ServerSide } from "../support/MemoryNetwork.ts"
import {
  connect,
  exists,
  set,
  type SessionService,
  watchData,
  watchPersistently,
  samePath,
  silent,
  reconnect
} from "../support/session.ts"
import { now, settle } from "../support/time.ts"
import { answerExists, answerWrite, whoAmI, answerWhoAmI } from "../support/answers.ts"

const multiRead = (session: SessionService) =>
  session.request(Operations.multiRead, [{ operation: "getData", request: { path: "/", watch: false } }], "")

const createWithStat = (session: SessionService) =>
  session.request(Operations.create2, { path: "/n", data: null, acl: [], flags: 0 }, "/n")

const refuse = Effect.fnUntraced(function* (server: ServerSide, xid: number) {
  server.reply(xid, -1n, -6)
  server.cut()
  yield* settle
})

const answer = (server: ServerSide, { name, xid }: Frames.Request) => {
  if (name === "exists") answerExists(server, xid)
  else if (name === "setData") answerWrite(server, xid)
  else assert.fail(`${name} was not expected`)
}

const unimplemented = { _tag: "ServerRefused", operation: "whoAmI", code: -6, name: "Unimplemented" } as const

const itConnected = testWith(it.effect, connect({ servers: "a" }))

describe("an operation that the server is too old for", () => {
  itConnected("is refused, and no write beside it is lost", function* ({ network, server, session }) {
    const before = yield* Effect.forkChild(set(session, "/1", "x"), now)
    const asking = yield* Effect.forkChild(Effect.flip(whoAmI(session)), now)
    const after = yield* Effect.forkChild(set(session, "/2", "x"), now)
    yield* settle
    // What may cost the connection is sent when nothing else is on its way, and nothing follows it.
    const first = yield* server.requests
    assertEach(first, ({ body }) => body.path, ["/1"])
    answer(server, first[0]!)
    yield* Fiber.join(before)
    yield* settle
    const [second, ...more] = yield* server.requests
    assert.strictEqual(second!.name, "whoAmI")
    assert.lengthOf(more, 0)
    yield* refuse(server, second!.xid)
    assert.deepInclude({ ...(yield* Fiber.join(asking)) }, unimplemented)
    const next = yield* reconnect(network, session)
    for (const request of yield* next.requests) answer(next, request)
    yield* Fiber.join(after)
    assert.lengthOf(network.dialled, 2)
  })

  itConnected("ends one connection, however many callers need it", function* ({ network, server, session }) {
    const asking = yield* Effect.forkChild(
      eachAtOnce([1, 2, 3], () => Effect.flip(whoAmI(session))),
      now
    )
    yield* settle
    yield* refuse(server, (yield* server.nextRequest).xid)
    const next = yield* reconnect(network, session)
    for (const error of yield* Fiber.join(asking)) assert.deepInclude({ ...error }, unimplemented)
    assert.lengthOf(yield* next.requests, 0)
    assert.lengthOf(network.dialled, 2)
  })

  itConnected(
    "tells that the server lacks all operations of that release and of later ones",
    function* ({ network, server, session }) {
      const asking = yield* Effect.forkChild(Effect.flip(multiRead(session)), now)
      yield* settle
      yield* refuse(server, (yield* server.nextRequest).xid)
      assert.deepInclude({ ...(yield* Fiber.join(asking)) }, { _tag: "ServerRefused", operation: "multiRead" })
      const next = yield* reconnect(network, session)
      // Of 3.6 and of 3.7: refused without a word to the server.
      const watching = session.watchPersistently(samePath("/a"), { recursive: false, listener: silent })
      assert.deepInclude({ ...(yield* Effect.flip(watching)) }, { _tag: "ServerRefused", operation: "addWatch" })
      assert.deepInclude({ ...(yield* Effect.flip(whoAmI(session))) }, unimplemented)
      assert.lengthOf(yield* next.requests, 0)
      // Of 3.5: the server may know it.
      yield* Effect.forkChild(Effect.ignore(createWithStat(session)), now)
      yield* settle
      assert.strictEqual((yield* next.nextRequest).name, "create2")
      assert.lengthOf(network.dialled, 2)
    }
  )

  itConnected(
    "says nothing about a later operation that the server has answered",
    function* ({ network, server, session }) {
      yield* answerWhoAmI(session, server)
      const asking = yield* Effect.forkChild(Effect.flip(multiRead(session)), now)
      yield* settle
      yield* refuse(server, (yield* server.nextRequest).xid)
      yield* Fiber.join(asking)
      const next = yield* reconnect(network, session)
      yield* Effect.forkChild(Effect.ignore(whoAmI(session)), now)
      yield* settle
      assert.strictEqual((yield* next.nextRequest).name, "whoAmI")
    }
  )

  itConnected("is asked for again once an event has shown that the server is newer by now", function* (given) {
    const { network, server, session } = given
    const asking = yield* Effect.forkChild(Effect.flip(whoAmI(session)), now)
    yield* settle
    yield* refuse(server, (yield* server.nextRequest).xid)
    yield* Fiber.join(asking)
    const upgraded = yield* reconnect(network, session)
    upgraded.send(Frames.notification(Frames.event.data, "/a"))
    yield* settle
    assert.isFalse(session.info.serverFeatures.supports("whoAmI"))
    upgraded.send(Frames.notification(Frames.event.data, "/a", 7n))
    yield* settle
    yield* answerWhoAmI(session, upgraded)
    assert.lengthOf(network.dialled, 2)
  })

  itEffect("may be replaced by another request of the caller: that waits for the next connection", function* () {
    const { network, server, session } = yield* connect({ servers: "a" })
    const asking = yield* Effect.forkChild(
      Effect.catchTag(whoAmI(session), "ServerRefused", () => set(session, "/1", "x")),
      now
    )
    yield* settle
    yield* refuse(server, (yield* server.nextRequest).xid)
    const next = yield* reconnect(network, session)
    answer(next, yield* next.nextRequest)
    yield* Fiber.join(asking)
  })

  itEffect("is refused out of turn: reads beside it are answered on the next connection", function* () {
    const { network, server, session } = yield* connect({ servers: "a" })
    // Behind the same name a newer server has answered it once, so that it is no longer asked alone.
    yield* answerWhoAmI(session, server)
    const reading = yield* Effect.forkChild(exists(session, "/1"), now)
    const asking = yield* Effect.forkChild(Effect.flip(whoAmI(session)), now)
    yield* settle
    const requests = yield* server.requests
    assertEach(requests, ({ name }) => name, ["exists", "whoAmI"])
    yield* refuse(server, requests[1]!.xid)
    assert.deepInclude({ ...(yield* Fiber.join(asking)) }, unimplemented)
    const next = yield* reconnect(network, session)
    answer(next, yield* next.nextRequest)
    yield* Fiber.join(reading)
  })

  itEffect("is known once it is answered: then it waits for nothing, and nothing waits for it", function* () {
    const { server, session } = yield* connect({ servers: "a" })
    yield* answerWhoAmI(session, server)
    for (const ask of [exists(session, "/1"), whoAmI(session), exists(session, "/2")]) {
      yield* Effect.forkChild(Effect.ignore(ask), now)
    }
    yield* settle
    assert.lengthOf(yield* server.requests, 3)
  })
})

describe("a watch that ends", () => {
  const refuseWhoAmI = Effect.fnUntraced(function* (
    network: MemoryNetwork,
    server: ServerSide,
    session: SessionService
  ) {
    const asking = yield* Effect.forkChild(Effect.flip(whoAmI(session)), now)
    yield* settle
    yield* refuse(server, (yield* server.nextRequest).xid)
    yield* Fiber.join(asking)
    return yield* reconnect(network, session)
  })

  itConnected(
    "is not removed at a server that has refused another operation: it may not know how to",
    function* ({ network, server, session }) {
      const next = yield* refuseWhoAmI(network, server, session)
      const changed = yield* Effect.forkChild(yield* watchData(session, next, "/a"), now)
      yield* Fiber.interrupt(changed)
      yield* settle
      assert.lengthOf(yield* next.requests, 0)
      assert.lengthOf(network.dialled, 2)
    }
  )

  itConnected(
    "is removed at a server that has refused a newer operation, and has answered one that is not older than the removal",
    function* ({ network, server, session }) {
      const next = yield* refuseWhoAmI(network, server, session)
      yield* watchPersistently(session, next, "/tree", false, silent)
      const changed = yield* Effect.forkChild(yield* watchData(session, next, "/a"), now)
      yield* Fiber.interrupt(changed)
      yield* settle
      assert.strictEqual((yield* next.nextRequest).name, "removeWatches")
    }
  )
})

describe("a session that moves to a server without persistent watches", () => {
  itEffect("ends them with ServerRefused, keeps its other watches, and is served", function* () {
    const { network, server, session } = yield* connect({ servers: "a" })
    const ends: Array<unknown> = []
    const listener = { onEvent: () => {}, onEnd: (reason: unknown) => void ends.push(reason) }
    yield* watchPersistently(session, server, "/tree", true, listener)
    const changed = yield* Effect.forkChild(yield* watchData(session, server, "/other"), now)
    server.cut()
    const older = yield* reconnect(network, session)
    const reading = yield* Effect.forkChild(exists(session, "/1"), now)
    const { name, xid } = yield* older.nextRequest
    assert.strictEqual(name, "setWatches2")
    yield* refuse(older, xid)
    const again = yield* reconnect(network, session)
    const [watches, read] = yield* again.requests
    assert.strictEqual(watches!.name, "setWatches")
    assert.deepStrictEqual(watches!.body.dataWatches, ["/other"])
    again.reply(watches!.xid, 0n)
    answer(again, read!)
    yield* Fiber.join(reading)
    assert.lengthOf(ends, 1)
    assert.deepInclude(ends[0], { _tag: "ServerRefused", operation: "addWatch", path: "/tree", code: -6 })
    again.send(Frames.notification(Frames.event.data, "/other"))
    yield* Fiber.join(changed)
    assert.lengthOf(network.dialled, 3)
  })
})
