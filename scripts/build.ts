/**
 * `npx -y pnpm@12 build`: the packages as they are published, and the proof that they work outside of this workspace.
 *
 * It compiles, joins modules into files, packs, lints the tarballs, looks at what is in them, and installs them into a
 * project in a temporary folder, where they are type-checked, imported and required. The result stays in
 * `packages/<name>/dist`. With `--outside FOLDER` that project is made in that folder, which must not exist, and stays:
 * so that other runtimes can run its `smoke.mjs`.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { bundleCommand, commandFile } from "./bundleCommand.ts"
import { bundlePackage, bundleFile, bundledPackages } from "./bundlePackage.ts"
import { manifestProblem, unexpectedFiles } from "./packageRules.ts"
import { reported } from "./runCommand.ts"
import { fail, run, step } from "./steps.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The folder in which the project outside of the workspace is left, if any. */
const { outside } = parseArgs({ options: { outside: { type: "string" } } }).values

/** The published packages, those that others depend on first. */
const published = [
  "protocol",
  "transport",
  "session",
  "client",
  "recipes",
  "config",
  "cluster",
  "storage",
  "server",
  "console",
  "cli"
] as const

/** The packages whose modules are joined into files. */
const joined = [...bundledPackages, "cli"]

const program = Effect.gen(function* () {
  yield* step("compiled to dist, from scratch", compile)
  yield* step("the page of the console built", buildPage)
  yield* step("bundled, a file for each package of which nearly all is used", joinAll)
  const temporary = yield* TemporaryFolder.make("effect-zookeeper-build-")
  const tarballs = yield* step("packed, as they would be published", packAll(temporary))
  yield* step("linted by publint and attw", Effect.forEach(tarballs, lint, { concurrency: 2 }))
  yield* step("hold what they should and nothing else", Effect.forEach(tarballs, inspect))
  const project = yield* step("installed into a project outside of the workspace", installOutside(temporary, tarballs))
  yield* step("type-checked there (NodeNext and Bundler)", typeCheck(project))
  yield* step("imported and used there", runThere(project, "program.ts", "a published module cannot be used"))
  yield* step("at work there, in both faces", runThere(project, "smoke.mjs", "a published module does not work"))
  yield* step("required there by CommonJS", runThere(project, "require.cjs", "require() of a package fails"))
  yield* step("internal modules refused there", runThere(project, "internals.mjs", "an internal module is exported"))
  yield* step("a command line there", runThere(project, "command.mjs", "the published zk does not work"))
}).pipe(Effect.scoped)

// -----------------------------------------------------------------------------
// compile and pack
// -----------------------------------------------------------------------------

/** A file that was deleted from `src` must not live on in `dist`. */
const compile = Effect.gen(function* () {
  for (const name of [...published, "test-kit"]) {
    Fs.rmSync(packageFile(name, "dist"), { recursive: true, force: true })
    Fs.rmSync(packageFile(name, "tsconfig.tsbuildinfo"), { force: true })
  }
  yield* run(bin("tsc"), ["-b", "tsconfig.packages.json"], root, "the packages do not compile: fix the errors above")
})

/** Its sources are no modules of the package: vite builds them into files of their own. */
const buildPage = Effect.suspend(() =>
  run(
    packageFile("console", "node_modules/.bin/vite"),
    ["build", "--config", "page/vite.config.ts"],
    packageFile("console"),
    "the page does not build: fix the errors above"
  )
)

const joinAll = Effect.forEach(
  joined,
  (name) =>
    Effect.tryPromise({
      try: async () => {
        await bundlePackage(packageFile(name))
        if (name === "cli") await bundleCommand(packageFile(name))
      },
      catch: String
    }).pipe(
      Effect.catch((error) =>
        fail(
          `the modules of ${name} cannot be bundled: ${error}`,
          "see scripts/bundlePackage.ts and scripts/bundleCommand.ts"
        )
      )
    ),
  { discard: true }
)

interface Tarball {
  readonly name: (typeof published)[number]
  readonly file: string
  readonly contents: ReadonlyArray<string>
}

