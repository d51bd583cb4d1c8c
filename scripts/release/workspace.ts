/**
 * Shared by the commands of a release: the packages, the changesets, and how other programs are run.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import { fail, runInTerminal, type StepFailed } from "../steps.ts"

/** The folder of the workspace. */
export const root = new URL("../../", import.meta.url)

/** Run by Node. */
export const changesetsCli = fileURLToPath(new URL("node_modules/@changesets/cli/bin.js", root))

/** The text of a file of the workspace. */
export const read = (path: string): string => Fs.readFileSync(new URL(path, root), "utf8")

/** The packages that are published: their folders in `packages`, and their manifests. */
export const publishedPackages = (): ReadonlyArray<{
  readonly folder: string
  readonly manifest: { readonly name: string; readonly version: string; readonly private?: boolean }
}> =>
  Fs.readdirSync(new URL("packages/", root))
    .filter((folder) => Fs.existsSync(new URL(`packages/${folder}/package.json`, root)))
    .map((folder) => ({ folder, manifest: JSON.parse(read(`packages/${folder}/package.json`)) }))
    .filter(({ manifest }) => manifest.private !== true)

/** The changesets that wait for a release. */
export const changesets = (): ReadonlyArray<string> =>
  Fs.readdirSync(new URL(".changeset/", root)).filter((name) => name.endsWith(".md") && name !== "README.md")

/** All published packages have one version. */
export const versionOfPackages: Effect.Effect<string, StepFailed> = Effect.suspend(() => {
  const versions = new Set(publishedPackages().map(({ manifest }) => manifest.version))
  const [version] = versions
  return versions.size === 1 && version !== undefined
    ? Effect.succeed(version)
    : fail(
        `the published packages have the versions ${[...versions].join(", ")}: all have the same, see .changeset/config.json`
      )
})

/** Runs a program in the folder of the workspace and shows what it prints; fails unless it ends with 0. */
export const run = (command: string, args: ReadonlyArray<string>): Effect.Effect<void, StepFailed> =>
  Effect.flatMap(runInTerminal(command, args, fileURLToPath(root)), (code) =>
    code === 0 ? Effect.void : fail(`\`${[command, ...args].join(" ")}\` ended with ${code}`)
  )
