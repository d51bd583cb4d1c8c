/** The close of a client that holds something: in time, and never while what is guarded still runs. */
import { PromiseClient } from "@effect-zookeeper/client"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { EmbeddedServer } from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import { assert, describe, it } from "@effect/vitest"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Allocator from "../../src/Allocator.ts"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lease from "../../src/Lease.ts"
import * as Lock from "../../src/Lock.ts"
import * as Party from "../../src/Party.ts"
import * as PersistentNode from "../../src/PersistentNode.ts"
import { recipes } from "../../src/Promise.ts"
import * as Queue from "../../src/Queue.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import * as ServiceDiscovery from "../../src/ServiceDiscovery.ts"
import * as Snowflake from "../../src/Snowflake.ts"
import * as Stm from "../../src/Stm.ts"
import * as WorkerId from "../../src/WorkerId.ts"
import { embedded, itOnEmbedded } from "../support/embedded.ts"
import { now } from "../support/targets.ts"

type Needs = ZooKeeper.ZooKeeper | Scope.Scope

/** Runs an effect under what a recipe guards. */
type Use = (work: Effect.Effect<void>) => Effect.Effect<unknown, unknown, Needs>

const kinds: Readonly<Record<string, Use>> = {
  "a lock": (work) => Effect.flatMap(Lock.make("/it"), ({ withLock }) => withLock(work)),
  "a read-write lock": (work) => Effect.flatMap(ReadWriteLock.make("/it"), ({ write }) => write.withLock(work)),
  "a semaphore": (work) => Effect.flatMap(Semaphore.make("/it", { permits: 1 }), ({ withPermit }) => withPermit(work)),
  "an election": (work) => Effect.flatMap(LeaderElection.make("/it"), ({ whileLeader }) => whileLeader(work)),
  "a lease": (work) => Effect.flatMap(Lease.make("/it", { duration: "1 minute" }), ({ withLease }) => withLease(work)),
  "an item of a queue": (work) => Effect.flatMap(Queue.make("/it"), ({ consumeOne }) => consumeOne(() => work)),
  "an allocator": (work) =>
    Effect.flatMap(Allocator.make("/it", { items: ["one"], quiet: 10 }), ({ whileAllocated }) =>
      whileAllocated(() => work)
    )
}

const session = { sessionTimeout: "10 seconds" } as const
const client = Layer.fresh(ZooKeeper.layerSession().pipe(Layer.provide(Session.layer(session))))

/** A client whose Scope a test closes. */
const closeable = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const zk = Context.get(yield* Layer.buildWithScope(client, scope), ZooKeeper.ZooKeeper)
  return { zk, close: Scope.close(scope, Exit.void) }
})

/** Somebody who guards something, and takes until `stopped` to stop. */
const guarding = Effect.fnUntraced(function* (use: Use) {
  const { close, zk } = yield* closeable
  const started = yield* Deferred.make<void>()
  const told = yield* Deferred.make<void>()
  const stopped = yield* Deferred.make<void>()
  const state = { isRunning: true }
  const work = Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
    Effect.onInterrupt(() =>
      Effect.gen(function* () {
        yield* Deferred.succeed(told, undefined)
        yield* Deferred.await(stopped)
        state.isRunning = false
      })
    )
  )
  yield* Effect.forkDetach(Effect.exit(Effect.scoped(Effect.provideService(use(work), ZooKeeper.ZooKeeper, zk))))
  while (!(yield* Deferred.isDone(started))) yield* TestClock.adjust("10 millis")
  return { close, state, stop: Deferred.succeed(stopped, undefined), told: Deferred.await(told) }
})

const itInMemory = testOn(it.effect, embedded, Effect.void)

