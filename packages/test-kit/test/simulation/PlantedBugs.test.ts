/** The planted bugs of `scripts/mutants.ts`, which takes minutes, cannot rot: each fits the sources of today. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"

const root = new URL("../../../../", import.meta.url)
const folder = new URL("scripts/mutants/", root)

/** The file that a patch changes, and the lines of each hunk as they were before. */
const before = (patch: string) => {
  const file = /^--- a\/(.+)$/m.exec(patch)?.[1] ?? ""
  const [, ...hunks] = patch.split(/^@@ .*\n/m)
  const isOld = (line: string) => line.startsWith(" ") || line.startsWith("-")
  const texts = hunks.map((hunk) =>
    hunk
      .split("\n")
      .filter(isOld)
      .map((line) => `${line.slice(1)}\n`)
      .join("")
  )
  return { file, texts }
}

describe("the planted bugs", () => {
  it("are changes of what stands in the sources", () => {
    const patches = Fs.readdirSync(folder).filter((name) => name.endsWith(".patch"))
    assert.isAbove(patches.length, 30)
    const lost = patches.filter((name) => {
      const { file, texts } = before(Fs.readFileSync(new URL(name, folder), "utf8"))
      const source = Fs.readFileSync(new URL(file, root), "utf8")
      return texts.length === 0 || !texts.every((text) => text !== "" && source.includes(text))
    })
    assert.deepStrictEqual(lost, [])
  })
})
