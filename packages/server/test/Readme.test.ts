/** The examples of the README are files beside this one, so that they are compiled and run: suites as suites. */
import { assert, it, vi } from "@effect/vitest"
import { readFileSync } from "node:fs"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

const examples = ["memory.ts", "claims.test.ts", "promise.test.ts", "worlds.test.ts"]

it("the README shows the examples as they are, and no other", () => {
  const readme = textOf("../README.md")
  for (const name of examples) assert.include(readme, `\`\`\`ts\n${textOf(`examples/${name}`)}\`\`\``)
  assert.lengthOf(readme.match(/^```ts$/gm) ?? [], examples.length)
})

it("the first example prints what it is there for", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {})
  await import("./examples/memory.ts")
  const printed = log.mock.calls.flat()
  log.mockRestore()
  assert.deepStrictEqual(printed, [
    ["job-0000000000"],
    "getChildren2 /jobs: the ACL does not permit it; see getAcl, whoAmI and addAuth"
  ])
})
