/** The settings of one run: from the command line, the environment, and the profile. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import type { TlsFiles } from "@effect-zookeeper/transport/TlsOptions"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import type { Profile } from "../../Profile.ts"
import { printError } from "../output/printError.ts"
import { authOfUser, type Credentials, noCredentials, parseAuth, split } from "./authFile.ts"
import { parseDuration, parseSize } from "./durations.ts"
import { type Environment, readEnvironment } from "./environment.ts"
import { UsageError } from "./errors.ts"
import * as GlobalFlags from "./globalFlags.ts"
import { findProfile } from "./profiles.ts"
import { reasonOf } from "./reasons.ts"

export interface Settings {
  /** The servers, or `dns+srv://` and a name, without a chroot. */
  readonly servers: string
  /** The znode that is the root of the command; empty for that of the servers. */
  readonly chroot: string
  readonly auth: Credentials["auth"]
  readonly sasl: Credentials["sasl"]
  readonly tls: TlsFiles | undefined
  /** Where the prohibition of writes comes from, for the error; undefined where writes are allowed. */
  readonly readOnly: string | undefined
  readonly timeout: Duration.Duration | undefined
  /** Whether the command line has it, rather than the environment or the profile. */
  readonly isTimeoutAsked: boolean
  /** The largest request in bytes, and the largest reply where that is more than the default; undefined for the defaults. */
  readonly maxBuffer: number | undefined
  /** The settings of the command line itself, for all servers that it names, by profiles and by zk:// too. */
  readonly forAll: { readonly tls: TlsFiles | undefined; readonly maxBuffer: number | undefined }
}

/**
 * The settings, checked. A value comes from the command line, or else the profile that the command line names, or else the
 * environment, or else the profile that the environment names. The profile `default` is for runs that name neither a
 * profile nor servers, so that its credentials go to its own servers alone.
 */
export const resolve = Effect.gen(function* () {
  const flags = yield* GlobalFlags.values
  const environment = yield* readEnvironment
  const isNamed = Option.isSome(flags.profile)
  const profile = yield* findProfile(
    Option.getOrElse(flags.profile, () => environment.profile),
    Option.getOrElse(flags.profiles, () => environment.profiles),
    environment,
    Option.isSome(flags.servers) || environment.servers !== undefined
  )
  const pick: Pick = (flag, ofEnvironment, ofProfile) =>
    Option.getOrUndefined(flag) ?? (isNamed ? (ofProfile ?? ofEnvironment) : (ofEnvironment ?? ofProfile))
  const servers = pick(flags.servers, environment.servers, profile.servers) ?? "localhost:2181"
  const chroot = pick(flags.chroot, environment.chroot, profile.chroot) ?? ""
  const timeout = pick(
    Option.map(flags.timeout, (text) => ({ source: "--timeout", text })),
    environment.timeout === undefined ? undefined : { source: "ZK_TIMEOUT", text: environment.timeout },
    profile.timeout === undefined ? undefined : { source: "the profile's timeout", text: profile.timeout }
  )
  const maxBuffer = pick(flags.maxBuffer, environment.maxBuffer, profile.maxBuffer)
  const ofProfile = profile.authFile === undefined ? undefined : { file: profile.authFile }
  if (Option.isSome(flags.user) && Option.isSome(flags.authFile)) {
    return yield* new UsageError({ message: "--user and --auth-file exclude each other: choose one" })
  }
  const auth = pick<AuthSource | { readonly user: string }>(
    Option.orElse(
      Option.map(flags.authFile, (file) => ({ file })),
      () => Option.map(flags.user, (user) => ({ user }))
    ),
    authOf(environment),
    ofProfile
  )
  return {
    ...(yield* parseServers(servers, chroot)),
    ...(auth === undefined ? noCredentials : "user" in auth ? yield* askAuth(auth.user) : yield* readAuth(auth)),
    tls: tlsOf(flags, environment, profile.tls, pick),
    readOnly: readOnlySource(flags.readOnly, environment, profile),
    timeout: timeout === undefined ? undefined : yield* parseDuration(timeout.source, timeout.text),
    isTimeoutAsked: Option.isSome(flags.timeout),
    maxBuffer: yield* parseBuffer(maxBuffer),
    forAll: {
      tls: isTlsAsked(flags) ? { ca: Option.getOrUndefined(flags.ca) } : undefined,
      maxBuffer: yield* parseBuffer(Option.getOrUndefined(flags.maxBuffer))
    }
  } satisfies Settings
})

/** The settings of another ensemble, by the name of its profile. A run that allows no writes allows none there. */
export const ofProfile = Effect.fnUntraced(function* (name: string, own: Settings) {
  const flags = yield* GlobalFlags.values
  const environment = yield* readEnvironment
  const file = Option.getOrElse(flags.profiles, () => environment.profiles)
  const profile = yield* findProfile(name, file, environment, true)
  const { authFile, chroot = "", servers, tls } = profile
  if (servers === undefined) {
    return yield* new UsageError({ message: `the profile ${name} names no servers` })
  }
  const files = typeof tls === "object" ? tls : tls === true ? {} : undefined
  return {
    ...(yield* parseServers(servers, chroot)),
    ...(authFile === undefined ? noCredentials : yield* readAuth({ file: authFile })),
    tls: files === undefined ? own.forAll.tls : { ...files, passphrase: environment.keyPassphrase },
    readOnly: own.readOnly ?? (profile.readOnly === true ? `the profile ${name}` : undefined),
    timeout: own.timeout,
    isTimeoutAsked: own.isTimeoutAsked,
    maxBuffer: own.forAll.maxBuffer ?? (yield* parseBuffer(profile.maxBuffer)),
    forAll: own.forAll
  } satisfies Settings
})

