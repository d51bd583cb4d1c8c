/** Znodes that a recipe gives back are deleted, whatever keeps the server from it at first. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import { now } from "../support/targets.ts"

/** A client whose session outlasts the test. */
const client = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer({ sessionTimeout: "1 minute" })))

const itOnServer = testOn(
  it.effect,
  Layer.provideMerge(client, EmbeddedServer.layerMemory),
  Effect.all({ server: EmbeddedServer.EmbeddedServer, zk: ZooKeeper.ZooKeeper })
)

/** The znodes that a semaphore leaves. */
const parents: ReadonlySet<string> = new Set(["leases", "locks"])

/** Lets time pass, with a chance for all fibers in each of its steps. */
const pass = (seconds: number) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("100 millis"), Effect.repeat(Effect.yieldNow, { times: 20 })), {
    times: seconds * 10 - 1
  })

describe("a znode whose delete costs eight connections", () => {
  const work = Effect.sleep("5 seconds")
  const holds: Readonly<Record<string, Effect.Effect<unknown, unknown, Scope.Scope | ZooKeeper.ZooKeeper>>> = {
    "of a lock": Effect.flatMap(Lock.make("/it"), (lock) => lock.withLock(work)),
    "of a leader": Effect.flatMap(LeaderElection.make("/it"), (election) => election.whileLeader(work)),
    "of a semaphore": Effect.flatMap(Semaphore.make("/it", { permits: 1 }), (semaphore) => semaphore.withPermit(work)),
    "of a member of a double barrier that gives up": Effect.flatMap(DoubleBarrier.make("/it", { size: 2 }), (barrier) =>
      barrier.enter({ timeout: "5 seconds" })
    )
  }
  for (const [name, hold] of Object.entries(holds)) {
    itOnServer(`${name} is gone two minutes later, in the same session`, function* ({ server, zk }) {
      const { id } = zk.session
      yield* Effect.forkScoped(Effect.scoped(hold), now)
      yield* pass(2)
      yield* server.dropRequest({ operation: "delete", session: id }, MAX_LOSSES)
      const left = Effect.map(
        Effect.forEach(["/it", "/it/leases", "/it/locks"], (path) => getChildrenOrNone(zk, path)),
        (names) => names.flat().filter((name) => !parents.has(name)).length
      )
      yield* pass(20)
      assert.strictEqual(yield* left, 1)
      yield* pass(100)
      assert.strictEqual(yield* left, 0)
      assert.strictEqual(zk.session.id, id)
    })
  }
})
