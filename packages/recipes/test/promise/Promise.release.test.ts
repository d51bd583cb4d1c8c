/** A caller that asks once for `lost`, and gives the hold back in the normal way, gets no rejection. */
import { assert, describe, it } from "@effect/vitest"
import { LockLost } from "../../src/Errors.ts"
import { type Recipes, recipes } from "../../src/Promise.ts"
import { connectFresh, rejection, itConnected } from "../support/promises.ts"

const holds = {
  "a lock": (of: Recipes) => of.lock("/lock").acquire(),
  "a write lock": (of: Recipes) => of.readWriteLock("/rw").write.acquire(),
  "a permit": (of: Recipes) => of.semaphore("/permits", { permits: 1 }).acquire(),
  leadership: (of: Recipes) => of.leaderElection("/election").acquire()
}

/** Beside these a lease, which is held by time and not by a session. */
const held = {
  ...holds,
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

  itConnected("is taken by JSON, of the state of a persistent node", async (zk) => {
    const node = await recipes(zk).persistentNode("/node")
    const { status } = node
    assert.strictEqual(status._tag, "Present")
    const { czxid } = JSON.parse(JSON.stringify(status))
    assert.match(czxid, /^\d+$/)
  })
})

describe("the loss of a released hold", () => {
  for (const [name, acquire] of Object.entries(holds)) {
    itConnected(`is never told, of ${name}, but to a caller that writes with it`, async (zk) => {
      const unhandled: Array<unknown> = []
      const note = (error: unknown) => unhandled.push(error)
      process.on("unhandledRejection", note)
      try {
        const held = await acquire(recipes(zk))
        let told = false
        const tell = () => (told = true)
        void held.lost().then(tell)
        await held.release()
        void held.lost().then(tell)
        assert.instanceOf(await rejection(held.transaction([])), LockLost)
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
