/**
 * Gets one release of ZooKeeper out of Debian's packages, into a folder that has the layout of an Apache release.
 *
 * It uses package lists of that suite alone, in a temporary folder, and installs nothing in the system. The folder is kept
 * for the next run.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { capture, fail, run, type StepFailed } from "../steps.ts"
import type { Release } from "./releases.ts"
import { stripManifest } from "./stripManifest.ts"

const advice = "needs Debian's apt-get and dpkg-deb, and a mirror that can be reached"

/** The folder of a release in `cache`; it is fetched unless it is there. */
export const fetchRelease = (release: Release, cache: string): Effect.Effect<string, StepFailed> =>
  Effect.suspend(() => {
    const home = Path.join(cache, release.version)
    return Fs.existsSync(home) ? Effect.succeed(home) : Effect.scoped(fetch(release, home))
  })

const fetch = Effect.fnUntraced(function* (
  release: Release,
  home: string
): Effect.fn.Return<string, StepFailed, Scope.Scope> {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "debian-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  )
  const options = aptOptions(folder, release.suite, yield* mirror)
  yield* run("apt-get", [...options, "update"], folder, advice)
  yield* run("apt-get", [...options, "download", ...release.packages], folder, advice)
  const unpacked = Path.join(folder, "unpacked")
  for (const name of Fs.readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
    yield* run("dpkg-deb", ["-x", name, unpacked], folder, advice)
  }
  // Complete or not there at all, also when two runs fetch it.
  const draft = `${home}.${process.pid}`
  yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(draft, { recursive: true, force: true })))
  yield* copyJars(release, Path.join(unpacked, "usr/share/java"), draft)
  Fs.renameSync(draft, home)
  return home
})

const copyJars = Effect.fnUntraced(function* (release: Release, from: string, to: string) {
  const own = `zookeeper-${release.version}`
  Fs.mkdirSync(Path.join(to, "lib"), { recursive: true })
  for (const name of [own, ...release.jars]) {
    const source = Path.join(from, `${name}.jar`)
    if (!Fs.existsSync(source)) {
      const there = Fs.readdirSync(from).filter((name) => /^zookeeper-\d/.test(name))
      return yield* fail(
        `Debian ${release.suite} has no ${name}.jar for ZooKeeper ${release.version} (of ZooKeeper: ${there.join(", ")})`,
        "the suite has moved on: correct scripts/servers/releases.ts"
      )
    }
    const folder = name === own && release.ownJarIn === "root" ? to : Path.join(to, "lib")
    Fs.writeFileSync(Path.join(folder, `${name}.jar`), stripManifest(Fs.readFileSync(source)))
  }
})

/** The mirror that this system uses. */
const mirror: Effect.Effect<string, StepFailed> = Effect.gen(function* () {
  const args = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"]
  const { output } = yield* Effect.catchDefect(capture("apt-get", args, "/"), (error) =>
    fail(`apt-get cannot be run: ${String(error)}`, advice)
  )
  const found = output.split("\n").find((uri) => /\/debian\/?$/.test(uri))
  return found ?? (yield* fail("this system has no mirror of Debian among its package sources", advice))
})

/** Lists, cache and status of its own: the system's are neither read nor written. */
const aptOptions = (folder: string, suite: string, uri: string): ReadonlyArray<string> => {
  const at = (...names: ReadonlyArray<string>) => Path.join(folder, ...names)
  for (const name of ["lists/partial", "cache/archives/partial"]) Fs.mkdirSync(at(name), { recursive: true })
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
  Fs.writeFileSync(at("sources.list"), `deb [signed-by=${keys}] ${uri} ${suite} main\n`)
  return [
    `Dir::Etc::sourcelist=${at("sources.list")}`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${at("lists")}`,
    "Dir::State::status=/dev/null",
    `Dir::Cache=${at("cache")}`,
    "APT::Sandbox::User=root",
    "Debug::NoLocking=true",
    "Acquire::Languages=none",
    // A mirror that is not there is an error, and not a warning.
    "APT::Update::Error-Mode=any",
    "Acquire::Retries=3"
  ].flatMap((option) => ["-o", option])
}
