/** The cost of a crowd: how many requests a hundred contenders send for one lock, counted on the wire. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { connectString, freshPath } from "@effect-zookeeper/test-kit/TestServer"
import { connectTo } from "@effect-zookeeper/test-kit/conformance/Target"
import { layer as layerTransport, Transport } from "@effect-zookeeper/transport/Transport"
import { assert, layer } from "@effect/vitest"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Lock from "../../src/Lock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import { withClient, awaitCondition, eventually, closable, atOnce } from "../support/targets.ts"

/** A thousand take half a minute. */
const PATIENCE = 120_000

const count = process.env["ZK_LONG"] === "1" ? 1_000 : 100

/** A client of the real server, and how many requests of each kind it has sent. */
const counted = Effect.gen(function* () {
  const transport = yield* Transport
  const [host = "", port] = connectString().split(":")
  const proxy = yield* FaultProxy.make({ host, port: Number(port) })
  const zk = yield* connectTo({ servers: proxy.connectString, transport }, { sessionTimeout: "30 seconds" })
  const beside = yield* connectTo({ servers: connectString(), transport })
  const path = freshPath("crowd")
  yield* beside.create(path)
  const sent = Effect.map(proxy.requests, (all) => {
    const of = ({ opCode }: { readonly opCode: number }) => all.filter((op) => op === opCode).length
    return {
      creates: of(Operations.create2),
      lists: of(Operations.getChildren2),
      looks: of(Operations.getData),
      deletes: of(Operations.deleteNode),
      all: all.filter((op) => op !== Operations.ping.opCode).length
    }
  })
  return { beside, path, sent, zk }
})

layer(layerTransport(), { excludeTestServices: true })("a crowd", (it) => {
  const itCounted = testWith(it.effect, counted)

  itCounted(
    "contends for a lock with six requests for each, for a release wakes one",
    { timeout: PATIENCE },
    function* ({ beside, path, sent, zk }) {
      const lock = yield* withClient(zk)(Lock.make(path))
      let inside = 0
      let times = 0
      const body = Effect.gen(function* () {
        assert.strictEqual(++inside, 1)
        yield* Effect.yieldNow
        times++
        inside--
      })
      const [, release] = yield* closable(lock.acquire())
      const crowd = yield* Effect.forkChild(atOnce(Array.from({ length: count }, () => lock.withLock(body))))
      // All are in the queue, and each has looked at the one before it.
      yield* eventually(sent, ({ looks }) => looks === count + 1)
      const before = yield* sent
      assert.strictEqual(before.creates, count + 1)
      assert.strictEqual(before.lists, count + 1)
      yield* release
      yield* Fiber.join(crowd)
      const after = yield* sent
      assert.strictEqual(times, count)
      // Each is woken once: it lists who is there, and asks whose its znode is.
      assert.strictEqual(after.creates, count + 1)
      assert.strictEqual(after.lists - before.lists, count)
      assert.strictEqual(after.looks - before.looks, count)
      assert.strictEqual(after.deletes, count + 1)
      assert.strictEqual(after.all, 6 * count + 4)
      assert.deepStrictEqual(yield* getChildrenOrNone(beside, path), [])
    }
  )

  itCounted(
    "contends for permits with a fixed number of requests for each, for one at a time looks who holds them",
    { timeout: PATIENCE },
    function* ({ beside, path, sent, zk }) {
      const permits = 3
      const crowd = count / 2
      const semaphore = yield* withClient(zk)(Semaphore.make(path, { permits }))
      let inside = 0
      let most = 0
      const body = Effect.gen(function* () {
        most = Math.max(most, ++inside)
        assert.isAtMost(inside, permits)
        // The first one waits for company, however slow that comes.
        yield* awaitCondition(() => most > 1)
        yield* Effect.sleep(40)
        inside--
      })
      // Persistent: those that the recipe makes are reaped when they are empty.
      for (const name of ["locks", "leases"]) yield* beside.create(`${path}/${name}`)
      const before = yield* sent
      yield* atOnce(Array.from({ length: crowd }, () => semaphore.withPermit(body)))
      const after = yield* sent
      assert.strictEqual(after.creates - before.creates, 2 * crowd)
      assert.strictEqual(after.deletes - before.deletes, 2 * crowd)
      // Ten for each who finds room, and three more for each who has to wait for it.
      assert.isAtMost(after.all - before.all, 13 * crowd)
      assert.deepStrictEqual(yield* getChildrenOrNone(beside, `${path}/leases`), [])
    }
  )
})
