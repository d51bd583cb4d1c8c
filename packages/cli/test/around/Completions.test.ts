/** Completion in shells: the scripts, and the paths that they ask for. */
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { completionArgs } from "../../src/internal/frame/connectionFlags.ts"
import { describeOnServers, run } from "../support/zk.ts"

const hasShell = (shell: string) => ChildProcess.spawnSync(shell, ["--version"]).error === undefined

/** The output of a shell that runs this text, where `$SCRIPT` is the file with the completion script. */
const inShell = (shell: string, script: string, text: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
    (folder) =>
      Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            const file = Path.join(folder, "script")
            Fs.writeFileSync(file, script)
            // The command that PowerShell finds; other shells have a function.
            Fs.writeFileSync(Path.join(folder, "zk"), "#!/bin/sh\necho /app/\necho /apple\n", { mode: 0o755 })
            const env = { ...process.env, SCRIPT: file, PATH: `${folder}:${process.env["PATH"]}` }
            ChildProcess.execFile(shell, ["-c", text], { env }, (_, out, err) => resolve(out + err))
          })
      ),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  )

const script = (shell: string) =>
  Effect.map(run(["completions", shell]), ({ code, err, out }) => {
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.notInclude(out, "__znodes__'")
    return out
  })

/** Completes the words in bash, where `zk` prints its arguments into one file descriptor, and two paths into the other. */
const inBash = (script: string, words: ReadonlyArray<string>, zk = "echo \"$@\" >&2; printf '/app/\\n/apple\\n'") =>
  inShell(
    "bash",
    script,
    `source "$SCRIPT"; exec 9>&2; zk() { ${zk}; } 2>&9
     _zk--run() { COMP_WORDS=("$@"); COMP_LINE="$*"; COMP_CWORD=$(($# - 1)); _zk zk "\${COMP_WORDS[COMP_CWORD]}"; }
     _zk--run ${words.join(" ")}; printf '%s|' "\${COMPREPLY[@]}"`
  )

