/**
 * Every TypeScript block of the READMEs, of the documentation site and of an `@example` in the sources compiles as it is,
 * and a block that is marked `run` or `test` does what it says.
 *
 * - `ts` after `@example` in a doc comment is a module with its own imports, which is compiled and never run.
 * - `ts run`, and `js run` in CommonJS, is a program that ends by itself. It runs against the shared server with a chroot of
 *   its own, which replaces `localhost:2181` and the variable ZOOKEEPER. The comments behind its statements are its output:
 *   all of it in a README, and a part of it on the site. `// a, then b` is the output of a statement that runs twice.
 * - `./database.ts` is what an application has for its database: here it is a file of SQLite.
 * - `ts test` is a file of tests: vitest runs it, and all of them pass.
 * - `js before` shows another client or test runner. Its packages are not installed here, so it is only parsed.
 */
import { PromiseClient } from "@effect-zookeeper/client"
import { assertEach } from "../src/Expectations.ts"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as TestServer from "../src/TestServer.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

interface Block {
  readonly page: string
  /** For people: `README.md:42`. */
  readonly place: string
  readonly language: string
  readonly code: string
  readonly file: string
}

const pages = ["README.md", ...packageReadmes(), ...sitePages()]

/** The examples of doc comments are compiled together with the blocks of pages: one run of the compiler for all. */
const blocks = [...pages.flatMap(blocksOf), ...sourceFiles().flatMap(examplesOf)]
const marked = (language: string) => blocks.filter((block) => block.language === language)

/** Beside the workspace's `node_modules`, and where neither git nor the linter look. */
const folder = Path.join(root, "dist", `readme-${process.pid}`)

beforeAll(() => {
  Fs.mkdirSync(folder, { recursive: true })
  Fs.writeFileSync(
    Path.join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.tests.json",
      include: ["*.ts"],
      references: [],
      compilerOptions: { rootDir: root, composite: false, incremental: false, noUnusedLocals: false }
    })
  )
  for (const { code, file } of blocks) Fs.writeFileSync(Path.join(folder, file), code)
  Fs.writeFileSync(Path.join(folder, "database.ts"), DATABASE)
  Fs.writeFileSync(
    Path.join(folder, "vitest.config.ts"),
    "export default { test: { maxWorkers: 2, testTimeout: 30_000 } }\n"
  )
})

afterAll(() => Fs.rmSync(folder, { recursive: true, force: true }))

describe("the READMEs, the site and the examples of doc comments", () => {
  it("have no program that is neither checked nor run", () => {
    const known = ["ts", "ts run", "ts test", "js run", "js before"]
    assertEach(
      blocks.filter(({ language }) => !known.includes(language)),
      ({ place }) => place,
      []
    )
    for (const language of known) assert.isNotEmpty(marked(language), language)
    assert.isNotEmpty(blocks.filter(({ place }) => place.includes("/src/")))
  })

  it("compile as they are", { timeout: 200_000 }, async () => {
    const args = [Path.join(root, "node_modules/typescript/bin/tsc"), "-p", folder]
    const { code, output } = await execute(args, root, {}, 190_000)
    assert.strictEqual(code, 0, withPlaces(output))
  })

  it("run their tests", { timeout: 200_000 }, async () => {
    const args = [Path.join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder]
    const { code, output } = await execute(args, folder, {}, 190_000)
    assert.strictEqual(code, 0, withPlaces(output))
  })

  it("show other clients in JavaScript that can be parsed", async () => {
    for (const { file, place } of marked("js before")) {
      const { code, output } = await execute(["--check", Path.join(folder, file)], folder)
      assert.strictEqual(code, 0, `${place}: ${output}`)
    }
  })

  const programs = [...marked("ts run"), ...marked("js run")]

  it("listen on no port that a system may have given to an outgoing connection", () => {
    const numbers = (code: string) => Array.from(code.matchAll(/\b\d{5}\b/g), ([digits]) => Number(digits))
    const risky = programs.filter(({ code }) => numbers(code).some((number) => number >= 32_768 && number <= 60_999))
    assertEach(risky, ({ place }) => place, [])
  })

  for (const block of programs.filter((block) => !sharesProcess(block))) {
    it(`run: ${block.place}`, async () => {
      const { env, file } = await prepare(block)
      const { code, output } = await execute([file], folder, env)
      assert.strictEqual(code, 0, output)
      checkOutput(block, output)
    })
  }

  // One process for all examples of a README: to load the client takes longer than to run most of them.
  for (const page of pages) {
    const shared = programs.filter((block) => block.page === page && sharesProcess(block))
    if (shared.length === 0) continue
    it(`run: ${page}`, { timeout: 200_000 }, async () => {
      const prepared: Array<{ readonly file: string; readonly env: NodeJS.ProcessEnv }> = []
      for (const block of shared) prepared.push(await prepare(block))
      const all = Path.join(folder, `run-all-${shared[0]?.file}`)
      const run = prepared.map(({ file }) => `console.log(${JSON.stringify(SEPARATOR)})\nawait import("${file}")\n`)
      Fs.writeFileSync(all, run.join(""))
      const { code, output } = await execute(
        [all],
        folder,
        Object.assign({}, ...prepared.map(({ env }) => env)),
        190_000
      )
      assert.strictEqual(code, 0, withPlaces(output))
      const outputs = output.split(`${SEPARATOR}\n`).slice(1)
      for (const [index, block] of shared.entries()) checkOutput(block, outputs[index] ?? "")
    })
  }
})

// -----------------------------------------------------------------------------
// the blocks
// -----------------------------------------------------------------------------

