import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import type { DirectoryEvent } from "@effect-zookeeper/console/Models"
import { at, type Cursor, landing, onRow, settled } from "../../page/src/tree/cursor.ts"
import { oldestBeside } from "../../page/src/tree/room.ts"
import { TreeModel } from "../../page/src/tree/TreeModel.ts"

const listed = (names: ReadonlyArray<string>, matching = names.length): DirectoryEvent => ({
  _tag: "listed",
  revision: 1,
  stat,
  matching,
  total: matching,
  names
})

const opened = (names: ReadonlyArray<string>, matching?: number): TreeModel => {
  const model = new TreeModel()
  model.open("/")
  model.apply("/", listed(names, matching))
  return model
}

/** Where the cursor is after a move by so many rows. */
const moved = (model: TreeModel, path: string, by: number): Cursor | undefined => {
  const from = model.indexOf(path) ?? 0
  return onRow(model, landing(model, from, from + by))
}

describe("the cursor of the tree", () => {
  it("passes over remarks in both directions, and stays where there is nothing else", () => {
    const model = opened(["a", "b"])
    for (const path of ["/a", "/b"]) {
      model.open(path)
      model.apply(path, { _tag: "forbidden", revision: 1 })
    }
    assert.deepStrictEqual(moved(model, "/a", 1), at("/b"))
    assert.deepStrictEqual(moved(model, "/b", -1), at("/a"))
    assert.deepStrictEqual(moved(model, "/b", 1), at("/b"))
    assert.deepStrictEqual(moved(model, "/a", 100), at("/b"))
    assert.deepStrictEqual(moved(model, "/b", -100), at("/"))
  })

  it("goes to a place whose name is not here yet, and is on the name when it comes", () => {
    const model = opened(["a", "b"], 5)
    const last = moved(model, "/", 100)
    assert.deepStrictEqual(last, { _tag: "Hole", parent: "/", index: 4 })
    assert(last !== undefined)
    assert.deepStrictEqual(settled(model, last, 5), last)
    assert.deepStrictEqual(onRow(model, landing(model, 5, 4)), { _tag: "Hole", parent: "/", index: 3 })
    model.applyPage("/", 1, 2, ["c", "d", "e"])
    assert.deepStrictEqual(settled(model, last, 5), at("/e"))
  })

  it("is on what comes to the place of a znode that is gone, and on the last row after the last one", () => {
    const model = opened(["a", "b", "c"])
    const without = (index: number, name: string) =>
      model.apply("/", { _tag: "changed", revision: 2, stat, matching: 2, total: 2, gone: [{ index, name }], come: [] })
    without(1, "b")
    assert.deepStrictEqual(settled(model, at("/b"), 2), at("/c"))
    without(1, "c")
    assert.deepStrictEqual(settled(model, at("/c"), 2), at("/a"))
  })

  it("stays on a znode that a filter hides", () => {
    const model = opened(["a", "b"])
    model.setFilter("/", "b")
    model.apply("/", listed(["b"]))
    assert.deepStrictEqual(settled(model, at("/a"), 1), at("/a"))
  })
})

describe("the directory that makes room for another one", () => {
  it("is the one that was opened first, without open ones below it, and not above the other one", () => {
    const open = ["/", "/app", "/app/a", "/app/b", "/other"]
    assert.strictEqual(oldestBeside(open, "/other"), "/app/a")
    assert.strictEqual(oldestBeside(open, "/app/a"), "/app/b")
    assert.strictEqual(oldestBeside(["/", "/app", "/app-2", "/other"], "/other"), "/app")
    assert.isUndefined(oldestBeside(["/", "/app", "/app/a"], "/app/a"))
  })
})
