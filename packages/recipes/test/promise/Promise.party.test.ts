import { assert, describe } from "@effect/vitest"
import { recipes } from "../../src/Promise.ts"
import { rejection, itConnected } from "../support/promises.ts"

describe("a party, as Promises", () => {
  itConnected("is awaited, joined and left, and shows its members", async (zk) => {
    await using party = await recipes(zk).party("/party")
    const one = await party.join({ id: "one", data: "1" })
    assert.strictEqual(one.status._tag, "Present")
    const sizes: Array<number> = []
    const watching = (async () => {
      for await (const members of party.changes) {
        sizes.push(members.size)
        if (members.size === 0) return
      }
    })()
    assert.propertyVal(await rejection(party.join({ id: "one" })), "_tag", "MemberExists")
    assert.strictEqual(await rejection(party.join({ id: "two" }, { signal: AbortSignal.abort("no") })), "no")
    await one.setData("2")
    assert.strictEqual(new TextDecoder().decode((await party.members()).get("one")), "2")
    await one.release()
    await watching
    assert.strictEqual(one.status._tag, "Closed")
    assert.deepStrictEqual(sizes.at(-1), 0)
    assert.deepStrictEqual(await zk.getChildren("/party").catch(() => []), [])
  })
})
