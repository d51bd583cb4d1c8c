/**
 * Problems of a built site: a link to a page or a heading that is not there, and anything that a browser would load
 * from another host while the site is looked at.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** The problems of the site in a folder, one line each. */
export const checkSite = (site: string): ReadonlyArray<string> => {
  const files = Fs.readdirSync(site, { recursive: true, encoding: "utf8" })
  const pages = new Map<string, string>(
    files.filter((file) => file.endsWith(".html")).map((file) => [`/${file}`, read(Path.join(site, file))] as const)
  )
  const anchors = new Map<string, ReadonlySet<string>>(
    Array.from(pages, ([page, html]) => [page, new Set(valuesOf(html, /\sid="([^"]*)"/g))])
  )
  const present: ReadonlySet<string> = new Set(files.map((file) => `/${file}`))

  return [
    ...Array.from(pages, ([page, html]) => [...brokenLinks(page, html), ...loadedFromElsewhere(page, html)]).flat(),
    ...files
      .filter((file) => file.endsWith(".css"))
      .flatMap((file) =>
        valuesOf(read(Path.join(site, file)), /(?:url\(|@import )["']?((?:https?:)?\/\/[^"')]+)/g).map(
          (url) => `/${file} loads ${url} from another host`
        )
      )
  ]

  function brokenLinks(page: string, html: string): ReadonlyArray<string> {
    return [...new Set(valuesOf(html, /<a\s[^>]*?href="([^"]*)"/g))].flatMap((href) => {
      if (/^(https?|mailto):/.test(href)) return []
      const { hash, pathname } = new URL(href, `http://site${page}`)
      const path = pathname.endsWith("/") ? `${pathname}index.html` : decodeURIComponent(pathname)
      const target = present.has(path) ? path : `${path}.html`
      if (!present.has(target)) return [`${page} links to ${href}, which is not there`]
      const anchor = decodeURIComponent(hash.slice(1))
      if (anchor === "" || anchors.get(target)?.has(anchor) !== false) return []
      return [`${page} links to ${href}, but that page has no heading #${anchor}`]
    })
  }
}

/** Scripts, styles, images and frames of other hosts; links that a reader follows are no such thing. */
const loadedFromElsewhere = (page: string, html: string): ReadonlyArray<string> =>
  valuesOf(html, /<(?:script|img|iframe|source|video|audio)\s[^>]*?src="((?:https?:)?\/\/[^"]*)"/g)
    .concat(valuesOf(html, /<link\s[^>]*?href="((?:https?:)?\/\/[^"]*)"/g))
    .map((url) => `${page} loads ${url} from another host`)

const valuesOf = (text: string, pattern: RegExp): Array<string> =>
  Array.from(text.matchAll(pattern), (match) => (match[1] ?? "").replaceAll("&amp;", "&"))

const read = (file: string): string => Fs.readFileSync(file, "utf8")