describe("zk completions", () => {
  it.live("completes commands, flags and files in bash", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      assert.strictEqual(yield* inBash(bash, ["zk", "sem"]), "semaphore|")
      assert.include(yield* inBash(bash, ["zk", "ls", "--s"]), "--servers|")
      assert.strictEqual(yield* inBash(bash, ["zk", "get", "--as", "he"]), "hex|")
      assert.include(yield* inBash(bash, ["zk", "set", "/a", "--file", "/et"]), "/etc")
      assert.strictEqual(yield* inBash(bash, ["zk", "comp"]), "completions|")
    })
  )

  it.live("completes subcommands in bash, also of commands that take a znode", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      assert.strictEqual(yield* inBash(bash, ["zk", "acl", "s"], "echo asked >&2; echo /s"), "set|")
      assert.strictEqual(yield* inBash(bash, ["zk", "quota", "r"]), "rm|")
      assert.strictEqual(yield* inBash(bash, ["zk", "acl", "''"], "echo /app/; echo /apple"), "set|/app/|/apple|")
      assert.strictEqual(yield* inBash(bash, ["zk", "acl", "/apple"], "echo /app/; echo /apple"), "/apple|")
      assert.strictEqual(yield* inBash(bash, ["zk", "snapshot", "ex"]), "export|")
    })
  )

  it.live("tells files and znodes of the same name apart, in all shells", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      const paths = "echo /app/; echo /apple"
      for (const line of ["diff", "diff /a", "health --path", "exporter --path", "queue --taken", "mirror"]) {
        const completed = yield* inBash(bash, ["zk", ...line.split(" "), "/ap"], paths)
        assert.strictEqual(completed, "/app/|/apple|", line)
      }
      const files = [
        ...["snapshot diff", "snapshot diff /a", "snapshot export /a", "log at", "log dump", "backup /a"],
        ...["backup /a --data", "ui --page", "template /a", "multi", "restore"]
      ]
      for (const line of files) {
        assert.strictEqual(yield* inBash(bash, ["zk", ...line.split(" "), "/et"], "echo /etz"), "/etc|", line)
      }
      const fish = yield* script("fish")
      assert.match(fish, /^complete -c zk -n '__fish_seen_subcommand_from diff' -r -f -a '\(__zk_znodes\)'/m)
      assert.match(fish, /^complete -c zk -n '[^']*from log; and [^']*from at' -r -F/m)
      const zsh = yield* script("zsh")
      assert.match(zsh, /--path=?\[[^\n]*:_zk__znodes'/)
      const powershell = yield* script("powershell")
      assert.include(powershell, "@{ name = 'left'; variadic = $false; values = @(); znodes = $true; pathType = $null;")
      assert.include(powershell, "@{ name = 'left'; variadic = $false; values = @(); pathType = 'file';")
    })
  )

  it.live("asks zk for the paths of znodes in bash, with the flags that were typed before", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      const asked = yield* inBash(bash, ["zk", "-s", "zk1:2181", "ls", "/ap"], 'echo /app; echo /apple; echo "/$#,$*"')
      assert.strictEqual(asked, "/app|/apple|")
      const words = yield* inBash(bash, ["zk", "-s", "zk1:2181", "ls", "/"], 'echo "/$(echo $*)"')
      assert.strictEqual(words, "/complete-znodes\\ /\\ --\\ -s\\ zk1:2181\\ ls|")
      assert.strictEqual(yield* inBash(bash, ["zk", "mv", "/a", "/ap"], "echo /app/"), "/app/|")
      assert.strictEqual(yield* inBash(bash, ["zk", "whoami", "/ap"], "echo /app/"), "|")
    })
  )

  it.live("asks zk for the names of profiles in bash, before and after the command", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      const names = 'echo prod; echo test; echo "/$*" >&9'
      for (const line of ["-p", "--profile", "get -p", "get --profile", "lock /l --profile"]) {
        const completed = yield* inBash(bash, ["zk", ...line.split(" "), "''"], names)
        assert.strictEqual(completed, `prod|test|/complete-profiles  -- ${line}\n`, line)
      }
      assert.strictEqual(yield* inBash(bash, ["zk", "get", "-p", "pr"], "echo prod; echo test"), "prod|")
    })
  )

  it.live("completes nothing in bash where a flag wants another value", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      for (const line of ["--timeout", "get --timeout", "tree --depth", "create --ttl", "acl --servers"]) {
        assert.strictEqual(yield* inBash(bash, ["zk", ...line.split(" "), "''"], "echo /app"), "|", line)
      }
    })
  )

  it.live("leaves out negations of flags that are off anyway", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* inBash(yield* script("bash"), ["zk", "get", "--no"]), "|")
      for (const shell of ["bash", "zsh", "fish", "powershell"]) {
        assert.notMatch(yield* script(shell), /no-(help|version|json|raw|tls)\b/, shell)
      }
      assert.strictEqual(yield* inBash(yield* script("bash"), ["zk", "doctor", "--no"]), "--no-tree|")
    })
  )

  it.live.skipIf(!hasShell("fish"))("has no description behind each path and choice in fish", () =>
    Effect.gen(function* () {
      const fish = yield* script("fish")
      const complete = (line: string) =>
        inShell("fish", fish, `source $SCRIPT; function zk; echo /app/; end; complete -C "${line}"`)
      assert.strictEqual(yield* complete("zk get /"), "/app/\n")
      assert.strictEqual(yield* complete("zk get -p "), "/app/\n")
      assert.strictEqual(yield* complete("zk -p "), "/app/\n")
      assert.strictEqual(yield* complete("zk get --as he"), "hex\n")
      assert.match(yield* complete("zk get --as"), /^--as\tHow to show the data[^\n]*\n$/)
    })
  )

  it.live.skipIf(!hasShell("zsh"))("completes profiles and paths in zsh", () =>
    Effect.gen(function* () {
      // Its functions hand the candidates to compadd.
      const zsh = yield* script("zsh")
      assert.match(zsh, /^ *'\(--profile -p\)-p\[[^\n]*\]:value:_zk__profiles'$/m)
      const asked = 'zk() { echo prod; echo "test $#" }; compadd() { print -r -- ${(P)2} }; _zk_words=(get -p)'
      const out = yield* inShell(
        "zsh",
        zsh,
        `autoload -U compinit; compinit -D -u; source "$SCRIPT"; ${asked}; _zk__profiles`
      )
      assert.strictEqual(out, "prod test 5\n")
    })
  )

  it.live("gives fish, zsh and PowerShell a function that asks zk", () =>
    Effect.gen(function* () {
      assert.include(yield* script("zsh"), ":_zk__znodes'")
      assert.include(yield* script("zsh"), "\n_zk__znodes() {\n")
      assert.include(yield* script("fish"), "-a '(__zk_znodes)'")
      assert.include(yield* script("fish"), "\nfunction __zk_znodes\n")
      const powershell = yield* script("powershell")
      assert.include(powershell, "znodes = $true")
      assert.include(powershell, "zk $asked $query '--' @before")
      assert.include(powershell, "profiles = $true")
    })
  )

  it.live.skipIf(!hasShell("fish"))("completes paths in fish, where that is installed", () =>
    Effect.gen(function* () {
      const text = `source $SCRIPT; function zk; echo /app/; echo $argv; end; complete -C "zk -s h ls /"`
      const out = yield* inShell("fish", yield* script("fish"), text)
      assert.include(out, "/app/")
    })
  )

  it.live.skipIf(!hasShell("zsh"))("is a script that zsh reads, where that is installed", () =>
    Effect.gen(function* () {
      const out = yield* inShell(
        "zsh",
        yield* script("zsh"),
        'autoload -U compinit; compinit -D -u; source "$SCRIPT"; echo $_comps[zk]'
      )
      assert.strictEqual(out, "_zk\n")
    })
  )

  it.live.skipIf(!hasShell("pwsh"))("completes commands and paths in PowerShell, where that is installed", () =>
    Effect.gen(function* () {
      const powershell = yield* script("powershell")
      const completed = (line: string) =>
        inShell(
          "pwsh",
          powershell,
          `Invoke-Expression (Get-Content -Raw $env:SCRIPT)
           (TabExpansion2 '${line}' ${line.length}).CompletionMatches | ForEach-Object { $_.CompletionText }`
        )
      assert.include(yield* completed("zk sem"), "semaphore")
      assert.include(yield* completed("zk acl s"), "set")
      const paths = yield* completed("zk diff /ap")
      assert.include(paths, "/app/")
      assert.include(paths, "/apple")
    })
  )

  it.live("refuses an unknown shell", () =>
    Effect.map(run(["completions", "dos"]), ({ code, err }) => {
      assert.strictEqual(code, 2)
      assert.include(err, "dos")
    })
  )
})

