/** Links between documents of this repository: the file is there, and so is the heading. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"

const root = new URL("../../../../", import.meta.url)

/** Folders that are installed or generated; the site's own build looks at its links. */
const skipped = ["node_modules", "dist", ".git", "api"]

const documentsIn = (folder: string): ReadonlyArray<string> =>
  Fs.readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`
    if (entry.isDirectory()) return skipped.includes(entry.name) ? [] : documentsIn(`${path}/`)
    return path.endsWith(".md") && !path.endsWith("api-report.md") ? [path] : []
  })

const documents = documentsIn("./")

const withoutCode = (text: string): string => text.replace(/^```[^]*?^```$/gm, "").replace(/`([^`\n]*)`/g, "$1")

/** As GitHub makes them: lower case, without punctuation, with hyphens for blanks. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    Array.from(withoutCode(text).matchAll(/^#{1,6} (.+)$/gm), ([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-")
    )
  )

const brokenLinksOf = (path: string): ReadonlyArray<string> => {
  const file = new URL(path, root)
  const text = Fs.readFileSync(file, "utf8")
  return (
    Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link)
      // The API reference is generated with the site.
      .filter((link) => !/^[a-z]+:/.test(link) && link !== "api/")
      .filter((link) => {
        const target = new URL(link, file)
        const anchor = decodeURIComponent(target.hash.slice(1))
        target.hash = ""
        if (!Fs.existsSync(target)) return true
        return (
          anchor !== "" && target.pathname.endsWith(".md") && !anchorsOf(Fs.readFileSync(target, "utf8")).has(anchor)
        )
      })
      .map((link) => `${path}: ${link}`)
  )
}

it("links between documents lead to what is there", () => {
  assert.include(documents, "./ARCHITECTURE.md")
  assert.deepStrictEqual(documents.flatMap(brokenLinksOf), [])
})
