/** Invalidations where the watch that tells of them ends before the session. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ZooKeeperReactivity from "../../src/ZooKeeperReactivity.ts"
import { withClient } from "../support/targets.ts"

const session = Session.layer({ sessionTimeout: "1 minute", retry: Schedule.spaced("5 millis") })
const client = ZooKeeper.layerSession().pipe(Layer.provide(session))

const itOnServer = testOn(
  it.effect,
  Layer.provideMerge(client, EmbeddedServer.layerMemory),
  Effect.all({ server: EmbeddedServer.EmbeddedServer, zk: ZooKeeper.ZooKeeper })
)

/** Step by step, so that requests are answered meanwhile. */
const passSeconds = (count: number) => Effect.repeat(TestClock.adjust("1 second"), { times: count - 1 })

describe("reactivity whose watch is given up", () => {
  itOnServer(
    "invalidates everything when the server has a watch again, and hears as before",
    function* ({ server, zk }) {
      const here = yield* withClient(zk)(ZooKeeperReactivity.make({ path: "/reactivity" }))
      const mine = yield* clientOf(client)
      const there = yield* withClient(mine)(ZooKeeperReactivity.make({ path: "/reactivity" }))
      let runs = 0
      yield* Effect.forkScoped(
        Stream.runDrain(
          there.stream(
            ["users"],
            Effect.sync(() => ++runs)
          )
        )
      )
      yield* passSeconds(5)
      // No other request of this session has the name: it registers its watches on a new connection.
      yield* server.dropRequest({ operation: "setWatches2", session: mine.session.id }, MAX_LOSSES + 4)
      yield* server.disconnectAll
      yield* passSeconds(5)
      yield* server.clearFaults
      yield* passSeconds(5)
      const before = runs
      yield* here.invalidate(["users"])
      yield* passSeconds(5)
      assert.strictEqual(runs, before)
      yield* passSeconds(75)
      assert.isAbove(runs, before)
      const after = runs
      yield* here.invalidate(["users"])
      yield* passSeconds(5)
      assert.strictEqual(runs, after + 1)
    }
  )

  itOnServer("is not made where the first watch is refused", function* ({ server, zk }) {
    yield* server.answerWith({ operation: "addWatch" }, "NoAuth")
    yield* failure(withClient(zk)(ZooKeeperReactivity.make({ path: "/reactivity" })), "ServerRefused")
  })
})
