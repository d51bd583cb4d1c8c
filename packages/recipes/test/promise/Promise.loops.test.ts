/** Loops over what recipes tell end quietly when the application closes its own client. */
import { SessionClosed } from "@effect-zookeeper/client"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { type Recipes, recipes } from "../../src/Promise.ts"
import { connectFresh, rejection } from "../support/promises.ts"

const loops: Record<string, (of: Recipes) => Promise<AsyncIterable<unknown>> | AsyncIterable<unknown>> = {
  "a node cache": async (of) => (await of.nodeCache("/cache")).changes,
  "a children cache": async (of) => (await of.childrenCache("/cache")).changes,
  "a tree cache": async (of) => (await of.treeCache("/cache")).changes,
  "a party": async (of) => (await of.party("/party")).changes,
  "a party that has settled": async (of) => (await of.party("/party")).settled(1),
  "a member": async (of) => (await (await of.party("/party")).join()).changes,
  "a persistent node": async (of) => (await of.persistentNode("/node")).changes,
  "an allocator": async (of) => (await of.allocator("/items", { items: ["a"], quiet: 0 })).changes,
  "an election": (of) => of.leaderElection("/election").changes,
  "a service": (of) => of.serviceDiscovery("/services", { schema: Schema.Unknown }).watch("web"),
  "an atomic value": (of) => of.atomicValue("/value").changes
}

describe("a loop over the changes of", () => {
  for (const [name, changes] of Object.entries(loops)) {
    it(`${name} ends when its client is closed, and so does one that begins later`, async () => {
      const zk = await connectFresh("recipe-loops")
      const iterable = await changes(recipes(zk))
      const loop = iterable[Symbol.asyncIterator]()
      await loop.next()
      const drained = (async () => {
        while ((await loop.next()).done !== true);
        return "ended"
      })()
      await zk.close()
      assert.strictEqual(await drained, "ended")
      const late = iterable[Symbol.asyncIterator]()
      for (let left = 8; (await late.next()).done !== true; left--) assert.isAbove(left, 0)
    })
  }
})

describe("a single wait for a recipe", () => {
  it("rejects with SessionClosed when its client is closed", async () => {
    const zk = await connectFresh("recipe-waits")
    const of = recipes(zk)
    const taking = rejection(of.queue("/queue").take())
    await of.barrier("/barrier").create()
    const waiting = rejection(of.barrier("/barrier").wait())
    await zk.close()
    assert.instanceOf(await taking, SessionClosed)
    assert.instanceOf(await waiting, SessionClosed)
  })
})
