/** The planted bugs of `scripts/mutants.ts`, which takes minutes, cannot rot: each fits the sources of today. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"

const root = new URL("../../../../", import.meta.url)
const folder = new URL("scripts/mutants/", root)

/** The changes of a patch: the file of each hunk, and its lines as they were before. */
const before = (patch: string) =>
  patch
    .split(/^diff --git .*\n/m)
    .slice(1)
    .flatMap((part) => {
      const file = /^--- a\/(.+)$/m.exec(part)?.[1] ?? ""
      const [, ...hunks] = part.split(/^@@ .*\n/m)
      const isOld = (line: string) => line.startsWith(" ") || line.startsWith("-")
      return hunks.map((hunk) => {
        const lines = hunk.split("\n").filter(isOld)
        return { file, text: lines.map((line) => `${line.slice(1)}\n`).join("") }
      })
    })

describe("the planted bugs", () => {
  it("are changes of the present sources", () => {
    const patches = Fs.readdirSync(folder).filter((name) => name.endsWith(".patch"))
    assert.isAbove(patches.length, 30)
    const lost = patches.filter((name) => {
      const hunks = before(Fs.readFileSync(new URL(name, folder), "utf8"))
      const fits = hunks.filter(({ file, text }) => Fs.readFileSync(new URL(file, root), "utf8").includes(text))
      return hunks.length === 0 || fits.length < hunks.length
    })
    assert.deepStrictEqual(lost, [])
  })
})
