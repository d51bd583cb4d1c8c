/**
 * The files and dependencies that a published package may have: the one list that the build and the tests go by.
 *
 * An installation of a package brings exactly these with it, and nothing of it runs at installation.
 */

/** The fields of a `package.json`, as far as the rules go. */
export interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>> | undefined
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined
  readonly peerDependencies?: Readonly<Record<string, string>> | undefined
  readonly scripts?: Readonly<Record<string, string>> | undefined
}

/** The dependencies of published packages that are not ours. A new one is a decision, made here. */
const foreignDependencies: Readonly<Record<string, ReadonlyArray<string>>> = {
  "@effect-zookeeper/server": ["@effect/platform-node-shared"],
  // Files, for the Promise API.
  "@effect-zookeeper/storage": ["@effect/platform-node-shared"]
}

const allowed = /^(README\.md|LICENSE|package\.json|src\/.+\.ts|dist\/.+(\.js|\.js\.map|\.d\.ts|\.d\.ts\.map))$/
/** The files of the console's page, which the command line has too. */
const ofPage = /^dist\/(internal\/)?page\/[\w./-]+\.(html|js|css|svg|png|ico|woff2|webmanifest)$/
const forbidden = /(^|\/)(tests?|fixtures|node_modules)\/|\.test\.|tsbuildinfo/

/** Files that a tarball must not hold: everything but sources, the compiler's output and documents of the package. */
export const unexpectedFiles = (contents: ReadonlyArray<string>): ReadonlyArray<string> =>
  contents.filter((path) => !(allowed.test(path) || ofPage.test(path)) || forbidden.test(path))

/** Fields of a manifest that ask something of an installation, and may not. */
export const manifestProblem = (manifest: Manifest): string | undefined => {
  const { dependencies = {}, name, optionalDependencies = {}, peerDependencies = {}, scripts = {} } = manifest
  const foreign = Object.keys({ ...dependencies, ...optionalDependencies }).filter(
    (dependency) => !dependency.startsWith("@effect-zookeeper/") && !foreignDependencies[name]?.includes(dependency)
  )
  if (foreign.length > 0) return `would depend on ${foreign.join(", ")}`
  const peers = Object.keys(peerDependencies)
  if (peers.join() !== "effect") return `would have the peers ${peers.join(", ")}, where effect is expected`
  const hooks = Object.keys(scripts).filter((script) =>
    /^(pre|post)?(install|prepare|publish|pack)|^prepublishOnly$/.test(script)
  )
  return hooks.length > 0 ? `would run ${hooks.join(", ")} on the machines of those who install it` : undefined
}
