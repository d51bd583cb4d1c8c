/**
 * Names the skipped tests at the end of a run, so that none is skipped silently. Titles say why.
 */
import type { Reporter, TestModule } from "vitest/node"

/** Vitest makes one for each run. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const lines = modules.flatMap((module) =>
      Array.from(module.children.allTests("skipped"), (test) => ` ↓ ${module.relativeModuleId} > ${test.fullName}`)
    )
    if (lines.length > 0) process.stdout.write(`\n Skipped, for the reason in the title:\n${lines.join("\n")}\n`)
  }
}