const Packed = Schema.fromJsonString(
  Schema.Struct({ filename: Schema.String, files: Schema.Array(Schema.Struct({ path: Schema.String })) })
)

const packAll = (folder: string) =>
  Effect.forEach(published, (name) =>
    Effect.gen(function* () {
      for (const file of ["README.md", "package.json"]) {
        if (!Fs.existsSync(packageFile(name, file))) yield* fail(`packages/${name} has no ${file}`, "write one")
      }
      const output = yield* pnpm(["pack", "--json", "--pack-destination", folder], packageFile(name))
      const packed = yield* Schema.decodeEffect(Packed)(output).pipe(
        Effect.catch((error) => fail(`pnpm pack of ${name} said something else: ${error.message}`, "is it pnpm 12?"))
      )
      return { name, file: packed.filename, contents: packed.files.map(({ path }) => path) } satisfies Tarball
    })
  )

const lint = Effect.fnUntraced(function* ({ name, file }: Tarball) {
  const advice = `correct packages/${name}/package.json`
  yield* run(bin("publint"), ["run", file, "--strict"], root, advice)
  yield* run(bin("attw"), [file, "--profile", "esm-only", "--no-emoji"], root, advice)
})

// -----------------------------------------------------------------------------
// what is in a tarball
// -----------------------------------------------------------------------------

/** Files only; the manifest is read where it has been installed. */
const inspect = Effect.fnUntraced(function* ({ name, contents }: Tarball) {
  const unexpected = unexpectedFiles(contents)
  if (unexpected.length > 0) {
    yield* fail(`${name} would publish ${unexpected.join(", ")}`, `narrow "files" in packages/${name}/package.json`)
  }
  const sources = contents.filter((path) => path.startsWith("src/"))
  const isBundled = joined.includes(name)
  const isBundle = (path: string) =>
    name === "cli" ? /^dist\/internal\/[\w-]+\.js$/.test(path) : path === `dist/${bundleFile}`
  const wanted = ["README.md", "LICENSE", "package.json", "src/index.ts"].concat(
    isBundled ? [`dist/${bundleFile}`] : [],
    name === "cli" ? [commandFile, "dist/internal/page/index.html"] : [],
    name === "console" ? ["dist/page/index.html"] : [],
    sources.flatMap((path) => {
      const compiled = path.replace(/^src\//, "dist/").replace(/\.ts$/, "")
      const inside = isBundled && path.startsWith("src/internal/")
      return [...(inside ? [] : [`${compiled}.js`]), `${compiled}.d.ts`]
    })
  )
  const missing = wanted.filter((path) => !contents.includes(path))
  if (missing.length > 0) yield* fail(`${name} would be published without ${missing.join(", ")}`, "add them")
  const orphans = contents.filter(
    (path) =>
      /^dist\/.*\.js$/.test(path) &&
      !/^dist\/(internal\/)?page\//.test(path) &&
      !sources.includes(path.replace(/^dist\//, "src/").replace(/js$/, "ts")) &&
      !(isBundled && isBundle(path))
  )
  if (orphans.length > 0)
    yield* fail(`${name} has compiled files without a source: ${orphans.join(", ")}`, "clean dist")
})

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    exports: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
    scripts: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    optionalDependencies: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    dependencies: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    devDependencies: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    peerDependencies: Schema.Record(Schema.String, Schema.String)
  })
)

/** The published manifest, as pnpm wrote it. */
const inspectManifest = Effect.fnUntraced(function* (name: string, text: string) {
  const manifest = yield* Schema.decodeEffect(Manifest)(text).pipe(
    Effect.catch((error) => fail(`the published package.json of ${name}: ${error.message}`, "correct it"))
  )
  const problem = manifestProblem(manifest)
  if (problem !== undefined) yield* fail(`${name} ${problem}`, `see scripts/packageRules.ts`)
  const ranges = { ...manifest.devDependencies, ...manifest.dependencies, ...manifest.peerDependencies }
  for (const [dependency, range] of Object.entries(ranges)) {
    if (!/^[\^~]?\d+\.\d+\.\d+$/.test(range)) {
      yield* fail(`${name} would depend on ${dependency} "${range}"`, "let pnpm replace it by a range, or write one")
    }
  }
  for (const [path, target] of Object.entries(manifest.exports)) {
    const fine =
      path === "./package.json" || (path === "./internal/*" ? target === null : target?.startsWith("./dist/"))
    if (!fine) yield* fail(`${name} would export ${path} as ${target}`, `correct publishConfig.exports`)
  }
  if (manifest.exports["./internal/*"] !== null) yield* fail(`${name} exports internal/*`, `set it to null`)
})

