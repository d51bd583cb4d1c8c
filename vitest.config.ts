import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * A test that passes prints nothing: its log is printed where it fails, and for all tests with `VERBOSE=1`, as are the times
 * of tests that take more than a moment. A long run prints all of it, for it reports what it has measured.
 */
const isVerbose = process.env["VERBOSE"] === "1" || process.env["ZK_LONG"] === "1"

/**
 * The longest files begin first, so that none of them runs alone in the end: simulations, which compute, in turns with
 * trials, which mostly wait for sessions to expire.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is not the method of an array
    const sorted = await super.sort(files)
    const inFolder = (folder: string) => sorted.filter(({ moduleId }) => moduleId.includes(`/test/${folder}/`))
    const [simulations, trials] = [inFolder("simulation"), inFolder("trial")]
    const turns = trials.flatMap((trial, index) => simulations.slice(index, index + 1).concat(trial))
    return [...new Set([...turns, ...simulations, ...sorted])]
  }
}

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts"],
    globalSetup: ["packages/test-kit/src/internal/server/globalSetup.ts"],
    reporters: ["default", "./packages/test-kit/src/internal/vitest/skipReporter.ts"],
    silent: isVerbose ? false : "passed-only",
    slowTestThreshold: isVerbose ? 300 : 20_000,
    // Node loads the sources as users' Node does, which runs simulations twice as fast as rewritten modules.
    experimental: { viteModuleRunner: false },
    // The files of one worker share a process, and its modules: loading them anew for each file took a quarter of the time.
    // A test that changes its process does so in a child.
    isolate: false,
    passWithNoTests: false,
    // One more than the cores of the smallest machine, for most tests wait for a server.
    maxWorkers: 3,
    sequence: { concurrent: false, sequencer: LongestFirst },
    // Tests start servers and processes, and a machine may be busy: only what hangs comes to these.
    testTimeout: 90_000,
    hookTimeout: 90_000
  }
})
