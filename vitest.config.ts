import { defineConfig } from "vitest/config"

/**
 * A test that passes prints nothing: its log is printed where it fails, and for all tests with `VERBOSE=1`, as are the times
 * of tests that take more than a moment. A long run prints all of it, for it reports what it has measured.
 */
const isVerbose = process.env["VERBOSE"] === "1" || process.env["ZK_LONG"] === "1"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts"],
    globalSetup: ["packages/test-kit/src/internal/server/globalSetup.ts"],
    reporters: ["default", "./packages/test-kit/src/internal/vitest/skipReporter.ts"],
    silent: isVerbose ? false : "passed-only",
    slowTestThreshold: isVerbose ? 300 : 10_000,
    passWithNoTests: false,
    maxWorkers: 2,
    sequence: { concurrent: false },
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
