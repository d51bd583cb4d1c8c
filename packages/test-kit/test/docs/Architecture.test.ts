/** ARCHITECTURE.md cannot rot: each source file is in it, in the section of its package, and each room that it names is there. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"

const root = new URL("../../../../", import.meta.url)

const page = Fs.readFileSync(new URL("ARCHITECTURE.md", root), "utf8")

const sectionOf = (name: string): string => page.split(`\n### ${name}\n`)[1]?.split(/\n###? /)[0] ?? ""

/** Relative to `src`, without the extension. */
const modulesOf = (name: string): ReadonlyArray<string> =>
  Fs.readdirSync(new URL(`packages/${name}/src/`, root), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith("index.ts"))
    .map((path) => path.replaceAll("\\", "/").replace(/\.ts$/, ""))

const packages = Fs.readdirSync(new URL("packages/", root)).filter((name) =>
  Fs.existsSync(new URL(`packages/${name}/src`, root))
)

describe("the architecture", () => {
  for (const name of packages) {
    it(`names every module of ${name}, and no room that is not there`, () => {
      const section = sectionOf(name)
      assert.notStrictEqual(section, "", `ARCHITECTURE.md has no section "### ${name}"`)
      const words = new Set(section.match(/[\w-]+/g))
      const modules = modulesOf(name)
      const isListed = (path: string): boolean => {
        const folders = path.split("/")
        const file = folders.pop() ?? ""
        // The public recipes are the rows of README.md; the test-kit's folders are rooms as a whole.
        if (name === "recipes" && folders.length === 0) return true
        return words.has(name === "test-kit" && folders.length > 0 ? (folders[0] ?? "") : file)
      }
      const missing = modules.filter((path) => !isListed(path))
      assert.isEmpty(missing, "not in ARCHITECTURE.md")
      const rooms = Array.from(section.matchAll(/`internal\/([\w/]+)`/g), (match) => `internal/${match[1]}`)
      const gone = rooms.filter((room) => !modules.some((path) => path === room || path.startsWith(`${room}/`)))
      assert.isEmpty(gone, "named in ARCHITECTURE.md and not there")
    })
  }
})
