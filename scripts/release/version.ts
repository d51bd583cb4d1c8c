/**
 * `npx -y pnpm@12 version-packages`: the next version, out of the changesets.
 *
 * It runs `changeset version`, which writes the version into the packages and deletes the changesets, and gives what is
 * under "Unreleased" in CHANGELOG.md that version and today's date. Nothing is committed. The release workflow runs it for
 * its pull request.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { reported } from "../runCommand.ts"
import { fail } from "../steps.ts"
import { withRelease } from "./changelog.ts"
import { changesets, changesetsCli, read, root, run, versionOfPackages } from "./workspace.ts"

const program = Effect.gen(function* () {
  if (changesets().length === 0) {
    yield* fail(
      "there is no changeset in .changeset, so there is nothing to release: add one with `npx -y pnpm@12 changeset`"
    )
  }
  yield* run(process.execPath, [changesetsCli, "version"])
  const version = yield* versionOfPackages
  const day = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
  const changelog = yield* Effect.fromResult(withRelease(read("CHANGELOG.md"), version, day)).pipe(Effect.catch(fail))
  Fs.writeFileSync(new URL("CHANGELOG.md", root), changelog)
  yield* Console.log(`${version}: look at the difference, commit it, and release with \`npx -y pnpm@12 release\``)
})

NodeRuntime.runMain(reported(program))
