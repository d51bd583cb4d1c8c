/** A Layer whose leader is with a member that is cut off from its ensemble, and still answers. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as LeaderElection from "../../src/LeaderElection.ts"
import { awaitChildren } from "../support/holds.ts"
import { withClient } from "../support/targets.ts"

const connect = (servers: string) =>
  clientOf(ZooKeeper.layer({ servers, sessionTimeout: "5 seconds", retry: Schedule.spaced("100 millis") }))

describe("a layer of a leader whose server is isolated", () => {
  itLive("is torn down before another client builds its own", { timeout: 120_000 }, function* () {
    const ensemble = yield* ZooKeeperEnsemble.make({ links: true, tickTime: 200, startTimeout: "90 seconds" })
    const [isolated] = yield* ensemble.followers
    const others = ensemble.servers.filter((server) => server !== isolated)
    const events: Array<string> = []
    const lead = (zk: ZooKeeper.Service, name: string) => {
      const inner = Layer.effectDiscard(
        Effect.acquireRelease(
          Effect.sync(() => void events.push(`${name} starts`)),
          () => Effect.sync(() => void events.push(`${name} stopped`))
        )
      )
      return withClient(zk)(Layer.build(LeaderElection.layer("/leader", inner)))
    }
    const one = yield* connect(isolated!.connectString)
    yield* lead(one, "one")
    yield* awaitCondition(() => events.length === 1)
    const two = yield* connect(others.map(({ connectString }) => connectString).join(","))
    yield* lead(two, "two")
    yield* awaitChildren(two, "/leader", 2)
    yield* ensemble.isolate(isolated!)
    yield* Effect.sync(() => events.length).pipe(
      Effect.repeat({ until: (count) => count === 3, schedule: Schedule.spaced("50 millis") }),
      Effect.timeout("60 seconds")
    )
    assert.deepStrictEqual(events, ["one starts", "one stopped", "two starts"])
    yield* ensemble.rejoin
  })
})
