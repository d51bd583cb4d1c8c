/** The automated check of a page for accessibility. */
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js")

/** The serious findings. The policy for content forbids a script in the page, so it is run by the tool of the test. */
export const serious = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(Fs.readFileSync(axe, "utf8"))
  const { violations } = await page.evaluate<AxeResult>("axe.run()")
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ failureSummary, html }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`)
    )
}

interface AxeResult {
  readonly violations: ReadonlyArray<{
    readonly id: string
    readonly impact: string | null
    readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>
  }>
}
