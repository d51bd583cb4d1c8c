/** Every recipe refuses invalid options and durations, before anything is sent. */
import { InvalidArgument } from "@effect-zookeeper/client"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import {
  Allocator,
  AtomicValue,
  Barrier,
  ChildrenCache,
  Counter,
  DoubleBarrier,
  IdGenerator,
  LeaderElection,
  Lease,
  Lock,
  NodeCache,
  Party,
  PersistentNode,
  PriorityQueue,
  Queue,
  ReadWriteLock,
  Semaphore,
  ServiceDiscovery,
  Snowflake,
  Stm,
  TreeCache,
  WorkerId
} from "../../src/index.ts"
import { embedded } from "../support/embedded.ts"

type Call = (options: never) => Effect.Effect<unknown, unknown, ZooKeeper.ZooKeeper | Scope.Scope>

const makes: Record<string, Call> = {
  Allocator: (options) => Allocator.make("/a", options),
  AtomicValue: (options) => AtomicValue.make("/a", options),
  Barrier: (options) => Barrier.make("/a", options),
  ChildrenCache: (options) => ChildrenCache.make("/a", options),
  Counter: (options) => Counter.make("/a", options),
  "Counter of floats": (options) => Counter.makeFloat("/a", options),
  DoubleBarrier: (options) => DoubleBarrier.make("/a", options),
  IdGenerator: (options) => IdGenerator.make("/a", options),
  "IdGenerator in order": (options) => IdGenerator.makeOrdered("/a", options),
  LeaderElection: (options) => LeaderElection.make("/a", options),
  Lease: (options) => Lease.make("/a", options),
  Lock: (options) => Lock.make("/a", options),
  NodeCache: (options) => NodeCache.make("/a", options),
  Party: (options) => Party.make("/a", options),
  PersistentNode: (options) => PersistentNode.make("/a", options),
  PriorityQueue: (options) => PriorityQueue.make("/a", options),
  Queue: (options) => Queue.make("/a", options),
  ReadWriteLock: (options) => ReadWriteLock.make("/a", options),
  Semaphore: (options) => Semaphore.make("/a", options),
  ServiceDiscovery: (options) => ServiceDiscovery.make("/a", options),
  Snowflake: (options) => Snowflake.make("/a", options),
  Stm: (options) => Stm.make("/a", options),
  TreeCache: (options) => TreeCache.make("/a", options),
  WorkerId: (options) => WorkerId.make("/a", options)
}

const discovery = ServiceDiscovery.make("/services", { schema: Schema.Unknown })

/** What waits, by its options. */
const waits: Record<string, Call> = {
  "Lock.acquire": (options) => Effect.flatMap(Lock.make("/lock"), (lock) => lock.acquire(options)),
  "Lock.withLock": (options) => Effect.flatMap(Lock.make("/lock"), (lock) => lock.withLock(Effect.void, options)),
  "LeaderElection.acquire": (options) =>
    Effect.flatMap(LeaderElection.make("/election"), (election) => election.acquire(options)),
  "Lease.withLease": (options) =>
    Effect.flatMap(Lease.make("/lease", { duration: 1000 }), (lease) => lease.withLease(Effect.void, options)),
  "ReadWriteLock.read": (options) => Effect.flatMap(ReadWriteLock.make("/rw"), ({ read }) => read.acquire(options)),
  "ReadWriteLock.write": (options) => Effect.flatMap(ReadWriteLock.make("/rw"), ({ write }) => write.acquire(options)),
  "Semaphore.withPermit": (options) =>
    Effect.flatMap(Semaphore.make("/sem", { permits: 1 }), (sem) => sem.withPermit(Effect.void, options)),
  "Semaphore.acquireMany": (options) =>
    Effect.flatMap(Semaphore.make("/sem", { permits: 1 }), (sem) => sem.acquireMany(1, options)),
  "WorkerId.acquire": (options) => Effect.flatMap(WorkerId.make("/workers"), ({ acquire }) => acquire(options)),
  "Barrier.wait": (options) => Effect.flatMap(Barrier.make("/barrier"), (barrier) => barrier.wait(options)),
  "DoubleBarrier.enter": (options) =>
    Effect.flatMap(DoubleBarrier.make("/double", { size: 1 }), (barrier) => barrier.enter(options)),
  "DoubleBarrier.leave": (options) =>
    Effect.flatMap(DoubleBarrier.make("/double", { size: 1 }), (barrier) => barrier.leave(options))
}