describe("closing a client", () => {
  for (const [name, use] of Object.entries(kinds)) {
    itInMemory(`while ${name} is held releases it when the guarded effect has stopped, and no earlier`, function* () {
      const queue = yield* Queue.make("/it")
      if (name.includes("queue")) yield* queue.offer(new Uint8Array(1))
      const { close, state, stop, told } = yield* guarding(use)
      const ran: Array<boolean> = []
      yield* Effect.forkScoped(use(Effect.sync(() => void ran.push(state.isRunning))))
      const closing = yield* Effect.forkChild(close, now)
      yield* told
      for (let step = 0; step < 10; step++) yield* TestClock.adjust("100 millis")
      assert.isUndefined(closing.pollUnsafe())
      assert.deepStrictEqual(ran, [])
      yield* stop
      yield* Fiber.join(closing)
      while (ran.length === 0) yield* TestClock.adjust("100 millis")
      assert.isFalse(ran[0])
    })

    if (name === "a lease") continue
    itInMemory(
      `while ${name} is held by an effect that does not stop returns, and leaves the session to lapse`,
      function* () {
        const queue = yield* Queue.make("/it")
        if (name.includes("queue")) yield* queue.offer(new Uint8Array(1))
        const { close, stop } = yield* guarding(use)
        let ran = 0
        yield* Effect.forkScoped(use(Effect.sync(() => void ran++)))
        const closing = yield* Effect.forkChild(close, now)
        for (let step = 0; step < 20; step++) yield* TestClock.adjust("100 millis")
        yield* Fiber.join(closing)
        for (let step = 0; step < 50; step++) yield* TestClock.adjust("100 millis")
        assert.strictEqual(ran, 0)
        while (ran === 0) yield* TestClock.adjust("100 millis")
        yield* stop
      }
    )
  }

  itInMemory("a Scope with many recipes and the client itself takes closeTimeout where a server hangs", function* () {
    const server = yield* EmbeddedServer
    const scope = yield* Scope.make()
    const zk = Context.get(yield* Layer.buildWithScope(client, scope), ZooKeeper.ZooKeeper)
    const many = Effect.gen(function* () {
      for (let index = 0; index < 15; index++) {
        yield* (yield* PersistentNode.make(`/node-${index}`)).present
        yield* (yield* Lock.make(`/lock-${index}`)).acquire()
      }
    })
    yield* many.pipe(Effect.provideService(ZooKeeper.ZooKeeper, zk), Effect.provideService(Scope.Scope, scope))
    yield* server.pause
    const start = yield* Clock.currentTimeMillis
    const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), now)
    while (closing.pollUnsafe() === undefined) yield* TestClock.adjust("50 millis")
    assert.isAtMost((yield* Clock.currentTimeMillis) - start, 2050)
    yield* server.resume
  })
})

/** Takes something that has to be given back. */
const takings: Readonly<Record<string, (index: number) => Effect.Effect<unknown, unknown, Needs>>> = {
  locks: (index) => Effect.flatMap(Lock.make(`/it-${index}`), ({ acquire }) => acquire()),
  "read-write locks": (index) => Effect.flatMap(ReadWriteLock.make(`/it-${index}`), ({ write }) => write.acquire()),
  permits: () => Effect.flatMap(Semaphore.make("/it", { permits: 9 }), ({ acquireMany }) => acquireMany(2)),
  leases: (index) => Effect.flatMap(Lease.make(`/it-${index}`, { duration: "1 minute" }), ({ obtain }) => obtain),
  elections: (index) => Effect.flatMap(LeaderElection.make(`/it-${index}`), ({ acquire }) => acquire()),
  "the layers of elections": (index) =>
    Effect.andThen(Layer.build(LeaderElection.layer(`/it-${index}`, Layer.empty)), Effect.sleep(100)),
  "numbers of workers": () => Effect.flatMap(WorkerId.make("/it"), ({ acquire }) => acquire()),
  "generators of ids": () => Effect.flatMap(Snowflake.make("/it", { epoch: 0 }), ({ next }) => next),
  "items of queues": (index) =>
    Effect.flatMap(Queue.make(`/it-${index}`), (queue) =>
      Effect.andThen(queue.offer(new Uint8Array(1)), queue.takeWithLock)
    ),
  "persistent nodes": (index) => PersistentNode.make(`/it-${index}`),
  "members of parties": () => Effect.flatMap(Party.make("/it"), ({ join }) => join()),
  "instances of services": () =>
    Effect.flatMap(ServiceDiscovery.make("/it", { schema: Schema.Null }), ({ register }) =>
      register({ name: "mail", payload: null })
    ),
  "members of double barriers": (index) =>
    Effect.flatMap(DoubleBarrier.make(`/it-${index}`, { size: 1 }), ({ enter }) => enter()),
  allocators: (index) =>
    Effect.flatMap(Allocator.make(`/it-${index}`, { items: ["a", "b"], quiet: 10 }), ({ changes }) =>
      changes.pipe(
        Stream.takeUntil((items) => items.length > 0),
        Stream.runDrain
      )
    ),
  transactions: (index) =>
    Effect.flatMap(Stm.make(`/it-${index}`), ({ atomically }) => atomically((tx) => tx.create(`/made-${index}`)))
}

