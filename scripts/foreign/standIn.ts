/**
 * A command `java` for suites that start ZooKeeper themselves: instead of a server it asks our process for a member of an
 * embedded one, and lives as long as that.
 *
 * Run as a program it is the process that the suite starts and stops. Its end, also by SIGKILL, stops the member.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { mainClass } from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import type { Version } from "@effect-zookeeper/server/EmbeddedServer"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { Ensembles } from "./Ensembles.ts"
import { readZooCfg } from "./zooCfg.ts"

/** The folder of the command, for the front of PATH. */
export const embedded = (version: Version): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* TemporaryFolder.make("java-")
    const path = Path.join(folder, "socket")
    const ensembles = new Ensembles(yield* Effect.scope)
    const run = yield* FiberSet.makeRuntime<never>()
    yield* Effect.acquireRelease(
      Effect.callback<Net.Server>((resume) => {
        const server = Net.createServer(
          { allowHalfOpen: true },
          (socket) => void run(serve(ensembles, version, socket))
        )
        server.listen(path, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const program = fileURLToPath(new URL("standInProcess.ts", import.meta.url))
    return command(folder, `exec ${process.execPath} ${program} ${path} "$@"`)
  })

/** The same for a real server: the suite's flags and file, with the class path of an installation. */
export const real = (java: string, classPath: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(TemporaryFolder.make("java-"), (folder) =>
    command(
      folder,
      `flags=""\nfor last; do case "$last" in -D*) flags="$flags $last";; esac; done\n` +
        `exec ${java} -Xmx64m $flags -cp '${classPath}' ${mainClass} "$last"`
    )
  )

const command = (folder: string, line: string): string => {
  Fs.writeFileSync(Path.join(folder, "java"), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  return folder
}

/** One process of the suite: its arguments are the first line. */
const serve = Effect.fnUntraced(function* (ensembles: Ensembles, version: Version, socket: Net.Socket) {
  const args = yield* argumentsOf(socket)
  const flag = (name: string) => args.find((arg) => arg.startsWith(`-D${name}=`))?.slice(name.length + 3)
  const started = yield* Effect.result(
    ensembles.start(readZooCfg(args.at(-1) ?? ""), {
      version,
      superDigest: flag("zookeeper.DigestAuthenticationProvider.superDigest"),
      readOnlyMode: flag("readonlymode.enabled") === "true"
    })
  )
  if (started._tag === "Failure") {
    socket.end(started.failure.message)
    return
  }
  yield* ended(socket)
  yield* started.success
  socket.end()
})

const argumentsOf = (socket: Net.Socket): Effect.Effect<ReadonlyArray<string>> =>
  Effect.callback((resume) => {
    let text = ""
    socket.setEncoding("utf8").on("data", (more: string) => {
      text += more
      if (text.endsWith("\n")) resume(Effect.succeed(text.trimEnd().split("\0")))
    })
  })

const ended = (socket: Net.Socket): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const done = () => resume(Effect.void)
    socket.once("end", done)
    socket.once("error", done)
    socket.once("close", done)
    if (socket.readableEnded || socket.destroyed) done()
  })
