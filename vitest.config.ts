import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts"],
    globalSetup: ["packages/test-kit/src/internal/globalSetup.ts"],
    passWithNoTests: false,
    maxWorkers: 2,
    sequence: { concurrent: false },
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