describe("a Scope with a client", () => {
  for (const [name, take] of Object.entries(takings)) {
    itInMemory(`and ${name} is closed within closeTimeout where a server hangs`, function* () {
      const server = yield* EmbeddedServer
      const scope = yield* Scope.make()
      const zk = Context.get(yield* Layer.buildWithScope(client, scope), ZooKeeper.ZooKeeper)
      const taking = Effect.forEach([1, 2, 3, 4], take).pipe(
        Effect.provideService(ZooKeeper.ZooKeeper, zk),
        Effect.provideService(Scope.Scope, scope)
      )
      const taken = yield* Effect.forkChild(taking, now)
      while (taken.pollUnsafe() === undefined) yield* TestClock.adjust("10 millis")
      yield* Fiber.join(taken)
      yield* server.pause
      const start = yield* Clock.currentTimeMillis
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), now)
      while (closing.pollUnsafe() === undefined) yield* TestClock.adjust("50 millis")
      const took = (yield* Clock.currentTimeMillis) - start
      yield* server.resume
      assert.isAtMost(took, 2050)
    })
  }
})

describe("closing a client of Promises", () => {
  const connect = Effect.fnUntraced(function* (closeTimeout: number) {
    const context = yield* Effect.context<Transport>()
    const layer = ZooKeeper.layerSession().pipe(
      Layer.provide(Session.layer({ ...session, closeTimeout })),
      Layer.provide(Layer.succeedContext(context))
    )
    return yield* Effect.promise(() => PromiseClient.fromLayer(Layer.fresh(layer)))
  })

  itOnEmbedded("waits for a callback that cleans up, and releases the lock then", function* () {
    const zk = yield* connect(5000)
    const other = recipes(yield* connect(5000)).lock("/lock")
    let isRunning = false
    const held = Promise.withResolvers<void>()
    const mine = recipes(zk)
      .lock("/lock")
      .withLock(async ({ signal }) => {
        isRunning = true
        held.resolve()
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
        await Effect.runPromise(Effect.sleep(100))
        isRunning = false
      })
      .catch((error: unknown) => error)
    yield* Effect.promise(() => held.promise)
    const theirs = other.withLock(() => isRunning)
    yield* Effect.promise(() => zk.close())
    assert.isFalse(isRunning)
    assert.isFalse(yield* Effect.promise(() => theirs))
    assert.deepInclude({ ...((yield* Effect.promise(() => mine)) as object) }, { _tag: "LockLost", reason: "closed" })
  })

  itOnEmbedded("returns when a callback never settles, and when it is called within one", function* () {
    const stuck = yield* connect(100)
    const held = Promise.withResolvers<void>()
    void recipes(stuck)
      .lock("/stuck")
      .withLock(() => {
        held.resolve()
        return new Promise(() => {})
      })
      .catch(() => {})
    yield* Effect.promise(() => held.promise)
    yield* Effect.promise(() => stuck.close())
    assert.strictEqual(stuck.session.state._tag, "Closed")

    const within = yield* connect(100)
    const closed = yield* Effect.promise(() =>
      recipes(within)
        .lock("/within")
        .withLock(async () => {
          await within.close()
          return within.session.state._tag
        })
        .catch((error: { readonly _tag: string }) => error._tag)
    )
    assert.strictEqual(closed, "LockLost")
    assert.strictEqual(within.session.state._tag, "Closed")
  })
})
