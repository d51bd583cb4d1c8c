/** The page, built anew when its sources are newer than what was built. */
import * as PageFiles from "@effect-zookeeper/console/PageFiles"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const built = Path.join(root, "node_modules", ".cache", "page")

/** The folder of the page, for a server that reads it itself. */
export const pageFolder: Effect.Effect<string> = Effect.gen(function* () {
  if (!isFresh()) {
    const { build } = yield* Effect.promise(() => import("vite"))
    const configFile = Path.join(root, "page", "vite.config.ts")
    const outDir = `${built}-${process.pid}`
    yield* Effect.promise(() => build({ configFile, build: { outDir, emptyOutDir: true } }))
    // Another file of tests may have built it meanwhile, and read it now.
    if (isFresh()) Fs.rmSync(outDir, { recursive: true })
    else {
      Fs.rmSync(built, { recursive: true, force: true })
      Fs.renameSync(outDir, built)
    }
  }
  return built
})

export const pageFiles: Effect.Effect<PageFiles.PageFiles> = Effect.flatMap(pageFolder, PageFiles.load).pipe(
  Effect.provide(NodeServices.layer),
  Effect.orDie
)

const isFresh = (): boolean => newest(Path.join(root, "page"), Path.join(root, "src")) <= newest(built)

const newest = (...folders: ReadonlyArray<string>): number =>
  Math.max(
    0,
    ...folders
      .filter((folder) => Fs.existsSync(folder))
      .flatMap((folder) =>
        Fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).map(
          (file) => Fs.statSync(Path.join(folder, file)).mtimeMs
        )
      )
  )
