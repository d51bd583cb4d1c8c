/**
 * `npx -y pnpm@12 test`: makes sure that a ZooKeeper is there, then runs the tests with vitest.
 *
 * `--long` (the script `test:long`) runs the same assertions with larger numbers: tests see `ZK_LONG=1`. Everything else
 * is passed to vitest. The exit code is vitest's, or 1 where there is no ZooKeeper and none may be installed.
 */
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { reported } from "./runCommand.ts"
import { runInTerminal } from "./steps.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const compileCache = fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url))
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url))

const program = Effect.gen(function* () {
  const install = yield* ZooKeeperInstall.findOrInstall
  yield* Console.log(`ZooKeeper: ${install.source}`)
  const args = process.argv.slice(2).filter((arg) => arg !== "--" && arg !== "--long")
  const env = {
    // Each worker, and each program that a test starts, loads the sources: they are compiled once.
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? compileCache,
    ...(process.argv.includes("--long") ? { ZK_LONG: "1" } : {})
  }
  process.exitCode = yield* runInTerminal(process.execPath, [vitest, "run", ...args], root, env)
})

NodeRuntime.runMain(reported(program))
