import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import type { DirectoryEvent } from "@effect-zookeeper/console/Models"
import { TreeModel } from "../../page/src/tree/TreeModel.ts"

const listed = (names: ReadonlyArray<string>, matching = names.length, revision = 1): DirectoryEvent => ({
  _tag: "listed",
  revision,
  stat,
  matching,
  total: matching,
  names
})

const rows = (model: TreeModel): ReadonlyArray<string> =>
  Array.from({ length: model.count() }, (_, index) => {
    const row = model.rowAt(index)
    return row?._tag === "Znode" ? row.path : (row?.key ?? "nothing")
  })

const opened = (): TreeModel => {
  const model = new TreeModel()
  model.open("/")
  model.apply("/", listed(["a", "b", "c"]))
  model.open("/b")
  model.apply("/b", listed(["x", "y"]))
  return model
}

describe("the rows of a tree", () => {
  it("are those of all open directories, in order", () => {
    const model = opened()
    assert.deepStrictEqual(rows(model), ["/", "/a", "/b", "/b/x", "/b/y", "/c"])
    assert.deepStrictEqual(
      rows(model).map((path) => model.indexOf(path)),
      [0, 1, 2, 3, 4, 5]
    )
    assert.isUndefined(model.rowAt(6))
  })

  it("follow names that come and go, and keep what is open", () => {
    const model = opened()
    model.apply("/", {
      _tag: "changed",
      revision: 2,
      stat,
      matching: 4,
      total: 4,
      gone: [{ index: 0, name: "a" }],
      come: [
        { index: 0, name: "aa" },
        { index: 3, name: "d" }
      ]
    })
    assert.deepStrictEqual(rows(model), ["/", "/aa", "/b", "/b/x", "/b/y", "/c", "/d"])
    model.apply("/", {
      _tag: "changed",
      revision: 3,
      stat,
      matching: 3,
      total: 3,
      gone: [{ index: 1, name: "b" }],
      come: []
    })
    assert.deepStrictEqual(rows(model), ["/", "/aa", "/c", "/d"])
    assert.strictEqual(model.isOpen("/b"), false)
  })

  it("are holes until the names of a page are here", () => {
    const model = new TreeModel()
    model.open("/")
    model.apply("/", listed(["a", "b"], 5))
    assert.strictEqual(model.count(), 6)
    assert.strictEqual(model.isHole("/", 3), true)
    assert.strictEqual(model.applyPage("/", 0, 2, ["c", "d", "e"]), false)
    assert.strictEqual(model.applyPage("/", 1, 2, ["c", "d", "e"]), true)
    assert.deepStrictEqual(rows(model), ["/", "/a", "/b", "/c", "/d", "/e"])
  })

  it("stay open over a list that begins anew, and close with what is gone", () => {
    const model = opened()
    model.apply("/", listed(["0", "b"], 2, 9))
    assert.deepStrictEqual(rows(model), ["/", "/0", "/b", "/b/x", "/b/y"])
    model.apply("/", listed(["0"], 1, 10))
    assert.deepStrictEqual(rows(model), ["/", "/0"])
  })

  it("cost the same in a directory of a million", () => {
    const model = new TreeModel()
    model.open("/")
    model.apply("/", listed(Array.from({ length: 1_000_000 }, (_, index) => String(index).padStart(7, "0"))))
    // The time of the processor, which other processes do not change.
    const begin = process.cpuUsage()
    for (let index = 0; index < 40_000; index += 1) model.rowAt(900_000 + index)
    assert.strictEqual(model.indexOf("/0900001"), 900_002)
    assert.isBelow(process.cpuUsage(begin).user / 1000, 1000)
  })
})
