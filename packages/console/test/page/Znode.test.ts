/** One znode on the page, on both servers: its ACL, large, packed and decoded data, copies of it, and all of it by keys alone. */
import { Acl } from "@effect-zookeeper/client"
import { text } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Zlib from "node:zlib"
import { hasBrowser, needsBrowser } from "../support/browser.ts"
import { describeOnServers } from "../support/console.ts"
import { pageFiles } from "../support/pageFiles.ts"
import { inLong, isLong, long, nameOfFocus, openOn, see, tabTo } from "../support/pageTests.ts"

const secret = "correct horse"

describeOnServers(
  `a znode on the page${needsBrowser}`,
  (it) => {
    it.console(long("is copied with all below it, and what is there already stays"), inLong, function* (given) {
      const { zk } = given
      yield* zk.createWithParents("/app/flags/dark", { data: "on" })
      yield* zk.create("/app/flags/light", { data: "off" })
      yield* zk.create("/app/flags/seen", { mode: "ephemeral" })
      const { complaints, page } = yield* openOn(given, "/main/tree/app/flags")
      const dialog = page.getByRole("dialog")
      const count = async (): Promise<void> => {
        await page.getByRole("button", { name: "Copy", exact: true }).click()
        await dialog.getByRole("textbox").fill("/app/flags-copy")
        await dialog.getByRole("button", { name: "Count what would be created" }).click()
      }
      yield* see(async () => {
        await count()
        await dialog.getByText("3 would be created and 1 is left out.").waitFor()
        assert.strictEqual(await page.getByRole("treeitem", { name: "flags-copy" }).count(), 0)
        await dialog.getByRole("button", { name: "Create 3 znodes" }).click()
        await page.getByText("3 znodes were created.").waitFor()
        await page.waitForURL(/tree\/app\/flags-copy$/)
      })
      assert.deepStrictEqual((yield* zk.getChildren("/app/flags-copy")).toSorted(), ["dark", "light"])
      assert.strictEqual(text(yield* zk.getData("/app/flags-copy/dark")), "on")

      yield* zk.set("/app/flags-copy/dark", "mine")
      yield* zk.delete("/app/flags-copy/light")
      yield* see(async () => {
        await page.getByRole("navigation", { name: "Path" }).getByRole("link", { name: "app" }).click()
        await page.getByRole("treeitem", { name: "flags", exact: false }).first().click()
        await page.getByRole("article", { name: "/app/flags", exact: true }).waitFor()
        await count()
        await dialog.getByText("1 would be created, 2 are there already and 1 is left out.").waitFor()
        await dialog.getByRole("button", { name: "Create 1 znode", exact: true }).click()
        await page.getByText("One znode was created.").waitFor()
      })
      assert.strictEqual(text(yield* zk.getData("/app/flags-copy/dark")), "mine")
      assert.strictEqual(text(yield* zk.getData("/app/flags-copy/light")), "off")
      assert.deepStrictEqual(complaints, [])
    })

    it.console(
      long("has an ACL in words, which is changed by version, and whose secrets are not told"),
      inLong,
      function* (given) {
        const { zk } = given
        yield* zk.create("/vault", { data: "gold" })
        const { complaints, page } = yield* openOn(given, "/main/tree/vault")
        const panel = page.getByRole("region", { name: "Access control list" })
        const dialog = page.getByRole("dialog")
        const save = dialog.getByRole("button", { name: "Save the list" })
        yield* see(async () => {
          await panel.getByText("Anyone who can connect may do everything.").waitFor()
          await panel.getByText("Open to the world").waitFor()
          await panel.getByRole("button", { name: "Edit" }).click()
          await dialog.getByLabel("admin").uncheck()
          await dialog.getByText("be able to change this list again").waitFor()
          await dialog.getByRole("button", { name: "Remove this entry" }).click()
          await dialog.getByText("Without an entry").waitFor()
          assert.strictEqual(await save.isDisabled(), true)
          await dialog.getByRole("button", { name: "Add an entry" }).click()
        })
        // Somebody else is faster, and is not overwritten.
        yield* zk.setAcl("/vault", [Acl.world("cdrwa"), Acl.ip("127.0.0.0/8", "r")])
        yield* see(async () => {
          await save.click()
          await dialog.getByText("was changed meanwhile. Nothing was changed.").waitFor()
          await dialog.getByRole("button", { name: "Begin with the list that is there now" }).click()
          await dialog.getByText("Clients with an address in 127.0.0.0/8 may read it.").waitFor()
          await dialog.getByLabel("Scheme").first().selectOption("digest")
          await dialog.getByLabel("User").fill("ops")
          await dialog.getByText("A new digest entry needs a password.").waitFor()
          assert.strictEqual(await save.isDisabled(), true)
          await dialog.getByLabel("Password").fill(secret)
          await save.click()
          await page.getByText("The ACL was changed.").waitFor()
          await panel.getByText("The user ops, with a password may do everything.").waitFor()
          // Now this console may only look.
          await panel.getByRole("button", { name: "Edit" }).click()
          await dialog.getByLabel("write").last().check()
          await save.click()
          await dialog.getByText("may not be seen by this console").waitFor()
        })
        yield* zk.addAuth("digest", Redacted.make(`ops:${secret}`))
        const { acl } = yield* zk.getAcl("/vault")
        assert.deepStrictEqual(
          acl.map(({ id, perms, scheme }) => [scheme, id.replace(/:.*/, ""), perms]),
          [
            ["digest", "ops", Acl.perms("cdrwa")],
            ["ip", "127.0.0.0/8", Acl.perms("r")]
          ]
        )
        const shown = yield* see(() => page.content())
        for (const hidden of [secret, acl[0]?.id.split(":")[1] ?? ""]) assert.notInclude(shown, hidden)
        assert.deepStrictEqual(complaints, [])
      }
    )

    it.console(
      long("shows gzip unpacked, and data by the Schema of its path, without what the Schema hides"),
      inLong,
      function* (given) {
        const { zk } = given
        const packed = Uint8Array.from(Zlib.gzipSync('{"fields":["id","name"]}'))
        yield* zk.create("/packed", { data: packed })
        yield* zk.create("/broken", { data: packed.subarray(0, -10) })
        yield* zk.createWithParents("/flags/dark", { data: `{"enabled":true,"key":"${secret}"}` })
        yield* zk.create("/flags/odd", { data: '{"enabled":"maybe"}' })
        const { complaints, page } = yield* openOn(given, "/main/tree/packed")
        const data = page.getByRole("region", { name: "Data" })
        const form = (name: string) => data.getByRole("button", { name, exact: true })
        const goTo = async (path: string): Promise<void> => {
          await page.keyboard.press("g")
          await page.getByRole("textbox", { name: "Path" }).fill(path)
          await page.keyboard.press("Enter")
        }
        yield* see(async () => {
          await data.getByText('"name"').waitFor()
          assert.strictEqual(await form("Unzipped").getAttribute("aria-pressed"), "true")
          await form("Hex").click()
          await data.getByText("1f 8b 08").waitFor()
          await goTo("/broken")
          await data.getByText("It begins like gzip, and cannot be unzipped.").waitFor()
          await goTo("/flags/dark")
          await data.getByText("<redacted>").waitFor()
          assert.strictEqual(await form("Flag").getAttribute("aria-pressed"), "true")
          assert.strictEqual(await data.getByText(secret).count(), 0)
          await form("JSON").click()
          await data.getByText(secret).waitFor()
          await goTo("/flags/odd")
          await data.getByText("It is no Flag:").waitFor()
        })
        // What another client mends is decoded as soon as it is written.
        yield* zk.set("/flags/odd", '{"enabled":false}')
        yield* see(() => data.getByText("false").waitFor())
        assert.deepStrictEqual(complaints, [])
      }
    )

    it.console(long("of 1 MB is shown whole, edited and saved"), inLong, function* (given) {
      const { zk } = given
      const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${"x".repeat(37)}`)
      const large = lines.join("\n")
      assert.isAbove(large.length, 950_000)
      yield* zk.create("/large", { data: large })
      const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 37) % 256)
      yield* zk.create("/bytes", { data: bytes })
      const { complaints, page } = yield* openOn(given, "/main/tree/large")
      yield* see(async () => {
        await page.getByText("line 0 xxx").waitFor()
        assert.strictEqual(await page.getByText("Only the first").count(), 0)
        await page.getByRole("button", { name: "Edit", exact: true }).first().click()
        await page.locator(".editing .cm-content").click()
        await page.keyboard.press("Control+End")
        await page.keyboard.type("!")
        await page.keyboard.press("Control+s")
        const review = page.getByRole("dialog")
        await review.getByText("unchanged lines").waitFor()
        await review.getByRole("button", { name: "Save as version 1" }).click()
        await page.getByText("Saved as version 1").waitFor()
      })
      assert.strictEqual(text(yield* zk.getData("/large")), `${large}!`)
      yield* see(async () => {
        await page.getByRole("treeitem", { name: "bytes" }).click()
        const hex = page.getByRole("group", { name: "Data as hexadecimal numbers" })
        await hex.focus()
        await page.keyboard.press("End")
        await hex.getByText("000f4230").waitFor()
      })
      assert.deepStrictEqual(complaints, [])
    })

    it.console(long("is created, changed and deleted by keys alone"), inLong, function* (given) {
      const { zk } = given
      yield* zk.create("/app")
      const { complaints, page } = yield* openOn(given, "/main/tree/app")
      const { keyboard } = page
      const focus = () => page.evaluate<string>(nameOfFocus)
      yield* see(async () => {
        await page.getByText("This znode has no data.").waitFor()
        await tabTo(page, "Create a child")
        await keyboard.press("Enter")
        await page.getByRole("dialog").waitFor()
        // It begins at the name, and the focus returns to where it was.
        assert.include(await focus(), "Name, below")
        await keyboard.press("Escape")
        await page.getByRole("dialog").waitFor({ state: "detached" })
        assert.strictEqual(await focus(), "Create a child")

        await keyboard.press("Enter")
        await keyboard.type("flag")
        await tabTo(page, "Data")
        await keyboard.type("on")
        await tabTo(page, "Create")
        await keyboard.press("Enter")
        await page.waitForURL(/tree\/app\/flag$/)

        const created = page.getByRole("article", { name: "/app/flag", exact: true })
        await created.getByText("version 0, as it was created").waitFor()
        await keyboard.press("e")
        await page.locator(".editing .cm-content").waitFor()
        await keyboard.press("Control+a")
        await keyboard.type("off")
        await keyboard.press("Control+s")
        await page.getByRole("dialog", { name: "Save this change?" }).waitFor()
        assert.strictEqual(await focus(), "Save as version 1")
        await keyboard.press("Enter")
        await page.getByText("Saved as version 1").waitFor()
        assert.strictEqual(await focus(), "Edit")
      })
      assert.strictEqual(text(yield* zk.getData("/app/flag")), "off")
      yield* see(async () => {
        await tabTo(page, "Delete")
        await keyboard.press("Enter")
        await page.getByText("It has no children.").waitFor()
        await keyboard.type("flag")
        await keyboard.press("Enter")
        await page.getByText("The znode was deleted.").waitFor()
        await page.waitForURL(/tree\/app$/)
      })
      assert.deepStrictEqual(yield* zk.getChildren("/app"), [])
      assert.deepStrictEqual(complaints, [])
    })
  },
  hasBrowser && isLong ? pageFiles : undefined
)