function packageReadmes(): ReadonlyArray<string> {
  return Fs.readdirSync(Path.join(root, "packages"))
    .map((name) => `packages/${name}/README.md`)
    .filter((path) => Fs.existsSync(Path.join(root, path)))
}

/** The pages that are written for the site; the others show files of the repository, or are generated. */
function sitePages(): ReadonlyArray<string> {
  const site = "packages/docs"
  return Fs.globSync("{,quick-start/,guides/,coming-from/,decisions/}*.md", { cwd: Path.join(root, site) })
    .map((path) => `${site}/${path}`)
    .filter((path) => !path.endsWith("/README.md"))
}

function read(page: string): string {
  return Fs.readFileSync(Path.join(root, page), "utf8")
}

function blocksOf(page: string): ReadonlyArray<Block> {
  const text = read(page)
  return Array.from(text.matchAll(/^```((?:ts|typescript|js|javascript|mts)\b.*)\n([^]*?)^```$/gm), (match) => {
    const line = text.slice(0, match.index).split("\n").length
    const language = match[1] ?? ""
    const extension = { "ts test": "test.ts", "js run": "cjs", "js before": "js" }[language] ?? "ts"
    return {
      page,
      place: `${page}:${line}`,
      language,
      code: match[2] ?? "",
      file: `${page.replace(/\.md$/, "").replaceAll("/", "-")}-${line}.${extension}`
    }
  })
}

/** The modules of all packages that have an example. */
function sourceFiles(): ReadonlyArray<string> {
  return Fs.globSync("packages/*/src/**/*.ts", { cwd: root }).filter((path) => read(path).includes("@example"))
}

/** The fences of each `@example` of a module, without the asterisks of the comment. */
function examplesOf(file: string): ReadonlyArray<Block> {
  const text = read(file)
  return Array.from(text.matchAll(/^ *\* @example\b[^\n]*\n((?: *\*(?! @|\/).*\n)*)/gm)).flatMap((example) =>
    Array.from((example[1] ?? "").matchAll(/^ *\* ```(.*)\n([^]*?)^ *\* ```$/gm), (fence): Block => {
      const before = text.slice(0, text.indexOf(example[1] ?? "", example.index) + fence.index)
      const line = before.split("\n").length
      return {
        page: file,
        place: `${file}:${line}`,
        language: fence[1] ?? "",
        code: (fence[2] ?? "").replaceAll(/^ *\* ?/gm, ""),
        file: `${file.replace(/\.ts$/, "").replaceAll("/", "-")}-${line}.ts`
      }
    })
  )
}

/** The lines of output that comments behind statements show. */
function promised(code: string): ReadonlyArray<string> {
  return Array.from(code.matchAll(/^.*\S.* \/\/ (.+)$/gm), (match) => match[1] ?? "").flatMap((text) =>
    text.split(", then ")
  )
}

function checkOutput({ code, page, place }: Block, output: string): void {
  const lines = output.split("\n").filter((line) => line !== "")
  if (isReadme(page)) return assert.deepStrictEqual(lines, promised(code), place)
  let at = 0
  for (const line of lines) if (line === promised(code)[at]) at++
  assert.strictEqual(promised(code)[at], undefined, `${place} promises it at this place, and prints:\n${output}`)
}

function isReadme(page: string): boolean {
  return page.endsWith("README.md")
}

/** Whether it is a module that is over when its import is. */
function sharesProcess({ code, page }: Block): boolean {
  return isReadme(page) && /^await (using|program|Effect)\b/m.test(code)
}

/** Errors of the compiler name the README and its line. */
function withPlaces(output: string): string {
  return blocks.reduce(
    (text, { file, place }) => text.replaceAll(Path.join(Path.relative(root, folder), file), `${place} + `),
    output
  )
}

// -----------------------------------------------------------------------------
// tools
// -----------------------------------------------------------------------------

const freshChroot = async () => {
  const fresh = TestServer.fresh("readme")
  await using zk = await PromiseClient.connect(TestServer.connectString())
  await zk.create(fresh.chroot)
  return fresh
}

const SEPARATOR = "---- the next example"

const DATABASE = `import * as Path from "node:path"
import * as Sqlite from "../../packages/cluster/test/support/sqlite.ts"

export const database = Sqlite.layer(Path.join(import.meta.dirname, "messages.sqlite"))
`

/** Writes a block that is to run, with a server; its file, and its environment. */
const prepare = async ({ code, file, place }: Block) => {
  const { connectString } = await freshChroot()
  const variable = `ZOOKEEPER_${file.replaceAll(/\W/g, "_")}`
  assert.match(
    code,
    /localhost:2181|"ZOOKEEPER"|EmbeddedServer|effect-zookeeper\/protocol\//,
    `${place} needs a server`
  )
  const path = Path.join(folder, `run-${file}`)
  Fs.writeFileSync(path, code.replaceAll("localhost:2181", connectString).replaceAll('"ZOOKEEPER"', `"${variable}"`))
  return { file: path, env: { [variable]: connectString } }
}

/** Runs a program of Node until it ends by itself; one that does not is ended, and its code is null. */
const execute = (
  args: ReadonlyArray<string>,
  cwd: string,
  env: NodeJS.ProcessEnv = {},
  // Of programs that start others on a busy machine.
  timeout = 60_000
): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = ChildProcess.spawn(process.execPath, args, {
      cwd,
      // What one program has compiled the next one does not compile again: that halves the time of each.
      env: { ...process.env, ...env, NODE_COMPILE_CACHE: Path.join(folder, "compiled") },
      stdio: ["ignore", "pipe", "pipe"],
      timeout
    })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, output }))
  })
