/** How a release is made: in a copy of the workspace, with a pnpm that publishes nowhere. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { hasRelease, withRelease } from "../../../../scripts/release/changelog.ts"
import { originOf, publisherOf, withOrigin } from "../../../../scripts/release/publisher.ts"

const root = fileURLToPath(new URL("../../../..", import.meta.url))

const git = { type: "git", url: "git+https://github.com/owner/name.git" }

describe("the publisher", () => {
  it("is asked for where package.json names no repository, or none that npm would take", () => {
    assert.include(refusal(publisherOf({})), 'no "repository"')
    assert.include(refusal(publisherOf({ repository: { url: "" } })), 'no "repository"')
    assert.include(refusal(publisherOf({ repository: "owner/name" })), '"owner/name"')
    assert.include(
      refusal(publisherOf({ repository: git }, "https://github.com/someone/fork")),
      "https://github.com/someone/fork"
    )
  })

  it("is the repository, its page and its issues, unless others are given", () => {
    const publisher = Result.getOrThrow(publisherOf({ repository: git }, "https://github.com/Owner/Name"))
    assert.deepStrictEqual(originOf(publisher, "client"), {
      repository: { ...git, type: "git", directory: "packages/client" },
      homepage: "https://github.com/owner/name/tree/main/packages/client#readme",
      bugs: { url: "https://github.com/owner/name/issues" }
    })
    const other = Result.getOrThrow(
      publisherOf({
        repository: "https://git.example.org/o/n",
        homepage: "https://example.org",
        bugs: { url: "https://example.org/bugs" }
      })
    )
    assert.deepStrictEqual(originOf(other, "client"), {
      repository: { type: "git", url: "git+https://git.example.org/o/n.git", directory: "packages/client" },
      homepage: "https://example.org",
      bugs: { url: "https://example.org/bugs" }
    })
  })

  it("is in a published manifest once, whatever was there", () => {
    const origin = originOf(Result.getOrThrow(publisherOf({ repository: git })), "client")
    assert.deepStrictEqual(
      withOrigin({ name: "x", version: "1.0.0", description: "d", homepage: "stale", type: "module" }, origin),
      { name: "x", version: "1.0.0", description: "d", ...origin, type: "module" }
    )
  })
})

describe("the changelog", () => {
  const text = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- This.\n\n## [0.1.0] - 2026-01-02\n\n- That.\n"

  it("gives the unreleased part its version and day", () => {
    const released = Result.getOrThrow(withRelease(text, "0.2.0", "2026-03-04"))
    assert.strictEqual(released, text.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-03-04\n"))
    assert.isTrue(hasRelease(released, "0.2.0"))
    assert.isFalse(hasRelease(text, "0.2.0"))
  })

  it("is refused where there is nothing to release, or the version is there", () => {
    assert.include(refusal(withRelease(text, "0.1.0", "2026-03-04")), "already")
    assert.include(
      refusal(withRelease("## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n", "0.2.0", "2026-03-04")),
      "nothing"
    )
    assert.include(refusal(withRelease("# Changelog\n", "0.2.0", "2026-03-04")), "no section")
  })
})

describe("a release", () => {
  it("is refused without a publisher, a version or a workflow, and publishes each package with its origin", async () => {
    using copy = copyOfWorkspace()
    const environment = { GITHUB_ACTIONS: undefined, GITHUB_SERVER_URL: undefined, GITHUB_REPOSITORY: undefined }
    copy.change("package.json", ({ repository: _repository, ...manifest }) => manifest)
    copy.write(".changeset/of-a-test.md", `---\n"@effect-zookeeper/client": minor\n---\n\nA change.\n`)
    copy.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- A change.\n")

    assert.include(await copy.run("release/main.ts", environment), 'no "repository"')
    copy.change("package.json", (manifest) => ({ ...manifest, repository: git }))
    assert.include(await copy.run("release/main.ts", environment), "version-packages")
    assert.include(await copy.run("release/version.ts", environment), "npx -y pnpm@12 release")
    assert.notInclude(copy.read("packages/client/package.json"), "repository")
    assert.match(copy.read("CHANGELOG.md"), /^## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/m)
    assert.include(await copy.run("release/main.ts", environment), "release.yml alone")

    const before = copy.read("packages/client/package.json")
    const output = await copy.run("release/main.ts", {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "owner/name"
    })
    assert.strictEqual(copy.read("packages/client/package.json"), before)
    const published = copy.published()
    assert.isAbove(published.length, 4, output)
    const [{ version }] = [JSON.parse(before)]
    for (const manifest of published) {
      assert.deepStrictEqual(manifest.repository, {
        ...git,
        type: "git",
        directory: `packages/${manifest.name.replace("@effect-zookeeper/", "")}`
      })
      assert.strictEqual(manifest.version, version)
      assert.isTrue(manifest.publishConfig.provenance, manifest.name)
    }
    const names = published.map(({ name }) => name)
    assert.notInclude(names, "@effect-zookeeper/test-kit")
  }, 60_000)
})

// -----------------------------------------------------------------------------
// tools
// -----------------------------------------------------------------------------

const refusal = <A>(result: Result.Result<A, string>): string =>
  Result.isFailure(result) ? result.failure : "not refused"

interface Published {
  readonly name: string
  readonly version: string
  readonly repository: unknown
  readonly publishConfig: { readonly provenance: boolean }
}

/** Says that nothing is published yet, takes whatever is published, and notes it in a file. */
const pnpm = `#!/usr/bin/env node
import * as fs from "node:fs"
const [command] = process.argv.slice(2)
if (command === "--version") console.log("12.0.0")
if (command === "info") {
  console.log(JSON.stringify({ error: { code: "ERR_PNPM_FETCH_404", message: "not found" } }))
  process.exitCode = 1
}
if (command === "publish") {
  fs.appendFileSync(process.env.PUBLISHED, JSON.stringify(JSON.parse(fs.readFileSync("package.json", "utf8"))) + "\\n")
  console.log("{}")
}
`

