/** Processes in other languages that take turns with ours, and the shared znode by which all of them notice a clash. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const JARS = ["curator-recipes", "curator-framework", "curator-client", "zookeeper", "slf4j-nop"].map(
  (name) => `/usr/share/java/${name}.jar`
)
const PYTHON = "/usr/bin/python3"

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const hasCurator = existsSync(JARS[0]!) && spawnSync("javac", ["-version"]).status === 0
export const hasKazoo = spawnSync(PYTHON, ["-c", "import kazoo"]).status === 0

/** Another process; `turns` gives how many clashes it saw. */
interface Peer {
  readonly turns: (recipe: string, path: string, count: number) => Effect.Effect<number>
}

/** A process with Curator. */
export const curator = Effect.fnUntraced(function* (server: string): Effect.fn.Return<Peer, never, Scope.Scope> {
  const classes = yield* TemporaryFolder.make("curator-")
  const compiled = spawnSync("javac", ["-cp", JARS.join(":"), "-d", classes, here("CuratorPeer.java")])
  if (compiled.status !== 0) return yield* Effect.die(new Error(compiled.stderr.toString()))
  return yield* peer("java", ["-Xmx64m", "-cp", [classes, ...JARS].join(":"), "CuratorPeer", server])
})

/** A process with kazoo. */
export const kazoo = (server: string): Effect.Effect<Peer, never, Scope.Scope> =>
  peer(PYTHON, [here("kazooPeer.py"), server])

const peer = Effect.fnUntraced(function* (command: string, args: ReadonlyArray<string>) {
  const lines = yield* Queue.unbounded<string>()
  let errors = ""
  const child: ChildProcess = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] })
      let rest = ""
      child.stdout.on("data", (chunk: Buffer) => {
        const parts = (rest + chunk.toString()).split("\n")
        rest = parts.pop() ?? ""
        for (const line of parts) Queue.offerUnsafe(lines, line)
      })
      child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const next = Queue.take(lines).pipe(
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.die(new Error(`${command} is silent: ${errors}`))
    })
  )
  const ready = yield* next
  if (ready !== "ready") return yield* Effect.die(new Error(`${command} said ${ready}: ${errors}`))
  return {
    turns: (recipe: string, path: string, count: number) =>
      Effect.andThen(
        Effect.sync(() => child.stdin?.write(`${recipe} ${path} ${count}\n`)),
        Effect.map(next, (line) => Number(line.slice("done ".length)))
      )
  }
})

// -----------------------------------------------------------------------------
// the shared znode
// -----------------------------------------------------------------------------

/** A single holder finds no other; gives the clashes seen. */
export const alone = (zk: ZooKeeper.Service, path: string) =>
  zk.create(`${path}-owner`, { mode: "ephemeral" }).pipe(
    Effect.andThen(Effect.sleep(2)),
    Effect.andThen(zk.delete(`${path}-owner`)),
    Effect.as(0),
    Effect.catchTag("NodeExists", () => Effect.succeed(1))
  )

/** A writer finds no reader beside it. */
export const writing = (zk: ZooKeeper.Service, path: string) =>
  Effect.all([
    alone(zk, path),
    Effect.map(zk.getChildren(`${path}-readers`), (all) => (all.length === 0 ? 0 : 1))
  ]).pipe(Effect.map(([one, two]) => one + two))

/** A reader finds no writer beside it. */
export const reading = (zk: ZooKeeper.Service, path: string) =>
  present(
    zk,
    path,
    Effect.map(zk.exists(`${path}-owner`), (writes) => (writes ? 1 : 0))
  )

/** Not more than so many are there at a time. */
export const together = (zk: ZooKeeper.Service, path: string, limit: number) =>
  present(
    zk,
    path,
    Effect.map(zk.getChildren(`${path}-readers`), (all) => (all.length > limit ? 1 : 0))
  )

const present = Effect.fnUntraced(function* <E>(zk: ZooKeeper.Service, path: string, look: Effect.Effect<number, E>) {
  const own = yield* zk.create(`${path}-readers/r-`, { mode: "ephemeralSequential" })
  const clashes = yield* look
  yield* Effect.sleep(2)
  yield* zk.delete(own)
  return clashes
})

// -----------------------------------------------------------------------------
// one question
// -----------------------------------------------------------------------------

/** The output of a script with kazoo, in one line. */
export const kazooSays = (script: string, ...args: ReadonlyArray<string>): Effect.Effect<string> =>
  says(PYTHON, [here(script), ...args])

/** The output of a program with Curator, in one line; it is one source file. */
export const curatorSays = (program: string, ...args: ReadonlyArray<string>): Effect.Effect<string> =>
  says("java", ["-Xmx64m", "-cp", JARS.join(":"), here(`${program}.java`), ...args])

const says = (command: string, args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const child = execFile(command, [...args], (error, stdout) =>
      resume(error === null ? Effect.succeed(stdout.trim()) : Effect.die(error))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.die(new Error(`${command} is silent`)) }))
