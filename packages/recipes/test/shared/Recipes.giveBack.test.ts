/** Znodes that a recipe gives back are deleted, whatever keeps the server from it at first. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as PersistentNode from "../../src/PersistentNode.ts"
import * as Queue from "../../src/Queue.ts"
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

/** Lets time pass, with a chance for all fibers in each of its steps. */
const pass = (seconds: number) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("100 millis"), Effect.repeat(Effect.yieldNow, { times: 20 })), {
    times: seconds * 10 - 1
  })

/** Requests that are under way are waited for when the client is closed: until then time goes on. */
const passAtEnd = Effect.flatMap(ZooKeeper.ZooKeeper, ({ session }) =>
  Effect.addFinalizer(() =>
    Effect.forkDetach(Effect.raceFirst(Effect.forever(TestClock.adjust("100 millis")), Stream.runDrain(session.states)))
  )
)

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
  /** Given back by a delete that looks at the znode first. */
  const looking: typeof holds = {
    "of an item that is taken with a lock": Effect.gen(function* () {
      const queue = yield* Queue.make("/queue", { takenPath: "/it" })
      yield* queue.offer(new Uint8Array(1))
      yield* Effect.ignore(queue.consumeOne(() => Effect.andThen(work, Effect.fail("not today"))))
    }),
    "of a persistent node": Effect.scoped(Effect.andThen(PersistentNode.make("/it/node"), work))
  }
  for (const [name, hold] of Object.entries({ ...holds, ...looking })) {
    itOnServer(`${name} is gone two minutes later, in the same session`, function* ({ server, zk }) {
      const { id } = zk.session
      yield* passAtEnd
      yield* Effect.forkScoped(Effect.scoped(hold), now)
      yield* pass(2)
      yield* server.dropRequest({ operation: "delete", session: id }, 1000)
      // The server's own view: the client may be without a connection.
      const left = Effect.map(
        server.snapshot,
        ({ tree }) => [...tree.entries()].filter(([path, { owner }]) => path.startsWith("/it/") && owner === id).length
      )
      yield* pass(20)
      assert.strictEqual(yield* left, 1)
      yield* server.clearFaults
      yield* pass(100)
      assert.strictEqual(yield* left, 0)
      assert.strictEqual(zk.session.id, id)
    })
  }

  itOnServer("of a member of a double barrier does not count as another member", function* ({ server, zk }) {
    yield* passAtEnd
    const barrier = yield* DoubleBarrier.make("/it", { size: 2 })
    const once = Effect.result(barrier.enter({ timeout: "5 seconds" }))
    yield* server.dropRequest({ operation: "delete", session: zk.session.id }, MAX_LOSSES)
    const entering = yield* Effect.forkScoped(Effect.andThen(once, once), now)
    yield* pass(40)
    assert.strictEqual((yield* Fiber.join(entering))._tag, "Failure")
    assert.notInclude(yield* getChildrenOrNone(zk, "/it"), "ready")
  })
})
