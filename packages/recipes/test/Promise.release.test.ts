/** Whoever asks once whether something is lost, and gives it back in the normal way, hears of no rejection. */
import { assert, describe, it } from "@effect/vitest"
import { LockLost } from "../src/Errors.ts"
import { type Recipes, recipes } from "../src/Promise.ts"
import { connect, rejection } from "./promises.ts"

const holds = {
  "a lock": (of: Recipes) => of.lock("/lock").acquire(),
  "a write lock": (of: Recipes) => of.readWriteLock("/rw").write.acquire(),
  "a permit": (of: Recipes) => of.semaphore("/permits", { permits: 1 }).acquire(),
  "an office": (of: Recipes) => of.leaderElection("/election").acquire()
}

describe("the loss of what was released", () => {
  for (const [name, acquire] of Object.entries(holds)) {
    it(`is never told, of ${name}, but to who writes with it`, async () => {
      await using zk = await connect("release")
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
