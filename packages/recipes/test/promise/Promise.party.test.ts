import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it } from "@effect/vitest"
import { recipes } from "../../src/Promise.ts"

describe("a party, as Promises", () => {
  it("is awaited, joined and left, and shows its members", async () => {
    const { chroot, connectString } = fresh("party")
    await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
    await root.create(chroot)
    const zk = await root.withChroot(chroot)
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
    const again = await party.join({ id: "one" }).catch((error: unknown) => error)
    assert.propertyVal(again, "_tag", "MemberExists")
    const aborted = await party
      .join({ id: "two" }, { signal: AbortSignal.abort("no") })
      .catch((error: unknown) => error)
    assert.strictEqual(aborted, "no")
    await one.setData("2")
    assert.strictEqual(new TextDecoder().decode((await party.members()).get("one")), "2")
    await one.release()
    await watching
    assert.strictEqual(one.status._tag, "Closed")
    assert.deepStrictEqual(sizes.at(-1), 0)
    assert.deepStrictEqual(await zk.getChildren("/party").catch(() => []), [])
  })
})
