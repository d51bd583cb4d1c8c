/** Recipes keep their own copy of what they are given: a buffer that is used again changes nothing that is written. */
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZNode from "@effect-zookeeper/client/ZNode"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Allocator from "../../src/Allocator.ts"
import * as AtomicValue from "../../src/AtomicValue.ts"
import * as Barrier from "../../src/Barrier.ts"
import * as DoubleBarrier from "../../src/DoubleBarrier.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as Party from "../../src/Party.ts"
import * as PersistentNode from "../../src/PersistentNode.ts"
import * as PriorityQueue from "../../src/PriorityQueue.ts"
import * as Queue from "../../src/Queue.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import * as ServiceDiscovery from "../../src/ServiceDiscovery.ts"
import * as Stm from "../../src/Stm.ts"
import { describeOnServers, now, text, withClient } from "../support/targets.ts"

type Needs = ZooKeeper.ZooKeeper | Scope.Scope

/** Starts a call; while it waits for the server, the application writes into its buffer. */
type Reusing = <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Gives a buffer to a recipe, and what the recipe has written. */
type Giving = (buffer: Uint8Array, reusing: Reusing) => Effect.Effect<string, unknown, Needs>

/** The data of the first of these znodes. */
const dataBelow = (path: string) =>
  Effect.gen(function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    const names = (yield* zk.getChildren(path)).toSorted()
    return text(yield* zk.getData(ZnodePath.join(path, names[0]!)))
  })

const dataAt = (path: string) => Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => Effect.map(zk.getData(path), text))

/** The data of contenders while the first of them holds something. */
const identifierOf =
  (
    path: string,
    acquire: (identifier: Data) => Effect.Effect<Effect.Effect<unknown, unknown, Needs>, unknown, Needs>
  ): Giving =>
  (buffer, reusing) =>
    Effect.flatMap(reusing(acquire(buffer)), (acquiring) => Effect.andThen(acquiring, dataBelow(path)))

