/**
 * `npx -y pnpm@12 foreign`: the suites of other clients, on the embedded server and on a real one of the same release.
 *
 * They come out of Debian's packages, into `node_modules/.cache/foreign`; nothing is installed. A real ZooKeeper, Java, Python 3
 * and Go have to be there. It takes an hour, and is not part of the tests. A suite that has run as a whole, on both servers, gets a
 * row in the server's README. A test that fails on the embedded server alone, for no reason that is known, fails the run.
 */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand, text, type Values } from "../runCommand.ts"
import { makeFolder, unpackPackages } from "../servers/debianPackages.ts"
import { fetchRelease } from "../servers/fetchRelease.ts"
import { releases } from "../servers/releases.ts"
import { chosen, fail, run as runProgram, type StepFailed } from "../steps.ts"
import { runGo } from "./go.ts"
import { runKazoo } from "./kazoo.ts"
import { compareNpm } from "./npm.ts"
import { type Compared, differences, formatResult, type SuiteResult, writeCompared } from "./results.ts"
import { compareCShell, compareZkCli, type Servers } from "./shells.ts"
import { embedded, real } from "./standIn.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const cache = Path.join(root, "node_modules/.cache/foreign")
const page = Path.join(root, "packages/server/README.md")

const suites = ["kazoo", "go", "zkCli", "cShell", "npm"] as const
const servers = ["embedded", "real"] as const
const versions: Readonly<Record<string, EmbeddedServer.Version>> = { "3.8.0": "3.8", "3.9.6": "3.9" }

const flags = {
  suite: text("suite", "names", "Some of the suites", suites.join(",")),
  server: text("server", "names", "On which servers kazoo's and Go's tests run", servers.join(",")),
  release: text("release", "version", `One of ${Object.keys(versions).join(",")}`, "3.8.0"),
  only: text("only", "name", "A part of the names of kazoo's or Go's tests", "")
}

const main = Effect.fnUntraced(function* (config: Values<typeof flags>) {
  const version = versions[config.release]
  const release = releases.find((one) => one.version === config.release)
  if (version === undefined || release === undefined) {
    return yield* fail(`--release ${config.release} is unknown`, `choose from ${Object.keys(versions).join(", ")}`)
  }
  const home = yield* fetchRelease(release, Path.join(root, "node_modules/.cache/servers"))
  process.env["ZOOKEEPER_HOME"] = home
  const wanted = yield* chosen("--suite", config.suite, suites, (name) => name)
  const { only, release: name, server } = config
  const rows: Array<Compared> = []
  if (wanted.includes("kazoo")) {
    rows.push(...(yield* onBoth("kazoo", name, server, (java) => runKazoo({ cache, java, release: name, only }))))
  }
  if (wanted.includes("go")) rows.push(...(yield* onBoth("go", name, server, (java) => runGo({ cache, java, only }))))
  if (wanted.includes("zkCli")) {
    rows.push(yield* sideBySide("zkCli", name, (servers) => compareZkCli(`${home}/*:${home}/lib/*`, servers)))
  }
  if (wanted.includes("cShell")) {
    const shell = yield* makeFolder(Path.join(cache, "cShell"), (draft) =>
      unpackPackages("bookworm", ["zookeeper-bin", "libzookeeper-mt2"], draft)
    )
    rows.push(yield* sideBySide("cShell", name, (servers) => compareCShell(shell, servers)))
  }
  if (wanted.includes("npm")) rows.push(yield* sideBySide("npm", name, compareNpm))
  if (only === "") {
    writeCompared(
      page,
      rows,
      suites.flatMap((suite) => Object.keys(versions).map((one) => [suite, one] as const))
    )
    yield* runProgram(process.execPath, ["node_modules/oxfmt/bin/oxfmt", page], root, "correct the page by hand")
  }
  const red = rows.filter((row) => differences(row).has(undefined)).map(({ suite }) => suite)
  if (red.length > 0) return yield* fail(`not as a real server: ${red.join(", ")}`, "the lines above name each test")
}, Effect.scoped)

/** A suite that starts its servers itself, by a command `java`; its row if it ran on both servers. */
const onBoth = Effect.fnUntraced(function* <R>(
  suite: string,
  release: string,
  wanted: string,
  run: (java: string) => Effect.Effect<SuiteResult, StepFailed, R>
) {
  const results = new Map<string, SuiteResult>()
  for (const server of yield* chosen("--server", wanted, servers, (name) => name)) {
    const java = server === "embedded" ? yield* embedded(versions[release]!) : yield* realJava
    const result = yield* run(java)
    results.set(server, result)
    yield* Console.log(`${suite} on the ${server} server: ${formatResult(result)}`)
  }
  const [ours, real] = [results.get("embedded"), results.get("real")]
  if (ours === undefined) return []
  const compared = { suite, release, ours, real }
  yield* showDifferences(compared)
  return real === undefined ? [] : [compared]
})

const showDifferences = (compared: Compared) =>
  Effect.forEach(
    differences(compared),
    ([reason, names]) =>
      Effect.forEach(names, (name) => Console.log(`  ✗ ${name}${reason === undefined ? "" : ` (${reason})`}`)),
    { discard: true }
  )

const realJava = Effect.gen(function* () {
  const install = yield* ZooKeeperInstall.find
  if (install._tag === "Docker") return yield* fail("a real server in Docker cannot be started by a suite")
  return yield* real(install.java, install.classPath)
})

/** A session with a shell on the two servers, line by line. */
const sideBySide = Effect.fnUntraced(function* (
  suite: string,
  release: string,
  compare: (servers: Servers) => Effect.Effect<SuiteResult>
) {
  const there = yield* ZooKeeperServer.make({ tickTime: 2_000 })
  const here = yield* Effect.map(
    Layer.build(EmbeddedServer.layer({ version: versions[release] })),
    Context.get(EmbeddedServer.EmbeddedServer)
  )
  const ours = yield* compare({ ours: here.connectString, real: there.connectString })
  const compared: Compared = { suite, release, ours, real: undefined }
  yield* Console.log(`${suite}: ${formatResult(ours)} lines as on a real server`)
  yield* showDifferences(compared)
  return compared
})

runCommand("foreign", "The suites of other clients, on the embedded server and on a real one", flags, main)
