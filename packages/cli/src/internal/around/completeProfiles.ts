/** `zk complete-profiles`: the names of profiles, which the completion scripts of shells ask for. It connects to no server. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { readEnvironment } from "../frame/environment.ts"
import * as GlobalFlags from "../frame/globalFlags.ts"
import { profileNames } from "../frame/profiles.ts"

export const completeProfiles = Effect.gen(function* () {
  const environment = yield* readEnvironment
  const file = Option.getOrElse(yield* GlobalFlags.ProfileFile, () => environment.profiles)
  const names = yield* profileNames(file, environment)
  const { stdout } = yield* Stdio.Stdio
  yield* Stream.run(Stream.make(names.map((name) => `${name}\n`).join("")), stdout())
})
