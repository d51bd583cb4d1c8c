/** A configuration whose reads or whose watch no server answers: they cost eight connections, and not those of all that follows. */
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { awaitCondition, now } from "@effect-zookeeper/test-kit/Expectations"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { plant } from "../support/targets.ts"

const client = ZooKeeper.layerSession().pipe(
  Layer.provide(Session.layer({ retry: Schedule.spaced("5 millis"), sessionExpiry: "fail" }))
)

const server = Layer.provideMerge(client, EmbeddedServer.layerMemory)
const given = Effect.all({ server: EmbeddedServer.EmbeddedServer, zk: ZooKeeper.ZooKeeper })

const itInMemory = testOn(it.live, server, given)

const itInVirtualTime = testOn(it.effect, server, given)

describe("a live configuration whose reads a server drops each time", () => {
  itInMemory("says so, leaves the connection alone, and ends with its session", function* ({ server, zk }) {
    yield* plant(zk, { "/app/a": "1" })
    const live = yield* LiveConfig.make(Config.String("a"), { path: "/app" })
    yield* server.dropRequest({ operation: "exists", session: zk.session.id }, 1000)
    yield* zk.set("/app/a", "2")
    yield* awaitCondition(() => Option.isSome(live.status.problem))
    const problem = Option.getOrThrow(live.status.problem)
    if (!(problem instanceof ConnectionLoss)) return assert.fail(problem._tag)
    assert.strictEqual(problem.losses, MAX_LOSSES)
    assert.strictEqual(live.current, "1")
    yield* zk.sync("/")
    const lost = Stream.runHead(Stream.filter(zk.session.states, ({ _tag }) => _tag !== "Connected"))
    assert.isTrue(Option.isNone(yield* Effect.timeoutOption(lost, "500 millis")))
    const end = yield* Effect.forkChild(Effect.exit(Stream.runDrain(live.changes)), now)
    yield* server.expireSession(zk.session.id)
    assert.isTrue(Exit.isFailure(yield* Fiber.join(end)))
  })

  itInMemory("is read again as soon as a znode changes", function* ({ server, zk }) {
    yield* plant(zk, { "/app/a": "1" })
    const live = yield* LiveConfig.make(Config.String("a"), { path: "/app" })
    yield* server.dropRequest({ operation: "exists", session: zk.session.id }, 1000)
    yield* zk.set("/app/a", "2")
    yield* awaitCondition(() => Option.isSome(live.status.problem))
    yield* server.clearFaults
    yield* zk.sync("/")
    yield* zk.set("/app/a", "3")
    yield* awaitCondition(() => live.current === "3")
    assert.isTrue(Option.isNone(live.status.problem))
  })
})

/** Step by step, so that requests are answered meanwhile. */
const passSeconds = (count: number) => Effect.repeat(TestClock.adjust("1 second"), { times: count - 1 })

describe("a live configuration whose watch ends before its session", () => {
  const app = (pollInterval: number) => LiveConfig.make(Config.String("a"), { path: "/app", pollInterval })

  itInMemory("is read each `pollInterval`, where the watch is refused", function* ({ server, zk }) {
    yield* plant(zk, { "/app/a": "1" })
    yield* server.answerWith({ operation: "addWatch" }, "NoAuth", 1000)
    const live = yield* app(20)
    for (const value of ["2", "3"]) {
      yield* zk.set("/app/a", value)
      yield* awaitCondition(() => live.current === value)
    }
    assert.deepStrictEqual(live.status, { freshness: "live", source: "tree", problem: Option.none() })
  })

  itInMemory("is read each `pollInterval`, where a server drops each connection with it", function* ({ server, zk }) {
    yield* plant(zk, { "/app/a": "1" })
    let losses = 0
    const counting = Stream.runForEach(zk.session.states, ({ _tag }) =>
      Effect.sync(() => (losses += _tag === "Disconnected" ? 1 : 0))
    )
    yield* Effect.forkScoped(counting, now)
    yield* server.dropRequest({ operation: "addWatch" }, MAX_LOSSES)
    const live = yield* app(20)
    yield* awaitCondition(() => losses >= MAX_LOSSES && live.status.freshness === "live")
    for (const value of ["2", "3"]) {
      yield* zk.set("/app/a", value)
      yield* awaitCondition(() => live.current === value)
    }
  })

  itInVirtualTime("has a watch again after a minute", function* ({ server, zk }) {
    yield* plant(zk, { "/app/a": "1" })
    yield* server.answerWith({ operation: "addWatch" }, "NoAuth")
    const live = yield* app(3_600_000)
    yield* zk.set("/app/a", "2")
    yield* TestClock.adjust("1 second")
    assert.strictEqual(live.current, "1")
    yield* passSeconds(75)
    assert.strictEqual(live.current, "2")
    yield* zk.set("/app/a", "3")
    yield* passSeconds(10)
    assert.strictEqual(live.current, "3")
  })
})
