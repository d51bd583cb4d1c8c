/** A run of the executable. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fs from "node:fs"
import { main } from "./main.ts"

/** `dist/internal` has the folder of the package above it, as `src/internal` has. */
const manifest: { readonly version: string } = JSON.parse(
  Fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")
)

// A reader that has gone, such as `head`, is noticed by the write that fails; a later event must not end the process.
process.stdout.on("error", () => {})
process.stderr.on("error", () => {})

/** As shells say it: 128 and the number of the signal. */
let interrupted = 130
process.once("SIGTERM", () => (interrupted = 143))

/** A terminal that is closed, or a lost ssh, ends it as SIGTERM does: sessions are closed, and nothing is left behind. */
const hangup = Effect.callback<never>((resume) => {
  const end = () => {
    interrupted = 129
    resume(Effect.interrupt)
  }
  process.on("SIGHUP", end)
  return Effect.sync(() => process.off("SIGHUP", end))
})

main(process.argv.slice(2), manifest.version).pipe(
  Effect.raceFirst(hangup),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit) => {
      // After a signal nothing waits for a reader that may have stopped reading.
      if (!Exit.isSuccess(exit)) return process.exit(interrupted)
      const code = Number(exit.value)
      // Pipes are written in the background: the process ends when they have everything.
      process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
    }
  })
)
