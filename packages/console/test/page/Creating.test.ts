/** Znodes of every mode that a person creates on the page, and what the page says where something is refused. */
import { Acl } from "@effect-zookeeper/client"
import type * as Models from "@effect-zookeeper/console/Models"
import { text } from "@effect-zookeeper/test-kit/Expectations"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { describeOnServers } from "../support/console.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { pageFiles } from "../support/pageFiles.ts"
import { inLong, isLong, long, openOn, see } from "../support/pageTests.ts"

interface Fields {
  readonly name?: string
  readonly mode?: typeof Models.CreateMode.Type
  readonly seconds?: number
  readonly data?: string
}

/** Opens the dialog of the znode that is shown, and fills it in. */
const fillIn = async (page: Page, { data, mode, name, seconds }: Fields): Promise<void> => {
  const dialog = page.getByRole("dialog", { name: "Create a znode" })
  if ((await dialog.count()) === 0) await page.getByRole("button", { name: "Create a child" }).click()
  if (name !== undefined) await dialog.getByRole("textbox", { name: /Name/ }).fill(name)
  if (mode !== undefined) await dialog.getByRole("combobox").selectOption(mode)
  if (seconds !== undefined) await dialog.getByRole("spinbutton").fill(String(seconds))
  if (data !== undefined) await dialog.getByRole("textbox", { name: "Data" }).fill(data)
}

const create = (page: Page) => page.getByRole("dialog").getByRole("button", { name: "Create", exact: true })

describeOnServers(
  `a znode that is created on the page${needsBrowser}`,
  (it) => {
    it.console(long("has each of the seven modes"), inLong, function* (given) {
      const { url, zk } = given
      yield* zk.create("/app")
      const { complaints, page } = yield* openOn(given, "/main/tree/app")
      const created = async (fields: Fields, path: RegExp): Promise<string> => {
        await page.goto(`${url}#/main/tree/app`)
        await page.getByRole("article", { name: "/app", exact: true }).waitFor()
        await fillIn(page, { data: `as ${fields.mode}`, ...fields })
        await create(page).click()
        await page.waitForURL((url) => path.test(url.hash))
        const { hash } = new URL(page.url())
        await page.getByRole("region", { name: "Data", exact: true }).getByText(`as ${fields.mode}`).waitFor()
        return hash.replace("#/main/tree", "")
      }
      const stat = page.getByRole("region", { name: "Stat" })
      const isPersistent = () => stat.getByText("persistent", { exact: true }).waitFor()
      const paths = yield* see(async () => {
        const persistent = await created({ mode: "persistent", name: "kept" }, /tree\/app\/kept$/)
        await isPersistent()
        const numbered = await created({ mode: "persistentSequential", name: "job-" }, /tree\/app\/job-\d{10}$/)
        await isPersistent()
        const ephemeral = await created({ mode: "ephemeral", name: "alive" }, /tree\/app\/alive$/)
        await stat.getByText("ephemeral", { exact: true }).waitFor()
        // A number needs no name before it.
        const turn = await created({ mode: "ephemeralSequential" }, /tree\/app\/\d{10}$/)
        await stat.getByText("ephemeral", { exact: true }).waitFor()
        const late = await created(
          { mode: "persistentSequentialWithTtl", name: "late-", seconds: 3600 },
          /tree\/app\/late-\d{10}$/
        )
        await stat.getByText("a znode with a time to live look the same").waitFor()
        return { persistent, numbered, ephemeral, turn, late }
      })
      const there = yield* Effect.forEach(Object.values(paths), (path) => zk.get(path))
      assert.deepStrictEqual(
        there.map(({ data, stat }) => [text(data), stat.ephemeralOwner !== 0n]),
        [
          ["as persistent", false],
          ["as persistentSequential", false],
          ["as ephemeral", true],
          ["as ephemeralSequential", true],
          ["as persistentSequentialWithTtl", false]
        ]
      )
      // The session of the console has both, and not that of the test.
      const owners = new Set(there.map(({ stat }) => stat.ephemeralOwner))
      assert.strictEqual(owners.size, 2)
      assert.isFalse(owners.has(zk.session.id))

      // A container goes after its last child, and a time to live when it is over.
      yield* see(() => created({ mode: "container", name: "box" }, /tree\/app\/box$/))
      yield* zk.create("/app/box/child")
      yield* see(() => page.getByRole("button", { name: "Count the subtree" }).waitFor())
      yield* zk.delete("/app/box/child")
      const deleted = page.getByText("was deleted while you looked.")
      yield* see(async () => {
        await deleted.waitFor()
        await created({ mode: "persistentWithTtl", name: "short", seconds: 4 }, /tree\/app\/short$/)
        await deleted.waitFor()
      })
      assert.deepStrictEqual(complaints, [])
    })
  },
  hasBrowser && isLong ? pageFiles : undefined
)

