/** A real terminal, of tmux, in which a shell runs `zk`. */
import { EmbeddedServer } from "@effect-zookeeper/server"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../src/internal/zk.ts", import.meta.url))

const hasTmux = ChildProcess.spawnSync("tmux", ["-V"]).status === 0

/** The title of a test that needs a terminal, and the options that skip it where there is none. */
export const title = (text: string): string => (hasTmux ? text : `${text} (needs tmux)`)
export const options = { skip: !hasTmux }

/** A terminal with a shell, in which `zk` is the command and asks the embedded server. */
export const terminal = Effect.gen(function* () {
  const { connectString } = yield* EmbeddedServer.EmbeddedServer
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  )
  Fs.writeFileSync(Path.join(folder, "zk"), `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`, { mode: 0o755 })
  const tmux = (...args: ReadonlyArray<string>): Effect.Effect<string> =>
    Effect.callback((resume) => {
      ChildProcess.execFile("tmux", ["-S", Path.join(folder, "socket"), "-f", "/dev/null", ...args], (_, out) =>
        resume(Effect.succeed(out))
      )
    })
  const env = {
    PS1: "ready> ",
    ZK_SERVERS: connectString,
    NO_COLOR: "1",
    XDG_STATE_HOME: Path.join(folder, "state")
  }
  const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`])
  yield* Effect.acquireRelease(
    tmux("new-session", "-d", "-x", "120", "-y", "12", ...variables, "bash", "--norc", "--noprofile"),
    () => tmux("kill-server")
  )
  const screen = tmux("capture-pane", "-p")
  const press = (...keys: ReadonlyArray<string>) => tmux("send-keys", ...keys)
  /** Waits until the screen is as it should be. Each look is a process, and so is what is waited for. */
  const shows = (holds: (screen: string) => boolean, what = String(holds)) =>
    Effect.repeat(screen, { until: holds, schedule: Schedule.spaced("100 millis") }).pipe(
      Effect.timeoutOrElse({
        duration: "1 minute",
        orElse: () => Effect.flatMap(screen, (text) => Effect.die(`the screen does not show ${what}:\n${text}`))
      })
    )
  /** Waits until the screen has this text. */
  const sees = (text: string | RegExp) =>
    shows((all) => (typeof text === "string" ? all.includes(text) : text.test(all)), String(text))
  yield* sees("ready>")
  // tmux has a search path of its own.
  yield* Effect.andThen(tmux("send-keys", "-l", `PATH='${folder}':"$PATH"; clear`), press("Enter"))
  yield* shows((text) => !text.includes("PATH"))
  return {
    connectString,
    folder,
    tmux,
    screen,
    press,
    sees,
    shows,
    /** Types text without a line end. */
    write: (text: string) => tmux("send-keys", "-l", text),
    /** Types a line. */
    type: (line: string) => Effect.andThen(tmux("send-keys", "-l", line), press("Enter")),
    /** The shell is there again, its terminal is as it was, and what was typed is shown. */
    isWhole: Effect.gen(function* () {
      yield* shows((text) => text.trimEnd().endsWith("ready>"))
      assert.strictEqual((yield* tmux("display", "-p", "#{alternate_on} #{cursor_flag}")).trim(), "0 1")
      yield* press("C-l")
      yield* Effect.andThen(
        tmux("send-keys", "-l", "stty -a | grep -c -e '-icanon' -e '-echo '; echo whole $?"),
        press("Enter")
      )
      assert.include(yield* shows((text) => /^whole \d/m.test(text)), "\n0\nwhole 1\n")
    })
  }
})
