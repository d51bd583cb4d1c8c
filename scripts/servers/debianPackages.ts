/**
 * Packages of one of Debian's suites, downloaded and unpacked into a folder. Nothing is installed in the system: the lists are
 * those of that suite alone, in a temporary folder.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { capture, fail, run, type StepFailed } from "../steps.ts"

const advice = "needs Debian's apt-get and dpkg-deb, and a mirror that can be reached"

/** Unpacks packages into `to`, which may have others already. */
export const unpackPackages = Effect.fnUntraced(function* (
  suite: string,
  packages: ReadonlyArray<string>,
  to: string
): Effect.fn.Return<void, StepFailed, Scope.Scope> {
  const folder = yield* TemporaryFolder.make("debian-")
  const options = aptOptions(folder, suite, yield* mirror)
  yield* run("apt-get", [...options, "update"], folder, advice)
  yield* run("apt-get", [...options, "download", ...packages], folder, advice)
  for (const name of Fs.readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
    yield* run("dpkg-deb", ["-x", name, to], folder, advice)
  }
})

/** Makes a folder as a whole or not at all, also when two runs make it. One that is there is kept. */
export const makeFolder = Effect.fnUntraced(function* <E>(
  folder: string,
  fill: (draft: string) => Effect.Effect<void, E, Scope.Scope>
): Effect.fn.Return<string, E, Scope.Scope> {
  if (Fs.existsSync(folder)) return folder
  const draft = `${folder}.${process.pid}`
  yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(draft, { recursive: true, force: true })))
  Fs.mkdirSync(draft, { recursive: true })
  yield* fill(draft)
  Fs.renameSync(draft, folder)
  return folder
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
