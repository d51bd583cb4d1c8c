/** The settings that come from the environment. An empty variable counts as not set. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { UsageError } from "./errors.ts"

const text = (name: string) => Config.option(Config.String(name))

const all = Config.all({
  servers: text("ZK_SERVERS"),
  profile: text("ZK_PROFILE"),
  profiles: text("ZK_PROFILES"),
  chroot: text("ZK_CHROOT"),
  authFile: text("ZK_AUTH_FILE"),
  auth: Config.option(Config.Redacted("ZK_AUTH")),
  tls: Config.option(Config.Boolean("ZK_TLS")),
  ca: text("ZK_CA"),
  cert: text("ZK_CERT"),
  key: text("ZK_KEY"),
  keyPassphrase: Config.option(Config.Redacted("ZK_KEY_PASSPHRASE")),
  readOnly: Config.option(Config.Boolean("ZK_READ_ONLY")),
  timeout: text("ZK_TIMEOUT"),
  maxBuffer: text("ZK_MAX_BUFFER"),
  home: text("HOME"),
  configHome: text("XDG_CONFIG_HOME")
})

type Read = Effect.Success<typeof all>

/** The variables that are set. */
export type Environment = {
  readonly [K in keyof Read]?: Option.Option.Value<Read[K]> | undefined
}

export const readEnvironment: Effect.Effect<Environment, UsageError> = all.pipe(
  Effect.map((values) => {
    const set: Record<string, unknown> = {}
    for (const [name, option] of Object.entries(values)) {
      const value: unknown = Option.getOrUndefined<unknown>(option)
      if (value !== undefined && value !== "") set[name] = value
    }
    return set as Environment
  }),
  Effect.mapError(
    (error) =>
      new UsageError({
        message: `a variable of the environment is wrong: ${error.message.replaceAll(/\s*\n\s*/g, " ")}`
      })
  )
)
