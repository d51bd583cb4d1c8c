/** All views by keys alone, while what they show comes anew all the time. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { exampleTree, makeUp } from "../support/exampleTree.ts"
import { inLong, long, nameOfFocus, row, see, tabTo } from "../support/pageTests.ts"

const owner = "0x100a3f77de10001"

const opened = Effect.fnUntraced(function* () {
  const world = yield* makeWorld({})
  yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
  yield* makeUp(world.madeUp, BigInt(owner))
  const { link } = yield* world.serve
  const { complaints, page } = yield* openPage(yield* browser, link)
  yield* see(() => row(page, "app").waitFor())
  return { ...world, complaints, page, keyboard: page.keyboard, focus: () => page.evaluate<string>(nameOfFocus) }
})

describe.skipIf(!hasBrowser)(`by keys alone${needsBrowser}`, () => {
  itQuiet(long("a person searches, and comes to a znode that was found"), inLong, function* () {
    const { complaints, focus, keyboard, page } = yield* opened()
    yield* see(async () => {
      await keyboard.press("/")
      assert.match(await focus(), /^Filter the names in \//)
      await keyboard.type("dark")
      await keyboard.press("Enter")
      await page.getByText(/^1 found in \d+ znodes/).waitFor()
      await tabTo(page, "/app/flags/dark-mode")
      await keyboard.press("Enter")
      await page.getByRole("article", { name: "/app/flags/dark-mode", exact: true }).waitFor()
      await tabTo(page, "Close")
      await keyboard.press("Enter")
      // The text that was searched for is still the filter. Without it, the row of the znode is in sight.
      await page.getByText("no name here has this text").waitFor()
      await keyboard.press("/")
      await keyboard.press("Escape")
      await page.locator(".tree .rows:focus").waitFor()
      await row(page, "dark-mode").waitFor()
      await keyboard.press("g")
      await keyboard.type("/app/config")
      await keyboard.press("Enter")
      await page.getByRole("article", { name: "/app/config", exact: true }).waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("a person comes from a lock to its session, and through all views"), inLong, function* () {
    const { complaints, focus, keyboard, page } = yield* opened()
    yield* see(async () => {
      await keyboard.press("3")
      await page.getByText("1,284 items").waitFor()
      await tabTo(page, "job-7")
      await tabTo(page, "session")
      await keyboard.press("Enter")
      await page.getByRole("region", { name: `Session ${owner}` }).waitFor()
      await tabTo(page, "Ask for its watches")
      await keyboard.press("Enter")
      await page.getByRole("button", { name: "Ask again" }).waitFor()
      await keyboard.press("/")
      assert.strictEqual(await focus(), "Filter the sessions")
      await keyboard.type("10.0.7")
      await page.getByText("1 of 3").waitFor()
      await tabTo(page, "0x300a3f77de1000f")
      await keyboard.press("Enter")
      await page.getByRole("region", { name: "Session 0x300a3f77de1000f" }).waitFor()

      await keyboard.press("2")
      await page.getByRole("heading", { name: "Ensemble" }).waitFor()
      await tabTo(page, "Ask it …")
      await keyboard.press("Enter")
      const dialog = page.getByRole("dialog")
      await dialog.getByText("srvr of zk1").waitFor()
      await tabTo(page, "mntr")
      await keyboard.press("Enter")
      await dialog.getByText("mntr of zk1").waitFor()
      await keyboard.press("Escape")
      await dialog.waitFor({ state: "detached" })
      assert.strictEqual(await focus(), "Ask it …")
      await tabTo(page, "Look again")

      await keyboard.press("5")
      await page.getByText("The watch is set.").waitFor()
      await tabTo(page, "Pause")
      await keyboard.press("Enter")
      await page.getByText("Paused: new ones are kept").waitFor()
      assert.strictEqual(await focus(), "Go on")
      await keyboard.press("?")
      await dialog.getByText("go to a path").waitFor()
      await keyboard.press("Escape")
      await dialog.waitFor({ state: "detached" })
      assert.strictEqual(await focus(), "Go on")
      await keyboard.press("1")
      await row(page, "app").waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("a person keeps the place where something comes anew"), inLong, function* () {
    const { complaints, focus, keyboard, madeUp, page } = yield* opened()
    const title = () => page.evaluate<string | undefined>("document.activeElement.title")
    yield* see(async () => {
      await keyboard.press("3")
      await page.getByText("2 waiting").waitFor()
      await tabTo(page, "job-7")
      await tabTo(page, "session")
      assert.strictEqual(await title(), `Session ${owner}`)
    })
    // One gives up; all others are told again.
    madeUp.recipes = madeUp.recipes.map((found) =>
      "contention" in found && found.contention.path === "/locks/report"
        ? { contention: { ...found.contention, contenders: found.contention.contenders.slice(0, 2) } }
        : found
    )
    yield* see(async () => {
      await page.getByText("1 waiting").waitFor()
      assert.strictEqual(await title(), `Session ${owner}`)
      await keyboard.press("4")
      await tabTo(page, "0x300a3f77de1000f")
    })
    madeUp.sessions = madeUp.sessions.map((session) => ({ ...session, lastOperation: "later" }))
    yield* see(async () => {
      await page.getByRole("cell", { name: "later" }).nth(2).waitFor()
      assert.strictEqual(await focus(), "0x300a3f77de1000f")
      await keyboard.press("Enter")
      await tabTo(page, "/workers/w-1")
    })
    madeUp.sessions = madeUp.sessions.map((session) => Object.assign({}, session, { client: "10.9.9.9:1" }))
    yield* see(async () => {
      await page.getByText("Its client is at 10.9.9.9:1").waitFor()
      assert.strictEqual(await focus(), "/workers/w-1")
    })
    assert.deepStrictEqual(complaints, [])
  })
})