const others: Record<string, Call> = {
  "Party.join": (options) => Effect.flatMap(Party.make("/party"), (party) => party.join(options)),
  "ServiceDiscovery.provider": (options) => Effect.flatMap(discovery, (services) => services.provider("web", options)),
  "ServiceDiscovery.register": (options) => Effect.flatMap(discovery, (services) => services.register(options)),
  "Counter's promote": (promote) => Counter.make("/a", { promote }),
  "Semaphore's permits": (permits) => Semaphore.make("/a", { permits })
}

/** Every duration that an option takes. */
const durations: Record<string, Call> = {
  ...Object.fromEntries(
    Object.entries(waits).map(([name, call]): [string, Call] => [name, (timeout) => call({ timeout } as never)])
  ),
  "Lease's duration": (duration) => Lease.make("/lease", { duration }),
  "Snowflake's reserve": (reserve) => Snowflake.make("/a", { reserve }),
  "Allocator's quiet": (quiet) => Allocator.make("/a", { quiet }),
  "Allocator's expiryTimeout": (expiryTimeout) => Allocator.make("/a", { expiryTimeout }),
  "Party's expiryTimeout": (expiryTimeout) =>
    Effect.flatMap(Party.make("/party"), (party) => party.join({ expiryTimeout })),
  "Party's settled": (quiet) => Effect.flatMap(Party.make("/party"), (party) => Stream.runDrain(party.settled(quiet))),
  "a cache's jitter": (jitter) => NodeCache.make("/a", { jitter }),
  "a provider's timeout": (timeout) =>
    Effect.flatMap(discovery, (services) => services.provider("web", { downInstances: { timeout } })),
  "a persistent node's ttl": (ttl) => PersistentNode.make("/a", { mode: "persistentWithTtl", ttl })
}

const refused = Effect.fnUntraced(function* (call: Call, options: unknown) {
  const error: unknown = yield* Effect.scoped(Effect.flip(call(options as never)))
  assert.instanceOf(error, InvalidArgument)
  return error
})

const wrong: ReadonlyArray<unknown> = [0, "text", null, [], () => {}, { tiemout: 5 }]

const itInMemory = testOn(it.effect, embedded, Effect.void)

describe("invalid options", () => {
  for (const [name, call] of Object.entries({ ...makes, ...waits, ...others })) {
    itInMemory(`are refused by ${name}`, function* () {
      for (const options of wrong) {
        // A number of permits is one.
        if (name === "Semaphore's permits" && options === 0) continue
        const error = yield* refused(call, options)
        assert.match(error.rule, /as in \{ .+ \}$/)
      }
    })
  }
})

describe("invalid durations", () => {
  for (const [name, call] of Object.entries(durations)) {
    itInMemory(`are refused by ${name}`, function* () {
      for (const input of [Number.NaN, -1, {}, { second: 1 }, [], "soon", "5 bananas", null, () => {}, true]) {
        yield* refused(call, input)
      }
    })
  }
})

describe("an option that is null, as in a configuration of JSON", () => {
  itInMemory("is one that is left out", function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    const lock = yield* Lock.make("/lock", { layout: null, identifier: null, onDisconnect: null } as never)
    const names = yield* lock.withLock(() => zk.getChildren("/lock"), { timeout: "5 seconds" })
    assert.match(names.join(), /^_c_.{36}-lock-0000000000$/)
    const queue = yield* Queue.make("/queue", { layout: null } as never)
    yield* queue.offer(new Uint8Array([1]))
    assert.deepStrictEqual(yield* zk.getChildren("/queue"), ["queue-0000000000"])
  })
})
