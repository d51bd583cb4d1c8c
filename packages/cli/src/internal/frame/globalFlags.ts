/** The flags that all commands have. */
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description))

const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** Without `-v`, which is a condition of writes in ZooKeeper's own shell. */
export const Version = GlobalFlag.Action({
  flag: toggle("version", "Show version information"),
  run: GlobalFlag.Version.run
})

export const Servers = GlobalFlag.Setting("servers")({
  flag: text(
    "servers",
    "host:port,…/chroot",
    "The servers, or dns+srv://name/chroot ($ZK_SERVERS; default: localhost:2181)"
  ).pipe(Flag.withAlias("s"), Flag.optional)
})

export const ProfileName = GlobalFlag.Setting("profile")({
  flag: text(
    "profile",
    "name",
    "The profile to use ($ZK_PROFILE; default: the profile `default`, if there is one)"
  ).pipe(Flag.withAlias("p"), Flag.optional)
})

export const ProfileFile = GlobalFlag.Setting("profiles")({
  flag: text("profiles", "file", "The file of profiles ($ZK_PROFILES; default: ~/.config/zk/profiles.toml)").pipe(
    Flag.optional
  )
})

export const Chroot = GlobalFlag.Setting("chroot")({
  flag: text("chroot", "path", "The znode that is the root for this command ($ZK_CHROOT)").pipe(Flag.optional)
})

export const AuthFile = GlobalFlag.Setting("auth-file")({
  flag: text(
    "auth-file",
    "file",
    "A file with credentials, one `scheme:credentials` on a line, or `sasl:user:password` ($ZK_AUTH_FILE; or $ZK_AUTH with the text itself)"
  ).pipe(Flag.optional)
})

export const User = GlobalFlag.Setting("user")({
  flag: text(
    "user",
    "scheme:name",
    "Ask at the terminal for the password of this user, as of `digest:ann` or `sasl:ann`, instead of a file"
  ).pipe(Flag.optional)
})

export const UseTls = GlobalFlag.Setting("tls")({
  flag: toggle("tls", "Use TLS ($ZK_TLS=true)")
})

export const Ca = GlobalFlag.Setting("ca")({
  flag: text("ca", "file", "PEM: the authorities to trust; implies --tls ($ZK_CA)").pipe(Flag.optional)
})

export const Cert = GlobalFlag.Setting("cert")({
  flag: text("cert", "file", "PEM: the client's certificate; implies --tls ($ZK_CERT)").pipe(Flag.optional)
})

export const Key = GlobalFlag.Setting("key")({
  flag: text("key", "file", "PEM: the private key of --cert; its passphrase is in $ZK_KEY_PASSPHRASE ($ZK_KEY)").pipe(
    Flag.optional
  )
})

export const ReadOnly = GlobalFlag.Setting("read-only")({
  flag: toggle(
    "read-only",
    "Refuse each write before it is sent; a server without a quorum may answer ($ZK_READ_ONLY=true)"
  )
})

export const Timeout = GlobalFlag.Setting("timeout")({
  flag: text(
    "timeout",
    "duration",
    "The time that the command may take, as in 30s; a duration needs a unit ($ZK_TIMEOUT)"
  ).pipe(Flag.optional)
})

export const MaxBuffer = GlobalFlag.Setting("max-buffer")({
  flag: text(
    "max-buffer",
    "size",
    "The largest request, as jute.maxbuffer of the servers (default: 1m); replies may have 64m, or this if it is more ($ZK_MAX_BUFFER)"
  ).pipe(Flag.optional)
})

export const Json = GlobalFlag.Setting("json")({
  flag: toggle("json", "Print one JSON document; the README of @effect-zookeeper/cli names the Schema of each command")
})

export const Ndjson = GlobalFlag.Setting("ndjson")({
  flag: toggle("ndjson", "Print JSON, one item of --json on a line")
})

export const Verbose = GlobalFlag.Setting("verbose")({
  flag: toggle("verbose", "Say more about errors, and log to standard error")
})

export const all = [
  Servers,
  ProfileName,
  ProfileFile,
  Chroot,
  AuthFile,
  User,
  UseTls,
  Ca,
  Cert,
  Key,
  ReadOnly,
  Timeout,
  MaxBuffer,
  Json,
  Ndjson,
  Verbose
] as const

/** The values that were given, by the names of the settings. */
export const values = Effect.all({
  servers: Servers,
  profile: ProfileName,
  profiles: ProfileFile,
  chroot: Chroot,
  authFile: AuthFile,
  user: User,
  tls: UseTls,
  ca: Ca,
  cert: Cert,
  key: Key,
  readOnly: ReadOnly,
  timeout: Timeout,
  maxBuffer: MaxBuffer,
  json: Json,
  ndjson: Ndjson,
  verbose: Verbose
})

/** The context that has them. */
export type GlobalFlags = Effect.Services<typeof values>
