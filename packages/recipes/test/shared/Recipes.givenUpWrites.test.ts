/** Writes of recipes that no server takes: after eight lost connections they are given up, and the caller learns why. */
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Allocator from "../../src/Allocator.ts"
import * as AtomicValue from "../../src/AtomicValue.ts"
import * as Counter from "../../src/Counter.ts"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import type { HeldLayer } from "../../src/HeldLayer.ts"
import * as Lease from "../../src/Lease.ts"
import * as Lock from "../../src/Lock.ts"
import * as Party from "../../src/Party.ts"
import * as PersistentNode from "../../src/PersistentNode.ts"
import * as Queue from "../../src/Queue.ts"
import * as ServiceDiscovery from "../../src/ServiceDiscovery.ts"
import * as Snowflake from "../../src/Snowflake.ts"
import * as Stm from "../../src/Stm.ts"
import { assertConnectionStays, connectAnother } from "../support/embedded.ts"
import { awaitCondition, eventually, now, text, withClient } from "../support/targets.ts"

/** The most bytes of a request. */
const BUFFER = 20_000

/** Data that no server takes. */
const big = "x".repeat(BUFFER)

/** Data that a server takes alone, but not together with the lock of an item. */
const full = "x".repeat(BUFFER - 150)

const client = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer({ retry: Schedule.spaced("5 millis") })))

/** A server that closes the connection when a request is too large, and a client of it. */
const itOnSmall = testOn(
  it.live,
  Layer.provideMerge(client, EmbeddedServer.layerMemoryWith({ maxFrameSize: BUFFER })),
  ZooKeeper.ZooKeeper
)

/** From now on the server closes the connection on each such request of the client. */
const drop = (operation: string) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedServer.EmbeddedServer
    const { session } = yield* ZooKeeper.ZooKeeper
    yield* server.dropRequest({ operation, session: session.id }, 1000)
  })

type Environment = EmbeddedServer.EmbeddedServer | ZooKeeper.ZooKeeper | Scope.Scope

/** Writes that are given up. */
type Writes = ReadonlyArray<readonly [name: string, write: Effect.Effect<unknown, unknown, Environment>]>

const assertGivenUp = (error: unknown): ConnectionLoss => {
  if (!(error instanceof ConnectionLoss)) return assert.fail(`not given up, but ${String(error)}`)
  assert.strictEqual(error.losses, MAX_LOSSES)
  assert.include(error.message, "jute.maxbuffer")
  assert.isFalse(Outcome.isTransient(error))
  return error
}

/** A large write fails, and what follows it in the same session does not. */
const itGivesUp = (writes: Writes) => {
  for (const [name, write] of writes) {
    itOnSmall(`is given up after eight lost connections: ${name}`, function* (zk) {
      const server = yield* EmbeddedServer.EmbeddedServer
      yield* zk.create("/others")
      const { id } = zk.session
      assertGivenUp(yield* Effect.flip(Effect.scoped(write)))
      yield* server.clearFaults
      yield* zk.set("/others", "go on")
      assert.strictEqual(zk.session.id, id)
    })
  }
}

