/**
 * `npx -y pnpm@12 site`: the documentation site, in `packages/docs/.vitepress/dist`.
 *
 * TypeDoc writes the API reference from the sources, VitePress builds the pages, and what it built is checked: every link
 * leads to a page and a heading, and nothing is loaded from another host. `--serve` shows the site while it is written,
 * with the reference as it is when the command starts.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand, toggle, type Values } from "../runCommand.ts"
import { fail, run, runInTerminal, step } from "../steps.ts"
import { checkSite } from "./checkSite.ts"

const docs = fileURLToPath(new URL("../../packages/docs", import.meta.url))
const typedoc = Path.join(docs, "node_modules/typedoc/bin/typedoc")
const vitepress = Path.join(docs, "node_modules/vitepress/bin/vitepress.js")

const flags = {
  serve: toggle("serve", "Serve the site and reload it when a page changes, until Ctrl-C")
}

const build = Effect.gen(function* () {
  yield* step(
    "built the pages",
    run(process.execPath, [vitepress, "build", docs], docs, "correct the page that is named above")
  )
  const faults = yield* step(
    "checked links, anchors and where things are loaded from",
    Effect.sync(() => checkSite(Path.join(docs, ".vitepress/dist")))
  )
  if (faults.length > 0) yield* fail(faults.join("\n"), "correct these pages, or the files that they show")
})

/** In this terminal, until it is ended there. */
const serve = runInTerminal(process.execPath, [vitepress, "dev", docs], docs)

const site = Effect.fnUntraced(function* (config: Values<typeof flags>) {
  Fs.rmSync(Path.join(docs, "api"), { recursive: true, force: true })
  yield* step(
    "wrote the API reference",
    run(process.execPath, [typedoc], docs, "correct the comment that is named above")
  )
  yield* config.serve ? serve : build
})

runCommand("site", "Builds and checks the documentation site", flags, site)
