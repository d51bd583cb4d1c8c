/**
 * Pages that show a file of the repository (`<!--@include: ../../client/README.md-->`) show its links as this site has
 * them. A link to a file that is a page here, or to a public module, leads to that page. A link to any other file, such as
 * a test, becomes text: the site works without the repository.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import type { MarkdownRenderer } from "vitepress"

const site = fileURLToPath(new URL("..", import.meta.url))
const root = Path.join(site, "../..")

export const repositoryLinks = (md: MarkdownRenderer): void => {
  const pages = pagesByFile()
  md.core.ruler.push("repository-links", ({ env, tokens }) => {
    const page = Path.join(site, String(env.relativePath))
    const shown = includedIn(page)
    if (shown === undefined) return
    for (const { children } of tokens) {
      let removing = false
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const href = token.attrGet("href") ?? ""
          if (/^(#|\w+:)/.test(href)) continue
          const [path = "", anchor] = href.split("#")
          const target = pages.get(Path.join(Path.dirname(shown), path))
          removing = target === undefined
          if (target !== undefined) token.attrSet("href", anchor === undefined ? target : `${target}#${anchor}`)
        }
        if (removing && (token.type === "link_open" || token.type === "link_close")) {
          removing = token.type === "link_open"
          token.type = "text"
          token.tag = ""
          token.nesting = 0
          token.content = ""
        }
      }
    }
  })
}

/** The pages of this site by the absolute path of the file that they show. */
function pagesByFile(): ReadonlyMap<string, string> {
  const pages = new Map<string, string>([[Path.join(root, "README.md"), "/"]])
  for (const page of Fs.globSync("{guides,reference,coming-from}/*.md", { cwd: site })) {
    const shown = includedIn(Path.join(site, page))
    pages.set(shown ?? Path.join(site, page), `/${page.replace(/\.md$/, "")}`)
  }
  for (const page of Fs.globSync("api/*/*.md", { cwd: site })) {
    const module = page.replace(/\.md$/, "")
    pages.set(Path.join(root, module.replace(/^api\/(\w+)\//, "packages/$1/src/")).concat(".ts"), `/${module}`)
  }
  return pages
}

/** The file that a page shows, if it does. */
function includedIn(page: string): string | undefined {
  if (!Fs.existsSync(page)) return undefined
  const included = /^<!--\s*@include:\s*(\S+?)\s*-->$/m.exec(Fs.readFileSync(page, "utf8"))?.[1]
  return included === undefined ? undefined : Path.join(Path.dirname(page), included)
}