/**
 * The settings of other servers, without credentials: those of the run belong to its own servers, and so does the TLS of its
 * profile and environment.
 */
export const ofServers = Effect.fnUntraced(function* (servers: string, own: Settings) {
  const { forAll, isTimeoutAsked, readOnly, timeout } = own
  return {
    ...(yield* parseServers(servers, "")),
    ...noCredentials,
    ...forAll,
    forAll,
    readOnly,
    timeout,
    isTimeoutAsked
  } satisfies Settings
})

/** Asks for the password. The user may be misspelt with a password, so no error repeats it. */
export const askAuth = Effect.fnUntraced(function* (
  user: string,
  { seen, what }: { readonly what: string; readonly seen: string } = ofFlag
) {
  const [scheme, name] = split(user)
  if (scheme === "" || name === "") {
    return yield* new UsageError({ message: `${what} takes scheme:name, as in digest:ann or sasl:ann` })
  }
  if (name.includes(":")) {
    return yield* new UsageError({ message: `${what} takes no password, for ${seen}; it is asked for` })
  }
  const { askPassword } = yield* Effect.promise(() => import("./askPassword.ts"))
  return yield* authOfUser(scheme, name, yield* askPassword(user))
})

// ---- internal

/** Chooses among the sources of one setting. */
type Pick = <A>(flag: Option.Option<A>, ofEnvironment: A | undefined, ofProfile: A | undefined) => A | undefined

type AuthSource = { readonly file: string } | { readonly text: Redacted.Redacted<string> }

const authOf = ({ auth, authFile }: Environment): AuthSource | undefined =>
  auth !== undefined ? { text: auth } : authFile !== undefined ? { file: authFile } : undefined

/** As `jute.maxbuffer` of the servers, which is a number of 31 bits. */
const parseBuffer = Effect.fnUntraced(function* (text: string | undefined) {
  if (text === undefined) return undefined
  const size = yield* parseSize("--max-buffer", text)
  if (size >= 1024 && size < 2 ** 31) return size
  return yield* new UsageError({ message: `--max-buffer ${JSON.stringify(text)} is no size from 1k to 2047m` })
})

/** Any source can forbid writes, and none can allow what another forbids. */
const readOnlySource = (flag: boolean, environment: Environment, profile: Profile): string | undefined => {
  if (flag) return "--read-only"
  if (environment.readOnly === true) return "ZK_READ_ONLY"
  return profile.readOnly === true ? "the profile" : undefined
}

const parseServers = Effect.fnUntraced(function* (servers: string, below: string) {
  if (servers.startsWith("/")) {
    // As in `ls -s /app` of ZooKeeper's own shell.
    const message = `-s is --servers, and ${JSON.stringify(servers)} is no server; zk stat and ls -l show stats, and create has --sequential`
    return yield* new UsageError({ message })
  }
  const srv = yield* Effect.fromResult(ConnectString.parseSrv(servers))
  const parsed = srv ?? (yield* Effect.fromResult(ConnectString.parse(servers)))
  const chroot = yield* Effect.fromResult(ZnodePath.normalizeChroot(below))
  const first = parsed.chroot === "/" ? "" : parsed.chroot
  return {
    servers: "name" in parsed ? `dns+srv://${parsed.name}` : ConnectString.format({ ...parsed, chroot: "/" }),
    chroot: first + chroot
  }
})

const readAuth = Effect.fnUntraced(function* (source: AuthSource) {
  if ("text" in source) return yield* parseAuth("ZK_AUTH", source.text)
  const { file } = source
  const fs = yield* FileSystem.FileSystem
  const content = yield* Effect.mapError(
    fs.readFileString(file),
    (error) =>
      new UsageError({
        message: `the file with credentials, ${file}, cannot be read: ${reasonOf(error)}; see --auth-file`
      })
  )
  yield* warnOfReaders(file)
  return yield* parseAuth(file, Redacted.make(content))
})

/** As ssh does; a group that may read is taken for one that should. Windows has no such permissions. */
const warnOfReaders = Effect.fnUntraced(function* (file: string) {
  const info = yield* Effect.option((yield* FileSystem.FileSystem).stat(file))
  if (Option.isNone(info) || info.value.type !== "File" || process.platform === "win32") return
  if ((info.value.mode & 0o004) === 0) return
  const mode = (info.value.mode & 0o777).toString(8).padStart(4, "0")
  const shown = Printable.escapeAll(file)
  yield* printError(
    yield* Stdio.Stdio,
    `warning: all users of this machine can read the credentials in ${shown} (mode ${mode}); chmod 600 keeps them from it\n`
  )
})

const ofFlag = { what: "--user", seen: "other users of the machine see arguments" }

type Flags = Effect.Success<typeof GlobalFlags.values>

const isTlsAsked = ({ ca, cert, key, tls }: Flags): boolean => tls || [ca, cert, key].some(Option.isSome)

const tlsOf = (flags: Flags, environment: Environment, profile: Profile["tls"], pick: Pick): TlsFiles | undefined => {
  const ofProfile = typeof profile === "object" ? profile : {}
  const ca = pick(flags.ca, environment.ca, ofProfile.ca)
  const cert = pick(flags.cert, environment.cert, ofProfile.cert)
  const key = pick(flags.key, environment.key, ofProfile.key)
  const isAsked = flags.tls || environment.tls === true || profile === true || typeof profile === "object"
  if (!isAsked && ca === undefined && cert === undefined && key === undefined) return undefined
  return { ca, cert, key, servername: ofProfile.servername, passphrase: environment.keyPassphrase }
}
