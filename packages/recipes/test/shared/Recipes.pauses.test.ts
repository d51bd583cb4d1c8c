/** No recipe asks in a loop without a pause, whatever keeps it from what it wants. */
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { ErrorName } from "@effect-zookeeper/protocol/ErrorCode"
import type { Match } from "@effect-zookeeper/server/Fault"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Allocator from "../../src/Allocator.ts"
import * as AtomicValue from "../../src/AtomicValue.ts"
import * as Barrier from "../../src/Barrier.ts"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lease from "../../src/Lease.ts"
import * as Lock from "../../src/Lock.ts"
import * as Queue from "../../src/Queue.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import * as Stm from "../../src/Stm.ts"
import * as WorkerId from "../../src/WorkerId.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import { now, withClient } from "../support/targets.ts"

type Needs = ZooKeeper.ZooKeeper | Scope.Scope
type Run = Effect.Effect<unknown, unknown, Needs>

const session = Session.layer({ sessionTimeout: "1 minute" })
const other = ZooKeeper.layerSession().pipe(Layer.provide(session))

/** With a client that is not the one whose requests are counted. */
const itOnServer = testOn(
  it.effect,
  Layer.provideMerge(other, EmbeddedServer.layerMemory),
  Effect.all({ server: EmbeddedServer.EmbeddedServer, zk: ZooKeeper.ZooKeeper })
)

/** Requests that are under way are waited for when a client is closed: until then time goes on. */
const passTimeAtEnd = ({ session }: ZooKeeper.Service) =>
  Effect.addFinalizer(() =>
    Effect.forkDetach(Effect.raceFirst(Effect.forever(TestClock.adjust("100 millis")), Stream.runDrain(session.states)))
  )

/** Starts what a client of its own does, and lets ten seconds pass; gives how many requests it has sent, besides pings. */
const requestsOf = Effect.fnUntraced(function* (run: Run, meanwhile: Effect.Effect<unknown, unknown> = Effect.void) {
  let count = 0
  const counting = ZooKeeper.layerSession({ interceptors: [{ onReply: () => void count++ }] })
  const zk = yield* clientOf(Layer.provide(counting, session))
  const running = yield* Effect.forkScoped(Effect.provideService(run, ZooKeeper.ZooKeeper, zk), now)
  yield* passTimeAtEnd(zk)
  for (let step = 0; step < 100; step++) {
    yield* TestClock.adjust("100 millis")
    yield* meanwhile
    // A loop without a pause goes on while no time passes.
    for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
  }
  return { count, running }
})

/** Deletes what is below a path. */
const deleteChildren = (zk: ZooKeeper.Service, path: string) =>
  Effect.flatMap(getChildrenOrNone(zk, path), (names) =>
    Effect.forEach(names, (name) => Effect.ignore(zk.delete(ZnodePath.join(path, name))))
  )