describe("a write that is larger than the server takes", () => {
  const Text = Schema.Struct({ text: Schema.String })

  itGivesUp([
    ["an item of a queue", Effect.flatMap(Queue.make("/queue"), (queue) => queue.offer(new Uint8Array(BUFFER)))],
    ["an atomic value", Effect.flatMap(AtomicValue.make("/value"), (value) => value.set(new Uint8Array(BUFFER)))],
    ["a transaction", Effect.flatMap(Stm.make("/stm"), ({ atomically }) => atomically((tx) => tx.set("/others", big)))],
    ["the identifier of a lock", Effect.flatMap(Lock.make("/lock", { identifier: big }), (lock) => lock.acquire())],
    [
      "the identifier of a candidate",
      Effect.flatMap(LeaderElection.make("/leader", { identifier: big }), (election) => election.acquire())
    ],
    [
      "the identifier of a lease",
      Effect.flatMap(Lease.make("/lease", { duration: "1 minute", identifier: big }), ({ obtain }) => obtain)
    ],
    [
      "the data of a member of a double barrier",
      Effect.flatMap(DoubleBarrier.make("/barrier", { size: 1, data: big }), (barrier) => barrier.enter())
    ],
    ["a new persistent node", PersistentNode.make("/node", { data: big })],
    [
      "the data of a persistent node",
      Effect.flatMap(PersistentNode.make("/node", { data: "small" }), (node) => node.setData(big))
    ],
    ["a new member of a party", Effect.flatMap(Party.make("/party"), (party) => party.join({ data: big }))],
    [
      "the data of a member of a party",
      Effect.flatMap(Party.make("/party"), (party) =>
        Effect.flatMap(party.join({ data: "small" }), (membership) => membership.setData(big))
      )
    ],
    [
      "the payload of a service's instance",
      Effect.flatMap(ServiceDiscovery.make("/services", { schema: Text }), (discovery) =>
        Effect.flatMap(discovery.register({ name: "mail", payload: { text: "small" } }), (registration) =>
          registration.update({ payload: { text: big } })
        )
      )
    ],
    [
      "the lock of an item that nearly fills the buffer",
      Effect.gen(function* () {
        const zk = yield* ZooKeeper.ZooKeeper
        yield* zk.create("/queue")
        yield* zk.create("/queue/queue-", { data: full, mode: "persistentSequential" })
        const queue = yield* Queue.make("/queue")
        yield* queue.consumeOne(() => Effect.die("it was handed out"))
      })
    ]
  ])
})

describe("a write that the server drops each time", () => {
  itGivesUp([
    [
      "of a counter",
      Effect.gen(function* () {
        const counter = yield* Counter.make("/counter")
        yield* counter.increment
        yield* drop("setData")
        yield* counter.increment
      })
    ],
    [
      "that takes an item",
      Effect.gen(function* () {
        const queue = yield* Queue.make("/queue")
        yield* queue.offer(new Uint8Array(1))
        yield* drop("multi")
        yield* queue.take
      })
    ],
    [
      "that finishes an item",
      Effect.gen(function* () {
        const queue = yield* Queue.make("/queue")
        yield* queue.offer(new Uint8Array(1))
        const taken = yield* queue.takeWithLock
        yield* drop("multi")
        yield* taken.ack
      })
    ],
    [
      "that renews a lease",
      Effect.gen(function* () {
        const lease = yield* Lease.make("/lease", { duration: "1 minute" })
        const held = Option.getOrThrow(yield* lease.obtain)
        yield* drop("multi")
        yield* held.renew
      })
    ],
    [
      "that reserves time for snowflakes",
      Effect.gen(function* () {
        const ids = yield* Snowflake.make("/ids", { reserve: 10 })
        yield* ids.next
        yield* drop("multi")
        yield* Effect.forever(ids.next)
      })
    ]
  ])

  itOnSmall("is not applied where the error says so", function* (zk) {
    const server = yield* EmbeddedServer.EmbeddedServer
    const lease = yield* Lease.make("/lease", { duration: "1 minute", identifier: big })
    assert.isFalse(assertGivenUp(yield* Effect.flip(lease.obtain)).maybeApplied)
    assert.deepStrictEqual(yield* lease.holders, [])
    const counter = yield* Counter.make("/counter")
    yield* counter.set(1n)
    yield* drop("setData")
    assert.isFalse(assertGivenUp(yield* Effect.flip(counter.increment)).maybeApplied)
    yield* server.clearFaults
    assert.strictEqual(yield* counter.get, 1n)
    assert.strictEqual((yield* zk.stat("/counter")).pipe(Option.getOrThrow).version, 0)
  })
})

