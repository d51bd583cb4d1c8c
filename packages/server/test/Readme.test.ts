/** The example of the README is a file beside this one, so that it is compiled and run. */
import { assert, it, vi } from "@effect/vitest"
import { readFileSync } from "node:fs"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

it("the README shows the example as it is, and no other", async () => {
  const readme = textOf("../README.md")
  assert.include(readme, `\`\`\`ts\n${textOf("examples/memory.ts")}\`\`\``)
  assert.lengthOf(readme.match(/^```ts$/gm) ?? [], 1)
  const log = vi.spyOn(console, "log").mockImplementation(() => {})
  await import("./examples/memory.ts")
  const printed = log.mock.calls.flat()
  log.mockRestore()
  assert.deepStrictEqual(printed, [
    ["job-0000000000"],
    "getChildren /jobs: the ACL does not permit it; see getAcl, whoAmI and addAuth"
  ])
})
