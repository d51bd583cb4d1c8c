/** The ensemble in a browser: what has changed in its configuration, and its members over the last hour. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { formatHex } from "@effect-zookeeper/console/Models"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import type { Page } from "playwright-core"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { makeWorld } from "../support/consoleWorld.ts"
import { healthyMembers } from "../support/exampleTree.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"
import { startZkUi } from "../support/zkUi.ts"

describe.skipIf(!hasBrowser)(`the ensemble on the page${needsBrowser}`, () => {
  itQuiet(long("says what has changed in its configuration, also after another view"), inLong, function* () {
    const { connectString } = yield* ZooKeeperServer.make({ quorum: true, startTimeout: "90 seconds" })
    const zk = yield* clientOf(ZooKeeper.layer({ servers: connectString }))
    yield* zk.create("/app")
    yield* zk.addAuth("digest", Redacted.make("super:secret"))
    const { complaints, page } = yield* openPage(yield* browser, yield* startZkUi(connectString))
    const panel = page.getByRole("region", { name: "Configuration", exact: true })
    const changes = panel.getByRole("list", { name: "Changes of the configuration" })
    yield* see(async () => {
      await page.keyboard.press("2")
      await panel.getByRole("cell", { name: "participant" }).waitFor()
      assert.strictEqual(await changes.count(), 0)
    })

    yield* zk.reconfigure({ joining: ["server.9=127.0.0.1:29998:29999:observer;127.0.0.1:29997"] })
    yield* see(async () => {
      await changes.getByText("Member 9 joined as an observer (127.0.0.1:29998:29999).").waitFor()
      await panel.getByRole("cell", { name: "observer" }).waitFor()
      // What happens while another view is shown is not lost, either.
      await page.keyboard.press("1")
      await row(page, "app").waitFor()
    })

    yield* zk.reconfigure({ joining: ["server.9=127.0.0.1:29998:29999:observer;127.0.0.1:29996"] })
    yield* see(() => page.waitForTimeout(6_000))
    const { version } = yield* zk.reconfigure({ leaving: [9] })
    yield* see(async () => {
      await page.keyboard.press("2")
      await changes.getByText("Member 9 left (127.0.0.1:29998:29999).").waitFor()
      await panel.getByText(`version ${formatHex(version)}`).waitFor()
      const sentences = await changes.getByRole("listitem").locator("p").allTextContents()
      assert.deepStrictEqual(sentences, [
        "Member 9 left (127.0.0.1:29998:29999).",
        "Member 9 is at 127.0.0.1:29996 for clients, and was at 127.0.0.1:29997.",
        "Member 9 joined as an observer (127.0.0.1:29998:29999)."
      ])
    })
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("has plots of what happened before the page was opened, which go on"), inLong, function* () {
    const world = yield* makeWorld()
    world.madeUp.members = healthyMembers
    const chromium = yield* browser
    const { link, url } = yield* world.serve
    const first = yield* openPage(chromium, link)
    yield* see(() => first.page.goto(`${url}#/local/ensemble`))
    const connections = (page: Page) => page.getByRole("figure").filter({ hasText: "Connections" })
    const now = (page: Page) => connections(page).getByRole("img").getAttribute("aria-label")
    yield* see(async () => {
      await connections(first.page).locator("canvas").waitFor()
      assert.strictEqual(await now(first.page), "zk1.example:2181: 57, zk2.example:2181: 42, zk3.example:2181: 39")
      // Three samples.
      await first.page.waitForTimeout(11_000)
    })
    const later = yield* openPage(chromium, link)
    yield* see(async () => {
      await later.page.goto(`${url}#/local/ensemble`)
      await connections(later.page).locator("canvas").waitFor()
      // A line needs two samples, and there has been no time for another.
      const found = await later.page.evaluate<ReadonlyArray<number>>(pixelsOfLines("Connections"))
      assert.strictEqual(found.length, 3)
      for (const pixels of found) assert.isAbove(pixels, 50, found.join())
    })
    world.madeUp.members = healthyMembers.map((member) => Object.assign({}, member, { connections: 1234 }))
    yield* see(async () => {
      for (const { page } of [first, later])
        await connections(page).getByRole("img", { name: "zk3.example:2181: 1,234" }).waitFor()
    })
    assert.deepStrictEqual([...first.complaints, ...later.complaints], [])
  })
})

/** How many pixels of the plot with the title have the colour of each of the first three members. */
const pixelsOfLines = (title: string): string => `(() => {
  const figure = [...document.querySelectorAll("figure")].find(({ textContent }) => textContent.includes(${JSON.stringify(title)}))
  const canvas = figure.querySelector("canvas")
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  return [0, 1, 2].map((index) => {
    const probe = document.createElement("span")
    probe.style.color = "var(--series-" + index + ")"
    document.body.append(probe)
    const [red, green, blue] = getComputedStyle(probe).color.match(/\\d+/g).map(Number)
    probe.remove()
    let found = 0
    for (let at = 0; at < data.length; at += 4) {
      const distance = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue)
      if (distance < 60 && data[at + 3] > 100) found++
    }
    return found
  })
})()`
