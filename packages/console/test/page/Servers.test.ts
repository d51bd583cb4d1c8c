/** The page in a browser on both servers: a lost connection, an expired session, and a write of another client. */
import { Protocol } from "@effect-zookeeper/console"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { describeOnServers, type OnServer } from "../support/console.ts"
import { pageFiles } from "../support/pageFiles.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** A browser is slow, and so is an expiry. */
const long = (title: string): string => (isLong ? title : `${title} (in test:long only)`)

const row = (page: Page, name: string) => page.getByRole("treeitem", { name, exact: false })
const see = (steps: () => Promise<unknown>) => Effect.promise(steps)

const opened = Effect.fnUntraced(function* ({ token, url }: OnServer, hash = "") {
  const { complaints, page } = yield* openPage(yield* browser, `${url}#${Protocol.tokenParameter}=${token}`)
  if (hash !== "") yield* see(() => page.goto(`${url}#${hash}`))
  return { complaints, page }
})

describeOnServers(
  `the page${needsBrowser}`,
  (it) => {
    it.console(
      long("keeps what was seen over a lost connection and an expired session, and goes on by itself"),
      { skip: !hasBrowser || !isLong, timeout: 300_000 },
      function* (given) {
        const { link, zk } = given
        yield* zk.create("/app")
        const { complaints, page } = yield* opened(given)
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

    it.console(
      long("shows three texts when another client was faster, and loses none"),
      { skip: !hasBrowser || !isLong, timeout: 300_000 },
      function* (given) {
        const { zk } = given
        yield* zk.create("/flag", { data: "owner: payments\nenabled: false\n" })
        const { complaints, page } = yield* opened(given, "/main/tree/flag")
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
      }
    )
  },
  hasBrowser && isLong ? pageFiles : undefined
)
