/**
 * `npx -y pnpm@12 ui`: the console on the embedded server, with an example tree in which something happens all the time. With
 * `--servers` it shows an ensemble that runs, and changes nothing unless `--write` is given.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { live } from "./exampleTree.ts"
import { runCommand, text, toggle, type Values } from "./runCommand.ts"
import { run, runInTerminal } from "./steps.ts"

const flags = {
  servers: text("servers", "servers", "Servers that run, instead of the embedded one", ""),
  port: text("port", "number", "The port of the console (default: 4180)", "4180"),
  write: toggle("write", "Let the page change an ensemble that --servers names")
}

const root = fileURLToPath(new URL("..", import.meta.url))
const consoleFolder = Path.join(root, "packages/console")

const start = Effect.fnUntraced(function* ({ port, servers, write }: Values<typeof flags>) {
  if (isStale()) {
    yield* Console.error("The page is being built, which takes a moment.")
    yield* run(
      Path.join(consoleFolder, "node_modules/.bin/vite"),
      ["build", "--config", "page/vite.config.ts"],
      consoleFolder,
      "the page cannot be built: fix the errors above"
    )
  }
  const shown = servers === "" ? yield* example : servers
  const writes = servers === "" || write ? ["--write"] : []
  const zk = Path.join(root, "packages/cli/src/internal/zk.ts")
  yield* runInTerminal(process.execPath, [zk, "ui", "--servers", shown, "--port", port, ...writes], root)
}, Effect.scoped)

/** The embedded ensemble with the example; gives its connect string. */
const example = Effect.gen(function* () {
  const running = yield* Layer.build(EmbeddedServer.layer({ members: 3 }))
  const { connectString } = Context.get(running, EmbeddedServer.EmbeddedServer)
  const connect = Effect.map(Layer.build(ZooKeeper.layer({ servers: connectString })), (context) =>
    Context.get(context, ZooKeeper.ZooKeeper)
  )
  yield* Effect.forkScoped(live(connect))
  return connectString
})

/** Whether a source of the page is newer than the page. */
const isStale = (): boolean => {
  const built = Path.join(consoleFolder, "dist/page/index.html")
  if (!Fs.existsSync(built)) return true
  const { mtimeMs } = Fs.statSync(built)
  const sources = ["page", "src"].map((folder) => Path.join(consoleFolder, folder))
  return sources.some((folder) =>
    Fs.readdirSync(folder, { encoding: "utf8", recursive: true }).some(
      (file) => Fs.statSync(Path.join(folder, file)).mtimeMs > mtimeMs
    )
  )
}

runCommand(
  "ui",
  "Shows the console, a web page of the tree, the members and the recipes, on the embedded server with an example tree.",
  flags,
  start
)
