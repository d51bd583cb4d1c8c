/** The planted bugs of `scripts/mutants.ts`, which takes minutes, cannot rot: each fits the sources of today. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"

const root = new URL("../../../../", import.meta.url)
const folder = new URL("scripts/mutants/", root)

/** The lines that a patch of one hunk changes, as they were before, and where. */
const before = (patch: string) => {
  const file = /^--- a\/(.+)$/m.exec(patch)?.[1] ?? ""
  const [, hunk = ""] = patch.split(/^@@ .*\n/m)
  const lines = hunk.split("\n").filter((line) => line.startsWith(" ") || line.startsWith("-"))
  return { file, text: lines.map((line) => `${line.slice(1)}\n`).join("") }
}

describe("the planted bugs", () => {
  it("are changes of what stands in the sources, each at one place", () => {
    const patches = Fs.readdirSync(folder).filter((name) => name.endsWith(".patch"))
    assert.isAbove(patches.length, 30)
    const lost = patches.filter((name) => {
      const { file, text } = before(Fs.readFileSync(new URL(name, folder), "utf8"))
      return text === "" || Fs.readFileSync(new URL(file, root), "utf8").split(text).length !== 2
    })
    assert.deepStrictEqual(lost, [])
  })
})
