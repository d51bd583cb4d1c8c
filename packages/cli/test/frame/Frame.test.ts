/** What all commands share: settings and their order, profiles, credentials, TLS, errors and exit codes. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { assert, describe, it } from "@effect/vitest"
import type * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { zk } from "../../src/internal/main.ts"
import { inFolder } from "../support/folder.ts"
import { describeOnServers, run } from "../support/zk.ts"

describeOnServers("the settings of zk", (it) => {
  it.inChroot(
    "come from the command line, a profile and the environment, in this order",
    function* ({ chroot, servers, zk }) {
      for (const name of ["flag", "profile", "env", "default"]) yield* zk.ensurePath(`/${name}/is-${name}`)
      const folder = yield* inFolder
      const profiles = Path.join(folder, "profiles.toml")
      const table = (name: string, at: string) => `[${name}]\nservers = "${servers}${chroot}/${at}"\n`
      Fs.writeFileSync(profiles, table("named", "profile") + table("default", "default"))
      const env = { ZK_PROFILES: profiles }
      const ZK_SERVERS = `${servers}${chroot}/env`
      const ls = (args: ReadonlyArray<string>, more = {}) =>
        Effect.map(run(["ls", "/", ...args], { env: { ...env, ...more } }), ({ out }) => out.trim())
      assert.strictEqual(yield* ls(["-s", `${servers}${chroot}/flag`, "-p", "named"], { ZK_SERVERS }), "is-flag")
      assert.strictEqual(yield* ls(["-p", "named"], { ZK_SERVERS }), "is-profile")
      assert.strictEqual(yield* ls([], { ZK_SERVERS, ZK_PROFILE: "named" }), "is-env")
      assert.strictEqual(yield* ls([], { ZK_SERVERS }), "is-env")
      assert.strictEqual(yield* ls([], { ZK_PROFILE: "named" }), "is-profile")
      assert.strictEqual(yield* ls([]), "is-default")
      assert.strictEqual(yield* ls([], { ZK_SERVERS: servers, ZK_CHROOT: `${chroot}/flag` }), "is-flag")
      assert.strictEqual(yield* ls(["--chroot", `/is-env`], { ZK_SERVERS }), "")
    }
  )

  it.inChroot("credentials come from a file, and are never shown", function* ({ another, run }) {
    const ann = yield* another({ auth: [{ scheme: "digest", credentials: Redacted.make("ann:secret") }] })
    yield* ann.create("/hers", { data: "text", acl: Acl.creator })
    const folder = yield* inFolder
    const file = Path.join(folder, "auth")
    Fs.writeFileSync(file, "# ann\ndigest:ann:secret\n")
    assert.strictEqual((yield* run(["get", "/hers", "--auth-file", file])).out, "text")
    assert.strictEqual((yield* run(["get", "/hers"], { env: { ZK_AUTH_FILE: file } })).out, "text")
    Fs.writeFileSync(file, "hunter2\n")
    const wrong = yield* run(["get", "/hers", "--auth-file", file, "--verbose"])
    assert.strictEqual(wrong.code, 2)
    assert.notInclude(wrong.err, "hunter2")
    assert.strictEqual((yield* run(["get", "/hers", "--auth-file", "/no/such/file"])).code, 2)
  })

  it.inChroot("a file with credentials that all users can read gives a warning", function* ({ run, servers, chroot }) {
    const folder = yield* inFolder
    const file = Path.join(folder, "auth")
    Fs.writeFileSync(file, "digest:ann:secret\n")
    const profiles = Path.join(folder, "profiles.toml")
    Fs.writeFileSync(profiles, `[named]\nservers = "${servers}${chroot}"\nauthFile = "auth"\n`)
    for (const [mode, warning] of [
      [
        0o644,
        `warning: all users of this machine can read the credentials in ${file} (mode 0644); chmod 600 keeps them from it\n`
      ],
      [0o640, ""],
      [0o400, ""]
    ] as const) {
      Fs.chmodSync(file, mode)
      for (const args of [
        ["--auth-file", file],
        ["--auth-file", file, "--json"],
        ["-p", "named", "--profiles", profiles]
      ]) {
        const { code, err } = yield* run(["ls", "/", ...args])
        assert.deepStrictEqual({ code, err }, { code: 0, err: warning })
      }
    }
  })

  it.inChroot(
    "the password of --user is asked for at the terminal, and is never shown",
    function* ({ another, run, zk }) {
      const ann = yield* another({ auth: [{ scheme: "digest", credentials: Redacted.make("ann:two words ") }] })
      yield* ann.create("/hers", { data: "text", acl: Acl.creator })
      const typed = yield* run(["get", "/hers", "--user", "digest:ann"], { terminal: "wrong\u0015two words1\b " })
      assert.deepStrictEqual([typed.code, typed.out], [0, "text\n"])
      assert.strictEqual(typed.err, "password of digest:ann: \n")
      const wrong = yield* run(["get", "/hers", "--user", "digest:ann", "--verbose"], { terminal: "hunter2" })
      assert.strictEqual(wrong.code, 6)
      assert.notInclude(wrong.err, "hunter2")
      yield* zk.create("/all")
      const script = yield* run(["set", "/all", "-", "--user", "digest:ann"], { stdin: "hunter2" })
      assert.deepStrictEqual(
        [script.code, script.err],
        [
          2,
          "zk: there is no terminal to ask for the password of digest:ann: use --auth-file, ZK_AUTH_FILE or ZK_AUTH\n"
        ]
      )
      const given = yield* run(["get", "/all", "--user", "digest:ann:hunter2"], { terminal: "" })
      assert.strictEqual(given.code, 2)
      assert.include(given.err, "--user takes no password")
      assert.notInclude(given.err, "hunter2")
      assert.strictEqual((yield* run(["get", "/all", "--user", "hunter2"], { terminal: "" })).code, 2)
      const both = yield* run(["get", "/all", "--user", "digest:ann", "--auth-file", "f"], { terminal: "" })
      assert.include(both.err, "exclude each other")
    }
  )

  it.inChroot("colours are for terminals, and not with NO_COLOR", function* ({ run, zk }) {
    yield* zk.create("/e", { mode: "ephemeral" })
    const ls = (options: Parameters<typeof run>[1]) => Effect.map(run(["ls", "-R", "/e"], options), ({ out }) => out)
    assert.strictEqual(yield* ls({ terminal: "" }), "\u001b[33m/e\u001b[0m\n")
    assert.strictEqual(yield* ls({ terminal: "", env: { NO_COLOR: "1" } }), "/e\n")
    assert.strictEqual(yield* ls({}), "/e\n")
  })

  it.inChroot("a chroot that does not exist is named", function* ({ chroot, run, servers, zk }) {
    yield* zk.create("/app")
    const env = { ZK_SERVERS: `${servers}${chroot}/ap` }
    const message = `zk: the chroot ${chroot}/ap does not exist on the servers; see --chroot, and the end of --servers\n`
    for (const args of [
      ["ls", "/"],
      ["create", "/a"],
      ["tree", "/", "--json"],
      ["diff", "/", `zk://${servers}/`]
    ]) {
      const { code, err } = yield* run(args, { env })
      const expected = args.includes("--json")
        ? `${JSON.stringify({ error: { tag: "NoChroot", message: message.slice(4, -1), exitCode: 3 } })}\n`
        : message
      assert.deepStrictEqual([code, err], [3, expected])
    }
    const typed = yield* run(["ls", "/"], { env: { ZK_SERVERS: servers, ZK_CHROOT: `${chroot}/ap` } })
    assert.strictEqual(typed.err, message)
    assert.strictEqual((yield* run(["ls", "/none"], { env })).err, "zk: /none: no such znode\n")
    assert.deepStrictEqual(yield* zk.getChildren("/"), ["app"])
    // The root that is missing is that of another tree.
    const folder = yield* inFolder
    const profiles = Path.join(folder, "profiles.toml")
    Fs.writeFileSync(profiles, `[other]\nservers = "${servers}${chroot}/none"\n`)
    const other = yield* run(["diff", "/app", "@other/", "--profiles", profiles])
    assert.deepStrictEqual([other.code, other.err], [3, "zk: /: no such znode\n"])
  })

  it.inChroot("why a file cannot be read is said without the names of functions", function* ({ run }) {
    const folder = yield* inFolder
    const locked = Path.join(folder, "locked")
    Fs.writeFileSync(locked, "x", { mode: 0 })
    const none = Path.join(folder, "none")
    const err = (...args: ReadonlyArray<string>) => Effect.map(run(args), (run) => run.err)
    assert.strictEqual(yield* err("multi", none), `zk: ${none} cannot be read: no such file\n`)
    assert.strictEqual(yield* err("multi", folder), `zk: ${folder} cannot be read: it is a directory\n`)
    assert.strictEqual(
      yield* err("create", "/a", "--file", `${locked}/x`),
      `zk: ${locked}/x cannot be read: a part of its path is no directory\n`
    )
    // Root may read everything.
    if (process.getuid?.() !== 0) {
      assert.strictEqual(yield* err("multi", locked), `zk: ${locked} cannot be read: permission denied\n`)
    }
    assert.strictEqual(
      yield* err("ls", "--auth-file", folder),
      `zk: the file with credentials, ${folder}, cannot be read: it is a directory; see --auth-file\n`
    )
    assert.strictEqual(
      yield* err("exporter", "--https-cert", none, "--https-key", none),
      `zk: HTTPS: ${none} cannot be read: no such file\n`
    )
    assert.notMatch(yield* err("snapshot", "ls", `${locked}/x`), /FileSystem|BadResource/)
    const missing = `the file of profiles, ${none}, does not exist; write one, with a line [name] and a line servers = "host:port" below it, or name another with --profiles\n`
    const profiles = ["--profiles", none]
    assert.strictEqual(yield* err("ls", ...profiles, "-p", "prod"), `zk: there is no profile prod: ${missing}`)
    assert.include(
      yield* err("create", "-p", "/a", "data", ...profiles),
      '-p is --profile, and "/a" is no profile; zk create has --parents'
    )
    assert.strictEqual((yield* run(["ls", ...profiles], { env: { ZK_SERVERS: "" } })).err, `zk: ${missing}`)
    assert.include(
      (yield* run(["ls", "--profiles", folder], { env: { ZK_SERVERS: "" } })).err,
      `${folder}, cannot be read: it is a directory`
    )
  })

  it.inChroot("--timeout ends a command with 124", function* ({ run, zk }) {
    yield* zk.create("/a")
    const { code, err } = yield* run(["set", "/a", "--file", "-", "--timeout", "2s"], { stdin: { open: true } })
    assert.deepStrictEqual({ code, err }, { code: 124, err: "zk: not done within --timeout (2s)\n" })
    assert.strictEqual((yield* zk.get("/a")).stat.version, 0)
  })

  it.inChroot(
    "credentials of a profile go to its own servers, unless the profile is named",
    function* ({ chroot, run, servers }) {
      const folder = yield* inFolder
      const file = Path.join(folder, "profiles.toml")
      Fs.writeFileSync(Path.join(folder, "ann"), "digest:ann:secret", { mode: 0o600 })
      Fs.writeFileSync(Path.join(folder, "bob"), "digest:bob:secret", { mode: 0o600 })
      const table = (name: string, auth: string) => `[${name}]\nservers = "${servers}${chroot}"\nauthFile = "${auth}"\n`
      Fs.writeFileSync(file, `${table("default", "ann")}readOnly = true\n${table("named", "bob")}`)
      const whoami = (args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
        Effect.map(run(["whoami", ...args, "--profiles", file], { env }), ({ out }) => /ann|bob|eve/.exec(out)?.[0])
      assert.strictEqual(yield* whoami([], { ZK_SERVERS: "" }), "ann")
      assert.isUndefined(yield* whoami([]))
      assert.isUndefined(yield* whoami(["--servers", servers]))
      assert.strictEqual(yield* whoami(["-p", "named"], { ZK_AUTH: "digest:eve:secret" }), "bob")
      assert.strictEqual(yield* whoami([], { ZK_PROFILE: "named", ZK_AUTH: "digest:eve:secret" }), "eve")
      const refused = yield* run(["touch", "/a", "--profiles", file], { env: { ZK_SERVERS: "" } })
      assert.strictEqual(refused.err, "zk: touch was not sent, because the profile allows no writes\n")
    }
  )

  it.inChroot("--read-only refuses every write before it is sent", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "kept" })
    const writes = [
      ["create", "/b"],
      ["set", "/a", "x"],
      ["edit", "/a"],
      ["rm", "/a"],
      ["mv", "/a", "/b"],
      ["cp", "/a", "/b"],
      ["touch", "/a"],
      ["multi", "-"]
    ]
    for (const args of writes) {
      const { code, err, out } = yield* run([...args, "--read-only"])
      assert.strictEqual(code, 6)
      assert.strictEqual(out, "")
      assert.strictEqual(err, `zk: ${args[0]} was not sent, because --read-only allows no writes\n`)
    }
    const lock = yield* run(["lock", "/l", "--read-only", "--", "true"])
    const message = "zk: lock was not sent, because --read-only allows no writes\n"
    assert.deepStrictEqual({ code: lock.code, err: lock.err }, { code: 6, err: message })
    // Not even a connection is made.
    const unreachable = yield* run(["set", "/a", "x"], { env: { ZK_SERVERS: "127.0.0.1:1", ZK_READ_ONLY: "true" } })
    assert.strictEqual(unreachable.code, 6)
    assert.strictEqual((yield* run(["get", "/a", "--read-only"])).out, "kept")
    assert.strictEqual((yield* zk.get("/a")).stat.version, 0)
  })
})

describe("zk", () => {
  it.live("names the profile, the key or the variable that is wrong", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* inFolder
        const file = Path.join(folder, "profiles.toml")
        Fs.writeFileSync(file, '[prod]\nserver = "zk1"\n')
        const typo = yield* run(["ls", "--profiles", file, "-p", "prod"])
        assert.strictEqual(typo.code, 2)
        assert.include(typo.err, "server")
        Fs.writeFileSync(file, '[prod]\nservers = "zk1"\n')
        const missing = yield* run(["ls", "--profiles", file, "-p", "test"])
        assert.deepStrictEqual(
          { code: missing.code, err: missing.err },
          { code: 2, err: `zk: ${file} has no profile test; it has prod\n` }
        )
        assert.include(typo.err, "did you mean servers?")
        const none = Path.join(folder, "none.toml")
        const nowhere = yield* run(["ls", "--profiles", none, "-p", "prod"])
        assert.strictEqual(nowhere.code, 2)
        assert.match(
          nowhere.err,
          /there is no profile prod: .*none\.toml, does not exist; write one, with a line \[name\]/
        )
        assert.include((yield* run(["--help"])).out, '    servers = "zk1:2181,zk2:2181/app"\n')
        assert.strictEqual((yield* run(["ls"], { env: { ZK_TLS: "perhaps" } })).code, 2)
      })
    )
  )

  it.live("ends with 5 where no server answers, in a line that says why", () =>
    Effect.gen(function* () {
      const { code, err } = yield* run(["ls", "--servers", "127.0.0.1:1", "--timeout", "1s"])
      assert.strictEqual(code, 5)
      assert.match(err, /^zk: no server could be reached: 127\.0\.0\.1:1: .*\n$/)
      const json = yield* run(["ls", "--servers", "127.0.0.1:1", "--timeout", "1s", "--json"])
      assert.strictEqual(JSON.parse(json.err).error.exitCode, 5)
    })
  )

  it.live("prints help with examples, and its version", () =>
    Effect.gen(function* () {
      for (const args of [[], ["--help"], ["ls", "--help"], ["find", "-h"], ["multi", "--help"]]) {
        const { code, err, out } = yield* run(args)
        assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
        assert.include(out, "EXAMPLES")
        assert.notInclude(out, "\u001b[")
      }
      const help = (args: ReadonlyArray<string>) => Effect.map(run(args), ({ code, out }) => [code, out])
      assert.deepStrictEqual(yield* help(["help"]), yield* help(["--help"]))
      assert.deepStrictEqual(yield* help(["help", "acl", "set"]), yield* help(["acl", "set", "--help"]))
      assert.strictEqual((yield* run(["--version"])).out, "zk 1.2.3\n")
    })
  )

  it("has an example of each command in its help", () => {
    const missing: Array<string> = []
    const visit = (command: Command.Command.Any, words: string) => {
      if (command.unlisted) return
      const isOwn = command.examples.some((example) => ` ${example.command} `.includes(`${words} `))
      if (!isOwn) missing.push(words)
      for (const { commands } of command.subcommands)
        for (const below of commands) visit(below, `${words} ${below.name}`)
    }
    visit(zk, "zk")
    assert.deepStrictEqual(missing, [])
  })

  it.live("explains in its help all that a user without other documents needs", () =>
    Effect.gen(function* () {
      const parts: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string>]> = [
        [[], ["--json", "the README of @effect-zookeeper/cli names the Schema of each command"]],
        [["acl"], ["  zk acl [flags] <path>\n", "`zk acl set --help` explains the entries"]],
        [
          ["acl", "set"],
          ["c create children", "auth::cdrwa", "read-only is world:anyone:r"]
        ],
        [["create"], ["or open, read-only or creator", "--acl auth::cdrwa --acl world:anyone:r"]],
        [["quota"], ["  zk quota [flags] <path>\n", "zk tree /zookeeper/quota"]],
        [["cp"], ["zk copy @prod/app @test/app", "--file config.json"]],
        [["snapshot"], ["  zk snapshot <subcommand> [flags]\n"]],
        [["sessions"], ["`zk doctor` names a session that has very many watches"]],
        [["status"], ["`zk doctor` says what is odd", "(default: 5s)"]],
        [
          ["doctor"],
          ["down, behind or slow", "very many watches", "(default: 512k)", "(default: 10000)", "(default: error)"]
        ],
        [["health"], ["(default: ready)", "(default: all;", "(default: /)", "(default: 5s)"]],
        [["top"], ["(default: 1s)"]],
        [["exporter"], ["(default: 127.0.0.1:9142)", "(default: 10s)"]],
        [["lock"], ["(default: 15s)"]]
      ]
      for (const [command, texts] of parts) {
        const help = (yield* run([...command, "--help"])).out
        const inOneLine = help.replaceAll(/\n {2}(?=\S)/g, " ")
        for (const text of texts)
          assert.isTrue(help.includes(text) || inOneLine.includes(text), `${command.join(" ")}: ${text}`)
      }
    })
  )
})

const script = fileURLToPath(new URL("../../src/internal/zk.ts", import.meta.url))

/** The executable, as a process. */
const spawn = (args: ReadonlyArray<string>) =>
  Effect.promise(
    () =>
      new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) => {
        ChildProcess.execFile(process.execPath, [script, ...args], (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code), out, err })
        )
      })
  )

describeOnServers("the executable", (it) => {
  it.inChroot(
    "prints and ends as the commands do, also into a pipe that nothing reads to its end",
    function* ({ chroot, servers, zk }) {
      yield* zk.create("/a", { data: "x".repeat(300_000) })
      const at = ["--servers", `${servers}${chroot}`]
      const found = yield* spawn(["get", "/a", ...at])
      assert.deepStrictEqual(
        { code: found.code, length: found.out.length, err: found.err },
        { code: 0, length: 300_000, err: "" }
      )
      const none = yield* spawn(["get", "/none", ...at])
      const head = yield* Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            const command = `"${process.execPath}" "${script}" get /a ${at.join(" ")} | head -c 5; echo " \${PIPESTATUS[0]}"`
            ChildProcess.execFile("bash", ["-c", command], (_, out, err) => resolve(out + err))
          })
      )
      assert.strictEqual(head, "xxxxx 0\n")
      assert.deepStrictEqual(none, { code: 3, out: "", err: "zk: /none: no such znode\n" })
    }
  )
})
