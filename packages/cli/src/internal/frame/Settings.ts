/** The settings of one run: from the command line, the environment, and the profile. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import type { TlsFiles } from "@effect-zookeeper/transport/TlsOptions"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { Profile } from "../../Profile.ts"
import { parseAuth } from "./authFile.ts"
import { parseDuration } from "./durations.ts"
import { type Environment, readEnvironment } from "./environment.ts"
import { UsageError } from "./errors.ts"
import * as GlobalFlags from "./globalFlags.ts"
import { findProfile } from "./profiles.ts"

export interface Settings {
  /** The servers, without a chroot. */
  readonly servers: string
  /** The znode that is the root of the command; empty for that of the servers. */
  readonly chroot: string
  readonly auth: NonNullable<ZooKeeper.Options["auth"]>
  readonly tls: TlsFiles | undefined
  /** Where the prohibition of writes comes from, for the error; undefined where writes are allowed. */
  readonly readOnly: string | undefined
  readonly timeout: Duration.Duration | undefined
}

/**
 * The settings, checked. A value comes from the command line, or else the profile that the command line names, or else the
 * environment, or else the profile that the environment names (`default` unless it names one).
 */
export const resolve = Effect.gen(function* () {
  const flags = yield* GlobalFlags.values
  const environment = yield* readEnvironment
  const isNamed = Option.isSome(flags.profile)
  const profile = yield* findProfile(
    Option.getOrElse(flags.profile, () => environment.profile),
    Option.getOrElse(flags.profiles, () => environment.profiles),
    environment
  )
  /** The sources of one setting, in their order. */
  const pick = <A>(flag: A | undefined, key: keyof Environment, ofProfile: A | undefined): A | undefined => {
    const ofEnvironment = environment[key] as A | undefined
    return flag ?? (isNamed ? (ofProfile ?? ofEnvironment) : (ofEnvironment ?? ofProfile))
  }
  const servers = pick(Option.getOrUndefined(flags.servers), "servers", profile.servers) ?? "localhost:2181"
  const chroot = pick(Option.getOrUndefined(flags.chroot), "chroot", profile.chroot) ?? ""
  const timeout = pick(Option.getOrUndefined(flags.timeout), "timeout", profile.timeout)
  const authFile = pick(Option.getOrUndefined(flags.authFile), "authFile", profile.authFile)
  return {
    ...(yield* parseServers(servers, chroot)),
    auth: yield* readAuth(authFile, Option.isSome(flags.authFile) ? undefined : environment.auth),
    tls: tlsOf(flags, environment, profile.tls),
    readOnly: flags.readOnly
      ? "--read-only"
      : environment.readOnly === true
        ? "ZK_READ_ONLY"
        : profile.readOnly === true
          ? "the profile"
          : undefined,
    timeout: timeout === undefined ? undefined : yield* parseDuration("--timeout", timeout)
  } satisfies Settings
})

// ---- internal

const parseServers = Effect.fnUntraced(function* (servers: string, below: string) {
  const parsed = yield* Effect.fromResult(ConnectString.parse(servers))
  const chroot = yield* Effect.fromResult(ZnodePath.normalizeChroot(below))
  const first = parsed.chroot === "/" ? "" : parsed.chroot
  return { servers: ConnectString.format({ ...parsed, chroot: "/" }), chroot: first + chroot }
})

const readAuth = Effect.fnUntraced(function* (file: string | undefined, text: Redacted.Redacted<string> | undefined) {
  if (text !== undefined) return yield* parseAuth("ZK_AUTH", text)
  if (file === undefined) return []
  const fs = yield* FileSystem.FileSystem
  const { make } = yield* Effect.promise(() => import("effect/Redacted"))
  const content = yield* Effect.mapError(
    fs.readFileString(file),
    () => new UsageError({ message: `the file with credentials, ${file}, cannot be read; see --auth-file` })
  )
  return yield* parseAuth(file, make(content))
})

const tlsOf = (
  flags: Effect.Success<typeof GlobalFlags.values>,
  environment: Environment,
  profile: Profile["tls"]
): TlsFiles | undefined => {
  const ofProfile = typeof profile === "object" ? profile : {}
  const ca = Option.getOrUndefined(flags.ca) ?? environment.ca ?? ofProfile.ca
  const cert = Option.getOrUndefined(flags.cert) ?? environment.cert ?? ofProfile.cert
  const key = Option.getOrUndefined(flags.key) ?? environment.key ?? ofProfile.key
  const isAsked = flags.tls || environment.tls === true || profile === true || typeof profile === "object"
  if (!isAsked && ca === undefined && cert === undefined && key === undefined) return undefined
  return { ca, cert, key, servername: ofProfile.servername, passphrase: environment.keyPassphrase }
}
