/**
 * A runner on a member that is cut off from its ensemble: the member goes on answering, and the ensemble ends the session.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { OwnershipUncertain } from "../../src/Errors.ts"
import { address, causeOf, ids, interval, runner, sessionTimeout, shards, storageOn } from "../support/targets.ts"

/** A client on the member, one on the others, and the cut between them. */
interface Ensemble {
  readonly owner: ZooKeeper.Service
  /** Another client on the member, which owns nothing. */
  readonly witness: ZooKeeper.Service
  readonly heir: ZooKeeper.Service
  readonly isolate: Effect.Effect<unknown>
}

const refusesInTime = ({ heir, isolate, owner, witness }: Ensemble): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const storage = yield* storageOn(owner)
    const successor = yield* storageOn(heir)
    yield* storage.register(runner(1), true)
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2))), [1, 2])
    yield* successor.register(runner(2), true)
    yield* isolate
    const refused = yield* Effect.forkChild(
      Effect.gen(function* () {
        const cause = yield* causeOf(
          Effect.forever(Effect.andThen(storage.refresh(address(1), shards(1, 2)), Effect.sleep(interval / 8)))
        )
        const at = performance.now()
        // The member shows the lock as if nothing had happened.
        assert.include(yield* witness.getChildren("/cluster/shards"), "default:1")
        return { at, cause }
      }),
      { startImmediately: true }
    )
    const acquired = yield* Effect.repeat(
      // The majority elects a leader if it was the leader that was cut off.
      Effect.orElseSucceed(successor.acquire(address(2), shards(1, 2)), () => []),
      { until: (all) => all.length === 2, schedule: Schedule.spaced("20 millis") }
    )
    const acquiredAt = performance.now()
    assert.lengthOf(acquired, 2)
    const { at, cause } = yield* Fiber.join(refused)
    assert.instanceOf(cause, OwnershipUncertain)
    assert.isAbove(acquiredAt - at, sessionTimeout / 10)
  })

const EmbeddedEnsemble = EmbeddedServer.layerMemoryWith({
  members: 3,
  tickTime: sessionTimeout / 2,
  syncLimit: 5
})

const onMemory = (...members: ReadonlyArray<number>) =>
  clientOf(
    ZooKeeper.layerSession().pipe(
      Layer.provide(
        Session.layer({
          servers: members.map((member) => `memory-${member}:2181`).join(","),
          sessionTimeout,
          retry: Schedule.spaced("20 millis")
        })
      )
    )
  )

describe("a storage on a follower that is cut off", () => {
  it.live(
    "refuses a refresh before another runner has the shards, on an embedded ensemble",
    () =>
      Effect.gen(function* () {
        const server = yield* EmbeddedServer.EmbeddedServer
        yield* refusesInTime({
          owner: yield* onMemory(2),
          witness: yield* onMemory(2),
          heir: yield* onMemory(1, 3),
          isolate: server.isolate(1)
        })
      }).pipe(Effect.scoped, Effect.provide(EmbeddedEnsemble)),
    60_000
  )

  for (const role of ["follower", "leader"] as const) {
    it.live.skipIf(role === "leader" && process.env["ZK_LONG"] !== "1")(
      `refuses a refresh before another runner has the shards, on a real ensemble whose ${role} is cut off${
        role === "leader" ? " (in test:long only)" : ""
      }`,
      () =>
        Effect.gen(function* () {
          const ensemble = yield* ZooKeeperEnsemble.make({
            links: true,
            tickTime: sessionTimeout / 2,
            config: ["initLimit=10", "syncLimit=5"],
            startTimeout: "90 seconds"
          })
          yield* ensemble.awaitQuorum(3)
          const leader = yield* ensemble.leader
          const member = role === "leader" ? leader : (yield* ensemble.followers)[0]!
          const others = ensemble.servers.filter((server) => server !== member)
          const connect = (servers: string) => clientOf(ZooKeeper.layer({ servers, sessionTimeout }))
          yield* refusesInTime({
            owner: yield* connect(member.connectString),
            witness: yield* connect(member.connectString),
            heir: yield* connect(others.map(({ connectString }) => connectString).join(",")),
            isolate: ensemble.isolate(member)
          })
          yield* ensemble.rejoin
        }).pipe(Effect.scoped),
      120_000
    )
  }
})