describe("a recipe sends few requests in ten seconds", () => {
  const lease = Effect.flatMap(Lease.make("/it", { duration: "1 hour" }), ({ withLease }) => withLease(Effect.never))

  itOnServer("where a child keeps a lease from being taken", function* ({ zk }) {
    yield* zk.createWithParents("/it/lease-0/holder-former/child")
    const { count, running } = yield* requestsOf(lease)
    assert.isAbove(count, 20)
    assert.isBelow(count, 120)
    yield* zk.delete("/it/lease-0/holder-former/child")
    yield* TestClock.adjust("10 seconds")
    assert.lengthOf(yield* zk.getChildren("/it/lease-0"), 1)
    assert.isUndefined(running.pollUnsafe())
  })

  /** Requests that are always refused because of the state, and what is kept from its end by them. */
  const refusals: Readonly<Record<string, readonly [Match, ErrorName, Run]>> = {
    "the slot of a lease": [{ operation: "getData", path: "/it/lease-0" }, "NoNode", lease],
    "a contender for a lock": [
      { operation: "create2" },
      "NoNode",
      Effect.flatMap(Lock.make("/it"), ({ withLock }) => withLock(Effect.never))
    ],
    "a permit of a semaphore": [
      { operation: "create2" },
      "NoNode",
      Effect.flatMap(Semaphore.make("/it", { permits: 1 }), ({ withPermit }) => withPermit(Effect.never))
    ],
    "the shared number of permits": [
      { operation: "getData", path: "/permits" },
      "NoNode",
      Effect.flatMap(Semaphore.make("/it", { permits: { at: "/permits", initial: 1 } }), ({ withPermit }) =>
        withPermit(Effect.never)
      )
    ],
    "a worker's number": [
      { operation: "create2" },
      "NoNode",
      Effect.flatMap(WorkerId.make("/it"), ({ acquire }) => acquire())
    ],
    "a barrier": [
      { operation: "create", path: "/it" },
      "NoNode",
      Effect.flatMap(Barrier.make("/it"), ({ create }) => create)
    ],
    "a member of a double barrier": [
      { operation: "create2" },
      "NoNode",
      Effect.flatMap(DoubleBarrier.make("/it", { size: 2 }), ({ enter }) => enter())
    ],
    "a value": [
      { operation: "create", path: "/it" },
      "NoNode",
      Effect.flatMap(AtomicValue.make("/it"), ({ set }) => set(new Uint8Array(1)))
    ]
  }
  for (const [what, [match, error, run]] of Object.entries(refusals)) {
    itOnServer(`where the server always refuses ${what}`, function* ({ server }) {
      yield* server.answerWith(match, error, 1_000_000)
      const { count } = yield* requestsOf(run)
      assert.isAbove(count, 5)
      assert.isBelow(count, 120)
    })
  }

  const losing: Readonly<Record<string, readonly [string, Run]>> = {
    "an election": ["/it", Effect.flatMap(LeaderElection.make("/it"), ({ whileLeader }) => whileLeader(Effect.never))],
    "an allocator": [
      "/it/locks/item-a",
      Effect.flatMap(Allocator.make("/it", { items: ["a"], quiet: 0 }), ({ whileAllocated }) =>
        whileAllocated(() => Effect.never)
      )
    ],
    "a consumer of a queue": [
      "/it-taken",
      Effect.flatMap(Queue.make("/it"), ({ consume }) => consume(() => Effect.never))
    ]
  }
  for (const [what, [path, run]] of Object.entries(losing)) {
    itOnServer(`where ${what} loses what it has at once, again and again`, function* ({ zk }) {
      if (what.includes("queue")) yield* Effect.flatMap(Queue.make("/it"), ({ offer }) => offer(new Uint8Array(1)))
      const { count, running } = yield* requestsOf(run, deleteChildren(zk, path))
      assert.isUndefined(running.pollUnsafe())
      assert.isAbove(count, 10)
      assert.isBelow(count, 160)
    })
  }

  itOnServer("where an allocator's changes stay unknown, and gives them up", function* ({ zk }) {
    let writes = 0
    const lossy: ZooKeeper.Service = {
      ...zk,
      setData: (path, ...rest) =>
        Effect.andThen(zk.setData(path, ...rest), () => {
          writes++
          return new ConnectionLoss({ operation: "setData", path, maybeApplied: true })
        })
    }
    const making = yield* Effect.forkScoped(withClient(lossy)(Allocator.make("/it")), now)
    while (making.pollUnsafe() === undefined) yield* TestClock.adjust("100 millis")
    const { add } = yield* Fiber.join(making)
    yield* passTimeAtEnd(zk)
    yield* add("a")
    const adding = yield* Effect.forkScoped(Effect.flip(add("b")), now)
    yield* TestClock.adjust("100 millis")
    assert.isAtMost(writes, 3)
    for (let step = 0; step < 60; step++) yield* TestClock.adjust("1 second")
    assert.propertyVal(yield* Fiber.join(adding), "_tag", "OutcomeUnknown")
    assert.strictEqual(writes, 8)
  })

  itOnServer("where the znode of a transaction in memory is never there", function* ({ server }) {
    const stm = Effect.flatMap(Stm.make("/it"), ({ atomically }) => atomically(({ get }) => get("/it/a")))
    yield* server.answerWith({ operation: "getData" }, "NoNode", 1_000_000)
    const { count } = yield* requestsOf(stm)
    assert.isBelow(count, 120)
  })
})
