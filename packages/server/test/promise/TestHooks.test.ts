/**
 * The hooks of test runners: Vitest, which runs this, and `node:test`, which runs a file of its own.
 */
import { PromiseClient } from "@effect-zookeeper/client"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import * as TestHooks from "../../src/TestHooks.ts"

describe("in Vitest", () => {
  const server = TestHooks.embeddedServer({ beforeAll, afterAll, beforeEach }, { members: 3 })
  let outside: unknown
  try {
    server()
  } catch (error) {
    outside = error
  }

  it("a server runs within tests, and not before", async () => {
    assert.instanceOf(outside, Error)
    await using zk = await PromiseClient.connect(server().connectString, { closeTimeout: "100 millis" })
    await zk.create("/left", { mode: "ephemeral" })
    await server().answerWith({}, "NoAuth", 100)
    await server().stop(1)
    await server().setLatency("1 hour")
    await server().pause()
    await server().disconnectAll()
  })

  it("the next test begins with a server as at the start", async () => {
    assert.deepStrictEqual(await server().sessions(), [])
    await using zk = await PromiseClient.connect(server().connectString.split(",")[1]!)
    assert.deepStrictEqual(await zk.getChildren("/"), ["zookeeper"])
  })
})

describe("in Vitest without beforeEach", () => {
  const server = TestHooks.embeddedServer({ beforeAll, afterAll })

  it("a test leaves a znode", async () => {
    await using zk = await PromiseClient.connect(server().connectString)
    await zk.create("/left")
  })

  it("which the next one finds", async () => {
    await using zk = await PromiseClient.connect(server().connectString)
    assert.isTrue(await zk.exists("/left"))
  })
})

describe("in node:test", () => {
  it("the same works", { timeout: 60_000 }, async () => {
    const file = fileURLToPath(new URL("../support/nodeTestHooks.ts", import.meta.url))
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const [code, output] = await new Promise<readonly [unknown, string]>((resolve) =>
      execFile(process.execPath, ["--test", "--test-reporter=tap", file], { env }, (error, out, err) =>
        resolve([error?.code ?? 0, out + err])
      )
    )
    assert.strictEqual(code, 0, output)
    assert.match(output, /# pass 2\n/)
  })
})
