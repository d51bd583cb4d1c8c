/** What `npx -y pnpm@12 site` refuses of a built site. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { checkSite } from "../../../scripts/site/checkSite.ts"

/** The faults of a site of these files. */
const faultsOf = (files: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const site = Fs.mkdtempSync(Path.join(Os.tmpdir(), "site-"))
  try {
    for (const [name, content] of Object.entries(files)) {
      Fs.mkdirSync(Path.dirname(Path.join(site, name)), { recursive: true })
      Fs.writeFileSync(Path.join(site, name), content)
    }
    return checkSite(site)
  } finally {
    Fs.rmSync(site, { recursive: true })
  }
}

const locks = '<h1 id="locks">Locks</h1>'

describe("a site", () => {
  it("may link to its pages and headings, and to other sites", () => {
    const index =
      '<h1 id="top"></h1><a href="#top"></a><a href="/guides/locks.html#locks"></a><a class="a" href="./guides/locks"></a><a href="/"></a><a href="https://effect.website/#x"></a>'
    assert.deepStrictEqual(faultsOf({ "index.html": index, "guides/locks.html": locks }), [])
  })

  it("has no link to a page that is not there", () => {
    assert.deepStrictEqual(faultsOf({ "index.html": '<a href="guides/lock.html"></a>', "guides/locks.html": locks }), [
      "/index.html links to guides/lock.html, which is not there"
    ])
  })

  it("has no link to a heading that is not there", () => {
    const index = '<a href="/guides/locks.html#keys"></a>'
    assert.deepStrictEqual(faultsOf({ "index.html": index, "guides/locks.html": locks }), [
      "/index.html links to /guides/locks.html#keys, but that page has no heading #keys"
    ])
  })

  it("loads nothing from another host", () => {
    const index =
      '<link rel="stylesheet" href="https://fonts.example/a.css"><script src="//cdn.example/a.js"></script><img src="a.png">'
    const style = '@import "https://fonts.example/b.css"; a { background: url(//cdn.example/c.png) }'
    assert.deepStrictEqual(faultsOf({ "index.html": index, "style.css": style }), [
      "/index.html loads //cdn.example/a.js from another host",
      "/index.html loads https://fonts.example/a.css from another host",
      "/style.css loads https://fonts.example/b.css from another host",
      "/style.css loads //cdn.example/c.png from another host"
    ])
  })
})
