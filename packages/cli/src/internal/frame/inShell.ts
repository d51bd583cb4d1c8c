/** The client of a command at the prompt of `zk shell`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Client, SharedClient } from "./Client.ts"
import { parseDuration } from "./durations.ts"
import { ReadOnlyMode, UsageError } from "./errors.ts"
import * as GlobalFlags from "./globalFlags.ts"

/** The client of the prompt with the flags of one line, or undefined elsewhere. */
export const inShell: Effect.Effect<Client["Service"] | undefined, UsageError, GlobalFlags.GlobalFlags> = Effect.gen(
  function* () {
    const shared = yield* SharedClient
    if (shared === undefined) return undefined
    const flags = yield* GlobalFlags.values
    const { authFile, ca, cert, chroot, key, maxBuffer, profile, profiles, servers, tls, user } = flags
    const connecting = Object.entries({
      servers,
      chroot,
      profile,
      profiles,
      "auth-file": authFile,
      user,
      ca,
      cert,
      key,
      "max-buffer": maxBuffer
    })
    const given = connecting.find(([, value]) => Option.isSome(value))?.[0] ?? (tls ? "tls" : undefined)
    if (given !== undefined) {
      return yield* new UsageError({
        message: `the prompt is connected already: --${given} is for \`zk shell\` itself`
      })
    }
    const timeout = Option.isSome(flags.timeout)
      ? yield* parseDuration("--timeout", flags.timeout.value)
      : shared.settings.timeout
    // That of the prompt is a default for its lines.
    const settings = { ...shared.settings, timeout, isTimeoutAsked: Option.isSome(flags.timeout) }
    if (!flags.readOnly) return { ...shared, settings }
    return withoutWrites(shared, { ...settings, readOnly: settings.readOnly ?? "--read-only" })
  }
)

// ---- internal

const withoutWrites = (
  client: Client["Service"],
  settings: Client["Service"]["settings"] & { readonly readOnly: string }
): Client["Service"] => {
  const refuse = (command: string) => new ReadOnlyMode({ command, source: settings.readOnly })
  return { ...client, settings, writer: refuse, rootWriter: refuse, lastingWriter: refuse, holder: refuse }
}
