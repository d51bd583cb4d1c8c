/**
 * Where the packages come from: the repository that publishes them, its page and its issues.
 *
 * One place says it, the `package.json` at the root, and the publisher fills it in. The packages of the workspace do
 * not repeat it: a release writes it into their manifests when it packs them. npm's provenance compares `repository` with
 * the repository whose workflow publishes, and refuses a package that names another or none.
 */
import * as Result from "effect/Result"

/** The fields of the `package.json` at the root, as far as they matter here. */
interface RootManifest {
  readonly repository?: string | { readonly url?: string } | undefined
  readonly homepage?: string | undefined
  readonly bugs?: string | { readonly url?: string } | undefined
}

/** The origin of a package, as its manifest says it. */
export interface Publisher {
  /** `https://host/owner/name`, without `.git`. */
  readonly web: string
  readonly homepage: string
  readonly bugs: string
}

const example = '"repository": { "type": "git", "url": "git+https://github.com/OWNER/NAME.git" }'

/**
 * The publisher, or the sentence that says what to fill in.
 *
 * `homepage` and `bugs` follow from the repository unless they are given. `publishing` is the repository whose workflow
 * runs (`https://github.com/owner/name`), where that is known.
 */
export const publisherOf = (root: RootManifest, publishing?: string): Result.Result<Publisher, string> => {
  const url = typeof root.repository === "string" ? root.repository : root.repository?.url
  if (url === undefined || url === "") {
    return Result.fail(
      `package.json at the root has no "repository", without which npm refuses provenance. Fill in the repository that publishes, such as\n  ${example}\nand "homepage" and "bugs" where they are not the repository's own page and issues.`
    )
  }
  const web = /^(?:git\+)?(https:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+?)(?:\.git)?\/?$/.exec(url)?.[1]
  if (web === undefined) {
    return Result.fail(
      `"repository" in package.json is "${url}"; expected the address of a repository, such as\n  ${example}`
    )
  }
  if (publishing !== undefined && publishing.toLowerCase() !== web.toLowerCase()) {
    return Result.fail(
      `"repository" in package.json is ${web}, and this runs in ${publishing}. npm's provenance needs them to be the same: correct package.json, or publish from there.`
    )
  }
  const bugs = typeof root.bugs === "string" ? root.bugs : root.bugs?.url
  return Result.succeed({ web, homepage: root.homepage ?? web, bugs: bugs ?? `${web}/issues` })
}

/** The origin of the package in `packages/<folder>`, as fields of its published `package.json`. */
export const originOf = ({ bugs, homepage, web }: Publisher, folder: string) => ({
  repository: { type: "git", url: `git+${web}.git`, directory: `packages/${folder}` },
  homepage: homepage === web ? `${web}/tree/main/packages/${folder}#readme` : homepage,
  bugs: { url: bugs }
})

/** A manifest with its origin, behind the description. */
export const withOrigin = (
  manifest: Readonly<Record<string, unknown>>,
  origin: ReturnType<typeof originOf>
): Readonly<Record<string, unknown>> => {
  const { bugs: _bugs, homepage: _homepage, repository: _repository, ...rest } = manifest
  const { description, name, version, ...others } = rest
  return { name, version, description, ...origin, ...others }
}
