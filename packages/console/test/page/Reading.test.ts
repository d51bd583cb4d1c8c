/** A znode that one reads while it changes: its JSON, its owner, its history, and a link to it for others. */
import { Acl, ZooKeeper } from "@effect-zookeeper/client"
import { formatHex } from "@effect-zookeeper/console/Models"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { exampleTree } from "../support/exampleTree.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"

const opened = Effect.fnUntraced(function* (path: string, options: Parameters<typeof makeWorld>[0] = {}) {
  const world = yield* makeWorld(options)
  yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
  const { link, url } = yield* world.serve
  const chromium = yield* browser
  const { complaints, page } = yield* openPage(chromium, link)
  yield* see(() => page.goto(`${url}#/local/tree${path}`))
  return { ...world, chromium, complaints, link, page, url }
})

const config = (replicas: number, read: number) =>
  JSON.stringify({ name: "checkout", timeouts: { connect: 2000, read }, regions: ["eu-west", "us-east"], replicas })

describe.skipIf(!hasBrowser)(`reading a znode on the page${needsBrowser}`, () => {
  itQuiet(long("folds its JSON, which stays folded while it changes elsewhere"), inLong, function* () {
    const { complaints, page, zk } = yield* opened("/app/config")
    yield* zk.set("/app/config", config(3, 15_000))
    const data = page.getByRole("region", { name: "Data", exact: true })
    const shown = (text: string) => data.locator(".cm-line").filter({ hasText: text })
    yield* see(async () => {
      await shown("15000").waitFor()
      const line = await shown('"timeouts"').boundingBox()
      assert(line !== null)
      const gutter = await data.getByTitle("Fold line").first().boundingBox()
      assert(gutter !== null)
      await page.mouse.click(gutter.x + gutter.width / 2, line.y + line.height / 2)
      await data.locator(".cm-foldPlaceholder").waitFor()
      await shown("15000").waitFor({ state: "detached" })
      assert.strictEqual(await shown("us-east").count(), 1)
    })
    yield* zk.set("/app/config", config(4, 15_000))
    yield* see(async () => {
      await shown('"replicas": 4').waitFor()
      assert.strictEqual(await shown("15000").count(), 0)
      await data.locator(".cm-foldPlaceholder").click()
      await shown("15000").waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("checks JSON while it is edited"), inLong, function* () {
    const { complaints, page } = yield* opened("/app/flags/dark-mode")
    const mistake = page.locator(".editing .cm-lintPoint-error")
    const words = page.getByText("It was JSON, and is not now")
    yield* see(async () => {
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await page.locator(".editing .cm-content").click()
      assert.strictEqual((await mistake.count()) + (await words.count()), 0)
      await page.keyboard.press("Control+End")
      await page.keyboard.type(",")
      await mistake.waitFor({ state: "attached" })
      await words.waitFor()
      await page.keyboard.press("Backspace")
      await mistake.waitFor({ state: "detached" })
      await words.waitFor({ state: "detached" })
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("names the session that owns an ephemeral znode, in its row and beside its data"), inLong, function* () {
    const { complaints, page, zk } = yield* opened("/brokers/ids/1")
    const owner = formatHex(zk.session.id)
    yield* see(async () => {
      const badge = row(page, "ephemeral").filter({ hasText: owner }).first().locator(".owner")
      await badge.waitFor()
      assert.strictEqual(await badge.getAttribute("title"), `Ephemeral: it ends with the session ${owner}`)
      const chosen = page.locator(".tree-row.chosen")
      assert.include(await chosen.innerText(), "ephemeral")
      assert.notInclude(await row(page, "brokers").first().innerText(), "ephemeral")
      await page.getByRole("region", { name: "Stat" }).getByRole("link", { name: owner }).click()
      await page.waitForURL((url) => url.hash.endsWith(`/local/sessions/${owner}`))
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("says in the row of a znode that it may not be read, until it may"), inLong, function* () {
    const { complaints, page, zk } = yield* opened("/app", { version: "3.9" })
    yield* zk.create("/vault", { data: "gold", acl: [Acl.world("cdwa")] })
    const words = row(page, "vault").getByText("may not be read")
    yield* see(async () => {
      await words.waitFor()
      assert.include(await words.getAttribute("title"), "ACL")
      // As a screen reader says it.
      assert.match(await row(page, "vault").ariaSnapshot(), /treeitem "vault may not be read"/)
      assert.strictEqual(await page.getByText("may not be read").count(), 1)
    })
    yield* zk.setAcl("/vault", [Acl.world("cdrwa")])
    yield* zk.set("/vault", "silver")
    yield* see(async () => {
      await words.waitFor({ state: "detached" })
      await row(page, "vault").getByText("6 B").waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("has a history of what was seen, which tells what each write changed"), inLong, function* () {
    const { complaints, page, zk } = yield* opened("/app/banner")
    const history = page.getByRole("region", { name: "Seen so far" })
    yield* see(() => page.getByText("onclick=alert(1)").first().waitFor())
    assert.strictEqual(yield* see(() => history.count()), 0)
    yield* zk.set("/app/banner", "Sale\nuntil Monday")
    yield* see(() => history.getByRole("button", { name: /version 1, 17 bytes/ }).waitFor())
    yield* zk.set("/app/banner", "Sale\nuntil Friday")
    yield* see(() => history.getByRole("button", { name: /version 2, 17 bytes/ }).waitFor())
    yield* zk.delete("/app/banner")
    yield* see(async () => {
      await history.getByRole("button", { name: /deleted/ }).waitFor()
      assert.strictEqual(await history.getByRole("button").count(), 4)
      await history.getByRole("button", { name: /version 2/ }).click()
      const dialog = page.getByRole("dialog", { name: /Version 2, seen/ })
      await dialog.locator(".cm-changedLine").filter({ hasText: "until Friday" }).waitFor()
      await dialog.locator(".cm-deletedChunk").filter({ hasText: "until Monday" }).waitFor()
      await dialog.getByRole("button", { name: "Close", exact: true }).last().click()
      await dialog.waitFor({ state: "detached" })
    })
    // It is of one znode.
    yield* see(async () => {
      await page.goto(`${page.url().split("#")[0]}#/local/tree/app/config`)
      await page.getByText("checkout").first().waitFor()
      assert.strictEqual(await history.count(), 0)
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("has a link for others, without the token, which leads to it"), inLong, function* () {
    const path = "/app/flags/new-checkout"
    const { chromium, complaints, link, page, url } = yield* opened(path)
    /** A page may not read the clipboard, so that it is pasted. */
    const pasted = async (): Promise<string> => {
      await page.keyboard.press("g")
      const field = page.getByRole("textbox", { name: "Path" })
      await field.fill("")
      await field.press("Control+v")
      const text = await field.inputValue()
      await page.keyboard.press("Escape")
      return text
    }
    const copied = yield* see(async () => {
      await page.getByRole("button", { name: "Copy a link to this znode" }).click()
      await page.getByText("The link is copied. It has no token.").waitFor()
      return pasted()
    })
    assert.strictEqual(copied, `${url}#/local/tree${path}`)
    // It also leads there from another place of the page.
    yield* see(async () => {
      await page.goto(`${url}#/local/events`)
      await page.getByText("The watch is set").waitFor()
      await page.keyboard.press("g")
      await page.getByRole("textbox", { name: "Path" }).fill(copied)
      await page.keyboard.press("Enter")
      await page.getByRole("article", { name: path, exact: true }).waitFor()
    })
    // Another person with the token, in another browser.
    const other = (yield* openPage(chromium, link)).page
    yield* see(async () => {
      await row(other, "app").waitFor()
      await other.goto(copied)
      await other.getByRole("article", { name: path, exact: true }).getByText("percent").first().waitFor()
      await page.getByRole("button", { name: "Copy the path" }).click()
      await page.getByText("The path is copied.").waitFor()
      assert.strictEqual(await pasted(), path)
      // A browser may refuse.
      await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
      await page.getByRole("button", { name: "Copy the path" }).click()
      await page.getByText("The browser does not allow to copy it.").waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })
})
