/**
 * Names the files with skipped tests at the end of a run, so that none is skipped silently. The title of the first says why.
 */
import type { Reporter, TestModule } from "vitest/node"

/** Vitest makes one for each run. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const lines = modules.flatMap((module) => {
      const [first, ...others] = module.children.allTests("skipped")
      if (first === undefined) return []
      const more = others.length === 0 ? "" : `, and ${others.length} more there`
      return [` ↓ ${module.relativeModuleId} > ${first.fullName}${more}`]
    })
    if (lines.length > 0) process.stdout.write(`\n Skipped, for the reason in the title:\n${lines.join("\n")}\n`)
  }
}
