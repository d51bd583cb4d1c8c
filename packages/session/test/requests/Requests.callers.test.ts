/** What becomes of requests by their callers: interrupted, begun beneath Effect, held back, timed out. */
import { assert, describe } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { eachAtOnce, during } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { answerRead, answerWrite } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import { connect, get, set, type SessionService, reconnect, two, itConnected } from "../support/session.ts"
import { now, settle } from "../support/time.ts"

describe("interruption", () => {
  itEffect(
    "of requests that wait, are encoded, or are with the server leaves the order of replies right",
    function* () {
      const { server, session } = yield* connect({ ...two, maxInFlight: 4 })
      const fibers = yield* Effect.forEach([1, 2, 3], (n) => Effect.forkChild(get(session, `/${n}`), now))
      yield* settle
      const fourth = yield* Effect.forkChild(get(session, "/4"), now)
      const waiting = yield* Effect.forEach([5, 6], (n) => Effect.forkChild(get(session, `/${n}`), now))
      // One with the server, one encoded, one that waits for its turn.
      yield* Fiber.interrupt(fibers[1]!)
      yield* Fiber.interrupt(fourth)
      yield* Fiber.interrupt(waiting[0]!)
      yield* settle
      const first = yield* server.requests
      assert.deepStrictEqual(Frames.shape(first), ["getData /1", "getData /2", "getData /3", "getData /4"])
      for (const request of first) answerRead(server, request)
      assert.strictEqual(yield* Fiber.join(fibers[0]!), "1")
      assert.strictEqual(yield* Fiber.join(fibers[2]!), "3")
      const rest = yield* server.nextRequest
      assert.strictEqual(rest.body.path, "/6")
      answerRead(server, rest)
      assert.strictEqual(yield* Fiber.join(waiting[1]!), "6")
    }
  )

  itEffect("of 1,000 requests at once, a hundred times, leaves the others their replies", function* () {
    const { server, session } = yield* connect(two)
    for (let round = 0; round < 100; round++) {
      const survivor = yield* Effect.forkChild(get(session, `/first-${round}`), now)
      const doomed = yield* Effect.forEach(Array.from({ length: 1000 }), (_, n) =>
        Effect.forkChild(get(session, `/${n}`), now)
      )
      const last = yield* Effect.forkChild(get(session, `/last-${round}`), now)
      if (round % 2 === 0) yield* settle
      yield* Fiber.interruptAll(doomed)
      yield* settle
      let left = 2
      while (left > 0) {
        for (const request of yield* server.requests) {
          if (request.body.path.startsWith("/first") || request.body.path.startsWith("/last")) left--
          answerRead(server, request)
        }
        yield* settle
      }
      assert.strictEqual(yield* Fiber.join(survivor), `first-${round}`)
      assert.strictEqual(yield* Fiber.join(last), `last-${round}`)
    }
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  itConnected("of requests keeps them from the next connection, sent or not", function* ({ network, server, session }) {
    const sent = yield* Effect.forkChild(get(session, "/0"), now)
    yield* server.nextRequest
    yield* Fiber.interrupt(sent)
    assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(sent)))
    server.cut()
    const doomed = yield* Effect.forkChild(set(session, "/1", "x"), now)
    const kept = yield* Effect.forkChild(get(session, "/2"), now)
    yield* Fiber.interrupt(doomed)
    const next = yield* reconnect(network, session)
    const requests = yield* next.requests
    assert.deepStrictEqual(Frames.shape(requests), ["getData /2"])
    answerRead(next, requests[0]!)
    assert.strictEqual(yield* Fiber.join(kept), "2")
  })
})

describe("requests that are begun beneath Effect", () => {
  /** As the client asks: what is sent at once has nothing that gives it up. */
  const begun = (session: SessionService, path: string) =>
    Effect.callback<string, unknown>((resume) => {
      const giveUp = session.requestUnsafe(
        Operations.getData,
        { path, watch: false },
        path,
        ({ data }) => new TextDecoder().decode(data ?? undefined),
        resume,
        Fiber.getCurrent()
      )
      return giveUp === undefined ? undefined : Effect.sync(giveUp)
    })

  itConnected("give the converted response, or the failure", function* ({ server, session }) {
    const reads = yield* Effect.forEach([1, 2], (n) => Effect.forkChild(Effect.result(begun(session, `/${n}`)), now))
    yield* settle
    const [first, second] = yield* server.requests
    answerRead(server, first!)
    server.reply(second!.xid, 1n, -101)
    assert.deepStrictEqual(yield* Fiber.join(reads[0]!), Result.succeed("1"))
    const refused = yield* Fiber.join(reads[1]!)
    assert.strictEqual(Result.isFailure(refused) && (refused.failure as { readonly _tag: string })._tag, "NoNode")
  })

  itEffect("are not sent again on the next connection for fibers that have ended, sent or not", function* () {
    const { network, server, session } = yield* connect(two)
    const gone = yield* Effect.forkChild(begun(session, "/gone"), now)
    const stays = yield* Effect.forkChild(begun(session, "/stays"), now)
    yield* settle
    assert.deepStrictEqual(Frames.shape(yield* server.requests), ["getData /gone", "getData /stays"])
    yield* Fiber.interrupt(gone)
    server.cut()
    yield* settle
    const waits = yield* Effect.forkChild(begun(session, "/waits"), now)
    yield* Fiber.interrupt(waits)
    const next = yield* reconnect(network, session)
    const requests = yield* next.requests
    assert.deepStrictEqual(Frames.shape(requests), ["getData /stays"])
    answerRead(next, requests[0]!)
    assert.strictEqual(yield* Fiber.join(stays), "stays")
  })

  itEffect("end by a defect where the response cannot be converted, and disturb no other request", function* () {
    const { server, session } = yield* connect(two)
    const broken = Effect.callback<never, unknown>((resume) => {
      const into = () => {
        throw new Error("not this")
      }
      session.requestUnsafe(Operations.getData, { path: "/1", watch: false }, "/1", into, resume)
    })
    const first = yield* Effect.forkChild(Effect.exit(broken), now)
    const second = yield* Effect.forkChild(get(session, "/2"), now)
    yield* settle
    for (const request of yield* server.requests) answerRead(server, request)
    assert.isTrue(Exit.hasDies(yield* Fiber.join(first)))
    assert.strictEqual(yield* Fiber.join(second), "2")
  })
})

