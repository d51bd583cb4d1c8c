/**
 * Links between files of the repository, as this site has them, so that they work in both.
 *
 * Some pages show a file of the repository (`<!--@include: ../../client/README.md-->`). A link to such a file, or to a public
 * module, leads to its page, and an image of such a file is shown. On a page that shows a file, a link to what is not on the
 * site, such as a test, becomes text: the site works without the repository. On any other page it is left alone, and the build
 * refuses it.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import type { MarkdownRenderer } from "vitepress"

type Token = ReturnType<MarkdownRenderer["parse"]>[number]

const site = fileURLToPath(new URL("..", import.meta.url))
const root = Path.join(site, "../..")

export const repositoryLinks = (md: MarkdownRenderer): void => {
  const pages = pagesByFile()
  md.core.ruler.push("repository-links", ({ env, tokens }) => {
    const page = Path.join(site, String(env.relativePath))
    const shown = shownBy(page)
    const folder = Path.dirname(shown ?? page)
    for (const { children } of tokens) {
      const images = (children ?? []).filter(({ type }) => type === "image" && shown !== undefined)
      for (const image of images) {
        const file = Path.join(folder, image.attrGet("src") ?? "")
        image.attrSet("src", Path.relative(Path.dirname(page), file))
      }
      const links = (children ?? []).filter(({ type }) => type === "link_open" || type === "link_close")
      for (let index = 0; index < links.length; index += 2) {
        const [open, close] = [links[index], links[index + 1]]
        const href = open?.attrGet("href") ?? ""
        if (open === undefined || close === undefined || /^(#|\w+:)/.test(href)) continue
        const [path = "", anchor] = href.split("#")
        const target = pages.get(Path.join(folder, path))
        if (target !== undefined) open.attrSet("href", anchor === undefined ? target : `${target}#${anchor}`)
        else if (shown !== undefined) [open, close].forEach(toNothing)
      }
    }
  })
}

const toNothing = (token: Token): void => {
  token.type = "text"
  token.tag = ""
  token.nesting = 0
  token.content = ""
}

/** The pages of this site by the absolute path of the file that they show, or are. */
function pagesByFile(): ReadonlyMap<string, string> {
  const pages = new Map<string, string>([[Path.join(root, "README.md"), "/"]])
  for (const page of Fs.globSync("{quick-start,guides,coming-from,reference,decisions}/*.md", { cwd: site })) {
    const file = Path.join(site, page)
    pages.set(shownBy(file) ?? file, `/${page.replace(/\.md$/, "")}`)
  }
  for (const page of Fs.globSync("api/*/*.md", { cwd: site })) {
    const module = page.replace(/\.md$/, "")
    pages.set(Path.join(root, module.replace(/^api\/(\w+)\//, "packages/$1/src/")).concat(".ts"), `/${module}`)
  }
  return pages
}

/** The file that a page shows, if it does. */
function shownBy(page: string): string | undefined {
  if (!Fs.existsSync(page)) return undefined
  const included = /^<!--\s*@include:\s*(\S+?)\s*-->$/m.exec(Fs.readFileSync(page, "utf8"))?.[1]
  if (included === undefined) return undefined
  const file = Path.join(Path.dirname(page), included)
  if (!Fs.existsSync(file)) throw new Error(`${Path.relative(root, page)} shows ${included}, which is not there`)
  return file
}
