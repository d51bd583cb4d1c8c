/**
 * The changelog at a release: the part under "Unreleased" gets the version and the day.
 */
import * as Result from "effect/Result"

const unreleased = /^## \[Unreleased\]\n([^]*?)(?=^## |$(?![^]))/m

/** The changelog with the unreleased part under this version, or the sentence that says why that is impossible. */
export const withRelease = (changelog: string, version: string, day: string): Result.Result<string, string> => {
  if (hasRelease(changelog, version)) return Result.fail(`CHANGELOG.md has a section of ${version} already`)
  const content = unreleased.exec(changelog)?.[1]
  if (content === undefined) return Result.fail("CHANGELOG.md has no section `## [Unreleased]`: write one")
  if (content.trim() === "") {
    return Result.fail("CHANGELOG.md has nothing under `## [Unreleased]`: say what this release changes for users")
  }
  return Result.succeed(changelog.replace(unreleased, `## [Unreleased]\n\n## [${version}] - ${day}\n${content}`))
}

/** Whether a version has its section, with the day of its release. */
export const hasRelease = (changelog: string, version: string): boolean =>
  changelog.split("\n").some((line) => /^\d{4}-\d\d-\d\d$/.test(line.split(`## [${version}] - `)[1] ?? ""))
