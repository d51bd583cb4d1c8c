/** The profile that a run uses. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { Profile } from "../../Profile.ts"
import type { Environment } from "./environment.ts"
import { UsageError } from "./errors.ts"
import { codeOf, reasonOf } from "./reasons.ts"

/**
 * The profile of a name, with the paths of its files made absolute. Without a name it is `default`, which may be missing,
 * and so may the file; a run whose servers are given has no profile then.
 */
export const findProfile = Effect.fnUntraced(function* (
  name: string | undefined,
  file: string | undefined,
  environment: Environment,
  areServersGiven: boolean
): Effect.fn.Return<Profile, UsageError, FileSystem.FileSystem | Path.Path> {
  if (name === undefined && areServersGiven) return {}
  const paths = yield* Path.Path
  const read = yield* readProfiles(file, environment, name)
  if (read === undefined) return {}
  const { profiles, source } = read
  const wanted = name ?? "default"
  const profile = Object.hasOwn(profiles, wanted) ? profiles[wanted] : undefined
  if (profile === undefined) {
    if (name === undefined) return {}
    const names = Object.keys(profiles).join(", ")
    return yield* new UsageError({
      message: wanted.startsWith("/")
        ? `${missing(wanted)}; ${source} has ${names || "none"}`
        : `${source} has no profile ${wanted}; it has ${names || "none"}`
    })
  }
  return withFiles(profile, (given) => paths.resolve(paths.dirname(source), given))
})

/** The names of all profiles. Without a file there are none. */
export const profileNames = (
  file: string | undefined,
  environment: Environment
): Effect.Effect<ReadonlyArray<string>, UsageError, FileSystem.FileSystem | Path.Path> =>
  Effect.map(readProfiles(file, environment), (read) => Object.keys(read?.profiles ?? {}))

// ---- internal

/** The file of profiles; undefined where it may be missing, and is: where neither it nor a profile is named. */
const readProfiles = Effect.fnUntraced(function* (
  file: string | undefined,
  environment: Environment,
  name?: string
): Effect.fn.Return<
  { readonly source: string; readonly profiles: Readonly<Record<string, Profile>> } | undefined,
  UsageError,
  FileSystem.FileSystem | Path.Path
> {
  const isOptional = name === undefined && file === undefined
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const folder =
    environment.configHome ?? (environment.home === undefined ? undefined : paths.join(environment.home, ".config"))
  const source = file ?? (folder === undefined ? undefined : paths.join(folder, "zk", "profiles.toml"))
  if (source === undefined) {
    return isOptional ? undefined : yield* new UsageError({ message: "no file of profiles: name one with --profiles" })
  }
  if (isOptional && !(yield* Effect.orElseSucceed(fs.exists(source), () => false))) return undefined
  const text = yield* Effect.mapError(
    fs.readFileString(source),
    (error) =>
      new UsageError({
        message:
          codeOf(error) === "ENOENT"
            ? `${name === undefined ? "" : `${missing(name)}: `}the file of profiles, ${source}, does not exist; write one, with a line [name] and a line servers = "host:port" below it, or name another with --profiles`
            : `the file of profiles, ${source}, cannot be read: ${reasonOf(error)}; name another with --profiles`
      })
  )
  // Only a run with a profile needs a parser of TOML.
  const { parse } = yield* Effect.promise(() => import("../../Profile.ts"))
  const profiles = yield* Effect.mapError(
    Effect.fromResult(parse(text)),
    (error) => new UsageError({ message: `${source} ${error.message}` })
  )
  return { source, profiles }
})

/** As in `create -p /app` of other shells, where it makes the parents. */
const missing = (name: string): string =>
  name.startsWith("/")
    ? `-p is --profile, and ${JSON.stringify(name)} is no profile; zk create has --parents`
    : `there is no profile ${name}`

const withFiles = (profile: Profile, resolve: (file: string) => string): Profile => {
  const { authFile, tls, ...rest } = profile
  if (typeof tls !== "object") {
    return { ...rest, ...(authFile === undefined ? {} : { authFile: resolve(authFile) }), ...(tls ? { tls } : {}) }
  }
  const { servername, ...files } = tls
  const resolved = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, resolve(file)]))
  return {
    ...rest,
    ...(authFile === undefined ? {} : { authFile: resolve(authFile) }),
    tls: { ...resolved, ...(servername === undefined ? {} : { servername }) }
  }
}
