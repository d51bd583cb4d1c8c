/** Tests for `node:test`, which `TestHooks.test.ts` runs. */
import { PromiseClient } from "@effect-zookeeper/client"
import * as Assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import * as TestHooks from "../../src/TestHooks.ts"

const server = TestHooks.embeddedServer({ beforeAll: before, afterAll: after, beforeEach })

void test("a job is free again when its worker's session has expired", async () => {
  await using worker = await PromiseClient.connect(server().connectString)
  await using other = await PromiseClient.connect(server().connectString)
  await worker.create("/job", { mode: "ephemeral" })
  await server().expireSession(worker.session.id)
  Assert.equal(await other.exists("/job"), false)
  await other.create("/left")
})

void test("the next test begins with an empty server", async () => {
  await using zk = await PromiseClient.connect(server().connectString)
  Assert.deepEqual(await zk.getChildren("/"), ["zookeeper"])
})
