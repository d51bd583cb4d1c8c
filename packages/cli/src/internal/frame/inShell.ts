/** The client of a command at the prompt of `zk shell`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Client } from "./Client.ts"
import { parseDuration } from "./durations.ts"
import { UsageError } from "./errors.ts"
import * as GlobalFlags from "./globalFlags.ts"
import { SharedClient } from "./sharedClient.ts"

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
      const instead =
        given === "user" || given === "auth-file" ? "; addauth adds a user here, as in `addauth digest:ann`" : ""
      return yield* new UsageError({
        message: `the prompt is connected already: --${given} is for \`zk shell\` itself${instead}`
      })
    }
    const timeout = Option.isSome(flags.timeout)
      ? yield* parseDuration("--timeout", flags.timeout.value)
      : shared.settings.timeout
    return shared.client({
      ...shared.settings,
      // That of the prompt is a default for its lines.
      timeout,
      isTimeoutAsked: Option.isSome(flags.timeout),
      readOnly: shared.settings.readOnly ?? (flags.readOnly ? "--read-only" : undefined)
    })
  }
)
