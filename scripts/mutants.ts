/**
 * `node scripts/mutants.ts`: shows that the simulation finds planted bugs. Each patch of `scripts/mutants` is applied to a
 * copy of the packages in a temporary folder, and worlds are run there until one of them fails: those of the client, or of
 * the recipe that the name of the patch says, as in `recipe-lock-release-not-retried`.
 *
 * `--seeds 2000` is the most worlds for one bug; names (or parts of them) choose bugs. The exit code is 1 if one of them
 * is not found, or if a world fails without any.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as FileSystem from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { number, runCommand, type Values } from "./runCommand.ts"
import { capture } from "./steps.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const patches = Path.join(root, "scripts", "mutants")

/** The script that a copy runs, and those that it imports. */
const scripts = ["simulate.ts", "runCommand.ts", "steps.ts"]

/** The sources of the workspace beside the installed packages, which are shared. */
const copyTree = Effect.gen(function* () {
  const copy = yield* TemporaryFolder.make("mutant-")
  const left = new Set(["dist", "test", "tsconfig.tsbuildinfo"])
  const options = {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file: string) => !left.has(Path.basename(file))
  }
  const copyFile = (path: string) => FileSystem.cpSync(Path.join(root, path), Path.join(copy, path), options)
  for (const path of ["packages", "package.json", ...scripts.map((script) => `scripts/${script}`)]) copyFile(path)
  FileSystem.mkdirSync(Path.join(copy, "node_modules"))
  for (const name of FileSystem.readdirSync(Path.join(root, "node_modules"))) {
    const path = `node_modules/${name}`
    // The packages of the workspace are those of the copy: their links are relative.
    if (name === "@effect-zookeeper") copyFile(path)
    else FileSystem.symlinkSync(Path.join(root, path), Path.join(copy, path))
  }
  return copy
})

const simulate = (copy: string, name: string, seeds: number) => {
  const recipe = /^recipe-([a-zA-Z]+)-/.exec(name)?.[1]
  const chosen = recipe === undefined ? [] : ["--recipe", recipe]
  return capture(process.execPath, ["scripts/simulate.ts", ...chosen, "--seeds", String(seeds)], copy)
}

/** Plants one bug, and gives the seed under which it is found. */
const tryMutant = Effect.fnUntraced(function* (name: string, seeds: number) {
  const copy = yield* copyTree
  const patched = yield* capture("git", ["apply", Path.join(patches, `${name}.patch`)], copy)
  if (patched.code !== 0) return { name, found: false, by: `the patch does not apply: ${patched.printed.trim()}` }
  const { code, printed: output } = yield* simulate(copy, name, seeds)
  if (code === 0) return { name, found: false, by: `${seeds} worlds, and nothing was wrong` }
  const seed = /seed (\d+)/.exec(output)?.[1] ?? "?"
  const lines = output.split("\n")
  const first = lines.findIndex((line) => /^(?:[\w ]+: )?seed \d/.test(line))
  const reason = (lines[first]?.endsWith("violations") === true ? lines[first + 1] : lines[first]) ?? output
  return { name, found: first !== -1, by: `seed ${seed.padEnd(4)} ${reason.trim().slice(0, 110)}` }
}, Effect.scoped)

const flags = {
  seeds: number("seeds", "The most worlds for one bug", 2000),
  names: Argument.String("name").pipe(
    Argument.withDescription("Only the bugs whose name holds this text; all if left out"),
    Argument.variadic()
  )
}

const mutants = Effect.fnUntraced(function* (given: Values<typeof flags>) {
  const { names: chosen, seeds } = given
  const names = FileSystem.readdirSync(patches)
    .filter((file) => file.endsWith(".patch"))
    .map((file) => file.slice(0, -".patch".length))
    .filter((name) => chosen.length === 0 || chosen.some((part) => name.includes(part)))
  const width = Math.max(...names.map((name) => name.length))
  const outcomes = yield* Effect.forEach(
    names,
    (name) =>
      Effect.tap(tryMutant(name, seeds), ({ by, found }) =>
        Console.log(`${found ? "found " : "MISSED"} ${name.padEnd(width)} ${by}`)
      ),
    { concurrency: 2 }
  )
  const missed = outcomes.filter(({ found }) => !found)
  yield* Console.log(`${outcomes.length - missed.length} of ${outcomes.length} planted bugs found`)
  if (missed.length > 0) process.exitCode = 1
})

runCommand(
  "mutants",
  "Plants each known bug in a copy of the sources, and shows that the simulation finds it",
  flags,
  mutants
)
