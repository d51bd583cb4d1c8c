/** An installation of the packages, and what it brings with it; and the tools that their development trusts. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { manifestProblem, type Manifest, unexpectedFiles } from "../../../../scripts/packageRules.ts"

const root = fileURLToPath(new URL("../../../..", import.meta.url))
const read = (path: string) => Fs.readFileSync(Path.join(root, path), "utf8")

interface Package extends Manifest {
  readonly version: string
  readonly private?: boolean
  readonly files?: ReadonlyArray<string>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const packages = Fs.readdirSync(Path.join(root, "packages"))
  .filter((name) => Fs.existsSync(Path.join(root, "packages", name, "package.json")))
  .map((name) => ({
    folder: `packages/${name}`,
    manifest: JSON.parse(read(`packages/${name}/package.json`)) as Package
  }))

const published = packages.filter(({ manifest }) => manifest.private !== true)

/** All files below a folder that are ours, relative to the root. */
const filesIn = (folder: string): ReadonlyArray<string> =>
  Fs.readdirSync(Path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = Path.join(folder, entry.name)
    if (!entry.isDirectory()) return [path]
    return ["node_modules", "dist", ".git"].includes(entry.name) ? [] : filesIn(path)
  })

const exact = /^\d+\.\d+\.\d+$/

describe("the installation of a package", () => {
  it("installs effect, ours, and of others the platform's sockets alone; nothing runs at installation", () => {
    assert.isAtLeast(published.length, 5)
    for (const { manifest } of published) assert.isUndefined(manifestProblem(manifest), manifest.name)
    const foreign = published.flatMap(({ manifest }) =>
      Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith("@effect-zookeeper/"))
    )
    assert.deepStrictEqual([...new Set(foreign)], ["@effect/platform-node-shared"])
  })

  it("would break the rules if it were otherwise", () => {
    const name = "@effect-zookeeper/client"
    const peerDependencies = { effect: "^4.1.0" }
    assert.isUndefined(manifestProblem({ name, peerDependencies }))
    assert.include(manifestProblem({ name, peerDependencies, dependencies: { "left-pad": "1.0.0" } }), "left-pad")
    assert.include(manifestProblem({ name, peerDependencies, optionalDependencies: { fsevents: "1.0.0" } }), "fsevents")
    assert.include(manifestProblem({ name, peerDependencies: { ...peerDependencies, redis: "1.0.0" } }), "redis")
    for (const script of ["preinstall", "install", "postinstall", "prepare", "prepublishOnly"]) {
      assert.include(manifestProblem({ name, peerDependencies, scripts: { [script]: "curl" } }), script)
    }
    for (const file of [".env", "test/x.ts", "src/x.test.ts", "dist/x.tsbuildinfo", "dist/x.node", "key.pem"]) {
      assert.deepStrictEqual(unexpectedFiles(["src/x.ts", file]), [file])
    }
  })

  it("gets sources, the compiled modules, and the README", async () => {
    const folders = published.map(({ folder }) => `./${folder}`)
    const { stdout } = await promisify(ChildProcess.execFile)(
      "npm",
      ["pack", "--dry-run", "--json", "--ignore-scripts", ...folders],
      { cwd: root, maxBuffer: 16 * 1024 * 1024, timeout: 80_000 }
    )
    const tarballs: ReadonlyArray<{ readonly name: string; readonly files: ReadonlyArray<{ readonly path: string }> }> =
      JSON.parse(stdout)
    assert.lengthOf(tarballs, published.length)
    for (const { files, name } of tarballs) {
      const contents = files.map(({ path }) => path)
      assert.deepStrictEqual(unexpectedFiles(contents), [], name)
      assert.includeMembers(contents, ["README.md", "package.json", "src/index.ts"], name)
    }
  }, 90_000)
})

describe("the packages", () => {
  it("have one version, and one place that says where they come from", () => {
    assert.lengthOf([...new Set(published.map(({ manifest }) => manifest.version))], 1)
    for (const { manifest } of packages) {
      // A release writes them: see scripts/release/publisher.ts.
      assert.doesNotHaveAnyKeys(manifest, ["repository", "homepage", "bugs"], manifest.name)
    }
  })

  it("are checked and released by workflows whose commands are there", () => {
    const workflows = ["check", "release"].map((name) => read(`.github/workflows/${name}.yml`))
    const scripts = Object.keys((JSON.parse(read("package.json")) as Package).scripts ?? {})
    for (const workflow of workflows) {
      const commands = Array.from(workflow.matchAll(/pnpm@12 ([\w:-]+)/g), (match) => match[1] ?? "")
      assert.isNotEmpty(commands)
      assert.includeMembers(["install", ...scripts], commands)
      const files = Array.from(workflow.matchAll(/ node (scripts\S+)/g), (match) => match[1] ?? "")
      for (const file of files) assert.isTrue(Fs.existsSync(Path.join(root, file)), file)
      assert.match(workflow, /^permissions:\n {2}contents: read\n(?! )/m)
    }
    assert.include(workflows[1], "id-token: write")
  })
})

describe("their development", () => {
  it("has every tool in one version, and workspace packages as they are here", () => {
    const manifests = [JSON.parse(read("package.json")) as Package, ...packages.map(({ manifest }) => manifest)]
    for (const { devDependencies = {}, name } of manifests) {
      for (const [dependency, range] of Object.entries(devDependencies)) {
        assert.isTrue(
          exact.test(range) || range === "catalog:" || range.startsWith("workspace:"),
          `${name}: ${dependency}`
        )
      }
    }
    const catalog = /^catalog:\n((?: {2}.+\n)+)/m.exec(read("pnpm-workspace.yaml"))?.[1] ?? ""
    const versions = Array.from(catalog.matchAll(/: (.+)$/gm), (match) => match[1] ?? "")
    assert.isNotEmpty(versions)
    for (const version of versions) assert.match(version, exact)
    // Otherwise an installation warns of packages that the Node.js which runs them suits.
    const { node = "" } = (JSON.parse(read("package.json")) as Package).devDependencies ?? {}
    assert.include(read("pnpm-workspace.yaml").split("\n"), `nodeVersion: ${node}`)
  })

  it("installs what the lockfile knows by its digest, from the registry alone", () => {
    const resolutions = Array.from(read("pnpm-lock.yaml").matchAll(/^ +resolution: (.+)$/gm), (match) => match[1] ?? "")
    assert.isAbove(resolutions.length, 50)
    for (const resolution of resolutions) assert.match(resolution, /^\{integrity: sha512-[\w+/]{86}==\}$/)
  })

  it("runs the build scripts that are named, and accepts nothing new, exotic or less proved than before", () => {
    const settings = read("pnpm-workspace.yaml")
    assert.match(settings, /^allowBuilds:\n {2}node: true\n {2}esbuild: false\n(?! )/m)
    for (const setting of [
      "strictDepBuilds: true",
      "blockExoticSubdeps: true",
      "minimumReleaseAge: 4320",
      "minimumReleaseAgeStrict: true",
      "trustPolicy: no-downgrade"
    ]) {
      assert.include(settings.split("\n"), setting)
    }
    // With CI set, pnpm installs what the lockfile says or fails.
    assert.include(read(".ci/run"), "export CI=true")
  })

  it("finds no key, certificate or password file in the repository", () => {
    const files = filesIn(".")
    assert.include(files, "packages/test-kit/test/scripts/SupplyChain.test.ts")
    assert.isEmpty(
      files.filter((path) => /\.(pem|key|p12|pfx|crt|jks|keytab)$|(^|\/)(\.env|\.npmrc|id_rsa)/.test(path))
    )
  })
})
