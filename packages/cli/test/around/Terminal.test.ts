/** `zk` as a person types it in a real terminal: completion, the prompt, an editor, and Ctrl-C in the middle of things. */
import { EmbeddedServer } from "@effect-zookeeper/server"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import { type Steps, testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { run } from "../support/zk.ts"
import { options, terminal, title } from "../support/terminal.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** A terminal, and `zk` beside it. */
const beside = Effect.gen(function* () {
  const opened = yield* terminal
  const zk = (...args: ReadonlyArray<string>) =>
    Effect.map(run(["-s", opened.connectString, ...args]), ({ code, err, out }) => {
      assert.strictEqual(code, 0, err)
      return out
    })
  return {
    ...opened,
    zk,
    /** No session is open but the one that asks. */
    isAlone: eventually(
      Effect.map(zk("4lw", "dump", "--json"), (out) => JSON.parse(out)[0].answer.sessions.length),
      (sessions: number) => sessions === 0
    )
  }
})

/** Each of them starts processes that are run from the sources, for seconds. */
const inTerminal = (text: string, test: Steps<Effect.Success<typeof beside>, EmbeddedServer.EmbeddedServer>): void =>
  testOn(it.live, EmbeddedServer.layer(), beside)(
    isLong ? title(text) : `${title(text)} (in test:long only)`,
    { ...options, skip: options.skip || !isLong, timeout: 600_000 },
    test
  )

const hasShell = (shell: string): boolean => ChildProcess.spawnSync(shell, ["--version"]).status === 0

describe("zk in a terminal", () => {
  for (const [shell, start, load] of [
    ["bash", "bash --norc --noprofile", "source <(zk completions bash)"],
    ["zsh", "zsh -f", "autoload -U compinit; compinit -u; source <(zk completions zsh)"],
    ["fish", "fish --no-config", "zk completions fish | source"]
  ] as const) {
    if (!hasShell(shell)) continue
    inTerminal(
      `is completed by ${shell}: commands, flags and paths`,
      function* ({ press, sees, shows, type, write, zk }) {
        yield* zk("create", "/apple", "--parents")
        yield* zk("create", "/app/config/flag", "--parents")
        yield* type(start)
        // A shell that begins may lose what is typed before its prompt.
        yield* shows((text) => /\n.*[>#%]\s*$/.test(text))
        yield* type(`${load}; echo loaded`)
        yield* sees(/^loaded$/m)
        yield* press("C-l")
        yield* write("zk templ")
        yield* press("Tab")
        yield* sees(/zk template$/m)
        yield* press("C-u")
        yield* write("zk ls --recur")
        yield* press("Tab")
        yield* sees(/zk ls --recursive$/m)
        yield* press("C-u")
        yield* write("zk get /app/c")
        yield* press("Tab")
        yield* sees(/zk get \/app\/config\/$/m)
        yield* press("Tab")
        yield* sees(/zk get \/app\/config\/flag$/m)
      }
    )
  }

  inTerminal("has a prompt with completion, history and Ctrl-C", function* (commands) {
    const { folder, isAlone, isWhole, press, sees, shows, type, write, zk } = commands
    yield* zk("create", "/app/config", "--parents")
    yield* type("zk shell")
    yield* sees(/^zk \/>$/m)
    yield* write("cd ap")
    yield* press("Tab")
    yield* sees("zk /> cd app/")
    yield* press("Enter")
    yield* sees(/^zk \/app>$/m)
    yield* type("ls")
    yield* sees(/^config$/m)
    yield* press("C-l", "Up", "Up")
    yield* sees("zk /app> cd app/")
    yield* press("C-u")
    yield* type("watch config")
    yield* sees(/exists|version/)
    yield* zk("set", "/app/config", "now")
    yield* sees("now")
    yield* press("C-c")
    yield* shows((text) => text.trimEnd().endsWith("zk /app>"))
    // A question has the keys, and gives them back.
    yield* type("rm -r .")
    yield* sees(/\?/)
    yield* press("n", "Enter")
    yield* shows((text) => text.trimEnd().endsWith("zk /app>"))
    yield* write("half a line")
    yield* press("C-c")
    yield* type("pwd")
    yield* sees(/^\/app$/m)
    yield* press("C-d")
    yield* isWhole
    yield* isAlone
    assert.strictEqual(yield* zk("ls", "/app"), "config\n")
    assert.include(Fs.readFileSync(Path.join(folder, "state/zk/history"), "utf8"), "watch config")
  })

  inTerminal("asks for a password, shows nothing of it, and ends with Ctrl-C", function* (commands) {
    const { isAlone, isWhole, press, sees, shows, type, write, zk } = commands
    yield* zk("create", "/hers", "text")
    yield* type("zk whoami --user digest:ann; echo code $?")
    yield* sees("password of digest:ann:")
    yield* write("hunter3")
    yield* press("BSpace")
    yield* type("2")
    yield* sees(/^code 0$/m)
    yield* shows((text) => /digest +ann/.test(text) && !text.includes("hunter"))
    yield* press("C-l")
    yield* type("zk get /hers --user digest:ann > /dev/null; echo code $?")
    yield* sees("password of digest:ann:")
    yield* press("C-c")
    yield* sees(/^code 130$/m)
    yield* isWhole
    yield* isAlone
  })

  inTerminal("asks for a password at its prompt, and keeps none of those that were typed", function* (commands) {
    const { folder, isAlone, isWhole, press, sees, shows, type, write, zk } = commands
    yield* zk("create", "/app/below", "--parents")
    yield* type("zk shell --user digest:bob")
    yield* sees("password of digest:bob:")
    yield* type("secret")
    yield* sees(/^zk \/>$/m)
    yield* type("addauth digest ann:hunter3")
    yield* sees("addauth takes no password")
    yield* type("addauth digest:ann")
    yield* sees("password of digest:ann:")
    yield* type("hunter2")
    yield* shows((text) => text.trimEnd().endsWith("zk />") && !text.includes("hunter2"))
    yield* type("whoami")
    yield* sees(/digest +ann/)
    yield* sees(/digest +bob/)
    // The keys are those of the prompt.
    yield* write("pwd-")
    yield* press("BSpace", "Enter")
    yield* sees(/^\/$/m)
    yield* press("C-l", "Up", "Up", "Up", "Up")
    yield* shows((text) => text.trimEnd() === "zk />")
    // Ctrl-C at a question.
    yield* press("C-u")
    yield* type("rm -r app")
    yield* sees(/\[y\/N\]/)
    yield* press("C-c")
    yield* shows((text) => /\[y\/N\] *(\^C)?\n+zk \/>\s*$/.test(text))
    // Ctrl-D there ends the prompt, too.
    yield* type("rm -r app")
    yield* shows((text) => /\[y\/N\]\s*$/.test(text))
    yield* press("C-d")
    yield* sees(/\[y\/N\] *\nzk: nothing was changed$/m)
    yield* isWhole
    yield* isAlone
    const history = Fs.readFileSync(Path.join(folder, "state/zk/history"), "utf8")
    assert.include(history, "addauth digest:ann\n")
    assert.notInclude(history, "hunter")
  })

  inTerminal("leaves the terminal to an editor, and keeps both texts after a conflict", function* (commands) {
    const { folder, isAlone, isWhole, press, sees, type, zk } = commands
    const editor = Path.join(folder, "editor")
    Fs.writeFileSync(editor, '#!/bin/sh\necho editing; read line; echo "$line" > "$1"\n', { mode: 0o755 })
    yield* zk("create", "/a", "one")
    yield* type(`EDITOR=${editor} zk edit /a; echo code $?`)
    yield* sees(/^editing$/m)
    yield* zk("set", "/a", "theirs")
    yield* type("mine")
    yield* sees(/^code 4$/m)
    const text = yield* sees("was changed meanwhile")
    const file = /kept in (\S+?),/.exec(text.replaceAll("\n", ""))?.[1] ?? assert.fail(text)
    assert.strictEqual(Fs.readFileSync(file, "utf8"), "mine\n")
    assert.strictEqual(Fs.readFileSync(`${file}.theirs`, "utf8"), "theirs")
    Fs.rmSync(Path.dirname(file), { recursive: true })
    yield* isWhole
    // Ctrl-C goes to the editor too, and nothing is written.
    yield* press("C-l")
    yield* type(`EDITOR=${editor} zk edit /a; echo code $?`)
    yield* sees(/^editing$/m)
    yield* press("C-c")
    yield* sees(/^(\^C)?code 130$/m)
    yield* isWhole
    assert.strictEqual(yield* zk("get", "/a"), "theirs")
    yield* isAlone
  })

  inTerminal("does nothing by halves when Ctrl-C comes in the middle", function* (commands) {
    const { folder, isAlone, isWhole, press, sees, type, zk } = commands
    yield* zk("create", "/app/config", "text", "--parents")
    const file = Path.join(folder, "written")
    Fs.writeFileSync(Path.join(folder, "t.liquid"), "{{ config }}\n")
    for (const [line, begun, code] of [
      ["zk rm -r /app", /\[y\/N\]/, 130],
      ["zk watch -R /app", /present/, 130],
      ["zk tail /app -n 1", /config/, 130],
      ["zk bench --duration 1m", /Ctrl-C stops them/, 130],
      [`zk lock /lock -- sh -c 'echo begun; sleep 60'`, /^begun$/m, 130],
      [`zk env /app -- sh -c 'echo begun; sleep 60'`, /^begun$/m, 130],
      [`zk template /app ${folder}/t.liquid -o ${file} -- sh -c 'echo begun; sleep 60'`, /^begun$/m, 130],
      [`zk template /app ${folder}/t.liquid -o ${file}`, /as it was/, 130],
      ["zk mirror /app /copy", /following/, 130],
      ["zk exporter --listen 127.0.0.1:0", /metrics of/, 130]
    ] as const) {
      yield* press("C-l")
      yield* type(`${line}; echo code $?`)
      yield* sees(begun)
      yield* press("C-c")
      yield* sees(new RegExp(`^(\\^C)?code ${code}$`, "m"))
      yield* isWhole
      yield* isAlone
    }
    assert.strictEqual(yield* zk("ls", "/app"), "config\n")
    const left = (yield* zk("ls", "/")).trim().split("\n")
    assert.deepStrictEqual(
      left.filter((name) => name.startsWith("zk-bench")),
      []
    )
  })

  inTerminal("fits into a narrow window", function* ({ press, shows, tmux, type, zk }) {
    yield* zk("create", "/a-znode-with-a-name-that-is-rather-long", "x")
    yield* tmux("resize-window", "-x", "40", "-y", "30")
    for (const line of ["zk status", "zk ls -l /", "zk doctor --fail-on never", "zk --help"]) {
      yield* press("C-l")
      yield* type(`${line}; echo code $?`)
      yield* shows((text) => /^code 0$/m.test(text))
      if (line !== "zk status") continue
      // With -J a line that was broken is one again.
      const [header = "", row = ""] = (yield* tmux("capture-pane", "-p", "-J")).split("\n").slice(1)
      assert.match(header, /^SERVER +MODE/)
      assert.match(row, /^127\.0\.0\.1:\d+ +standalone/)
      assert.isAtMost(Math.max(header.trimEnd().length, row.trimEnd().length), 40)
    }
  })
})
