/**
 * The command line as it is published: `zk` and all that it uses, in a few files that are loaded when a command needs them.
 *
 * Node finds, opens and links each module that is loaded, and a run of `zk` from the sources loads several hundred. So what
 * every command needs is one file, the client is a second one, and the code of a command a third. Nothing in
 * `node_modules` is loaded.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { build, type InputOptions, type Plugin } from "rolldown"
import { isReached } from "./bundlePackage.ts"

/** The executable, in the folder of the package. */
export const commandFile = "dist/internal/zk.js"

/** The modules of which the whole of what they import by statements is one file, in this order of precedence. */
const files: ReadonlyArray<readonly [name: string, module: string]> = [
  ["main", "internal/run.ts"],
  ["client", "internal/frame/clientModules.ts"]
]

/**
 * Effect's formatter of help makes a segmenter of text when it is loaded, for which V8 reads tables for 20 ms. Only a command
 * that shows help needs it.
 */
const lazySegmenter: Plugin = {
  name: "lazy segmenter",
  transform: {
    filter: { id: /[\\/]cli[\\/]CliOutput\.js$/ },
    handler: (code) => {
      const eager = /const graphemeSegmenter = [^;]*?(new Intl\.Segmenter\([^;]*\));/
      if (!eager.test(code))
        throw new Error("CliOutput.js makes no segmenter any more: remove this from bundleCommand.ts")
      const lazy =
        "let madeSegmenter;\nconst graphemeSegmenter = { segment: (text) => (madeSegmenter ??= $1).segment(text) };"
      return code.replace(eager, lazy)
    }
  }
}

/**
 * Modules of Node that take long to load, with the functions that are called of them, which few commands do: they are loaded
 * at the first call. A function that is missing here is an error of the build.
 *
 * They become arrow functions without properties, which can only be called: `new` and `promisify(execFile)` fail at run time,
 * and no build notices. Nothing in the bundle does either, dependencies included.
 */
const lazyFunctions: Readonly<Record<string, ReadonlyArray<string>>> = {
  "node:child_process": ["execFile", "fork", "spawn"],
  "node:crypto": ["createHash", "randomBytes"],
  "node:readline": ["createInterface", "emitKeypressEvents"]
}

const lazyMark = "\0lazy:"

const lazyModules: Plugin = {
  name: "lazy modules",
  resolveId: (id) => (id in lazyFunctions ? lazyMark + id : undefined),
  load: (id) => {
    if (!id.startsWith(lazyMark)) return undefined
    const module = id.slice(lazyMark.length)
    return (lazyFunctions[module] ?? [])
      .map((name) => `export const ${name} = (...args) => process.getBuiltinModule("${module}").${name}(...args)`)
      .join("\n")
  }
}

const forNode: InputOptions = {
  plugins: [lazySegmenter, lazyModules],
  external: (id) => id.startsWith("node:") && !(id in lazyFunctions),
  platform: "node",
  transform: { target: "es2023" },
  logLevel: "warn",
  onLog: (level, log, defaultHandler) => defaultHandler(log.code === "IMPORT_IS_UNDEFINED" ? "error" : level, log)
}

/** Writes the executable into `dist`. */
export const bundleCommand = async (packageFolder: string, dist = Path.join(packageFolder, "dist")): Promise<void> => {
  const source = (file: string) => Path.join(packageFolder, "src", file)
  await build({
    ...forNode,
    input: { zk: source("internal/zk.ts") },
    output: {
      dir: Path.join(dist, "internal"),
      minify: true,
      entryFileNames: "[name].js",
      // Beside the executable, because the sources find the keeper and the manifest from where they are.
      chunkFileNames: "[name]-[hash].js",
      codeSplitting: {
        groups: files.map(([name, module], index) => ({
          debugName: name,
          // A group takes all that its modules import, unless one of a higher priority has it.
          priority: files.length - index,
          name: (id: string, modules: Parameters<typeof isReached>[2]) =>
            isReached(id, (root) => root.id === source(module), modules) ? name : null
        }))
      }
    }
  })
  // A process of its own: what it shares with `zk` is in it a second time, since the files of `zk` begin a run.
  await build({
    ...forNode,
    input: { keeper: source("internal/guard/keeper.ts") },
    output: { dir: Path.join(dist, "internal"), minify: true, entryFileNames: "[name].js", codeSplitting: false }
  })
  // `zk ui` finds the files of its page beside the executable.
  const page = Path.join(packageFolder, "../console/dist/page")
  if (Fs.existsSync(page)) Fs.cpSync(page, Path.join(dist, "internal/page"), { recursive: true })
  Fs.chmodSync(Path.join(dist, Path.relative("dist", commandFile)), 0o755)
}
