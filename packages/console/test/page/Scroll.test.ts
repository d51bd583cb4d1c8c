/** What one reads in the tree stays where it is while others change the tree above it. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import { keepScroll } from "../../page/src/tree/keepScroll.ts"
import { TreeModel } from "../../page/src/tree/TreeModel.ts"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"

const nameAt = (index: number): string => `n-${String(index).padStart(3, "0")}`

describe("rows in sight", () => {
  const names = Array.from({ length: 40 }, (_, index) => nameAt(index))
  const opened = (): TreeModel => {
    const model = new TreeModel()
    model.open("/")
    model.apply("/", { _tag: "listed", revision: 1, stat, matching: 40, total: 40, names })
    return model
  }
  /** By how many rows the list is scrolled on when the first of these rows is at its top. */
  const shiftAfter = (first: number, change: (model: TreeModel) => void): number => {
    const model = opened()
    let shift = 0
    const scroll = keepScroll(() => ({
      reveal: () => undefined,
      shift: (rows) => void (shift += rows),
      focus: () => undefined,
      firstInSight: () => first,
      rowsInSight: () => 10
    }))
    scroll.before(model)
    change(model)
    scroll.after(model)
    return shift
  }
  const changed =
    (gone: ReadonlyArray<number>, come: ReadonlyArray<{ readonly index: number; readonly name: string }>) =>
    (model: TreeModel): void => {
      const total = 40 - gone.length + come.length
      const indexed = gone.map((index) => ({ index, name: nameAt(index) }))
      model.apply("/", { _tag: "changed", revision: 2, stat, matching: total, total, gone: indexed, come: [...come] })
    }

  it("go with what comes and goes above them, and not with what comes below", () => {
    assert.strictEqual(shiftAfter(20, changed([], [{ index: 0, name: "a" }])), 1)
    assert.strictEqual(shiftAfter(20, changed([1, 2], [])), -2)
    assert.strictEqual(shiftAfter(20, changed([], [{ index: 40, name: "z" }])), 0)
    assert.strictEqual(
      shiftAfter(20, (model) => {
        model.open(`/${nameAt(3)}`)
        model.apply(`/${nameAt(3)}`, { _tag: "listed", revision: 1, stat, matching: 2, total: 2, names: ["x", "y"] })
      }),
      2
    )
  })

  it("are kept by the next one where the first of them is gone", () => {
    // The row of / is the first one: row 20 is n-019.
    assert.strictEqual(shiftAfter(20, changed([19], [{ index: 0, name: "a" }])), 0)
    assert.strictEqual(shiftAfter(20, changed([1, 19], [])), -2)
  })

  it("show what comes at the top where the top is in sight", () => {
    assert.strictEqual(shiftAfter(0, changed([], [{ index: 0, name: "a" }])), 0)
  })
})

describe.skipIf(!hasBrowser)(`the tree on the page${needsBrowser}`, () => {
  itQuiet(long("keeps the rows that one reads in their place while it changes above them"), inLong, function* () {
    const world = yield* makeWorld()
    for (let index = 0; index < 300; index += 1) yield* world.zk.create(`/${nameAt(index)}`)
    const { link } = yield* world.serve
    const { complaints, page } = yield* openPage(yield* browser, link)
    const scrollTo = (top: string) =>
      page.evaluate<number>(`(() => {
        const rows = document.querySelector(".tree .rows")
        rows.scrollTo(0, ${top})
        return rows.scrollTop
      })()`)
    const read = row(page, nameAt(150))
    const placeIn = async (position: number): Promise<number> => {
      await page
        .locator(`[role=treeitem][aria-posinset="${position}"]`)
        .filter({ hasText: nameAt(150) })
        .waitFor()
      const box = await read.boundingBox()
      assert(box !== null)
      return box.y
    }
    const before = yield* see(async () => {
      await row(page, nameAt(0)).waitFor()
      // A key lets go of the row that was to be shown.
      await page.getByRole("tree").focus()
      await page.keyboard.press("ArrowDown")
      await scrollTo("140 * 28 + 9")
      return placeIn(151)
    })
    for (const name of ["a-1", "a-2", "a-3", "m-1"]) yield* world.zk.create(`/${name}`)
    yield* see(async () => assert.strictEqual(await placeIn(155), before))
    for (const index of [1, 2, 3, 4, 5, 6]) yield* world.zk.delete(`/${nameAt(index)}`)
    yield* see(async () => assert.strictEqual(await placeIn(149), before))
    // Below it, and the first rows in sight themselves.
    yield* world.zk.create("/zz-last")
    yield* world.zk.delete(`/${nameAt(299)}`)
    yield* world.zk.create(`/${nameAt(10)}/child`)
    yield* world.zk.create("/a-4")
    yield* see(async () => assert.strictEqual(await placeIn(150), before))

    // At the top one sees what comes there.
    yield* see(async () => {
      await scrollTo("0")
      await row(page, "a-1").waitFor()
    })
    yield* world.zk.create("/0-first")
    yield* see(async () => {
      await row(page, "0-first").waitFor()
      assert.strictEqual(await scrollTo("rows.scrollTop"), 0)
    })
    assert.deepStrictEqual(complaints, [])
  })
})