describe("a write that is repeated while others write, or where some attempts are never sent", () => {
  /** The client with another `setData`, which counts the writes that get that far. */
  const writing = (setData: (attempt: number) => Effect.Effect<never, ConnectionLoss>) =>
    Effect.map(ZooKeeper.ZooKeeper, (zk) => {
      const count = { writes: 0 }
      const fails = Effect.suspend(() => setData(count.writes++))
      const service: ZooKeeper.Service = { ...zk, session: zk.session, setData: () => fails }
      return { zk: service, count }
    })

  const lost = (losses: 0 | 1) =>
    Effect.fail(new ConnectionLoss({ operation: "setData", path: "/a", maybeApplied: losses === 1, losses }))

  itOnSmall("is given up after eight connections that were lost with it", function* (zk) {
    yield* zk.create("/counter", { data: new Uint8Array(8) })
    const { count, zk: failing } = yield* writing((attempt) => lost(attempt % 2 === 0 ? 1 : 0))
    const counter = yield* withClient(failing)(Counter.make("/counter"))
    assertGivenUp(yield* Effect.flip(counter.increment))
    assert.strictEqual(count.writes, 2 * MAX_LOSSES - 1)
  })

  itOnSmall("is not repeated for ever in an allocator, where its fate stays unknown", function* (zk) {
    const set = Effect.orDie(zk.set("/shards/items", "[]"))
    const { count, zk: failing } = yield* writing(() => Effect.andThen(Effect.andThen(set, set), lost(1)))
    const allocator = yield* withClient(failing)(Allocator.make("/shards"))
    yield* zk.createWithParents("/shards/items", { data: "[]" })
    const error = yield* Effect.flip(allocator.add("a"))
    assert.strictEqual(error._tag, "OutcomeUnknown")
    assert.strictEqual(count.writes, MAX_LOSSES)
  })

  itOnSmall("costs an allocator eight connections, though the fate of some attempts is unknown", function* (zk) {
    const set = Effect.orDie(zk.set("/shards/items", "[]"))
    const others = Effect.andThen(set, set)
    // Each third fate is unknown.
    const { count, zk: failing } = yield* writing((attempt) =>
      attempt % 3 === 2 ? Effect.andThen(others, lost(1)) : lost(1)
    )
    const allocator = yield* withClient(failing)(Allocator.make("/shards"))
    yield* zk.createWithParents("/shards/items", { data: "[]" })
    const error = yield* Effect.flip(allocator.add("a"))
    assert.isTrue(assertGivenUp(error).maybeApplied)
    assert.strictEqual(count.writes, MAX_LOSSES)
  })
})

describe("a persistent node whose data no server takes", () => {
  itOnSmall("says so, and loses no further connections until it has other data", function* (zk) {
    const beside = yield* connectAnother
    const node = yield* PersistentNode.make("/node", { data: "small" })
    // A later call does not keep an earlier one waiting.
    const first = yield* Effect.forkChild(Effect.flip(node.setData(big)), now)
    const second = yield* Effect.forkChild(Effect.flip(node.setData(`${big}!`)), now)
    for (const told of [first, second]) assertGivenUp(yield* Fiber.join(told))
    assert.strictEqual(node.status._tag, "Refused")
    yield* zk.sync("/")
    yield* assertConnectionStays(zk, 500)
    yield* node.setData("other")
    yield* awaitCondition(() => node.isPresent)
    yield* eventually(Effect.map(beside.getData("/node"), text), (data) => data === "other")
  })

  itOnSmall("deletes a znode whose create was given up, and was applied", function* (zk) {
    const server = yield* EmbeddedServer.EmbeddedServer
    const create = { operation: "create2", session: zk.session.id }
    yield* server.dropRequest(create, MAX_LOSSES - 1)
    yield* server.dropReply(create)
    const making = Effect.scoped(PersistentNode.make("/node", { mode: "persistent", wait: true }))
    assert.isTrue(assertGivenUp(yield* Effect.flip(making)).maybeApplied)
    yield* eventually(zk.exists("/node"), (isThere) => !isThere)
  })
})

describe("a layer that is built while a lock is held, which is given up", () => {
  class Service extends Context.Service<Service, HeldLayer<never, never>>()("test/Service") {}

  itOnSmall("is not tried again soon", function* (zk) {
    yield* Layer.build(Lock.layerService(Service, "/lock", Layer.empty, { identifier: big }))
    yield* Effect.sleep(600)
    yield* zk.sync("/")
    yield* assertConnectionStays(zk, 1500)
  })
})
