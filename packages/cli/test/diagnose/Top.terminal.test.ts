/** `zk top` in a real terminal, which has to be as it was when it ends, however it ends. */
import { EmbeddedServer } from "@effect-zookeeper/server"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { hanging } from "../support/sockets.ts"
import { options, terminal, title } from "../support/terminal.ts"

const inTerminal = testOn(it.live, EmbeddedServer.layer(), terminal)

const top = "zk top --interval 100ms"

describe("zk top in a terminal", () => {
  for (const key of ["q", "C-c", "Escape"]) {
    inTerminal(
      title(`fits the window, and leaves it as it was after ${key}`),
      options,
      function* ({ shows, tmux, type }) {
        yield* type("echo before")
        yield* type(top)
        const wide = yield* shows((text) => /standalone.*▁/.test(text) && text.includes("q ends"))
        assert.match(wide, /^zk top {2}1 of 1 serve {2}zxid 0x/)
        assert.notInclude(wide, "before")
        yield* tmux("resize-window", "-x", "55", "-y", "8")
        const narrow = yield* shows((text) => !text.includes("CONNS") && text.includes("q ends"))
        assert.match(narrow, /SERVER +MODE +LAG +PACKETS\/S +ROUND TRIP\n/)
        yield* tmux("resize-window", "-x", "120", "-y", "12")
        yield* tmux("send-keys", key)
        const after = yield* shows((text) => text.trimEnd().endsWith("ready>"))
        assert.include(after, "before")
        assert.notInclude(after, "zk top  1")
        assert.strictEqual((yield* tmux("display", "-p", "#{alternate_on} #{cursor_flag}")).trim(), "0 1")
        // Lines can be edited again, and what is typed is shown.
        yield* type("stty -a | grep -c -e '-icanon' -e '-echo '; echo code $?")
        assert.include(yield* shows((text) => /code \d/.test(text)), "\n0\n")
      }
    )
  }

  inTerminal(title("goes on while one member hangs"), options, function* ({ connectString, press, shows, type }) {
    const silent = yield* hanging
    yield* type(`zk top --interval 200ms --within 2500ms -s ${connectString},${silent}`)
    const timeOf = (text: string) => /\d\d:\d\d:\d\dZ/.exec(text)?.[0]
    const waiting = yield* shows((text) => /standalone.*▁/.test(text) && /waiting 1s/.test(text))
    assert.match(waiting, /^zk top {2}1 of 2 serve/)
    const later = yield* shows((text) => /waiting 2s/.test(text))
    assert.notStrictEqual(timeOf(later), timeOf(waiting))
    assert.include(yield* shows((text) => text.includes("silent")), "no answer to srvr within")
    yield* press("q")
    yield* type("echo code $?")
    yield* shows((text) => text.includes("code 0"))
  })

  inTerminal(title("leaves it as it was when it is ended from outside"), options, function* ({ shows, tmux, type }) {
    yield* type(top)
    yield* shows((text) => text.includes("q ends"))
    const pane = (yield* tmux("display", "-p", "#{pane_pid}")).trim()
    const child = ChildProcess.spawnSync("ps", ["-o", "pid=", "--ppid", pane]).stdout.toString().trim()
    process.kill(Number(child), "SIGTERM")
    yield* shows((text) => text.trimEnd().endsWith("ready>"))
    assert.strictEqual((yield* tmux("display", "-p", "#{alternate_on} #{cursor_flag}")).trim(), "0 1")
  })
})
