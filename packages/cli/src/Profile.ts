/**
 * The profiles of `zk`: a file with one table for each ensemble, so that a command line needs only its name.
 *
 * The file is TOML, at `$XDG_CONFIG_HOME/zk/profiles.toml`, or `~/.config/zk/profiles.toml`:
 *
 * ```toml
 * [prod]
 * servers = "zk1:2281,zk2:2281,zk3:2281/app"
 * authFile = "prod.auth"
 * readOnly = true
 *
 * [prod.tls]
 * ca = "ca.pem"
 * cert = "me.pem"
 * key = "me.key"
 * ```
 *
 * Relative paths start at the folder of the file. A profile has no secrets: it names the files that have them. `servers` may
 * be a list, too.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Toml from "effect/encoding/Toml"
import { joinServers, mistakeOf } from "./internal/frame/profileKeys.ts"

/**
 * The files of TLS connections, as paths of PEM files.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Tls = Schema.Struct({
  /** The authorities to trust, instead of those that Node trusts. */
  ca: Schema.optionalKey(Schema.String),
  /** The client's certificate, with its chain. */
  cert: Schema.optionalKey(Schema.String),
  /** The private key of `cert`. Its passphrase is in `ZK_KEY_PASSPHRASE`. */
  key: Schema.optionalKey(Schema.String),
  /** The name that the servers' certificates must be for, instead of the host. */
  servername: Schema.optionalKey(Schema.String)
})

/**
 * One profile.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Profile = Schema.Struct({
  /** The connect string, with an optional chroot. */
  servers: Schema.optionalKey(Schema.String),
  /** A chroot below that of `servers`. */
  chroot: Schema.optionalKey(Schema.String),
  /** The file with credentials: a line `scheme:credentials` for each, or `sasl:user:password`. */
  authFile: Schema.optionalKey(Schema.String),
  tls: Schema.optionalKey(Schema.Union([Schema.Boolean, Tls])),
  /** Whether writes are refused before they are sent. */
  readOnly: Schema.optionalKey(Schema.Boolean),
  /** The time that a command may take, as in `"30s"`, with its unit. */
  timeout: Schema.optionalKey(Schema.String),
  /** The largest request, as `jute.maxbuffer` of the servers, as in `"4m"`. */
  maxBuffer: Schema.optionalKey(Schema.String)
})

/**
 * One profile.
 *
 * @category models
 * @since 0.1.0
 */
export type Profile = typeof Profile.Type

/**
 * A file of profiles that cannot be used: it is not TOML, has an unknown key, or lacks the profile.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadProfile extends ErrorClass.make(
  Schema.TaggedError<BadProfile>()("BadProfile", {
    /** The mistake in the text. */
    message: Schema.String
  })
) {}

/**
 * Reads the text of a file of profiles.
 *
 * @example
 * ```ts
 * import * as Profile from "@effect-zookeeper/cli/Profile"
 *
 * export const profiles = Profile.parse('[local]\nservers = "localhost:2181"\n')
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Readonly<Record<string, Profile>>, BadProfile> => {
  const tables = Toml.parse(text)
  if (Result.isFailure(tables)) {
    return Result.fail(new BadProfile({ message: `is not TOML: ${oneLine(tables.failure.message)}` }))
  }
  const mistake = mistakeOf(tables.success, keys)
  if (mistake !== undefined) return Result.fail(new BadProfile({ message: `has a mistake: ${mistake}` }))
  return Result.mapError(
    decode(joinServers(tables.success), { onExcessProperty: "error" }),
    (error) => new BadProfile({ message: `has a mistake: ${oneLine(error.message)}` })
  )
}

// ---- internal

const keys = { profile: Object.keys(Profile.fields), tls: Object.keys(Tls.fields) }

const decode = Schema.decodeUnknownResult(Schema.Record(Schema.String, Profile))

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, " ")
