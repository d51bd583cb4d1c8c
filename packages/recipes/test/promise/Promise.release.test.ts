/** A caller that asks once for `lost`, and gives the hold back in the normal way, gets no rejection. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { LockLost } from "../../src/Errors.ts"
import { type Acquired, type PromiseHeld, type Recipes, recipes } from "../../src/Promise.ts"
import { connectFresh, rejection, itConnected } from "../support/promises.ts"

const held = {
  "a lock": (of: Recipes) => of.lock("/lock").acquire(),
  "a read lock": (of: Recipes) => of.readWriteLock("/rw").read.acquire(),
  "a write lock": (of: Recipes) => of.readWriteLock("/rw").write.acquire(),
  "a permit": (of: Recipes) => of.semaphore("/permits", { permits: 1 }).acquire(),
  "a worker id": (of: Recipes) => of.workerIds("/workers").acquire(),
  leadership: (of: Recipes) => of.leaderElection("/election").acquire(),
  // Held by time and not by a session.
  "a lease": (of: Recipes) => of.lease("/lease", { duration: "1 minute" }).obtain()
}

describe("a hold whose client is closed", () => {
  for (const [name, acquire] of Object.entries(held)) {
    it(`is reported as lost, of ${name}, with the reason that the client was closed`, async () => {
      const zk = await connectFresh("closed-while-held")
      const it = await acquire(recipes(zk))
      assert.isDefined(it)
      const told = rejection(it.lost())
      await zk.close()
      const loss = await told
      assert.instanceOf(loss, LockLost)
      assert.strictEqual(loss.reason, "closed")
    })
  }
})

describe("the result of a recipe", () => {
  for (const [name, acquire] of Object.entries(held)) {
    itConnected(`is taken by JSON, of ${name}, with the fencing token as decimal text`, async (zk) => {
      const it = await acquire(recipes(zk))
      assert.isDefined(it)
      const json = JSON.parse(JSON.stringify({ held: it })).held
      assert.strictEqual(json.fencingToken, String(it.fencingToken))
      assert.strictEqual(json.path, it.path)
    })
  }

  itConnected("is taken by JSON, of changes of a counter, with the numbers as decimal text", async (zk) => {
    const counter = recipes(zk).counter("/counter")
    assert.deepStrictEqual(JSON.parse(JSON.stringify(await counter.increment())), { pre: "0", post: "1", attempts: 1 })
    const exchanged = { pre: "1", post: "3", attempts: 1, applied: true }
    assert.deepStrictEqual(JSON.parse(JSON.stringify(await counter.compareAndSet(1n, 3n))), exchanged)
    const value = recipes(zk).atomicValue("/value", { schema: Schema.BigInt, initial: 7n })
    const { value: initial, stat } = JSON.parse(JSON.stringify(await value.getVersioned()))
    assert.deepStrictEqual([initial, stat], ["7", undefined])
    assert.include(JSON.stringify(await value.set(2n ** 62n)), `"post":"${2n ** 62n}"`)
  })

  itConnected("is taken by JSON, of the state of a persistent node", async (zk) => {
    const node = await recipes(zk).persistentNode("/node")
    const { status } = node
    assert.strictEqual(status._tag, "Present")
    const { czxid } = JSON.parse(JSON.stringify(status))
    assert.match(czxid, /^\d+$/)
  })
})

/** Something that is held, and how its holder hears of a loss. */
interface TakenHold {
  readonly losses: ReadonlyArray<() => Promise<never>>
  /** Needs the hold. */
  readonly use: () => Promise<unknown>
  readonly release: () => Promise<unknown>
}

const takenHoldOf = (hold: Pick<Acquired<PromiseHeld>, "lost" | "transaction" | "release"> | undefined): TakenHold => {
  assert.isDefined(hold)
  return { losses: [hold.lost], use: () => hold.transaction([]), release: hold.release }
}

const takeItem = async (of: Recipes) => {
  const queue = of.queue("/queue")
  await queue.offer(new Uint8Array(1))
  return queue.takeWithLock()
}

const takenHolds: Readonly<Record<string, (of: Recipes) => Promise<TakenHold>>> = {
  ...Object.fromEntries(
    Object.entries(held).map(([name, acquire]) => [name, async (of: Recipes) => takenHoldOf(await acquire(of))])
  ),
  "several permits": async (of) => {
    const { permits, release } = await of.semaphore("/permits", { permits: 2 }).acquireMany(2)
    assert.lengthOf(permits, 2)
    return { losses: permits.map(({ lost }) => lost), use: () => permits[1]!.transaction([]), release }
  },
  "an item": async (of) => {
    const { ack, lost, release } = await takeItem(of)
    return { losses: [lost], use: ack, release }
  },
  "an item, by its end": async (of) => {
    const { ack, lost, requeue } = await takeItem(of)
    return { losses: [lost], use: requeue, release: ack }
  }
}

describe("the loss of a released hold", () => {
  for (const [name, acquire] of Object.entries(takenHolds)) {
    itConnected(`is never told, of ${name}, but to a caller that uses it`, async (zk) => {
      const unhandled: Array<unknown> = []
      const note = (error: unknown) => unhandled.push(error)
      process.on("unhandledRejection", note)
      try {
        const { losses, release, use } = await acquire(recipes(zk))
        let told = false
        const tell = () => (told = true)
        for (const lost of losses) void lost().then(tell)
        await release()
        for (const lost of losses) void lost().then(tell)
        assert.instanceOf(await rejection(use()), LockLost)
        // A rejection without a handler is reported at the end of a turn.
        await zk.exists("/")
        assert.deepStrictEqual(unhandled, [])
        assert.isFalse(told)
      } finally {
        process.off("unhandledRejection", note)
      }
    })
  }
})
