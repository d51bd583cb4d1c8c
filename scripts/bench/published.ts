/**
 * The packages as they are published, in a temporary folder, and the contestants that use them: for what depends on the
 * JavaScript that a process loads.
 */
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import { bundlePackage, bundledPackages } from "../bundlePackage.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Puts the packages into the `node_modules` of a folder, as `pnpm build` makes them: of an import, JavaScript alone is read. */
export const installPublished = async (folder: string): Promise<void> => {
  const scope = Path.join(folder, "node_modules", "@effect-zookeeper")
  const installed = bundledPackages.map(async (name) => {
    const source = Path.join(root, "packages", name)
    const target = Path.join(scope, name)
    const manifest = JSON.parse(Fs.readFileSync(Path.join(source, "package.json"), "utf8")) as {
      readonly publishConfig: { readonly exports: unknown }
    }
    Fs.mkdirSync(Path.join(target, "dist"), { recursive: true })
    const published = { ...manifest, exports: manifest.publishConfig.exports }
    Fs.writeFileSync(Path.join(target, "package.json"), JSON.stringify(published))
    await bundlePackage(source, Path.join(target, "dist"))
  })
  await Promise.all(installed)
  const require = createRequire(Path.join(root, "packages/transport/package.json"))
  Fs.symlinkSync(
    Path.dirname(require.resolve("effect/package.json")),
    Path.join(folder, "node_modules", "effect"),
    "dir"
  )
}

/** Makes JavaScript of the contestants in such a folder; gives the file that runs one. */
export const bundleContestants = async (folder: string): Promise<string> => {
  const names = Fs.readdirSync(Path.join(root, "scripts/bench/contestants")).map((file) => Path.basename(file, ".ts"))
  const input = Object.fromEntries(
    ["child", ...names.map((name) => `contestants/${name}`)].map((name) => [
      name,
      Path.join(root, `scripts/bench/${name}.ts`)
    ])
  )
  Fs.symlinkSync(Path.join(root, "scripts/bench/peers"), Path.join(folder, "peers"), "dir")
  Fs.writeFileSync(Path.join(folder, "package.json"), '{ "type": "module" }')
  await build({
    input,
    external: [/^node:/, /^effect\//, /^@effect-zookeeper\//],
    platform: "node",
    logLevel: "silent",
    output: { dir: folder, entryFileNames: "[name].js", chunkFileNames: "[name].js" }
  })
  return Path.join(folder, "child.js")
}
