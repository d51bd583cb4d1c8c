/** Nothing that a person types is lost or changed, and nothing is saved over a version that was not shown. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { text } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"

const it = itQuiet

/** Znodes with data, and the page of the first of them. */
const opened = Effect.fnUntraced(function* (znodes: Readonly<Record<string, string>>) {
  const world = yield* makeWorld({})
  for (const [path, data] of Object.entries(znodes)) yield* world.zk.create(path, { data })
  const server = yield* world.serve
  const { complaints, page } = yield* openPage(yield* browser, server.link)
  const go = (path: string) => page.goto(`${server.url}#/local/tree${path}`)
  yield* see(() => go(Object.keys(znodes)[0] ?? "/"))
  return { ...world, ...server, complaints, page, go }
})

const content = (page: Page) => page.locator(".editing .cm-content")

/** Types at the end of the data of the znode that is shown. */
const typeAtEnd = async (page: Page, typed: string): Promise<void> => {
  if ((await content(page).count()) === 0) {
    await page.getByRole("button", { name: "Edit", exact: true }).first().click()
  }
  await content(page).click()
  await page.keyboard.press("Control+End")
  await page.keyboard.type(typed)
}

const beginToSave = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: "Review and save" }).click()
  await page.getByRole("button", { name: "Save as version 1" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Saving …" }).waitFor()
  await page.keyboard.press("Escape")
  await page.getByRole("dialog").waitFor({ state: "detached" })
}

describe.skipIf(!hasBrowser)(`a text that is edited on the page${needsBrowser}`, () => {
  it(long("keeps what is typed while a save is on its way"), inLong, function* () {
    const { page, server, zk } = yield* opened({ "/a": "one" })
    yield* see(() => typeAtEnd(page, " two"))
    yield* server.pause
    yield* see(async () => {
      await beginToSave(page)
      await typeAtEnd(page, " three")
    })
    yield* server.resume
    yield* see(async () => {
      await page.getByText("Saved as version 1").waitFor()
      await page.getByText("Editing version 1").waitFor()
      assert.strictEqual(await content(page).innerText(), "one two three")
      await page.getByRole("button", { name: "Review and save" }).click()
      await page.getByRole("button", { name: "Save as version 2" }).click()
      await page.getByText("Saved as version 2").waitFor()
    })
    assert.strictEqual(text(yield* zk.getData("/a")), "one two three")
  })

  it(long("stays a draft when another znode was saved meanwhile"), inLong, function* () {
    const { go, page, server, zk } = yield* opened({ "/a": "one", "/b": "two" })
    yield* see(async () => {
      await go("/b")
      await typeAtEnd(page, " and mine")
      await go("/a")
      await typeAtEnd(page, " more")
    })
    yield* server.pause
    yield* see(async () => {
      await beginToSave(page)
      await go("/b")
    })
    yield* server.resume
    yield* see(async () => {
      await page.getByText("Saved as version 1").waitFor()
      await page.getByText("Editing version 0").waitFor()
      assert.strictEqual(await content(page).innerText(), "two and mine")
      await go("/a")
      await page.getByText("one more").waitFor()
      await page.getByRole("region", { name: "Data", exact: true }).waitFor()
    })
    assert.strictEqual(text(yield* zk.getData("/a")), "one more")
    assert.strictEqual(text(yield* zk.getData("/b")), "two")
  })

  it(long("is saved over no version that came after the one that is compared"), inLong, function* () {
    const { page, zk } = yield* opened({ "/flag": "owner: payments\non: false\n" })
    const dialog = page.getByRole("dialog")
    yield* see(async () => {
      await typeAtEnd(page, "percent: 50")
      await page.getByRole("button", { name: "Review and save" }).click()
      await dialog.getByRole("button", { name: "Save as version 1" }).waitFor()
    })
    // The review becomes a comparison as soon as there is something to compare with.
    yield* zk.set("/flag", "owner: billing\non: false\n")
    yield* see(async () => {
      await dialog.getByText("There now: version 1").waitFor()
      await dialog.getByRole("button", { name: "Put theirs into mine" }).click()
    })
    yield* zk.set("/flag", "owner: billing\non: true\n")
    yield* see(async () => {
      await dialog.getByText("It has changed again, and is at version 2 now").waitFor()
      await dialog.getByText("There now: version 1").waitFor()
      assert.strictEqual(await dialog.getByRole("button", { name: "Save mine over version 1" }).isDisabled(), true)
      await dialog.getByRole("button", { name: "Compare with version 2" }).click()
      await dialog.getByText("There now: version 2").waitFor()
      await dialog.getByRole("button", { name: "Save mine over version 2" }).click()
      await page.getByText("Saved as version 3").waitFor()
    })
    assert.strictEqual(text(yield* zk.getData("/flag")), "owner: billing\non: false\npercent: 50")
  })

  it(long("keeps the ends of all lines that are not edited"), inLong, function* () {
    const { go, page, zk } = yield* opened({ "/windows": "a=1\r\nb=2\r\n", "/both": "a=1\r\nb=2\nc=3\r" })
    yield* see(async () => {
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await content(page).click()
      for (const key of ["Control+Home", "End", "Backspace", "3", "Enter", "n"]) await page.keyboard.press(key)
      await page.getByRole("button", { name: "Review and save" }).click()
      await page.getByRole("button", { name: "Save as version 1" }).click()
      await page.getByText("Saved as version 1").waitFor()
    })
    assert.strictEqual(text(yield* zk.getData("/windows")), "a=3\r\nn\r\nb=2\r\n")
    yield* see(async () => {
      await go("/both")
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await content(page).click()
      for (const key of ["Control+Home", "ArrowRight", "ArrowRight", "Delete", "3"]) await page.keyboard.press(key)
      await page.getByRole("button", { name: "Review and save" }).click()
      await page.getByRole("button", { name: "Save as version 1" }).click()
      await page.getByText("Saved as version 1").waitFor({ state: "attached" })
      await page.getByRole("region", { name: "Data", exact: true }).waitFor()
    })
    assert.strictEqual(text(yield* zk.getData("/both")), "a=3\r\nb=2\nc=3\r")
  })

  it(long("is named in every view, and asked for before the tab closes"), inLong, function* () {
    const { go, page } = yield* opened({ "/a": "one", "/b": "two", "/c": "three" })
    yield* see(async () => {
      await typeAtEnd(page, " more")
      await go("/b")
      await page.getByText("two").first().waitFor()
      await page.keyboard.press("2")
      await page.getByRole("heading", { name: "Ensemble" }).waitFor()
      await page.getByRole("button", { name: "1 text is not saved: show it" }).click()
      await page.getByText("Editing version 0").waitFor()
      await go("/c")
      await typeAtEnd(page, " more")
      await page.getByRole("button", { name: "2 texts are not saved: show them" }).click()
      await page.getByRole("dialog").getByRole("link", { name: "/a" }).click()
      await page.getByRole("article", { name: "/a", exact: true }).waitFor()
      await go("/b")
      const [asked, closed] = [page.waitForEvent("dialog"), page.waitForEvent("close")]
      await page.close({ runBeforeUnload: true })
      assert.strictEqual((await asked).type(), "beforeunload")
      await closed
    })
  })

  it(long("that is shown keeps its selection and its folds while it changes elsewhere"), inLong, function* () {
    const flags = (percent: number) =>
      JSON.stringify({ changed: percent, owner: { team: "payments", mail: "pay@example.org" }, percent }, undefined, 2)
    const { page, zk } = yield* opened({ "/flags": flags(1) })
    const data = page.getByRole("region", { name: "Data", exact: true })
    yield* see(async () => {
      await data.getByText('"payments"').waitFor()
      await data.getByText('"owner"').click()
      await page.keyboard.press("Control+Shift+BracketLeft")
      await data.locator(".cm-foldPlaceholder").waitFor()
      await data.getByText('"percent"').dblclick()
      await data.locator(".cm-selectionBackground").waitFor()
    })
    yield* zk.set("/flags", flags(2500))
    yield* see(async () => {
      await data.getByText("2500").first().waitFor()
      assert.strictEqual(await data.locator(".cm-foldPlaceholder").count(), 1)
      assert.strictEqual(await data.locator(".cm-selectionBackground").count(), 1)
    })
  })
})

describe.skipIf(!hasBrowser)(`a dialog of the page${needsBrowser}`, () => {
  it(long("is not closed by the answer of another one, and asks before its text is lost"), inLong, function* () {
    const { complaints, page, server } = yield* opened({ "/a": "one" })
    const dialog = page.getByRole("dialog")
    const name = dialog.getByRole("textbox", { name: /Name/ })
    yield* see(async () => {
      await page.getByRole("button", { name: "Delete", exact: true }).click()
      await dialog.getByText("It has no children").waitFor()
      await dialog.getByRole("textbox", { name: /Type the name/ }).fill("a")
    })
    yield* server.pause
    yield* see(async () => {
      await dialog.getByRole("button", { name: "Delete", exact: true }).click()
      await dialog.getByRole("button", { name: "Deleting …" }).waitFor()
      await dialog.getByRole("button", { name: "Cancel" }).click()
      await page.getByRole("button", { name: "Create a child" }).click()
      await name.fill("fresh")
    })
    yield* server.resume
    yield* see(async () => {
      await page.getByText("The znode was deleted.").waitFor()
      assert.strictEqual(await name.inputValue(), "fresh")
      assert.match(page.url(), /tree\/a$/)
      await name.press("Escape")
      await dialog.getByRole("button", { name: "Keep it" }).click()
      assert.strictEqual(await name.inputValue(), "fresh")
      await page.keyboard.press("Escape")
      await page.keyboard.press("Escape")
      await dialog.getByRole("button", { name: "Discard" }).click()
      await dialog.waitFor({ state: "detached" })
      await row(page, "a").waitFor({ state: "detached" })
    })
    assert.deepStrictEqual(complaints, [])
  })
})
