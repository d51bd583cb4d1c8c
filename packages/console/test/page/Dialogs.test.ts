/** The automated check for accessibility of what is not a view: dialogs, search results, banners and the gate. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { serious } from "../support/accessibility.ts"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { exampleTree, makeUp } from "../support/exampleTree.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"

/** The dialogs of one znode, by the buttons that open them, and the texts that are there then. */
const ofZnode = [
  ["Create a child", "It becomes"],
  ["Copy", "The path of the copy"],
  ["Import", "A file that was exported here"],
  ["Delete", "It has no children"],
  ["Help and keys", "an entry of the tree"],
  ["Go to path", "Go to a path"]
] as const

const type = async (page: Page, typed: string): Promise<void> => {
  // The editor of the znode before may still be there, and another button to edit beside it.
  const data = page.getByRole("region", { name: "Data", exact: true })
  await data.getByRole("button", { name: "Edit", exact: true }).click()
  await page.locator(".editing .cm-content").click()
  await page.keyboard.press("Control+End")
  await page.keyboard.type(typed)
}

describe.skipIf(!hasBrowser)(`an accessibility check${needsBrowser}`, () => {
  for (const colours of ["light", "dark"] as const) {
    itQuiet(long(`finds nothing serious in dialogs and banners, ${colours}`), inLong, function* () {
      const world = yield* makeWorld({})
      yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
      yield* makeUp(world.madeUp, 0x100a3f77de10001n)
      const { kill, link, url } = yield* world.serve
      const chromium = yield* browser
      const { complaints, page } = yield* openPage(chromium, link, { colours })
      const dialog = page.getByRole("dialog")
      const problems: Array<string> = []
      const check = async (what: string, of: Page = page): Promise<void> => {
        for (const found of await serious(of)) problems.push(`${what}: ${found}`)
      }
      const leave = async (): Promise<void> => {
        await page.keyboard.press("Escape")
        await dialog.waitFor({ state: "detached" })
      }
      const go = (path: string) => page.goto(`${url}#/local/tree${path}`)
      yield* see(async () => {
        await row(page, "app").waitFor()
        await go("/app/flags/dark-mode")
        await page.getByText('"enabled"').first().waitFor()
        for (const [name, until] of ofZnode) {
          await page.getByRole("button", { name, exact: true }).click()
          await dialog.getByText(until).first().waitFor()
          await check(name)
          await leave()
        }
        const acl = page.getByRole("region", { name: "Access control list" })
        await acl.getByRole("button", { name: "Edit" }).click()
        await dialog.getByText("The list is for this znode alone").waitFor()
        await check("the list")
        await leave()

        await type(page, " ")
        await page.keyboard.press("Control+s")
        await dialog.getByRole("button", { name: "Save as version 1" }).waitFor()
        await check("the review")
        await leave()
        await page.getByRole("button", { name: "Discard" }).click()
        await dialog.getByText("Your text is lost").waitFor()
        await check("the question")
        await leave()
      })
      yield* world.zk.set("/app/flags/dark-mode", '{"enabled":false}')
      yield* see(async () => {
        await page.getByRole("button", { name: "Compare", exact: true }).click()
        await dialog.getByText("You started from version 0").waitFor()
        await check("the conflict")
        await leave()
        await check("the editor")
        await page.getByRole("button", { name: /version 1/ }).click()
        await dialog.getByRole("button", { name: "Close", exact: true }).waitFor()
        await check("a state that was seen")
        await leave()

        await go("/app/banner")
        await type(page, " ")
        await page.getByRole("button", { name: "2 texts are not saved: show them" }).click()
        await dialog.getByRole("link", { name: "/app/flags/dark-mode" }).waitFor()
        await check("the drafts")
        await leave()

        await page.getByRole("searchbox").fill("e")
        await page.getByRole("searchbox").press("Enter")
        await page.getByText(/found in \d+ znodes/).waitFor()
        await check("the results of a search")
        await page.getByRole("button", { name: "Close", exact: true }).first().click()

        await page.goto(`${url}#/local/ensemble`)
        await page.getByRole("button", { name: "Ask it …" }).first().click()
        await dialog.getByText("srvr of zk1").waitFor()
        await check("the answer of a member")
        await leave()
        await page.goto(`${url}#/nowhere/tree`)
        await page.getByText("There is no cluster").waitFor()
        await check("an unknown cluster")
      })
      const gate = (yield* openPage(chromium, url, { colours })).page
      yield* see(async () => {
        await gate.getByRole("heading", { name: "Open the link that zk ui printed" }).waitFor()
        await check("the gate", gate)
      })
      yield* kill
      yield* see(async () => {
        await page.getByText("The server of this page does not answer.", { exact: true }).waitFor()
        await check("the banner")
      })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(complaints, [])
    })
  }
})
