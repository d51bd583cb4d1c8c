/**
 * The packages of which an import takes nearly all modules, as they are published: their modules in one file.
 *
 * Each module that a program loads costs half a millisecond to find, open and link, whatever is in it, and the client
 * was 93 of them. Every public module stays importable and the same as it is by the package's index, for it exports
 * what is in that file. Modules that are loaded on demand (the sockets) stay out of it. Declarations are the
 * compiler's, a file a module, and source maps lead to the sources.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { build, type ModuleInfo } from "rolldown"

/** Of the recipes an application takes a few, so that they stay apart, as does the server. */
export const bundledPackages: ReadonlyArray<string> = ["protocol", "transport", "session", "client"]

/** The folder of their modules, in `dist`. */
export const bundleFile = "internal/all.js"

/** Replaces the JavaScript in `dist`, which is the compiler's, by what is published. */
export const bundlePackage = async (packageFolder: string, dist = Path.join(packageFolder, "dist")): Promise<void> => {
  const source = Path.join(packageFolder, "src")
  const modules = Fs.readdirSync(source).filter((file) => file.endsWith(".ts"))
  const input = Object.fromEntries(modules.map((file) => [file.replace(/\.ts$/, ""), Path.join(source, file)]))
  for (const file of Fs.readdirSync(dist, { encoding: "utf8", recursive: true })) {
    if (/\.js(\.map)?$/.test(file)) Fs.rmSync(Path.join(dist, file))
  }
  await build({
    input,
    external: (id) => !id.startsWith(".") && !Path.isAbsolute(id),
    platform: "neutral",
    treeshake: false,
    preserveEntrySignatures: "strict",
    transform: { target: "es2023" },
    logLevel: "warn",
    output: {
      dir: dist,
      sourcemap: true,
      entryFileNames: "[name].js",
      chunkFileNames: "internal/[name].js",
      codeSplitting: {
        groups: [
          {
            debugName: "all",
            name: (id, modules) => (isReached(id, ({ isEntry }) => isEntry, modules) ? "all" : null)
          }
        ]
      }
    }
  })
}

/** Whether a module is a root, or imported from one by statements alone. */
export const isReached = (
  id: string,
  isRoot: (module: ModuleInfo) => boolean,
  modules: { readonly getModuleInfo: (id: string) => ModuleInfo | null },
  seen = new Set<string>()
): boolean => {
  if (seen.has(id)) return false
  seen.add(id)
  const info = modules.getModuleInfo(id)
  return (
    info !== null && (isRoot(info) || info.importers.some((importer) => isReached(importer, isRoot, modules, seen)))
  )
}
