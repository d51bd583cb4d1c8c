/** The examples of the README are files beside this one, so that they are compiled and run. */
import { assert, describe, it, vi } from "@effect/vitest"
import { readFileSync } from "node:fs"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

const readme = textOf("../README.md")

const examples: ReadonlyArray<readonly [name: string, run: () => Promise<unknown>, prints: ReadonlyArray<unknown>]> = [
  [
    "record",
    () => import("./examples/record.ts"),
    ["alpha", "malformed bytes at offset 17, field roles: 4 bytes needed, 3 left"]
  ],
  ["table", () => import("./examples/table.ts"), [21, "getData /app: the znode does not exist"]]
]

describe("the README", () => {
  for (const [name, run, prints] of examples) {
    it(`shows the ${name} example as it is, and what it prints`, async () => {
      assert.include(readme, `\`\`\`ts\n${textOf(`examples/${name}.ts`)}\`\`\``)
      const log = vi.spyOn(console, "log").mockImplementation(() => {})
      try {
        await run()
        assert.deepStrictEqual(log.mock.calls.flat(), prints)
      } finally {
        log.mockRestore()
      }
      for (const printed of prints) assert.include(readme, `// ${printed}`)
    })
  }

  it("shows no other example", () => {
    assert.lengthOf(readme.match(/^```ts$/gm) ?? [], examples.length)
  })
})
