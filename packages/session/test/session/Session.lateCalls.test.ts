/** Calls that are refused, that lose their caller, or that come in the moment of an expiry: what is owed to the others. */
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { RequestPipeline } from "../../src/internal/requests/RequestPipeline.ts"
import { PendingRequest } from "../../src/internal/requests/PendingRequest.ts"
import * as Frames from "../support/frames.ts"
import { samePath, connect, exists, get, watchData, silent, answered, digest } from "../support/session.ts"
import { now, settle } from "../support/time.ts"
import { answerExists, isServed } from "../support/answers.ts"

const options = { servers: "a,b", sessionTimeout: "6 seconds" } as const
const itConnected = testWith(it.effect, connect(options))

itEffect("a refused addWatch leaves the one-shot watches of its path whole", function* () {
  const { network, server, session } = yield* connect(options)
  const changed = yield* Effect.forkChild(yield* watchData(session, server, "/a"), now)
  const adding = yield* Effect.forkScoped(
    Effect.flip(session.watchPersistently(samePath("/a"), { recursive: false, listener: silent })),
    now
  )
  // In the same chunk comes a child watch that was sent when addWatch already was.
  const reading = yield* Effect.forkChild(session.watchChildren(samePath("/a")), now)
  const refused = yield* server.nextRequest
  assert.strictEqual(refused.name, "addWatch")
  server.reply(refused.xid, 0x11n, -127)
  assert.deepInclude({ ...(yield* Fiber.join(adding)) }, { _tag: "ServerRefused", code: -127 })

  yield* TestClock.adjust("1 second")
  const current = server.isLeft ? yield* network.accept : server
  if (current !== server) yield* current.greet()
  yield* settle
  // Only what the server was asked to watch can fire.
  const requests = yield* current.requests
  const registered = requests.find(({ name }) => name === "setWatches")
  assert.deepStrictEqual(registered?.body.dataWatches, ["/a"])
  const children = requests.find(({ name }) => name === "getChildren2")
  assert.isTrue(children?.body.watch)
  current.reply(registered!.xid, 0x11n)
  current.replyWith(children!.xid, 0x12n, Operations.getChildren2, { children: [], stat: Frames.stat })
  const childChanged = yield* Effect.forkChild((yield* Fiber.join(reading)).changed, now)
  current.send(Frames.notification(Frames.event.child, "/a"))
  assert.strictEqual((yield* Fiber.join(childChanged)).type, "NodeChildrenChanged")
  current.send(Frames.notification(Frames.event.data, "/a"))
  assert.strictEqual((yield* Fiber.join(changed)).type, "NodeDataChanged")
})

itConnected(
  "a refused addWatch on a path without other watches costs nothing and leaves nothing to give back",
  function* ({ server, session }) {
    const adding = yield* answered(
      server,
      Effect.flip(session.watchPersistently(samePath("/a"), { recursive: true, listener: silent })),
      (xid) => server.reply(xid, 1n, -127)
    )
    assert.strictEqual(adding._tag, "ServerRefused")
    yield* settle
    assert.lengthOf(yield* server.requests, 0)
    assert.isFalse(server.isLeft)
  }
)

describe("a result without a caller", () => {
  for (const [when, end] of [
    ["its time is over", (exchange: RequestPipeline) => exchange.timeOut(0)],
    ["its caller goes", (exchange: RequestPipeline, request: PendingRequest) => exchange.abandon(request)]
  ] as const) {
    it(`gives up its payload in an outage when ${when}`, () => {
      const exchange = new RequestPipeline({ maxInFlight: 10, maxRequestSize: 1_048_575 }, 1, (run) => run())
      const body = { path: "/x", data: new Uint8Array(100_000), version: -1 }
      const request = new PendingRequest(Operations.setData, body, "/x", "fail", 0, () => {})
      exchange.send(request)
      end(exchange, request)
      assert.strictEqual(exchange.waitingCount, 1)
      assert.isUndefined(request.request)
    })
  }
})

describe("a call in the moment of an expiry", () => {
  itConnected(
    "that a watch reports is served by the next session, and so is a caller that learns of it from another request",
    function* ({ network, server, session }) {
      const changed = yield* watchData(session, server, "/a")
      const again = exists(session, "/again")
      const byWatch = yield* Effect.forkChild(
        Effect.catch(changed, () => again),
        now
      )
      server.cut()
      yield* settle
      const byRequest = yield* Effect.forkChild(
        Effect.catch(get(session, "/b"), () => again),
        now
      )
      const byIdentity = yield* Effect.forkChild(
        Effect.catch(session.addAuth(digest("ann:secret")), () => again),
        now
      )
      yield* network.welcome({ timeOut: 0, sessionId: 0n })
      const next = yield* network.welcome({ sessionId: 0x200n })
      yield* settle
      const requests = yield* next.requests
      // A request that was not answered in the old session is shown to the new one.
      assertEach(requests, ({ name }) => name, ["auth", "exists", "exists", "exists"])
      assert.strictEqual(new TextDecoder().decode(requests[0]?.body.auth), "ann:secret")
      for (const { name, xid } of requests) if (name === "exists") answerExists(next, xid)
      yield* Fiber.join(byWatch)
      yield* Fiber.join(byRequest)
      yield* Fiber.join(byIdentity)
      assert.strictEqual(session.info.id, 0x200n)
    }
  )
})

describe("an identity that is added", () => {
  itEffect("is waited for no longer than any request, and shown to the next server all the same", function* () {
    const { network, server, session } = yield* connect({ ...options, requestTimeout: "2 seconds" })
    const adding = yield* Effect.forkChild(Effect.flip(session.addAuth(digest("ann:secret"))), now)
    yield* server.nextRequest
    yield* TestClock.adjust("1999 millis")
    assert.isUndefined(adding.pollUnsafe())
    yield* settle
    assert.deepInclude({ ...(yield* Fiber.join(adding)) }, { _tag: "RequestTimeout", operation: "auth" })
    server.cut()
    const next = yield* network.welcome()
    assert.strictEqual((yield* next.nextRequest).name, "auth")
    next.reply(Operations.Xid.auth, 0n)
    yield* isServed(session, next)
  })

  itEffect("is not waited for beyond the session, and shown to the server of the next one", function* () {
    const { network, server, session } = yield* connect(options)
    const adding = yield* Effect.forkChild(Effect.flip(session.addAuth(digest("ann:secret"))), now)
    server.cut()
    yield* network.welcome({ timeOut: 0, sessionId: 0n })
    assert.strictEqual((yield* Fiber.join(adding))._tag, "SessionExpired")
    const next = yield* network.welcome({ sessionId: 0x200n })
    assert.strictEqual((yield* next.nextRequest).name, "auth")
  })
})