describe("the words that were typed", () => {
  it("tell where to connect, and nothing else", () => {
    const args = (...words: ReadonlyArray<string>) =>
      completionArgs(["complete-znodes", "/a", "--", ...words]).join(" ")
    const rest = "--timeout=2s -- /a"
    assert.strictEqual(args("ls"), `complete-znodes ${rest}`)
    assert.strictEqual(args("-s", "h:1", "get", "--as", "hex"), `complete-znodes --servers=h:1 ${rest}`)
    assert.strictEqual(args("get", "--servers=h:1", "--tls"), `complete-znodes --servers=h:1 --tls ${rest}`)
    assert.strictEqual(args("lock", "-p", "prod", "--", "ssh", "-p", "22"), `complete-znodes --profile=prod ${rest}`)
    assert.strictEqual(args("ls", "--servers"), `complete-znodes ${rest}`)
  })
})

describe("zk complete-profiles", () => {
  it.live("prints the names of the profiles, whatever else was typed", () =>
    Effect.acquireUseRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
      (folder) =>
        Effect.gen(function* () {
          const file = Path.join(folder, "profiles.toml")
          Fs.writeFileSync(file, '[prod]\nservers = "zk1"\n\n[test]\nservers = "zk2"\n')
          const ask = (words: ReadonlyArray<string>, env = {}) =>
            run(["complete-profiles", "", "--", ...words], { env })
          const expected = { code: 0, out: "prod\ntest\n", err: "" }
          for (const words of [
            ["get", "--profiles", file, "-p"],
            ["-p", "none", `--profiles=${file}`, "ls"]
          ]) {
            const { code, err, out } = yield* ask(words)
            assert.deepStrictEqual({ code, out, err }, expected)
          }
          assert.strictEqual((yield* ask(["-p"], { ZK_PROFILES: file })).out, "prod\ntest\n")
          assert.strictEqual((yield* ask(["-p"], { HOME: folder })).out, "")
        }),
      (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
    )
  )
})

describeOnServers("zk complete-znodes", (it) => {
  it.inChroot("prints what a path may be completed to", function* ({ chroot, run, servers, zk }) {
    yield* zk.ensurePath("/app/a/b")
    yield* zk.ensurePath("/apple")
    yield* zk.ensurePath("/other")
    // A person waits for it, so that it gives up after two seconds: a busy machine may need more.
    const complete = (...args: ReadonlyArray<string>) =>
      Effect.map(
        eventually(run(["complete-znodes", ...args]), ({ code }) => code === 0 || code === 3),
        ({ out }) => out
      )
    assert.strictEqual(yield* complete("/ap", "--"), "/app/\n/apple\n")
    assert.strictEqual(yield* complete("", "--"), "/app/\n/apple\n/other\n")
    assert.strictEqual(yield* complete("/app/", "--", "ls"), "/app/a/\n")
    assert.strictEqual(yield* complete("/none/", "--", "ls"), "")
    assert.strictEqual(yield* complete("/", "--", "-s", `${servers}${chroot}/app`, "ls"), "/a/\n")
    const unreachable = yield* run(["complete-znodes", "/", "--", "-s", "127.0.0.1:1"])
    assert.deepStrictEqual([unreachable.code, unreachable.out], [5, ""])
  })

  it.inChroot("prints all of many znodes, whatever they begin with", function* ({ run, zk }) {
    const names = Array.from({ length: 600 }, (_, n) => `n${String(n).padStart(5, "0")}`)
    yield* zk.create("/big")
    yield* Effect.forEach(names, (name) => zk.create(`/big/${name}`), { concurrency: 100 })
    const { out } = yield* eventually(run(["complete-znodes", "/big/", "--"]), ({ code }) => code === 0)
    assert.strictEqual(out, names.map((name) => `/big/${name}\n`).join(""))
  })

  it.inChroot("what was completed has a slash at its end, which does not matter", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/a")
    assert.strictEqual((yield* run(["ls", "/app/"])).out, "a\n")
    assert.strictEqual((yield* run(["create", "/app/", "--sequential"])).out, "/app/0000000001\n")
  })
})
