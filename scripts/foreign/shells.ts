/**
 * ZooKeeper's two shells, `zkCli` in Java and `cli_mt` in C: the same session on two servers, compared line by line, without
 * what differs from run to run.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ChildProcess from "node:child_process"
import type { SuiteResult } from "./results.ts"

const zkCliSession = [
  "create /cli hello",
  "get -s /cli",
  "stat /cli",
  "ls /",
  "ls -s /",
  "create -s -e /cli/e- x",
  "create -s /cli/s- y",
  "ls -R /cli",
  "ls -s -R /cli",
  "delete /cli",
  "delete /cli/none",
  "set -v 7 /cli x",
  "set -s /cli x",
  "get /none",
  "create /cli again",
  "create /none/child x",
  "setAcl /cli world:anyone:cdrwa",
  "getAcl -s /cli",
  "create -c /container",
  "create -t 100000 /ttl",
  "create -e /ephemeral",
  "create /ephemeral/child x",
  "getEphemerals",
  "getAllChildrenNumber /",
  "setquota -n 5 /cli",
  "listquota /cli",
  "delquota -n /cli",
  "whoami",
  "addauth digest bob:secret",
  "whoami",
  "create /private x auth::cdrwa",
  "getAcl /private",
  "setAcl /private digest:alice:hash:r",
  "get /private",
  "addWatch -m PERSISTENT /cli",
  "set /cli world",
  "addWatch -m PERSISTENT_RECURSIVE /cli",
  "create /cli/deep x",
  "removewatches /cli",
  "get -w /cli",
  "set /cli once",
  "set /cli twice",
  "deleteall /cli",
  "sync /",
  "config",
  "version",
  "nonsense",
  "quit"
]

const cShellSession = [
  "create /c",
  "get /c",
  "set /c hello",
  "get /c",
  "ls /",
  "ls2 /c",
  "exists /c",
  "wexists /none",
  "create +e /c-mine",
  "create +s /c/s-",
  "create +es /c/es-",
  "ls /c",
  "delete /none",
  "delete /c",
  "get /none",
  "create2 /c2",
  "sync /c",
  "verbose",
  "myid",
  "quit"
]

/** The addresses of the embedded server and of a real one. */
export interface Servers {
  readonly ours: string
  readonly real: string
}

export const compareZkCli = (classPath: string, servers: Servers) => {
  const session = (server: string) =>
    talk("java", ["-cp", classPath, "org.apache.zookeeper.ZooKeeperMain", "-server", server], zkCliSession, {})
  return compareLines(session(servers.ours), session(servers.real))
}

export const compareCShell = (home: string, servers: Servers) => {
  const libraries = `${home}/usr/lib/x86_64-linux-gnu:${home}/usr/lib/aarch64-linux-gnu`
  const session = (server: string) =>
    talk(`${home}/usr/lib/zookeeper/bin/cli_mt`, [server], cShellSession, { LD_LIBRARY_PATH: libraries })
  return compareLines(session(servers.ours), session(servers.real))
}

/** Each line of the real session is a test, which passes if our session has it as often. */
export const compareLines = Effect.fnUntraced(function* (
  ours: Effect.Effect<ReadonlyArray<string>>,
  real: Effect.Effect<ReadonlyArray<string>>
) {
  const [here, there] = yield* Effect.all([ours, real])
  const left = [...here]
  const missing = there.filter((line) => {
    const at = left.indexOf(line)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
  const failed = [...missing.map((line) => `real: ${line}`), ...left.map((line) => `ours: ${line}`)]
  const result: SuiteResult = { passed: there.length - missing.length, skipped: 0, failed }
  return result
})

/** One line after the other: each when the shell has had time to answer the one before. */
const talk = (
  command: string,
  args: ReadonlyArray<string>,
  lines: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => ChildProcess.spawn(command, args, { env: { ...process.env, ...env }, stdio: "pipe" })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let output = ""
    const hear = (chunk: Buffer) => (output += chunk.toString())
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    const closed = Effect.callback<void>((resume) => {
      child.once("close", () => resume(Effect.void))
    })
    const ending = yield* Effect.forkChild(closed, { startImmediately: true })
    yield* Effect.sleep("3 seconds")
    for (const line of lines) {
      child.stdin.write(`${line}\n`)
      yield* Effect.sleep("300 millis")
    }
    child.stdin.end()
    yield* Fiber.join(ending)
    return masked(output)
  }).pipe(Effect.scoped)

/** Without log lines, ports, times, session ids and host names. */
const masked = (output: string): ReadonlyArray<string> =>
  output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !/INFO|WARN|DEBUG|log4j|SLF4J|ZOO_|^Connecting to|^$/.test(line))
    .map((line) =>
      line
        .replace(/127\.0\.0\.1:\d+|localhost:\d+/g, "SERVER")
        .replace(/0x[0-9a-f]{8,}|(?<=session Id = )[0-9a-f]+/g, "SESSION")
        .replace(/([cm]time ?[=:] ?)[^,)]+/gi, "$1TIME")
        .replace(/time = \d+ msec/g, "TIME")
        .replace(/(ephemeralOwner ?= ?)\S*[1-9a-f]\S*/g, "$1SESSION")
    )
