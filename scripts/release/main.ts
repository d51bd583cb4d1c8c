/**
 * `npx -y pnpm@12 release`: publishes the packages whose version is not published yet, with provenance.
 *
 * It refuses to run where something is missing: the publisher in package.json, the version's section in CHANGELOG.md, or
 * a workflow, for provenance is a statement of the machine that builds. It builds, writes the publisher into the manifests,
 * publishes with `changeset publish`, and puts the manifests back. With `--check` it only says whether it would run.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { reported } from "../runCommand.ts"
import { fail } from "../steps.ts"
import { hasRelease } from "./changelog.ts"
import { originOf, type Publisher, publisherOf, withOrigin } from "./publisher.ts"
import { changesets, changesetsCli, publishedPackages, read, root, run, versionOfPackages } from "./workspace.ts"

/** Where a workflow runs, that is the repository that npm will compare with. */
const publishing =
  process.env["GITHUB_SERVER_URL"] !== undefined && process.env["GITHUB_REPOSITORY"] !== undefined
    ? `${process.env["GITHUB_SERVER_URL"]}/${process.env["GITHUB_REPOSITORY"]}`
    : undefined

const checked = Effect.gen(function* () {
  const publisher = yield* Effect.fromResult(publisherOf(JSON.parse(read("package.json")), publishing)).pipe(
    Effect.catch((problem) => fail(problem))
  )
  const waiting = changesets()
  if (waiting.length > 0) {
    yield* fail(
      `.changeset has changes without a version (${waiting.join(", ")}): run \`npx -y pnpm@12 version-packages\` first`
    )
  }
  const version = yield* versionOfPackages
  if (!hasRelease(read("CHANGELOG.md"), version)) {
    yield* fail(
      `CHANGELOG.md has no section \`## [${version}] - YYYY-MM-DD\`: \`npx -y pnpm@12 version-packages\` writes it`
    )
  }
  return { publisher, version }
})

const program = Effect.gen(function* () {
  const { publisher, version } = yield* checked
  if (process.argv.includes("--check")) return yield* Console.log(`${version} of ${publisher.web} can be released`)
  if (process.env["GITHUB_ACTIONS"] !== "true") {
    yield* fail(
      "packages are published by .github/workflows/release.yml alone: provenance says which workflow built them"
    )
  }
  yield* run("pnpm", ["build"])
  yield* Effect.scoped(
    Effect.andThen(manifestsWithOrigin(publisher), run(process.execPath, [changesetsCli, "publish"]))
  )
})

/** The manifests say where the packages come from, until the scope closes. */
const manifestsWithOrigin = (publisher: Publisher) =>
  Effect.forEach(
    publishedPackages(),
    ({ folder }) => {
      const path = `packages/${folder}/package.json`
      return Effect.acquireRelease(
        Effect.sync(() => {
          const before = read(path)
          const manifest = withOrigin(JSON.parse(before), originOf(publisher, folder))
          Fs.writeFileSync(new URL(path, root), `${JSON.stringify(manifest, null, 2)}\n`)
          return before
        }),
        (before) => Effect.sync(() => Fs.writeFileSync(new URL(path, root), before))
      )
    },
    { discard: true }
  )

NodeRuntime.runMain(reported(program))
