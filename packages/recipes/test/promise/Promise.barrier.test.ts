import { assert, describe } from "@effect/vitest"
import { recipes } from "../../src/Promise.ts"
import { itConnected } from "../support/promises.ts"

const tagOf = (error: unknown) => (error instanceof Error && "_tag" in error ? error._tag : error)

describe("barriers, as Promises", () => {
  itConnected("hold up until they are lifted, and can be aborted", async (zk) => {
    const barrier = recipes(zk).barrier("/barrier")
    await barrier.create()
    assert.strictEqual(await barrier.wait({ timeout: 0 }).catch(tagOf), "WaitTimeout")
    const controller = new AbortController()
    const aborted = barrier.wait(undefined, { signal: controller.signal }).catch((error: unknown) => error)
    controller.abort("enough")
    assert.strictEqual(await aborted, "enough")
    const waiting = barrier.wait()
    await barrier.lift()
    await waiting
    assert.throws(() => recipes(zk).barrier("barrier"))
  })

  itConnected("let in and out together", async (zk) => {
    const member = () => recipes(zk).doubleBarrier("/double", { size: 2 })
    const [one, two] = [member(), member()]
    assert.strictEqual(await one.enter({ timeout: 100 }).catch(tagOf), "WaitTimeout")
    await Promise.all([one.enter(), two.enter()])
    assert.strictEqual(await one.leave({ timeout: 100 }).catch(tagOf), "WaitTimeout")
    await Promise.all([one.leave(), two.leave()])
    // A member that gave up during its creation may be there for a moment, and then leaves the barrier as it is.
    const names = () => zk.getChildren("/double").catch(() => [])
    while ((await names()).some((name) => name !== "ready"));
    assert.throws(() => recipes(zk).doubleBarrier("/double", { size: 0 }))
  })
})
