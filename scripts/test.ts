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
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import { reported } from "./runCommand.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url))

/** Runs vitest in this terminal; its exit code. Interruption stops it in order, so that it stops its servers. */
const runVitest = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const child = ChildProcess.spawn(process.execPath, [vitest, "run", ...args], { cwd: root, env, stdio: "inherit" })
    child.once("exit", (code) => resume(Effect.succeed(code ?? 1)))
    return Effect.callback<void>((stopped) => {
      child.once("exit", () => stopped(Effect.void))
      child.kill("SIGTERM")
    })
  })

const program = Effect.gen(function* () {
  const install = yield* ZooKeeperInstall.findOrInstall
  yield* Console.log(`ZooKeeper: ${install.source}`)
  const args = process.argv.slice(2).filter((arg) => arg !== "--" && arg !== "--long")
  const env = process.argv.includes("--long") ? { ...process.env, ZK_LONG: "1" } : process.env
  process.exitCode = yield* runVitest(args, env)
})

NodeRuntime.runMain(reported(program))
