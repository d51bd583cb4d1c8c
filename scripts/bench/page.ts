/**
 * A page of Markdown with parts that a run replaces. A part is between `<!-- bench: name -->` and `<!-- /bench -->`.
 */
import * as Fs from "node:fs"

/** Replaces the parts of a file by name; throws where the file lacks one. */
export const replaceParts = (file: string, parts: Readonly<Record<string, string>>): void => {
  let page = Fs.readFileSync(file, "utf8")
  for (const [name, text] of Object.entries(parts)) {
    const begin = `<!-- bench: ${name} -->`
    const start = page.indexOf(begin)
    const end = page.indexOf("<!-- /bench -->", start)
    if (start === -1 || end === -1) throw new Error(`${file} has no part "${begin} ... <!-- /bench -->"`)
    page = `${page.slice(0, start + begin.length)}\n\n${text}\n\n${page.slice(end)}`
  }
  Fs.writeFileSync(file, page)
}