const givings: Readonly<Record<string, Giving>> = {
  "a value that is set": (buffer, reusing) =>
    Effect.gen(function* () {
      const value = yield* AtomicValue.make("/it")
      const { post } = yield* reusing(value.set(buffer))
      return yield* Effect.map(dataAt("/it"), (data) => `${data}${text(post) === data ? "" : ` after ${text(post)}`}`)
    }),
  "a value with a Schema that is set": (buffer, reusing) =>
    Effect.gen(function* () {
      const options = { schema: Schema.Uint8Array, codec: ZNode.bytes, initial: new Uint8Array() }
      const { post } = yield* reusing((yield* AtomicValue.make("/it", options)).set(buffer))
      return yield* Effect.map(dataAt("/it"), (data) => `${data}${text(post) === data ? "" : ` after ${text(post)}`}`)
    }),
  "what a set of a value with bytes in it has replaced it by": (buffer, reusing) =>
    Effect.gen(function* () {
      const options = { schema: Schema.Struct({ bytes: Schema.Uint8ArrayFromBase64 }), initial: { bytes: buffer } }
      const { post } = yield* reusing((yield* AtomicValue.make("/it", options)).set({ bytes: buffer }))
      return text(post.bytes)
    }),
  "a value that is compared and set": (buffer, reusing) =>
    Effect.gen(function* () {
      const value = yield* AtomicValue.make("/it")
      yield* reusing(value.compareAndSet(yield* value.getVersioned, buffer))
      return yield* dataAt("/it")
    }),
  "the initial value": (buffer, reusing) =>
    Effect.gen(function* () {
      const value = yield* reusing(AtomicValue.make("/it", { initial: buffer }))
      // A reader may change what it was given.
      const seen = yield* value.get
      seen.fill(0)
      const { pre } = yield* value.update((pre) => pre)
      return text(pre)
    }),
  "the data of a barrier": (buffer, reusing) =>
    Effect.gen(function* () {
      const barrier = yield* reusing(Barrier.make("/it", { data: buffer }))
      yield* barrier.create
      return yield* dataAt("/it")
    }),
  "the data of a double barrier's member": (buffer, reusing) =>
    Effect.gen(function* () {
      const barrier = yield* reusing(DoubleBarrier.make("/it", { size: 1, data: buffer }))
      yield* barrier.enter()
      return yield* dataBelow("/it")
    }),
  "the data of an allocator's member": (buffer, reusing) =>
    Effect.andThen(reusing(Allocator.make("/it", { data: buffer })), dataBelow("/it/members")),
  "the data of a party's member": (buffer, reusing) =>
    Effect.gen(function* () {
      const party = yield* Party.make("/it")
      yield* reusing(party.join({ data: buffer }))
      return yield* dataBelow("/it")
    }),
  "the next data of a party's member": (buffer, reusing) =>
    Effect.gen(function* () {
      const member = yield* (yield* Party.make("/it")).join()
      yield* reusing(member.setData(buffer))
      return yield* dataBelow("/it")
    }),
  "the data of a persistent node": (buffer, reusing) =>
    Effect.gen(function* () {
      yield* (yield* reusing(PersistentNode.make("/it", { data: buffer, wait: false }))).present
      return yield* dataAt("/it")
    }),
  "the next data of a persistent node": (buffer, reusing) =>
    Effect.gen(function* () {
      yield* reusing((yield* PersistentNode.make("/it")).setData(buffer))
      return yield* dataAt("/it")
    }),
  "an item of a queue": (buffer, reusing) =>
    Effect.gen(function* () {
      const queue = yield* Queue.make("/it")
      yield* reusing(queue.offer(buffer))
      return text(yield* queue.take)
    }),
  "an item of a priority queue": (buffer, reusing) =>
    Effect.gen(function* () {
      const queue = yield* PriorityQueue.make("/it")
      yield* reusing(queue.offerAll([buffer], 1))
      return text(yield* queue.take)
    }),
  "what a transaction creates": (buffer, reusing) =>
    Effect.gen(function* () {
      const { atomically } = yield* Stm.make("/stm")
      yield* atomically((tx) => reusing(tx.create("/it", { data: buffer })))
      return yield* dataAt("/it")
    }),
  "what a transaction sets": (buffer, reusing) =>
    Effect.gen(function* () {
      const zk = yield* ZooKeeper.ZooKeeper
      yield* zk.create("/it")
      const { atomically } = yield* Stm.make("/stm")
      yield* atomically((tx) => reusing(tx.set("/it", buffer)))
      return yield* dataAt("/it")
    }),
  "the payload of an instance": (buffer, reusing) =>
    Effect.gen(function* () {
      const discovery = yield* ServiceDiscovery.make("/it", { schema: Schema.Uint8Array })
      yield* reusing(discovery.register({ name: "mail", payload: buffer }))
      const [instance] = yield* discovery.instances("mail")
      return text(instance!.payload)
    }),
  "the identifier of a lock": identifierOf("/it", (identifier) =>
    Effect.map(Lock.make("/it", { identifier }), ({ acquire }) => acquire())
  ),
  "the identifier of a read-write lock": identifierOf("/it", (identifier) =>
    Effect.map(ReadWriteLock.make("/it", { identifier }), ({ write }) => write.acquire())
  ),
  "the identifier of a permit": identifierOf("/it/leases", (identifier) =>
    Effect.map(Semaphore.make("/it", { permits: 1, identifier }), ({ acquire }) => acquire())
  ),
  "the identifier of a candidate": identifierOf("/it", (identifier) =>
    Effect.map(LeaderElection.make("/it", { identifier }), ({ acquire }) => acquire())
  )
}

describeOnServers("a buffer that is used again after the call", (it) => {
  for (const [name, giving] of Object.entries(givings)) {
    it.inChroot(`does not change ${name}`, function* ({ zk }) {
      const buffer = new TextEncoder().encode("given")
      const reusing: Reusing = (call) =>
        Effect.gen(function* () {
          const calling = yield* Effect.forkChild(call, now)
          buffer.fill(0x23)
          return yield* Fiber.join(calling)
        })
      const written = yield* withClient(zk)(giving(buffer, reusing))
      assert.strictEqual(written, "given")
      assert.strictEqual(text(buffer), "#####")
    })
  }
})
