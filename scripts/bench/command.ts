/**
 * `node scripts/bench/command.ts`: the time of `zk` from Enter to exit, as it is published, against a real ZooKeeper.
 *
 * It bundles the command into a temporary folder, and runs each line as a process of its own, in turn: an empty module, `zk
 * --version`, and `zk ls /`. The first round fills the cache of compiled code and does not count. `--rounds 30` says how many
 * do, and `--node FILE` which Node runs them.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { bundleCommand } from "../bundleCommand.ts"
import { digits, markdown, median } from "./tables.ts"

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "30" }, node: { type: "string", default: process.execPath } }
})

const cli = fileURLToPath(new URL("../../packages/cli", import.meta.url))

/** The folder of an installed package. */
const installed = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-zookeeper-command-"))
    Fs.copyFileSync(Path.join(cli, "package.json"), Path.join(folder, "package.json"))
    Fs.writeFileSync(Path.join(folder, "empty.js"), "")
    await bundleCommand(cli, Path.join(folder, "dist"))
    return folder
  }),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
)

const program = Effect.gen(function* () {
  const folder = yield* installed
  const { connectString } = yield* ZooKeeperServer.make()
  const env = { ...process.env, ZK_SERVERS: connectString, XDG_CACHE_HOME: Path.join(folder, "cache") }
  const zk = Path.join(folder, "dist", "internal", "zk.js")
  const lines: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["an empty module", [Path.join(folder, "empty.js")]],
    ["zk --version", [zk, "--version"]],
    ["zk ls /", [zk, "ls", "/"]]
  ]
  const taken = new Map(lines.map(([name]): [string, Array<number>] => [name, []]))
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [name, args] of lines) {
      const begun = process.hrtime.bigint()
      const { status, stderr } = ChildProcess.spawnSync(values.node, args, { env, encoding: "utf8" })
      const millis = Number(process.hrtime.bigint() - begun) / 1_000_000
      if (status !== 0) throw new Error(stderr)
      if (round > 0) taken.get(name)?.push(millis)
    }
  }
  const rows = [...taken].map(([name, times]) => [
    name,
    digits(median(times)),
    digits(times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN)
  ])
  yield* Console.log(markdown(["from Enter to exit", "median, ms", "95%, ms"], rows))
}).pipe(Effect.scoped)

NodeRuntime.runMain(program)