const opened = Effect.fnUntraced(function* (path: string, options: Parameters<typeof makeWorld>[0] = {}) {
  const world = yield* makeWorld(options)
  yield* world.zk.create("/app")
  yield* world.zk.create("/app/there", { data: "1" })
  yield* world.zk.create("/closed", { acl: [Acl.world("ra")] })
  yield* world.zk.create("/alive", { mode: "ephemeral" })
  const { link, url } = yield* world.serve
  const { complaints, page } = yield* openPage(yield* browser, link)
  const go = async (to: string): Promise<void> => {
    await page.goto(`${url}#/local/tree${to}`)
    await page.getByRole("article", { name: to, exact: true }).getByRole("region", { name: "Stat" }).waitFor()
  }
  yield* see(() => go(path))
  return { ...world, complaints, go, page }
})

describe.skipIf(!hasBrowser)(`a change that is refused on the page${needsBrowser}`, () => {
  itQuiet(long("tells why, and what helps, and keeps what was typed"), inLong, function* () {
    const { complaints, go, page, server } = yield* opened("/app")
    const dialog = page.getByRole("dialog")
    const name = dialog.getByRole("textbox", { name: /Name/ })
    const leave = () => dialog.getByRole("button", { name: "Cancel" }).click()
    yield* see(async () => {
      await fillIn(page, { name: "there", data: "typed" })
      await create(page).click()
      await dialog.getByText("/app/there exists already.").waitFor()
      assert.strictEqual(await name.inputValue(), "there")
      assert.strictEqual(await dialog.getByRole("textbox", { name: "Data" }).inputValue(), "typed")
      // A name that cannot be part of a path is refused before it is sent.
      await name.fill("a/../b")
      await dialog.getByText("No part of a path can be . or .. .").waitFor()
      assert.strictEqual(await create(page).isDisabled(), true)
      await fillIn(page, { name: "", mode: "persistentSequentialWithTtl", seconds: 0 })
      await dialog.getByText("The time to live is more than 0 seconds.").waitFor()
      assert.strictEqual(await create(page).isDisabled(), true)
      await fillIn(page, { seconds: 60 })
    })
    // As servers with default settings do.
    yield* server.answerWith({ operation: "createTTL" }, "Unimplemented")
    yield* see(async () => {
      await create(page).click()
      await dialog.getByText("extendedTypesEnabled=true in zoo.cfg").waitFor()
      await leave()

      await go("/alive")
      await fillIn(page, { name: "child" })
      await create(page).click()
      await dialog.getByText("an ephemeral znode cannot have children; choose a persistent parent").waitFor()
      await leave()

      await go("/closed")
      await fillIn(page, { name: "child" })
      await create(page).click()
      await dialog.getByText("The ACL does not allow it: /closed").waitFor()
      await dialog.getByText("--auth-file").waitFor()
      await leave()
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("deletes no more than the person agreed to, and counts again"), inLong, function* () {
    const { complaints, page, zk } = yield* opened("/app")
    const dialog = page.getByRole("dialog")
    yield* see(async () => {
      await page.getByRole("button", { name: "Delete", exact: true }).click()
      await dialog.getByText("2 znodes", { exact: true }).waitFor()
      await dialog.getByRole("textbox", { name: /Type the name/ }).fill("app")
    })
    yield* zk.create("/app/later")
    yield* see(async () => {
      await dialog.getByRole("button", { name: "Delete 2 znodes" }).click()
      await dialog.getByText("There are 3 znodes now, which is more than you agreed to.").waitFor()
    })
    assert.deepStrictEqual((yield* zk.getChildren("/app")).toSorted(), ["later", "there"])
    yield* see(async () => {
      await dialog.getByRole("button", { name: "Count again" }).click()
      await dialog.getByRole("button", { name: "Delete 3 znodes" }).click()
      await page.getByText("3 znodes were deleted.").waitFor()
    })
    assert.isFalse(yield* zk.exists("/app"))
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("is not offered without --write, by no button and no key"), inLong, function* () {
    const { complaints, go, page } = yield* opened("/app/there", { write: false })
    const panel = page.getByRole("region", { name: "Access control list" })
    yield* see(async () => {
      await panel.waitFor()
      await page.getByTitle("Nothing can be changed: zk ui was started without --write.").waitFor()
      await page.keyboard.press("e")
      for (const name of [/^Edit/, /^Create/, /^Delete/, /^Import/, /^Copy$/]) {
        assert.strictEqual(await page.getByRole("button", { name }).count(), 0, String(name))
      }
      assert.strictEqual(await page.locator(".editing").count(), 0)
      // To look is allowed, and so is an export.
      await go("/app")
      const saved = page.waitForEvent("download")
      await page.getByRole("button", { name: "Export" }).click()
      assert.strictEqual((await saved).suggestedFilename(), "local-app.ndjson.gz")
    })
    assert.deepStrictEqual(complaints, [])
  })
})
