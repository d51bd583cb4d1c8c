/** The memory that a cached znode takes, and the values that are read of it. */
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import { retainedBytes } from "@effect-zookeeper/test-kit/MemoryUse"
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import * as TreeSnapshot from "../../src/internal/caches/TreeSnapshot.ts"
import { numbersBelow } from "../support/targets.ts"

const full = {
  czxid: 0x1_0000_0001n,
  mzxid: 0x7fff_ffff_ffff_ffffn,
  ctime: 1_700_000_000_123,
  mtime: 1_700_000_000_456,
  version: -2_147_483_648,
  cversion: 2,
  aversion: 3,
  ephemeralOwner: -1n,
  dataLength: 4,
  numChildren: 5,
  pzxid: 0x2_0000_0001n
}

describe("a cached znode", () => {
  it("has the data and the Stat that it was made of, however often it is read", () => {
    const data = Uint8Array.of(9, 1, 2, 3, 4, 9).subarray(1, 5)
    const { root } = TreeSnapshot.put(TreeSnapshot.empty, [], { data, stat: full })
    for (const znode of [root?.znode, root?.znode]) {
      assert.deepStrictEqual([...(znode?.data ?? [])], [1, 2, 3, 4])
      assert.deepStrictEqual({ ...znode?.stat }, full)
    }
  })

  it("keeps them when a child comes or goes, and its data when its Stat changes", () => {
    const znode = { data: Uint8Array.of(1), stat: full }
    const one = TreeSnapshot.put(TreeSnapshot.empty, [], znode)
    const two = TreeSnapshot.put(one, ["child"], { data: Uint8Array.of(2), stat })
    const three = TreeSnapshot.putStat(two, [], { ...full, cversion: 9 })
    for (const tree of [one, two, TreeSnapshot.remove(two, ["child"])]) {
      assert.deepStrictEqual({ ...tree.root?.znode.stat }, full)
      assert.deepStrictEqual(tree.root?.znode.data, znode.data)
    }
    assert.deepStrictEqual({ ...three.root?.znode.stat }, { ...full, cversion: 9 })
    assert.deepStrictEqual(three.root?.znode.data, znode.data)
    assert.deepStrictEqual(TreeSnapshot.find(three, ["child"])?.znode.data, Uint8Array.of(2))
  })

  it("becomes JSON as the Stat of a read does, with 64-bit numbers as text", () => {
    const { root } = TreeSnapshot.put(TreeSnapshot.empty, [], { data: new Uint8Array(0), stat: full })
    const json = JSON.parse(JSON.stringify(root?.znode.stat))
    assert.deepStrictEqual(json.mzxid, String(full.mzxid))
    assert.deepStrictEqual(json.mtime, full.mtime)
  })

  it("takes less than 400 bytes beyond its data, with its name", () => {
    const parents = 100
    const data = new Uint8Array(100 * 32)
    const znode = (n: number): DataAndStat => {
      const zxid = BigInt(n) + full.czxid
      const copy = new Uint8Array(data.buffer, (n % 32) * 100, 100)
      return {
        data: copy,
        stat: { ...full, czxid: zxid, mzxid: BigInt(n) + full.czxid, pzxid: BigInt(n) + full.czxid }
      }
    }
    const before = retainedBytes()
    let tree = TreeSnapshot.put(TreeSnapshot.empty, [], znode(0))
    for (const parent of numbersBelow(parents)) {
      tree = TreeSnapshot.put(tree, [`parent-${parent}`], znode(parent))
      for (const child of numbersBelow(100)) {
        tree = TreeSnapshot.put(tree, [`parent-${parent}`, `child-${child}`], znode(parent * 100 + child))
      }
    }
    const bytes = (retainedBytes() - before) / tree.size
    assert.strictEqual(tree.size, 1 + parents * 101)
    assert.isBelow(bytes, 400)
  })
})