describe("back-pressure", () => {
  itEffect("lets no more than maxInFlight be with the server", function* () {
    const { server, session } = yield* connect({ ...two, maxInFlight: 3 })
    const reads = yield* Effect.forkChild(
      eachAtOnce(Array.from({ length: 10 }), (_, n) => get(session, `/${n}`)),
      now
    )
    let answered = 0
    while (answered < 10) {
      yield* settle
      const requests = yield* server.requests
      assert.isAtMost(requests.length, 3)
      assert.isAtLeast(requests.length, 1)
      for (const request of requests) {
        answerRead(server, request)
        answered++
      }
    }
    assert.lengthOf(yield* Fiber.join(reads), 10)
  })

  itConnected("keeps unsent bytes below a few MiB, however many requests there are", function* ({ server, session }) {
    server.clog()
    const payload = new Uint8Array(1_000_000)
    const writes = yield* Effect.forkChild(
      eachAtOnce(Array.from({ length: 50 }), () => set(session, "/x", payload)),
      now
    )
    yield* settle
    const sent = () => server.received.reduce((sum, frame) => sum + frame.length, 0)
    // One batch is with the network; the next, at most as large, waits for it.
    assert.isAtMost(sent(), 6_000_000)
    server.flow()
    let answered = 0
    while (answered < 50) {
      yield* settle
      for (const request of yield* server.requests) {
        answerWrite(server, request.xid)
        answered++
      }
    }
    assert.lengthOf(yield* Fiber.join(writes), 50)
  })
})

describe("requestTimeout", () => {
  itEffect("ends a slow request, says whether it may have been applied, and keeps its place", function* () {
    const { server, session } = yield* connect({ ...two, requestTimeout: "5 seconds", maxInFlight: 2 })
    const write = yield* Effect.forkChild(Effect.flip(set(session, "/1", "x")), now)
    const read = yield* Effect.forkChild(Effect.flip(get(session, "/2")), now)
    const waiting = yield* Effect.forkChild(Effect.flip(set(session, "/3", "x")), now)
    yield* TestClock.adjust("2 seconds")
    const later = yield* Effect.forkChild(get(session, "/4"), now)
    yield* TestClock.adjust("2999 millis")
    assert.isUndefined(write.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "RequestTimeout", maybeApplied: true, path: "/1" })
    assert.deepInclude({ ...(yield* Fiber.join(read)) }, { _tag: "RequestTimeout", maybeApplied: false, path: "/2" })
    assert.deepInclude({ ...(yield* Fiber.join(waiting)) }, { _tag: "RequestTimeout", maybeApplied: false })
    // The late replies are dropped, and the next one goes to its own request.
    const requests = yield* server.requests
    assert.deepStrictEqual(Frames.shape(requests), ["setData /1", "getData /2"])
    answerWrite(server, requests[0]!.xid)
    answerRead(server, requests[1]!)
    answerRead(server, yield* server.nextRequest)
    assert.strictEqual(yield* Fiber.join(later), "4")
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  itEffect("does not say of a request that waits in the socket that it was not applied: it will be sent", function* () {
    const { server, session } = yield* connect({ ...two, requestTimeout: "5 seconds" })
    server.clog()
    const first = yield* Effect.forkChild(Effect.flip(set(session, "/1", "x")), now)
    yield* settle
    const second = yield* Effect.forkChild(Effect.flip(set(session, "/2", "x")), now)
    yield* TestClock.adjust("5 seconds")
    assert.deepInclude({ ...(yield* Fiber.join(first)) }, { _tag: "RequestTimeout", maybeApplied: true })
    assert.deepInclude({ ...(yield* Fiber.join(second)) }, { _tag: "RequestTimeout", maybeApplied: true })
    server.flow()
    yield* settle
    assert.deepStrictEqual(Frames.shape(yield* server.requests).slice(0, 2), ["setData /1", "setData /2"])
  })

  itEffect("counts the time without a connection", function* () {
    const { network, server, session } = yield* connect({ ...two, requestTimeout: "5 seconds" })
    network.set("a:2181", "hang")
    network.set("b:2181", "hang")
    server.cut()
    yield* TestClock.adjust("7 seconds")
    assert.deepInclude(
      { ...(yield* during("5 seconds", Effect.flip(set(session, "/1", "x")))) },
      { _tag: "RequestTimeout", maybeApplied: false }
    )
  })
})
