/** Which runtimes are refused at import, and in what words. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { promisify } from "node:util"
import { requireSupportedNode, unsupported } from "../../src/internal/supportedNode.ts"

const node = (version: string, others: object = {}) => ({ versions: { node: version, ...others } })

const execFile = promisify(ChildProcess.execFile)

/** What becomes of importing a module where Node.js says that it has this version. */
const importedWith = async (version: string, module: string): Promise<string> => {
  const program = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })
    await import("${new URL(module, import.meta.url)}").then(() => console.log("imported"), (error) => console.log(String(error)))`
  const { stdout } = await execFile(process.execPath, ["--no-warnings", "--input-type=module", "--eval", program])
  return stdout.trim()
}

describe("a Node.js that is too old", () => {
  it("is known by its version", () => {
    for (const version of ["18.20.4", "20.20.2", "22.0.0", "22.18.9"]) assert.isDefined(unsupported(node(version)))
    for (const version of ["22.19.0", "22.20.1", "23.0.0", "24.21.0", "100.0.0"]) {
      assert.isUndefined(unsupported(node(version)), version)
    }
  })

  it("is refused in one sentence that says what to do", () => {
    const words =
      "effect-zookeeper needs Node.js 22.19 or later and runs on 20.20.2: install a newer Node.js, such as the latest LTS release"
    assert.throws(() => requireSupportedNode(node("20.20.2")), words)
  })

  for (const module of ["../../src/index.ts", "../../../client/src/index.ts", "../../../recipes/src/Promise.ts"]) {
    it(`is refused by an import of ${module.replaceAll("../../", "")}`, async () => {
      assert.include(await importedWith("20.20.2", module), "effect-zookeeper needs Node.js 22.19 or later")
      assert.strictEqual(await importedWith("22.19.0", module), "imported")
    })
  }
})

describe("a runtime that is not Node.js", () => {
  it("is not refused, whatever Node.js it is compatible with", () => {
    const runtimes = [
      undefined,
      null,
      {},
      { versions: {} },
      { versions: { node: "" } },
      { versions: { node: "no version" } },
      node("20.11.1", { deno: "1.46.0" }),
      node("18.0.0", { bun: "1.1.0" })
    ]
    for (const process of runtimes) assert.isUndefined(unsupported(process))
  })
})
