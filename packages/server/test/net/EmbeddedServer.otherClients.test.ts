/**
 * ZooKeeper's own shell and the Python client kazoo, as Debian packages them: the same session on the embedded server and
 * on a real one prints the same, times aside.
 */
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { EmbeddedServer, layer } from "../../src/EmbeddedServer.ts"

const SHELL = "/usr/share/zookeeper/bin/zkCli.sh"
const PYTHON = "/usr/bin/python3"

const hasShell = existsSync(SHELL)
const hasKazoo = spawnSync(PYTHON, ["-c", "import kazoo"]).status === 0

const commands = [
  "create /cli hello",
  "get -s /cli",
  "ls /",
  "create -s -e /cli/e- x",
  "ls -s -R /cli",
  "delete /cli",
  "delete /cli/e-0000000000",
  "set -v 7 /cli x",
  "set -s /cli x",
  "setAcl /cli world:anyone:cdrwa",
  "getAcl -s /cli",
  "create -c /container",
  "create -t 100000 /ttl",
  "getAllChildrenNumber /",
  "setquota -n 5 /cli",
  "listquota /cli",
  "whoami",
  "addauth digest bob:secret",
  "create /private x auth::cdrwa",
  "getAcl /private",
  "addWatch -m PERSISTENT /cli",
  "set /cli world",
  "deleteall /cli",
  "sync /",
  "config",
  "quit"
]

/** The output of a program, without the parts that differ from run to run. */
const run = (command: string, args: ReadonlyArray<string>, input: string) =>
  Effect.callback<string>((resume) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] })
    let output = ""
    let errors = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    // Events that come by two ways have no order.
    child.once("close", () => resume(Effect.succeed(`${masked(output)}\n${masked(errors)}`)))
    child.stdin.end(input)
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const masked = (output: string): string => {
  const lines = output
    .split("\n")
    .filter((line) => !/INFO|WARN|log4j|SLF4J|^Connecting to|^WATCHER::|^$/.test(line))
    .map((line) =>
      line.replace(/([cm]time ?= ?)[^,)]+/g, "$1...").replace(/(ephemeralOwner ?= ?(0x)?)[1-9a-f]\w+/g, "$1...")
    )
  // Events come on a thread of their own, and so in no order with what else is printed; the last, that the client itself
  // is closed, is printed only when the thread has its turn before the process ends.
  const isEvent = (line: string) => line.startsWith("WatchedEvent")
  const events = lines.filter((line) => isEvent(line) && !line.includes("state:Closed"))
  return [...lines.filter((line) => !isEvent(line)), ...events].join("\n")
}

/** Runs on both; the server's versions have different names. */
const compared = (session: (server: string) => Effect.Effect<string>, least: number) =>
  Effect.gen(function* () {
    const real = yield* ZooKeeperServer.make({ tickTime: 2_000 })
    const { connectString } = yield* EmbeddedServer
    const [expected, actual] = yield* Effect.all([session(real.connectString), session(connectString)], {
      concurrency: 2
    })
    assert.strictEqual(actual, expected)
    assert.isAbove(actual.split("\n").length, least, actual)
  }).pipe(Effect.provide(layer()))

describe("clients in other languages", () => {
  it.live.skipIf(!hasShell)(
    "zkCli.sh prints what it prints on a real server (needs zkCli.sh)",
    () => compared((server) => run(SHELL, ["-server", server], `${commands.join("\n")}\n`), 50),
    60_000
  )

  it.live.skipIf(!hasKazoo)(
    "kazoo prints what it prints on a real server (needs kazoo)",
    () => {
      const script = fileURLToPath(new URL("../support/kazooSession.py", import.meta.url))
      return compared((server) => run(PYTHON, [script, server], ""), 15)
    },
    60_000
  )
})
