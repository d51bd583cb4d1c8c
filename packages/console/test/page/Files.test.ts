/** The files of the built page: how much a browser loads before it shows something, and from where. */
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import type * as PageFiles from "@effect-zookeeper/console/PageFiles"
import { assert, describe } from "@effect/vitest"
import * as Zlib from "node:zlib"
import { hasBrowser, needsBrowser } from "../support/browser.ts"
import { pageFiles } from "../support/pageFiles.ts"

// The page is built for the tests in the browser, which takes a moment, and is not built for this alone.
describe.skipIf(!hasBrowser)(`the files of the page${needsBrowser}`, () => {
  itLive("are less than 300 KB, compressed, until the tree is shown", function* () {
    const files = yield* pageFiles
    const first = firstView(files)
    const bytes = first.map((path) => Zlib.gzipSync(contentOf(files, path)).length)
    assert.isAbove(first.length, 2)
    assert.isBelow(
      bytes.reduce((sum, size) => sum + size, 0),
      300_000,
      first.map((path, index) => `${path}: ${bytes[index]}`).join(", ")
    )
  })

  itLive("name no other host, and have no script or style in the page itself", function* () {
    const html = contentOf(yield* pageFiles, "/index.html").toString()
    assert.notMatch(html, /https?:\/\//)
    assert.notMatch(html, /<style|\sstyle=|\son\w+=/)
    for (const [, attributes] of html.matchAll(/<script([^>]*)>/g)) assert.include(attributes, "src=")
  })
})

const contentOf = (files: PageFiles.PageFiles, path: string): Buffer => Buffer.from(files.get(path)?.content ?? "")

/** The page, and everything that it and its modules import by statements. */
const firstView = (files: PageFiles.PageFiles): ReadonlyArray<string> => {
  const found = new Set<string>()
  const follow = (path: string): void => {
    if (found.has(path) || !files.has(path)) return
    found.add(path)
    const text = contentOf(files, path).toString()
    const names = path.endsWith(".html")
      ? text.matchAll(/(?:src|href)="([^"]+)"/g)
      : text.matchAll(/(?:from|import)\s*["'](\.[^"']+)["']/g)
    for (const [, name] of names) follow(new URL(name ?? "", `http://page${path}`).pathname)
  }
  follow("/index.html")
  return [...found]
}
