/** The page while its server is away, restarted or slow, and parts of the page that cannot be loaded or that fail. */
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { openPage as openLink } from "../support/console.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"

const it = itQuiet

describe.skipIf(!hasBrowser)(`the page without its server${needsBrowser}`, () => {
  it(long("goes on by itself, says a gap, and that a change may have been made"), inLong, function* () {
    const { serve, server, zk } = yield* makeWorld({})
    yield* zk.create("/app")
    const { drop, link, url } = yield* serve
    const { complaints, page } = yield* openPage(yield* browser, link)
    const dialog = page.getByRole("dialog")
    yield* see(async () => {
      await page.goto(`${url}#/local/events/app`)
      await page.getByText("The watch is set.").waitFor()
    })
    yield* drop
    yield* see(() => page.getByText("Events may have been missed here.").waitFor())
    yield* zk.create("/app/later")
    yield* see(async () => {
      await page.locator(".log-row", { hasText: "created/app/later" }).waitFor()
      await page.goto(`${url}#/local/tree/app`)
      await page.getByRole("button", { name: "Create a child" }).click()
      await dialog.getByRole("textbox", { name: /Name/ }).fill("job-")
      await dialog.getByRole("combobox").selectOption("persistentSequential")
    })
    yield* server.pause
    yield* see(async () => {
      await dialog.getByRole("button", { name: "Create", exact: true }).click()
      await dialog.getByRole("button", { name: "Creating …" }).waitFor()
    })
    yield* drop
    yield* see(() => dialog.getByText("The change may have been made: look before you try again.").waitFor())
    yield* server.resume
    yield* see(async () => {
      await dialog.getByRole("button", { name: "Cancel" }).click()
      await row(page, "app").locator(".twist").click()
      await row(page, "later").waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })

  it(long("says that too many pages are open, and goes on when one is closed"), inLong, function* () {
    const { serve, zk } = yield* makeWorld({})
    yield* zk.create("/app")
    const { link, url } = yield* serve
    const chromium = yield* browser
    const others = yield* Scope.make()
    const token = link.slice(link.indexOf("=") + 1)
    const open = openLink(Number(new URL(url).port), token)
    // Each has said something: its WebSocket is open.
    yield* Effect.forEach(Array.from({ length: 64 }), () => Effect.flatMap(open, (page) => page.hello()), {
      concurrency: 8
    }).pipe(Scope.provide(others))
    const { page } = yield* openPage(chromium, link)
    yield* see(() => page.getByText("Too many pages are open.").waitFor())
    yield* Scope.close(others, Exit.void)
    yield* see(async () => {
      await row(page, "app").waitFor()
      assert.strictEqual(await page.getByText("Too many pages are open.").count(), 0)
    })
  })

  it(long("names kept texts after a restart, and goes on when the new link is opened elsewhere"), inLong, function* () {
    const { serve, serveOn, zk } = yield* makeWorld({})
    yield* zk.create("/a", { data: "one" })
    const { kill, link, url } = yield* serve
    const { page } = yield* openPage(yield* browser, link)
    yield* see(async () => {
      await page.goto(`${url}#/local/tree/a`)
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await page.locator(".editing .cm-content").click()
      await page.keyboard.press("Control+End")
      await page.keyboard.type(" and mine")
    })
    yield* kill
    yield* see(() => page.getByText("The server of this page does not answer.", { exact: true }).waitFor())
    const again = yield* serveOn(Number(new URL(url).port))
    yield* see(async () => {
      await page.getByRole("heading", { name: "This link is not valid any more" }).waitFor()
      await page.getByText("A text that you typed and did not save is kept in this tab.").waitFor()
      const second = await page.context().newPage()
      await second.goto(again.link)
      await page.getByText("Editing version 0").waitFor()
      assert.strictEqual(await page.locator(".editing .cm-content").innerText(), "one and mine")
    })
  })
})

describe.skipIf(!hasBrowser)(`a view of the page${needsBrowser}`, () => {
  it(long("that cannot be loaded says so, costs no other view, and comes by itself"), inLong, function* () {
    const { serve, zk } = yield* makeWorld({})
    yield* zk.create("/app")
    const { link } = yield* serve
    const { page } = yield* openPage(yield* browser, "about:blank")
    let isAway = true
    yield* see(async () => {
      await page.route(/\/(EnsembleView|codemirror)[^/]*\.js$/, (route) => (isAway ? route.abort() : route.continue()))
      await page.goto(link)
      await row(page, "app").click()
      await page.getByRole("article", { name: "/app", exact: true }).waitFor()
      await page.keyboard.press("2")
      await page.getByText("This part of the page is not here yet").waitFor()
      await page.keyboard.press("1")
      await row(page, "app").waitFor()
      await page.keyboard.press("2")
      await page.getByText("This part of the page is not here yet").waitFor()
      isAway = false
      await page.getByRole("heading", { name: "Ensemble" }).waitFor()
    })
  })

  it(long("that fails costs no other view"), inLong, function* () {
    const { serve, zk } = yield* makeWorld({})
    yield* zk.create("/app")
    const { link } = yield* serve
    const { page } = yield* openPage(yield* browser, "about:blank")
    yield* see(async () => {
      await page.route(/\/RecipesView[^/]*\.js$/, (route) =>
        route.fulfill({
          contentType: "text/javascript",
          body: "export const RecipesView = () => { throw new Error('made up') }"
        })
      )
      await page.goto(link)
      await row(page, "app").waitFor()
      await page.keyboard.press("3")
      await page.getByText("This view has failed").waitFor()
      await page.keyboard.press("1")
      await row(page, "app").waitFor()
    })
  })

  it(long("is here before it is looked at, when the server is away by then"), inLong, function* () {
    const { serve, zk } = yield* makeWorld({})
    yield* zk.create("/app")
    const { kill, link } = yield* serve
    const { page } = yield* openPage(yield* browser, link)
    yield* see(async () => {
      const loaded = page.waitForResponse(/\/EventsView[^/]*\.js$/)
      await row(page, "app").waitFor()
      await loaded
    })
    yield* kill
    yield* see(async () => {
      await page.getByText("The server of this page does not answer.", { exact: true }).waitFor()
      await page.keyboard.press("2")
      await page.getByRole("heading", { name: "Ensemble" }).waitFor()
      await page.keyboard.press("1")
      await row(page, "app").waitFor()
    })
  })
})

describe.skipIf(!hasBrowser)(`the cursor of the tree${needsBrowser}`, () => {
  it(long("passes what cannot be listed, goes to names that come later, and outlives its znode"), inLong, function* () {
    const { serve, zk } = yield* makeWorld({})
    yield* zk.create("/a")
    yield* zk.create("/b")
    yield* zk.create("/many")
    const names = Array.from({ length: 3000 }, (_, index) => `/many/n${String(index).padStart(4, "0")}`)
    yield* Effect.forEach(names, (path) => zk.create(path), { concurrency: 200, discard: true })
    const { link, url } = yield* serve
    const { page } = yield* openPage(yield* browser, link)
    const isAt = (name: string) => page.locator(".tree-row.cursor", { hasText: name }).waitFor()
    yield* see(async () => {
      await page.goto(`${url}#/local/tree/many`)
      await row(page, "many").locator(".twist").click()
      await row(page, "n0000").waitFor()
      await page.getByRole("tree").focus()
      await page.keyboard.press("End")
      await isAt("zookeeper")
      await page.keyboard.press("ArrowUp")
      await isAt("n2999")
      await page.keyboard.press("ArrowUp")
      await isAt("n2998")
      await page.keyboard.press("Home")
      await page.keyboard.press("ArrowDown")
      await isAt("a")
    })
    yield* zk.delete("/a")
    yield* see(async () => {
      await isAt("b")
      await page.keyboard.press("ArrowDown")
      await isAt("many")
    })
  })
})

describe.skipIf(!hasBrowser)(`a tree with many open directories${needsBrowser}`, () => {
  it(long("closes those that were opened first, says so, and goes on to show what one looks at"), inLong, function* () {
    const { serve, zk } = yield* makeWorld({})
    yield* zk.create("/many")
    const names = Array.from({ length: 270 }, (_, index) => `/many/d${String(index).padStart(3, "0")}`)
    yield* Effect.forEach(names, (path) => Effect.andThen(zk.create(path), zk.create(`${path}/leaf`)), {
      concurrency: 100,
      discard: true
    })
    const { link, url } = yield* serve
    const { complaints, page } = yield* openPage(yield* browser, link)
    yield* see(async () => {
      await page.goto(`${url}#/local/tree/many`)
      await row(page, "many").locator(".twist").click()
      await row(page, "d000").waitFor()
      await page.getByRole("tree").focus()
      await page.keyboard.press("End")
      await page.keyboard.press("ArrowUp")
      // From below, so that the rows of what was opened do not come before the next directory.
      for (const _ of names) {
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowUp")
      }
      await page.getByText(/directories are open at a time: .* was closed/).waitFor()
      await row(page, "many").getByText("270").waitFor()
      await row(page, "d000").locator(".twist.open").waitFor()
      await row(page, "d000").click()
      await page.getByRole("article", { name: "/many/d000" }).getByRole("region", { name: "Stat" }).waitFor()
    })
    yield* zk.create("/many/d000/later")
    yield* see(async () => {
      await row(page, "later").waitFor()
      await page.keyboard.press("End")
      await row(page, "d269").waitFor()
      assert.strictEqual(await row(page, "d269").locator(".twist.open").count(), 0)
    })
    assert.deepStrictEqual(complaints, [])
  })
})