/** The manifests, the scripts and the changesets, in a repository of their own. */
const copyOfWorkspace = () => {
  const folder = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-zookeeper-release-")))
  const to = (path: string) => Path.join(folder, path)
  const write = (path: string, text: string) => {
    Fs.mkdirSync(Path.dirname(to(path)), { recursive: true })
    Fs.writeFileSync(to(path), text)
  }
  const read = (path: string) => Fs.readFileSync(to(path), "utf8")
  for (const path of [
    "package.json",
    "pnpm-workspace.yaml",
    "pnpm-lock.yaml",
    ".changeset/config.json",
    ".oxfmtrc.json"
  ]) {
    write(path, Fs.readFileSync(Path.join(root, path), "utf8"))
  }
  for (const name of Fs.readdirSync(Path.join(root, "packages"))) {
    const path = `packages/${name}/package.json`
    if (Fs.existsSync(Path.join(root, path))) write(path, Fs.readFileSync(Path.join(root, path), "utf8"))
  }
  Fs.cpSync(Path.join(root, "scripts"), to("scripts"), {
    recursive: true,
    filter: (path) => !path.includes("node_modules")
  })
  Fs.symlinkSync(Path.join(root, "node_modules"), to("node_modules"))
  write("bin/package.json", '{ "type": "module" }')
  write("bin/pnpm", pnpm)
  Fs.chmodSync(to("bin/pnpm"), 0o755)
  const identity = { GIT_AUTHOR_NAME: "test", GIT_AUTHOR_EMAIL: "test@localhost" }
  const env = {
    ...process.env,
    ...identity,
    GIT_COMMITTER_NAME: "test",
    GIT_COMMITTER_EMAIL: "test@localhost",
    PUBLISHED: to("published.jsonl"),
    PATH: [to("bin"), Path.join(root, "node_modules/.bin"), process.env["PATH"]].join(Path.delimiter)
  }
  for (const args of [
    ["init", "-q", "-b", "main"],
    ["add", "package.json"],
    ["commit", "-q", "-m", "a workspace"]
  ]) {
    ChildProcess.execFileSync("git", args, { cwd: folder, env })
  }
  return {
    read,
    write,
    change: (path: string, f: (manifest: Record<string, unknown>) => object) =>
      write(path, JSON.stringify(f(JSON.parse(read(path))), null, 2)),
    published: (): ReadonlyArray<Published> =>
      read("published.jsonl")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    /** The output of the command. */
    run: (script: string, variables: NodeJS.ProcessEnv): Promise<string> =>
      new Promise((resolve) =>
        ChildProcess.execFile(
          process.execPath,
          [Path.join("scripts", script)],
          { cwd: folder, env: { ...env, ...variables }, timeout: 50_000 },
          (_error, stdout, stderr) => resolve(stdout + stderr)
        )
      ),
    [Symbol.dispose]: () => Fs.rmSync(folder, { recursive: true, force: true })
  }
}
