/** The page in a browser on both servers: a lost connection, an expired session, and a write of another client. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hasBrowser, needsBrowser } from "../support/browser.ts"
import { describeOnServers } from "../support/console.ts"
import { pageFiles } from "../support/pageFiles.ts"
import { inLong, isLong, long, openOn, row, see } from "../support/pageTests.ts"

describeOnServers(
  `the page${needsBrowser}`,
  (it) => {
    it.console(
      long("keeps what was seen over a lost connection and an expired session, and goes on by itself"),
      inLong,
      function* (given) {
        const { link, zk } = given
        yield* zk.create("/app")
        const { complaints, page } = yield* openOn(given)
        yield* see(() => row(page, "app").waitFor())
        yield* link.cut
        yield* see(() => page.getByText("The ensemble does not answer").waitFor())
        assert.strictEqual(yield* Effect.promise(() => row(page, "app").count()), 1)
        yield* zk.create("/meanwhile")
        yield* link.heal
        yield* see(() => row(page, "meanwhile").waitFor())

        yield* link.cut
        yield* see(() => page.getByText("The session has expired").waitFor())
        assert.strictEqual(yield* Effect.promise(() => row(page, "app").count()), 1)
        yield* zk.delete("/meanwhile")
        yield* link.heal
        yield* see(() => row(page, "meanwhile").waitFor({ state: "detached" }))
        yield* zk.create("/with-the-new-session")
        yield* see(() => row(page, "with-the-new-session").waitFor())
        assert.deepStrictEqual(complaints, [])
      }
    )

    it.console(long("shows three texts when another client was faster, and loses none"), inLong, function* (given) {
      const { zk } = given
      yield* zk.create("/flag", { data: "owner: payments\nenabled: false\n" })
      const { complaints, page } = yield* openOn(given, "/main/tree/flag")
      yield* see(async () => {
        await page.getByRole("button", { name: "Edit", exact: true }).first().click()
        await page.locator(".editing .cm-content").click()
        await page.keyboard.press("Control+End")
        await page.keyboard.type("percent: 50")
      })
      yield* zk.set("/flag", "owner: billing\nenabled: false\n")
      yield* see(async () => {
        await page.getByText("there is version 1 now").waitFor()
        await page.getByRole("button", { name: "Review and save" }).click()
        await page.getByRole("button", { name: "Put theirs into mine" }).click()
        await page.getByRole("button", { name: "Save mine over version 1" }).click()
        await page.getByText("Saved as version 2").waitFor()
      })
      const text = new TextDecoder().decode(yield* zk.getData("/flag"))
      assert.strictEqual(text, "owner: billing\nenabled: false\npercent: 50")
      assert.deepStrictEqual(complaints, [])
    })
  },
  hasBrowser && isLong ? pageFiles : undefined
)
