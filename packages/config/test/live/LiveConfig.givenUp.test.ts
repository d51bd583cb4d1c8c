/** A configuration whose reads no server answers: they cost eight connections, and not those of all that follows. */
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
import * as LiveConfig from "../../src/LiveConfig.ts"
import { plant } from "../support/targets.ts"

const client = ZooKeeper.layerSession().pipe(
  Layer.provide(Session.layer({ retry: Schedule.spaced("5 millis"), sessionExpiry: "fail" }))
)

const itInMemory = testOn(
  it.live,
  Layer.provideMerge(client, EmbeddedServer.layerMemory),
  Effect.all({ server: EmbeddedServer.EmbeddedServer, zk: ZooKeeper.ZooKeeper })
)

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
