/**
 * Pages of Markdown with parts that a run replaces. A part is between `<!-- bench: name -->` and `<!-- /bench -->`.
 */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

const files = ["packages/client/BENCHMARKS.md", "packages/docs/reference/measurements.md"].map((name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url))
)

/** Replaces the parts of the pages by name; throws where no page has one. */
export const replaceParts = (parts: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(parts)) {
    const begin = `<!-- bench: ${name} -->`
    const file = files.find((each) => Fs.readFileSync(each, "utf8").includes(begin))
    if (file === undefined) throw new Error(`no page has a part "${begin} ... <!-- /bench -->"`)
    const page = Fs.readFileSync(file, "utf8")
    const start = page.indexOf(begin)
    const end = page.indexOf("<!-- /bench -->", start)
    if (end === -1) throw new Error(`${file} does not end its part "${begin}" with <!-- /bench -->`)
    Fs.writeFileSync(file, `${page.slice(0, start + begin.length)}\n\n${text}\n\n${page.slice(end)}`)
  }
}
