/**
 * `node scripts/bench/command.ts`: the time of `zk` from Enter to exit, as it is published, against a real ZooKeeper.
 *
 * It bundles the command into a temporary folder, and runs each line as a process of its own, in turn: an empty module, `zk
 * --version`, and `zk ls /`. The first round fills the cache of compiled code and does not count. `--rounds 30` says how many
 * do, and `--node FILE` which Node runs them. Then it does the same three times with commands that read a tree of 100,000
 * znodes (`--znodes` says how many, 0 leaves them out), and measures the most memory that each has had.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { bundleCommand } from "../bundleCommand.ts"
import { digits, markdown, median } from "./tables.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "30" },
    znodes: { type: "string", default: "100000" },
    node: { type: "string", default: process.execPath }
  }
})

const cli = fileURLToPath(new URL("../../packages/cli", import.meta.url))

/** Children of one parent of the large tree. */
const WIDTH = 100

interface Sample {
  readonly millis: number
  /** The most memory of the process, in MiB. */
  readonly memory: number
}

/** The folder of an installed package. */
const installed = Effect.tap(TemporaryFolder.make("effect-zookeeper-command-"), (folder) =>
  Effect.promise(() => {
    Fs.copyFileSync(Path.join(cli, "package.json"), Path.join(folder, "package.json"))
    Fs.writeFileSync(Path.join(folder, "empty.js"), "")
    // The most memory, in KiB, goes to a pipe that no command knows. `resourceUsage` has that of the parent as well.
    const hook = `process.on("exit", () => {
      const fs = require("node:fs")
      const [, kilobytes = ""] = /VmHWM:\\s+(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8")) ?? []
      fs.writeSync(3, kilobytes)
    })`
    Fs.writeFileSync(Path.join(folder, "memory.cjs"), hook)
    return bundleCommand(cli, Path.join(folder, "dist"))
  })
)

/** Runs a command; its output goes nowhere. */
const sample = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Sample => {
  const begun = process.hrtime.bigint()
  const { output, status } = ChildProcess.spawnSync(values.node, args, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe", "pipe"]
  })
  const millis = Number(process.hrtime.bigint() - begun) / 1_000_000
  if (status !== 0) throw new Error(output[2] ?? "a command has failed")
  return { millis, memory: Number(output[3]) / 1024 }
}

/** All lines in turn, round by round. */
const measured = (lines: ReadonlyMap<string, ReadonlyArray<string>>, rounds: number, env: NodeJS.ProcessEnv) => {
  const samples = new Map([...lines.keys()].map((name): [string, Array<Sample>] => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, args] of lines) {
      const taken = sample(args, env)
      if (round > 0) samples.get(name)?.push(taken)
    }
  }
  return [...samples].map(([name, taken]) => {
    const millis = taken.map((each) => each.millis)
    const nearlyAll = millis.toSorted((a, b) => a - b)[Math.ceil(millis.length * 0.95) - 1] ?? Number.NaN
    return [name, digits(median(millis)), digits(nearlyAll), digits(Math.max(...taken.map(({ memory }) => memory)))]
  })
}

/** Creates as many znodes with 20 bytes each, `WIDTH` below each parent. */
const createTree = Effect.fnUntraced(function* (root: string, znodes: number) {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.create(root)
  const parents = Math.ceil(znodes / (WIDTH + 1))
  const one = (parent: number) => {
    const path = `${root}/parent-${parent}`
    const children = Math.min(WIDTH, znodes - parent * (WIDTH + 1) - 1)
    const data = "x".repeat(20)
    return zk.transaction([
      Op.create(path, { data }),
      ...Array.from({ length: children }, (_, child) => Op.create(`${path}/child-${child}`, { data }))
    ])
  }
  yield* Effect.forEach(Array.from({ length: parents }).keys(), one, { concurrency: 8, discard: true })
})

const program = Effect.gen(function* () {
  const folder = yield* installed
  const { connectString } = yield* ZooKeeperServer.make()
  const zk = ["--require", Path.join(folder, "memory.cjs"), Path.join(folder, "dist", "internal", "zk.js")]
  const env = { ...process.env, ZK_SERVERS: connectString, XDG_CACHE_HOME: Path.join(folder, "cache") }
  const short = new Map([
    ["an empty module", [...zk.slice(0, 2), Path.join(folder, "empty.js")]],
    ["zk --version", [...zk, "--version"]],
    ["zk ls /", [...zk, "ls", "/"]]
  ])
  const znodes = Number(values.znodes)
  const large = new Map([
    ["zk tree /large", [...zk, "tree", "/large"]],
    ["zk ls -R /large", [...zk, "ls", "-R", "/large"]],
    ["zk find /large --name '*-7'", [...zk, "find", "/large", "--name", "*-7"]],
    ["zk du /large", [...zk, "du", "/large"]]
  ])
  const rows = measured(short, Number(values.rounds), env)
  if (znodes > 0) {
    yield* createTree("/large", znodes).pipe(Effect.provide(ZooKeeper.layer({ servers: connectString })))
    rows.push(...measured(large, 3, env))
  }
  yield* Console.log(markdown(["from Enter to exit", "median, ms", "95%, ms", "most memory, MiB"], rows))
}).pipe(Effect.scoped)

NodeRuntime.runMain(program)
