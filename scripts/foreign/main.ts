/**
 * `npx -y pnpm@12 foreign`: the suites of other clients, on the embedded server and on a real one of the same release.
 *
 * They come out of Debian's packages, into `node_modules/.cache/foreign`; nothing is installed. A real ZooKeeper, Java, Python 3
 * and Go have to be there. It takes an hour, and is not part of the tests.
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
import { chosen, fail, type StepFailed } from "../steps.ts"
import { runGo } from "./go.ts"
import { runKazoo } from "./kazoo.ts"
import { formatResult, onlyHere, type SuiteResult } from "./results.ts"
import { compareCShell, compareZkCli } from "./shells.ts"
import { embedded, real } from "./standIn.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const cache = Path.join(root, "node_modules/.cache/foreign")

const suites = ["kazoo", "go", "zkCli", "cShell"] as const
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
  const { only, server } = config
  if (wanted.includes("kazoo")) {
    yield* onBoth("kazoo", version, server, (java) => runKazoo({ cache, java, release: config.release, only }))
  }
  if (wanted.includes("go")) yield* onBoth("go", version, server, (java) => runGo({ cache, java, only }))
  if (wanted.includes("zkCli")) {
    yield* sideBySide("zkCli", version, (servers) => compareZkCli(`${home}/*:${home}/lib/*`, servers))
  }
  if (wanted.includes("cShell")) {
    const shell = yield* makeFolder(Path.join(cache, "cShell"), (draft) =>
      unpackPackages("bookworm", ["zookeeper-bin", "libzookeeper-mt2"], draft)
    )
    yield* sideBySide("cShell", version, (servers) => compareCShell(shell, servers))
  }
}, Effect.scoped)

/** A suite that starts its servers itself, by a command `java`. */
const onBoth = Effect.fnUntraced(function* <R>(
  name: string,
  version: EmbeddedServer.Version,
  servers: string,
  run: (java: string) => Effect.Effect<SuiteResult, StepFailed, R>
) {
  const results: Array<SuiteResult> = []
  for (const server of servers.split(",")) {
    const java = server === "embedded" ? yield* embedded(version) : yield* realJava
    const result = yield* run(java)
    results.push(result)
    yield* Console.log(`${name} on the ${server} server: ${formatResult(result)}`)
  }
  const [ours, theirs] = results
  const shown = ours === undefined ? [] : theirs === undefined ? ours.failed : onlyHere(ours, theirs)
  for (const failure of shown) yield* Console.log(`  ✗ ${failure}`)
})

const realJava = Effect.gen(function* () {
  const install = yield* ZooKeeperInstall.find
  if (install._tag === "Docker") return yield* fail("a real server in Docker cannot be started by a suite")
  return yield* real(install.java, install.classPath)
})

/** A session with a shell on the two servers, line by line. */
const sideBySide = Effect.fnUntraced(function* (
  name: string,
  version: EmbeddedServer.Version,
  compare: (servers: { readonly ours: string; readonly real: string }) => Effect.Effect<SuiteResult>
) {
  const there = yield* ZooKeeperServer.make({ tickTime: 2_000 })
  const here = yield* Effect.map(
    Layer.build(EmbeddedServer.layer({ version })),
    Context.get(EmbeddedServer.EmbeddedServer)
  )
  const result = yield* compare({ ours: here.connectString, real: there.connectString })
  yield* Console.log(`${name}: ${formatResult(result)} lines as on a real server`)
  for (const line of result.failed) yield* Console.log(`  ✗ ${line}`)
})

runCommand("foreign", "The suites of other clients, on the embedded server and on a real one", flags, main)
