/**
 * The order of children and of ephemeral znodes: what a real 3.8.0 listed is listed here, and not what was made first.
 */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert, describe, it } from "@effect/vitest"
import { start } from "../support/harness.ts"

const EPHEMERAL = 1
const SEQUENTIAL = 2

describe("what a server lists", () => {
  it("has children in the order of a real one, which is not that of their creation", () => {
    const { client, harness } = start()
    harness.create(client, "/x")
    const children = () => harness.ask(client, Operations.getChildren2, { path: "/x", watch: false }).response.children
    assert.deepStrictEqual(children(), [])
    for (const name of ["m", "c", "a"]) harness.create(client, `/x/${name}`)
    assert.deepStrictEqual(children(), ["a", "c", "m"])
    for (let n = 0; n < 5; n++) harness.create(client, "/x/q-", SEQUENTIAL)
    for (const name of ["b", "z", "item-2", "item-10"]) harness.create(client, `/x/${name}`)
    // As Apache ZooKeeper 3.8.0 has answered.
    const real = "a q-0000000003 b c item-2 item-10 z q-0000000006 m q-0000000007 q-0000000004 q-0000000005".split(" ")
    assert.deepStrictEqual(children(), real)
    const plain = harness.ask(client, Operations.getChildren, { path: "/x", watch: false }).response.children
    assert.deepStrictEqual(plain, real)
  })

  it("has every child once, however many there are", () => {
    const { client, harness } = start()
    harness.create(client, "/x")
    for (let n = 0; n < 1_000; n++) harness.create(client, "/x/n-", SEQUENTIAL)
    const { children } = harness.ask(client, Operations.getChildren2, { path: "/x", watch: false }).response
    assert.lengthOf(children, 1_000)
    assert.strictEqual(new Set(children).size, 1_000)
    assert.notDeepEqual(children, [...children].sort())
  })

  it("has the ephemeral znodes of a session in no order of creation either", () => {
    const { client, harness } = start()
    for (const name of ["m", "c", "a"]) harness.create(client, `/${name}`, EPHEMERAL)
    const { ephemerals } = harness.ask(client, Operations.getEphemerals, { prefixPath: "/" }).response
    assert.deepStrictEqual(ephemerals, ["/a", "/c", "/m"])
  })
})
