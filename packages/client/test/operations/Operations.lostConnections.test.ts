import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Op } from "../../src/index.ts"
import { connectProxied, itBehindProxy, itBehindProxyWith } from "../support/faults.ts"
import { connect, failure, pullFrom, text, now, refused } from "../support/clients.ts"

const hasEvents = TestServer.isAtLeast("3.6.0")

describe("a write whose reply was lost", () => {
  itBehindProxy(
    "is done in the background when it is a guaranteed delete whose caller has gone",
    function* ({ beside: other, proxy, zk }) {
      yield* zk.create("/a")
      const gone = yield* other.existsAndWatch("/a")
      const rule = yield* proxy.rule({ match: { direction: "up", op: 2 }, action: { _tag: "DropAndReset" }, count: 2 })
      const fiber = yield* Effect.forkChild(zk.delete("/a", { guaranteed: true }), now)
      yield* rule.awaitHits(1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* gone.changed).type, "NodeDeleted")
      assert.strictEqual(yield* rule.hits, 2)
    }
  )
})

describe("a stream of changes", () => {
  itBehindProxyWith({ sessionTimeout: "1 second" })(
    TestServer.refusedBefore("3.6.0", "goes on in a new session, and events say that there is a gap"),
    function* ({ beside: other, proxy, zk }) {
      yield* other.create("/a", { data: "1" })
      const data = yield* pullFrom(
        Stream.map(zk.dataChanges("/a"), (seen) => Option.getOrNull(Option.map(seen, (value) => text(value.data))))
      )
      assert.strictEqual(yield* data, "1")
      const events = yield* pullFrom(zk.events("/a"))
      if (hasEvents) yield* proxy.awaitFrames({ direction: "down", op: 106 })
      else yield* refused(events)
      const before = zk.session.id
      yield* proxy.accept("refuse")
      yield* proxy.dropAll("rst")
      yield* Effect.sleep("3 seconds")
      yield* other.set("/a", "2")
      yield* proxy.heal
      assert.strictEqual(yield* data, "2")
      assert.notStrictEqual(zk.session.id, before)
      if (hasEvents) assert.strictEqual((yield* events).type, "Gap")
      yield* other.set("/a", "3")
      assert.strictEqual(yield* data, "3")
      if (!hasEvents) return
      const event = yield* events
      assert.deepStrictEqual([event.type, event.path], ["NodeDataChanged", "/a"])
    }
  )

  itBehindProxyWith({ sessionTimeout: "1 second" })(
    TestServer.refusedBefore(
      "3.6.0",
      "of events begins in the new session when the old one ended before the watch was set"
    ),
    function* ({ beside: other, proxy, zk }) {
      const before = zk.session.id
      yield* proxy.accept("refuse")
      yield* proxy.dropAll("rst")
      // Whether a gap is told first is up to the session.
      const events = yield* pullFrom(Stream.filter(zk.events("/", { recursive: true }), ({ type }) => type !== "Gap"))
      yield* Effect.sleep("3 seconds")
      yield* proxy.heal
      if (!hasEvents) return yield* refused(events)
      yield* proxy.awaitFrames({ direction: "down", op: 106 })
      assert.notStrictEqual(zk.session.id, before)
      yield* other.create("/a")
      const event = yield* events
      assert.deepStrictEqual([event.type, event.path], ["NodeCreated", "/a"])
    }
  )

  itLive("fails with SessionExpired when no new session is wanted", function* () {
    const {
      beside: other,
      proxy,
      zk
    } = yield* connectProxied("changes-fail", {
      sessionTimeout: "1 second",
      sessionExpiry: "fail"
    })
    yield* other.create("/a", { data: "1" })
    const data = yield* pullFrom(zk.dataChanges("/a"))
    const events = yield* pullFrom(zk.events("/a"))
    yield* data
    yield* proxy.accept("refuse")
    yield* proxy.dropAll("rst")
    yield* failure(data, "SessionExpired")
    // A gap may be told before the end.
    yield* failure(Effect.forever(events), "SessionExpired")
    yield* failure(zk.get("/a"), "SessionExpired")
  })
})

describe("a write that waits for its turn", () => {
  itLive("sends the bytes that it was given at the call", function* () {
    const chroot = TestServer.freshPath("waiting-bytes")
    const zk = yield* connect({ servers: TestServer.connectString() + chroot, maxInFlight: 1 })
    yield* zk.ensurePath("/")
    const bytes = new TextEncoder().encode("first")
    const writes = [
      yield* Effect.forkChild(zk.exists("/"), now),
      yield* Effect.forkChild(zk.create("/created", { data: bytes }), now),
      yield* Effect.forkChild(zk.set("/", bytes), now),
      yield* Effect.forkChild(zk.transaction([Op.create("/in-transaction", { data: bytes })]), now)
    ]
    bytes.fill(0)
    for (const write of writes) yield* Fiber.join<unknown, unknown>(write)
    for (const path of ["/", "/created", "/in-transaction"]) {
      assert.strictEqual(text((yield* zk.get(path)).data), "first", path)
    }
  })
})
