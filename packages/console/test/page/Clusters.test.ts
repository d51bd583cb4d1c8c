/** Several clusters on one page: choosing one, and that everything belongs to the one that is chosen. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { text } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { inLong, long, row, see, tabTo } from "../support/pageTests.ts"

/** `local`, `staging` and `prod`, of which the last does not answer and is read-only. */
const opened = Effect.fnUntraced(function* () {
  const world = yield* makeWorld({ chroots: ["staging"] })
  yield* world.zk.create("/flag", { data: "of local" })
  yield* world.zk.createWithParents("/staging/flag", { data: "of staging" })
  const { link, url } = yield* world.serve
  const { complaints, page } = yield* openPage(yield* browser, link)
  yield* see(() => row(page, "flag").waitFor())
  return { ...world, complaints, page, url }
})

const choice = (page: Page) => page.getByRole("combobox", { name: "Cluster" })

const isShown = (page: Page, name: string) => page.getByRole("tree", { name: `Znodes of ${name}` }).waitFor()

const isChosen = async (page: Page, name: string): Promise<void> => {
  await isShown(page, name)
  assert.strictEqual(await choice(page).inputValue(), name)
}

describe.skipIf(!hasBrowser)(`the clusters of a page${needsBrowser}`, () => {
  itQuiet(long("are chosen, and what is typed and saved belongs to the one that was chosen"), inLong, function* () {
    const { complaints, page, zk } = yield* opened()
    const data = page.getByRole("region", { name: "Data", exact: true })
    const content = page.locator(".editing .cm-content")
    yield* see(async () => {
      await isChosen(page, "local")
      await row(page, "flag").click()
      await data.getByText("of local").waitFor()
      await choice(page).selectOption("staging")
      await page.waitForURL(/#\/staging\/tree$/)
      await isShown(page, "staging")
      await row(page, "flag").click()
      await data.getByText("of staging").waitFor()
      // Its session is made meanwhile, and its state is another one.
      await page.locator("header .state").getByText("connected", { exact: true }).waitFor()
      await isChosen(page, "staging")
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await content.click()
      await page.keyboard.press("Control+End")
      await page.keyboard.type(", changed")
      await page.keyboard.press("Control+s")
      await page.getByRole("button", { name: "Save as version 1" }).click()
      await page.getByText("Saved as version 1").waitFor()
    })
    assert.strictEqual(text(yield* zk.getData("/staging/flag")), "of staging, changed")
    assert.strictEqual(text(yield* zk.getData("/flag")), "of local")
    yield* see(async () => {
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await content.click()
      await page.keyboard.press("Control+End")
      await page.keyboard.type(", and more")
      await choice(page).selectOption("local")
      await isShown(page, "local")
      await row(page, "flag").click()
      // The znode of the same path is another one, and has no draft.
      await data.getByText("of local").waitFor()
      assert.strictEqual(await content.count(), 0)
      await page.getByRole("button", { name: "1 text is not saved: show it" }).click()
      await content.getByText("of staging, changed, and more").waitFor()
      await isChosen(page, "staging")
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(
    long("say which of them does not answer or is read-only, in the view that one looks at"),
    inLong,
    function* () {
      const { complaints, page } = yield* opened()
      yield* see(async () => {
        await page.keyboard.press("5")
        await page.getByRole("heading", { name: "Events" }).waitFor()
        await choice(page).selectOption("prod")
        await page.waitForURL(/#\/prod\/events$/)
        await page.getByRole("heading", { name: "Events" }).waitFor()
        await page.getByText("No server of the ensemble answers.").waitFor()
        await page.getByText("zk1.example:2181,zk2.example:2181 has been tried for").waitFor()
        assert.strictEqual(await choice(page).inputValue(), "prod")
        await page.getByTitle("Nothing can be changed: the profile is read-only.").waitFor()
        await choice(page).selectOption("local")
        await page.getByText("No server of the ensemble answers.").waitFor({ state: "detached" })
        await page.locator("header").getByText("changes on").waitFor()
        await page.keyboard.press("1")
        await isChosen(page, "local")
      })
      assert.deepStrictEqual(complaints, [])
    }
  )

  itQuiet(long("are chosen by keys alone"), inLong, function* () {
    const { complaints, page } = yield* opened()
    yield* see(async () => {
      await tabTo(page, "Cluster")
      await page.keyboard.press("ArrowDown")
      await page.waitForURL(/#\/staging\/tree$/)
      await isChosen(page, "staging")
      // The keys are those of the list, and change no view.
      await page.keyboard.press("2")
      await page.keyboard.press("ArrowUp")
      await page.waitForURL(/#\/local\/tree$/)
      await isChosen(page, "local")
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("are offered where a link names another one"), inLong, function* () {
    const { complaints, page, url } = yield* opened()
    yield* see(async () => {
      await page.goto(`${url}#/nowhere/tree/flag`)
      const banner = page.locator(".banner")
      await banner.getByText("There is no cluster nowhere here.").waitFor()
      await page.getByRole("heading", { name: "Choose a cluster" }).waitFor()
      assert.strictEqual(await page.getByText("Asking for the clusters").count(), 0)
      assert.strictEqual(await choice(page).inputValue(), "")
      await banner.getByRole("link", { name: "staging" }).click()
      await page.getByRole("article", { name: "/flag", exact: true }).getByText("of staging").waitFor()
      await isChosen(page, "staging")
    })
    assert.deepStrictEqual(complaints, [])
  })
})
