/** `zk ui` in a browser on real ensembles: what it says of members, sessions and of a lost quorum. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { formatHex } from "@effect-zookeeper/console/Models"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { browser, hasBrowser, needsBrowser, openPage } from "../support/browser.ts"
import { inLong, long, row, see } from "../support/pageTests.ts"
import { startZkUi } from "../support/zkUi.ts"

const startTimeout = "90 seconds"

const connect = (servers: string) => clientOf(ZooKeeper.layer({ servers, sessionExpiry: "recreate" }))

describe.skipIf(!hasBrowser)(`zk ui${needsBrowser}`, () => {
  itQuiet(
    long("shows the members, the sessions and the findings of an ensemble, and says what is lost with its members"),
    { ...inLong, timeout: 600_000 },
    function* () {
      // Without local sessions the last server would give the console no new session, if its own expired meanwhile.
      const ensemble = yield* ZooKeeperEnsemble.make({ startTimeout, localSessions: "upgrading" })
      const zk = yield* connect(ensemble.connectString)
      yield* zk.create("/app", { data: "1" })
      yield* zk.create("/worker", { mode: "ephemeral" })
      const link = yield* startZkUi(ensemble.connectString, "--write")
      const { complaints, page } = yield* openPage(yield* browser, link)
      const members = page.locator(".member")
      yield* see(async () => {
        await row(page, "app").click()
        await page.getByRole("button", { name: "Edit", exact: true }).first().waitFor()
        await page.keyboard.press("2")
        await page.getByText("All 3 members serve.").waitFor()
        await members.getByText("leader", { exact: true }).waitFor()
        assert.strictEqual(await members.getByText("follower", { exact: true }).count(), 2)
        await page.getByRole("region", { name: "Configuration" }).getByText("participant").first().waitFor()
        await page.getByRole("region", { name: "Findings of the doctor" }).locator(".note").first().waitFor()
        await members.first().getByRole("button", { name: "Ask it" }).click()
        await page.getByRole("dialog").getByText("Zookeeper version").waitFor()
        await page.keyboard.press("Escape")

        await page.keyboard.press("4")
        await page.getByRole("searchbox").fill(formatHex(zk.session.id))
        await page.getByRole("link", { name: formatHex(zk.session.id) }).click()
        const detail = page.getByRole("region", { name: `Session ${formatHex(zk.session.id)}` })
        await detail.getByRole("link", { name: "/worker" }).waitFor()
        await page.keyboard.press("2")
      })

      const [lost, also, left] = ensemble.servers
      assert(lost !== undefined && also !== undefined && left !== undefined)
      yield* lost.kill
      yield* see(async () => {
        await page.getByText(`${lost.connectString} does not serve. One more, and there is no quorum.`).waitFor()
        await members.filter({ hasText: lost.connectString }).getByText("down", { exact: true }).waitFor()
        await page.getByText("It answered last at").waitFor()
        await page.getByRole("link", { name: "1 member does not serve" }).waitFor()
        await page.getByRole("button", { name: "Look again" }).click()
        await page
          .getByRole("region", { name: "Findings of the doctor" })
          .getByText(lost.connectString)
          .first()
          .waitFor()
      })

      yield* also.kill
      yield* see(async () => {
        await page.getByText("Connected to a server without a quorum.").waitFor({ timeout: 120_000 })
        await page.getByText("There is no quorum: nothing can be written.").waitFor()
        await page.keyboard.press("1")
        await row(page, "app").click()
        await page.getByText("version 0, as it was created").waitFor()
        assert.strictEqual(await page.getByRole("button", { name: /^(Edit|Delete|Create)/ }).count(), 0)
      })

      yield* Effect.all([lost.launch, also.launch])
      yield* ensemble.awaitQuorum(3)
      yield* see(() =>
        page.getByText("Connected to a server without a quorum.").waitFor({ state: "detached", timeout: 120_000 })
      )
      yield* zk.set("/app", "2")
      yield* see(async () => {
        await page.getByText("version 1, written once").waitFor()
        await page.keyboard.press("2")
        await page.getByText("All 3 members serve.").waitFor()
      })
      assert.deepStrictEqual(complaints, [])
    }
  )

  itQuiet(long("goes on by itself after the restart of its server"), inLong, function* () {
    const server = yield* ZooKeeperServer.make({ startTimeout })
    const zk = yield* connect(server.connectString)
    yield* zk.create("/app", { data: "1" })
    const link = yield* startZkUi(server.connectString, "--write")
    const { complaints, page } = yield* openPage(yield* browser, link)
    yield* see(async () => {
      await row(page, "app").click()
      await page.getByRole("button", { name: "Edit", exact: true }).first().click()
      await page.locator(".editing .cm-content").click()
      await page.keyboard.press("Control+a")
      await page.keyboard.type("typed before the restart")
    })
    yield* server.stop
    yield* see(async () => {
      await page.getByText("The ensemble does not answer").waitFor()
      assert.strictEqual(await row(page, "app").count(), 1)
    })
    yield* server.start
    yield* see(async () => {
      await page.getByText("The ensemble does not answer").waitFor({ state: "detached" })
      await page.getByRole("button", { name: "Review and save" }).click()
      await page.getByRole("button", { name: "Save as version 1" }).click()
      await page.getByText("Saved as version 1").waitFor()
    })
    yield* zk.create("/after")
    yield* see(() => row(page, "after").waitFor())
    assert.deepStrictEqual(complaints, [])
  })

  itQuiet(long("shows who holds a lock that others wait for, and leads to its session"), inLong, function* () {
    const { chroot, connectString } = TestServer.fresh("console-lock")
    yield* (yield* connect(TestServer.connectString())).createWithParents(`${chroot}/locks/report`)
    // As Curator writes them.
    const contend = Effect.fnUntraced(function* (name: string, job: string) {
      const zk = yield* connect(connectString)
      const path = yield* zk.create(`/locks/report/_c_${name}-lock-`, { data: job, mode: "ephemeralSequential" })
      return { path, session: formatHex(zk.session.id) }
    })
    const holder = yield* contend("8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c77", "job-7")
    const waiter = yield* contend("11111111-0f3b-4f4a-9c8e-9f5f2d2b1c77", "job-9")
    const link = yield* startZkUi(connectString)
    const { complaints, page } = yield* openPage(yield* browser, link)
    yield* see(async () => {
      // The page of a waiter leads to the lock: a user who found the waiter by a search looks for the holder.
      await row(page, "locks").waitFor()
      await page.keyboard.press("g")
      await page.getByRole("textbox", { name: "Path" }).fill(waiter.path)
      await page.keyboard.press("Enter")
      await page.getByRole("link", { name: "see its holder and the waiters" }).click()
      const holds = page.locator(".contender.holds")
      await holds.getByText("job-7").waitFor()
      await page.getByText("1 waiting").waitFor()
      await holds.getByRole("link", { name: "session" }).click()
      const detail = page.getByRole("region", { name: `Session ${holder.session}` })
      await detail.getByText("Its client is at").waitFor()
      await detail.getByRole("link", { name: "/locks/report/" }).first().waitFor()
      await detail.getByRole("button", { name: "Ask for its watches" }).click()
      await detail.getByText("It watches nothing.").waitFor()
      await detail.getByRole("button", { name: "Ask again" }).waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })
})
