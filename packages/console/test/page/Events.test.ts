/** The log of events on the page, on both servers: pause, filter, gaps and export. And a search that is stopped. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { describeOnServers } from "../support/console.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { exampleTree } from "../support/exampleTree.ts"
import { pageFiles } from "../support/pageFiles.ts"
import { inLong, isLong, long, openOn, row, see } from "../support/pageTests.ts"

describeOnServers(
  `the events on the page${needsBrowser}`,
  (it) => {
    it.console(
      long("come as they happen, wait while it is paused, say a gap, and are exported"),
      inLong,
      function* (given) {
        const { link, zk } = given
        const folder = yield* TemporaryFolder.make("console-events-")
        yield* zk.create("/app")
        const { complaints, page } = yield* openOn(given, "/main/events/app")
        const log = page.getByRole("log", { name: "Events" })
        const event = (words: string) => log.locator(".log-row", { hasText: words })
        yield* see(() => page.getByText("The watch is set.").waitFor())
        yield* zk.create("/app/a", { data: "1" })
        yield* zk.set("/app/a", "2")
        yield* zk.create("/elsewhere")
        yield* see(async () => {
          await event("created/app/a").waitFor()
          await event("changed/app/a").waitFor()
          await page.getByRole("button", { name: "Pause" }).click()
        })
        yield* zk.create("/app/while-paused")
        yield* see(async () => {
          await page.getByText("Paused: 1 new one is kept, and shown when it goes on.").waitFor()
          // Another filter shows no event of after the pause either.
          await page.getByRole("searchbox").fill("app")
          assert.strictEqual(await event("while-paused").count(), 0)
          await page.getByRole("searchbox").fill("")
          await page.getByRole("button", { name: "Go on" }).click()
          await event("created/app/while-paused").waitFor()
        })

        yield* link.cut
        yield* see(() => page.getByText("The ensemble does not answer").waitFor())
        yield* link.heal
        yield* see(() => event("Events may have been missed here.").waitFor())
        yield* zk.delete("/app/a")
        yield* see(async () => {
          await event("deleted/app/a").waitFor()
          assert.strictEqual(await event("/elsewhere").count(), 0)
          await page.getByRole("searchbox").fill("paused")
          await event("deleted/app/a").waitFor({ state: "detached" })
          // The gap stays, for it is about all paths.
          await event("Events may have been missed here.").waitFor()
          const saved = page.waitForEvent("download")
          await page.getByRole("button", { name: "Export" }).click()
          await (await saved).saveAs(`${folder}/events.ndjson`)
        })
        const exported = Fs.readFileSync(`${folder}/events.ndjson`, "utf8")
          .trim()
          .split("\n")
          .map((line): { readonly event: string; readonly path: string; readonly time: string } => JSON.parse(line))
        assert.deepStrictEqual(
          exported.map(({ event, path }) => [event, path]).filter(([event]) => event !== "gap"),
          [["created", "/app/while-paused"]]
        )
        assert.isNotNaN(Date.parse(exported[0]?.time ?? ""))
        yield* see(async () => {
          await page.getByRole("searchbox").fill("")
          await page.getByRole("button", { name: "Clear" }).click()
          await page.getByText("Nothing has happened yet").waitFor()
        })
        assert.deepStrictEqual(complaints, [])
      }
    )
  },
  hasBrowser && isLong ? pageFiles : undefined
)

describe.skipIf(!hasBrowser)(`a search on the page${needsBrowser}`, () => {
  itQuiet(long("is stopped while the servers do not answer, and the next one goes on"), inLong, function* () {
    const world = yield* makeWorld({})
    yield* Effect.provideService(exampleTree, ZooKeeper.ZooKeeper, world.zk)
    const server = yield* world.serve
    const { complaints, page } = yield* openPage(yield* browser, server.link)
    const search = page.getByRole("searchbox")
    const stop = page.getByRole("button", { name: "Stop", exact: true })
    yield* see(async () => {
      await row(page, "app").waitFor()
      await search.fill("task-005")
    })
    yield* world.server.pause
    yield* see(async () => {
      await search.press("Enter")
      await page.getByText("Searching: 0 found in 0 znodes …").waitFor()
      await stop.click()
      await page.getByText("Stopped: 0 found in 0 znodes.").waitFor()
    })
    yield* world.server.resume
    yield* see(async () => {
      await search.fill("task-0051")
      await search.press("Enter")
      await page.getByText(/^1 found in \d+ znodes/).waitFor()
      assert.strictEqual(await stop.count(), 0)
      await page.getByRole("link", { name: "/tasks/task-0051" }).click()
      await page.waitForURL(/tasks\/task-0051$/)
      await page.getByText('"n": 51').waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })
})