// -----------------------------------------------------------------------------
// a project outside of the workspace
// -----------------------------------------------------------------------------

/** A project that knows the tarballs, and from the registry what the workspace already uses, in its versions. */
const installOutside = Effect.fnUntraced(function* (temporary: string, tarballs: ReadonlyArray<Tarball>) {
  const project = outside ?? Path.join(temporary, "project")
  if (outside !== undefined && Fs.existsSync(outside)) {
    yield* fail(`${outside} is there already`, "name a folder that does not exist: the project is made in it")
  }
  const local = Object.fromEntries(tarballs.map(({ name, file }) => [`@effect-zookeeper/${name}`, `file:${file}`]))
  const versions = Object.fromEntries(["effect", "@types/node"].map((name) => [name, versionOf(name)]))
  write(project, "package.json", {
    name: "outside",
    private: true,
    type: "module",
    dependencies: { ...local, ...versions }
  })
  // The packages' dependencies on each other, too, are the tarballs. JSON is YAML.
  write(project, "pnpm-workspace.yaml", { overrides: local, blockExoticSubdeps: false })
  for (const resolution of ["NodeNext", "Bundler"]) {
    write(project, `tsconfig.${resolution}.json`, {
      files: ["program.ts"],
      compilerOptions: {
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        target: "ES2023",
        // DOM because effect's own declarations are checked too, and name its types.
        lib: ["ES2024", "ESNext.Disposable", "DOM"],
        skipLibCheck: false,
        types: ["node"],
        module: resolution === "NodeNext" ? "NodeNext" : "Preserve",
        moduleResolution: resolution
      }
    })
  }
  Fs.cpSync(Path.join(root, "scripts/outside"), project, { recursive: true })
  yield* pnpm(["install", "--prefer-offline", "--no-frozen-lockfile", "--reporter=append-only"], project)
  for (const { name } of tarballs) {
    const manifest = Path.join(project, "node_modules/@effect-zookeeper", name, "package.json")
    yield* inspectManifest(name, Fs.readFileSync(manifest, "utf8"))
  }
  return project
})

const typeCheck = (project: string) =>
  Effect.forEach(
    ["NodeNext", "Bundler"],
    (resolution) =>
      run(
        bin("tsc"),
        ["-p", `tsconfig.${resolution}.json`],
        project,
        `the published declarations do not hold with moduleResolution ${resolution}; program.ts is scripts/outside/program.ts`
      ),
    { concurrency: 2, discard: true }
  )

const runThere = (project: string, file: string, problem: string) =>
  run(process.execPath, [file], project, `${problem}; ${file} is scripts/outside/${file}`)

// -----------------------------------------------------------------------------
// tools
// -----------------------------------------------------------------------------

/** The pnpm that runs this script is on the PATH. */
const pnpm = (args: ReadonlyArray<string>, cwd: string) =>
  run("pnpm", args, cwd, "run this as `npx -y pnpm@12 build`; the message of pnpm is above")

const bin = (name: string) => Path.join(root, "node_modules/.bin", name)

const packageFile = (name: string, ...path: ReadonlyArray<string>) => Path.join(root, "packages", name, ...path)

const versionOf = (dependency: string): unknown =>
  JSON.parse(Fs.readFileSync(Path.join(root, "node_modules", dependency, "package.json"), "utf8")).version

const write = (folder: string, name: string, content: object) => {
  Fs.mkdirSync(folder, { recursive: true })
  Fs.writeFileSync(Path.join(folder, name), JSON.stringify(content, null, 2))
}

NodeRuntime.runMain(reported(program))
