import { ZooKeeper } from "@effect-zookeeper/client"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { exampleTree, hostileNames } from "../support/exampleTree.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"

const it = itQuiet
const seconds = 240_000

const opened = Effect.fnUntraced(function* (hash = "", options: Parameters<typeof makeWorld>[0] = {}) {
  const world = yield* makeWorld(options)
  yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
  const server = yield* world.serve
  const { link } = server
  const chromium = yield* browser
  const { complaints, page } = yield* openPage(chromium, link)
  if (hash !== "") yield* see(() => page.goto(`${server.url}#${hash}`))
  return { ...world, url: server.url, link, chromium, page, complaints }
})

describe.skipIf(!hasBrowser)(`the page${needsBrowser}`, () => {
  it(
    "shows a tree that follows what others do, and takes the token out of the address",
    { timeout: seconds },
    function* () {
      const { complaints, page, zk } = yield* opened()
      yield* see(() => row(page, "app").waitFor())
      assert.notInclude(page.url(), "token")

      yield* zk.create("/zebra", { data: "1" })
      yield* see(() => row(page, "zebra").waitFor())
      yield* zk.delete("/zebra")
      yield* see(() => row(page, "zebra").waitFor({ state: "detached" }))
      assert.deepStrictEqual(complaints, [])
    }
  )

  it(long("can be walked and changed to another view by keys alone"), inLong, function* () {
    const { page } = yield* opened()
    yield* see(() => row(page, "app").waitFor())
    yield* see(async () => {
      await page.getByRole("tree").focus()
      const { keyboard } = page
      await keyboard.press("Home")
      await keyboard.press("ArrowDown")
      await keyboard.press("ArrowRight")
      await row(page, "config").waitFor()
      for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) await keyboard.press(key)
      await keyboard.press("Enter")
      await page.waitForURL(/tree\/app\/config$/)
      await page.getByText("checkout").first().waitFor()
      await keyboard.press("2")
      await page.getByRole("heading", { name: "Ensemble" }).waitFor()
    })
  })

  it("shows names and data that look like markup, and runs none of it", { timeout: seconds }, function* () {
    const { complaints, page } = yield* opened("/local/tree/hostile")
    yield* see(() => row(page, "hostile").waitFor())
    yield* see(() => row(page, "hostile").locator(".twist").click())
    yield* see(() => row(page, "emoji").waitFor())
    const shown = yield* Effect.promise(() => page.locator(".tree-row .name").allTextContents())
    assert.include(shown, hostileNames[0])
    assert.include(shown, "a\\u202egpj.exe")
    assert.include(shown, "zero\\u200bwidth")
    yield* see(() => page.goto(`${page.url().split("#")[0]}#/local/tree/app/banner`))
    yield* see(() => page.getByText("onclick=alert(1)").first().waitFor())
    assert.notInclude(yield* Effect.promise(() => page.title()), "run")
    assert.strictEqual(yield* Effect.promise(() => page.locator(".tree img, main script").count()), 0)
    assert.deepStrictEqual(complaints, [])
  })

  it(
    "saves by version: of two pages that edit one znode, neither overwrites the other",
    { timeout: seconds },
    function* () {
      const { chromium, complaints, link, page, url, zk } = yield* opened("/local/tree/app/flags/new-checkout")
      const other = (yield* openPage(chromium, link)).page
      yield* see(() => other.goto(`${url}#/local/tree/app/flags/new-checkout`))
      for (const one of [page, other]) {
        yield* see(() => one.getByRole("button", { name: "Edit", exact: true }).first().click())
        yield* see(() => one.locator(".editing .cm-content").waitFor())
      }
      yield* see(async () => {
        await edit(page, "false", "true")
        await page.getByRole("button", { name: "Review and save" }).click()
        await page.getByRole("button", { name: /Save as version 1/ }).click()
        await page.getByText("Saved as version 1").waitFor()
      })
      yield* see(async () => {
        await other.getByText("there is version 1 now").waitFor()
        await edit(other, "25", "50")
        await other.getByRole("button", { name: "Review and save" }).click()
        await other.getByText("The changes are in different places").waitFor()
        await other.getByRole("button", { name: "Put theirs into mine" }).click()
        await other.getByRole("button", { name: "Save mine over version 1" }).click()
        await other.getByText("Saved as version 2").waitFor()
      })
      const { data } = yield* zk.get("/app/flags/new-checkout")
      assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(data)), {
        enabled: true,
        percent: 50,
        owner: "payments"
      })
      assert.deepStrictEqual(complaints, [])
    }
  )

  it(long("keeps what was typed over a reload and a deleted znode"), inLong, function* () {
    const { page, zk } = yield* opened("/local/tree/app/flags/dark-mode")
    yield* see(async () => {
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await edit(page, "true", "false")
      await page.reload()
      await page.getByText("Editing version 0").waitFor()
    })
    yield* zk.delete("/app/flags/dark-mode")
    yield* see(() => page.getByText("The znode is gone. Your text is kept").waitFor())
    assert.include(yield* Effect.promise(() => page.locator(".editing .cm-content").innerText()), "false")
  })

  it(long("creates a znode, and deletes a subtree only after its name was typed"), inLong, function* () {
    const { page, zk } = yield* opened("/local/tree/tasks")
    yield* see(async () => {
      await page.getByRole("button", { name: "Create a child" }).click()
      await page.getByRole("textbox", { name: /Name/ }).fill("fresh")
      await page.getByRole("textbox", { name: "Data" }).fill("hello")
      await page.getByRole("button", { name: "Create", exact: true }).click()
      await page.waitForURL(/tasks\/fresh$/)
    })
    assert.deepStrictEqual((yield* zk.get("/tasks/fresh")).data, new TextEncoder().encode("hello"))
    yield* see(async () => {
      await page.getByRole("navigation", { name: "Path" }).getByRole("link", { name: "tasks" }).click()
      await page.getByRole("button", { name: "Delete" }).click()
      await page.getByText("62 znodes").first().waitFor()
      await page.getByRole("button", { name: "Cancel" }).click()
      await page.getByRole("button", { name: "Count the subtree" }).click()
      await page.getByText(/62 znodes, [\d,.]+ (bytes|kB)/).waitFor()
      await page.getByRole("button", { name: "Delete" }).click()
      await page.getByText("62 znodes").first().waitFor()
      const confirm = page.getByRole("button", { name: "Delete 62 znodes" })
      assert.strictEqual(await confirm.isDisabled(), true)
      await page.getByRole("textbox", { name: /Type the name/ }).fill("tasks")
      await confirm.click()
      await page.getByText("62 znodes were deleted").waitFor()
    })
  })

  it(long("exports a subtree as a file, and imports it elsewhere"), inLong, function* () {
    const { complaints, page, zk } = yield* opened("/local/tree/app/flags")
    const file = `${yield* TemporaryFolder.make("console-export-")}/flags.ndjson.gz`
    yield* see(async () => {
      const saved = page.waitForEvent("download")
      await page.getByRole("button", { name: "Export" }).click()
      await (await saved).saveAs(file)
    })
    yield* see(async () => {
      await page.getByRole("button", { name: "Import" }).click()
      const dialog = page.getByRole("dialog")
      const chooser = dialog.locator("input[type=file]")
      await chooser.setInputFiles({ name: "large.gz", mimeType: "", buffer: Buffer.alloc(5 * 1024 * 1024 + 1) })
      await dialog.getByText("The file has more than").waitFor()
      await chooser.setInputFiles(file)
      await dialog.getByRole("textbox").fill("/imported/flags")
      await dialog.getByRole("button", { name: "Count what would be created" }).click()
      await dialog.getByText("3 would be created").waitFor()
      await dialog.getByRole("button", { name: "Create 3 znodes" }).click()
      await page.waitForURL(/imported\/flags$/)
      await row(page, "imported").waitFor()
    })
    const copied = yield* zk.getData("/imported/flags/new-checkout")
    assert.deepStrictEqual(copied, yield* zk.getData("/app/flags/new-checkout"))
    assert.deepStrictEqual(complaints, [])
  })

  it(long("brings the row of a path into sight, also after another view"), inLong, function* () {
    const { page } = yield* opened("/local/tree/tasks/task-0059")
    const isInSight = async (name: string) => {
      const found = row(page, name).last()
      await found.waitFor()
      const rows = page.locator(".tree .rows")
      await page.waitForTimeout(500)
      const [at, around] = [await found.boundingBox(), await rows.boundingBox()]
      assert(at !== null && around !== null)
      assert.isAtLeast(at.y, around.y - 1)
      assert.isAtMost(at.y + at.height, around.y + around.height + 1)
    }
    yield* see(async () => {
      await isInSight("task-0059")
      await page.keyboard.press("3")
      await page.getByRole("heading", { name: "Recipes", exact: true }).waitFor()
      await page.keyboard.press("g")
      await page.getByRole("textbox", { name: "Path" }).fill("/tasks/task-0030")
      await page.keyboard.press("Enter")
      await isInSight("task-0030")
      await page.keyboard.press("3")
      await page.keyboard.press("g")
      await page.getByRole("textbox", { name: "Path" }).fill("/services")
      await page.keyboard.press("Enter")
      await isInSight("services")
    })
  })

  it(long("allows no change without --write, and says so"), inLong, function* () {
    const { page } = yield* opened("/local/tree/app/config", { write: false })
    yield* see(() => page.getByText("replicas").first().waitFor())
    assert.isAbove(yield* Effect.promise(() => page.getByText("read-only").count()), 0)
    assert.strictEqual(
      yield* Effect.promise(() => page.getByRole("button", { name: /^(Edit|Delete|Create)/ }).count()),
      0
    )
  })

  it(long("finds names and data below a path, and filters a directory"), inLong, function* () {
    const { page } = yield* opened("/local/tree/tasks")
    yield* see(async () => {
      await row(page, "tasks").locator(".twist").click()
      await row(page, "task-0000").waitFor()
      await row(page, "task-0000").click()
      await page.getByRole("searchbox").fill("005")
      await row(page, "task-0059").waitFor()
      await page.getByText("11 of 60 names").waitFor()
      await row(page, "task-0000").waitFor({ state: "detached" })
      await page.getByRole("searchbox").press("Enter")
      await page.getByText(/11 found in \d+ znodes/).waitFor()
    })
  })

  it(
    long("says when the ensemble or the server of the page is gone, keeps what was seen, and recovers"),
    inLong,
    function* () {
      const world = yield* makeWorld({})
      yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
      const chromium = yield* browser
      const { kill, link } = yield* world.serve
      const { page } = yield* openPage(chromium, link)
      yield* see(() => row(page, "app").waitFor())
      yield* world.server.pause
      yield* world.server.disconnectAll
      yield* see(() => page.getByText("The ensemble does not answer").waitFor({ timeout: 60_000 }))
      assert.strictEqual(yield* Effect.promise(() => row(page, "app").count()), 1)
      yield* world.server.resume
      yield* see(() => page.getByText("The ensemble does not answer").waitFor({ state: "detached", timeout: 60_000 }))
      yield* world.zk.create("/after-the-outage")
      yield* see(() => row(page, "after-the-outage").waitFor())

      yield* kill
      yield* see(() =>
        page.getByText("The server of this page does not answer.", { exact: true }).waitFor({ timeout: 60_000 })
      )
      assert.strictEqual(yield* Effect.promise(() => row(page, "app").count()), 1)
    }
  )
})

/** Replaces a word in the editor as a person would: by selecting it and typing. */
const edit = async (page: Page, before: string, after: string): Promise<void> => {
  const word = page.locator(".editing .cm-line span", { hasText: new RegExp(`^${before}$`) }).first()
  await word.dblclick()
  await page.keyboard.type(after)
}
