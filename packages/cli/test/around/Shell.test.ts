/** The prompt: lines that are commands over one session, from a script or from a person. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { isKept, openHistory } from "../../src/internal/around/history.ts"
import { makeCompleter } from "../../src/internal/around/shellCompletion.ts"
import { quote, split } from "../../src/internal/around/words.ts"
import { resolvePath } from "../../src/internal/frame/CurrentZnode.ts"
import { describeOnServers } from "../support/zk.ts"

describeOnServers("zk shell", (it) => {
  it.inChroot("runs the lines of a script over one session, with relative paths", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/config")
    const lines = [
      "# set up",
      "pwd",
      "cd app/config",
      'create flag "two words: "',
      "get ./flag",
      "ls",
      "cd ..",
      "ls -l config --json",
      "zk stat config/flag --json",
      "cd",
      "rm -r app --yes",
      "cd -",
      "exit",
      "not run"
    ]
    const { code, err, out } = yield* run(["shell"], { stdin: lines.slice(0, 7).join("\n") })
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.strictEqual(out, "/\n/app/config/flag\ntwo words: \nflag\n")
    const all = yield* run(["shell"], { stdin: lines.filter((line) => !line.startsWith("create")).join("\n") })
    assert.deepStrictEqual(all.code, 3)
    assert.isTrue(all.err.startsWith("zk: /app: no such znode\nline 11 has failed"), all.err)
    assert.isFalse(yield* zk.exists("/app"))
  })

  it.inChroot("stores data as it was typed", function* ({ run, zk }) {
    yield* zk.create("/app")
    for (const [line, data] of [
      ['set /app {"a":1}', '{"a":1}'],
      [String.raw`set /app C:\temp\x`, String.raw`C:\temp\x`],
      [`set /app '{"a":1}'`, '{"a":1}'],
      ['set /app "a b"', "a b"],
      [String.raw`set /app a\ b`, "a b"]
    ] as const) {
      const { code, err } = yield* run(["shell"], { stdin: line })
      assert.strictEqual(code, 0, err)
      assert.strictEqual(new TextDecoder().decode(yield* zk.getData("/app")), data)
    }
    const { code, err } = yield* run(["shell"], { stdin: `set /app "a"b` })
    assert.deepStrictEqual([code, err.split(":")[1]], [2, ' the line has text right after a quoted word ("a")'])
  })

  it.inChroot("ends the output of each line, and that of a single command not", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one" })
    yield* zk.create("/b", { data: "two\n" })
    yield* zk.create("/none")
    const { out } = yield* run(["shell"], { stdin: "get /a\nget /none\nget /a\nget /b\nget /b\nls /a\n" })
    assert.strictEqual(out, "one\none\ntwo\ntwo\n")
    assert.strictEqual((yield* run(["get", "/a"])).out, "one")
  })

  it.inChroot("says which servers cannot be reached, and does not wait for them", function* (commands) {
    const { chroot, link, run, zk } = commands
    yield* zk.create("/app", { data: "data" })
    const broken = yield* link
    const lines = yield* Queue.unbounded<string>()
    const seen = yield* Queue.unbounded<string>()
    const fiber = yield* Effect.forkChild(
      run(["shell", "--timeout", "1s"], {
        env: { ZK_SERVERS: `${broken.servers}${chroot}` },
        stdin: { lines: Stream.fromQueue(lines) },
        onOut: (out) => Queue.offerUnsafe(seen, out)
      })
    )
    yield* Queue.offer(lines, "get /app")
    assert.strictEqual(yield* Queue.take(seen), "data")
    yield* broken.cut
    yield* Queue.offer(lines, "get /app")
    const { code, err } = yield* Fiber.join(fiber)
    assert.strictEqual(code, 5, err)
    assert.isTrue(err.startsWith(`zk: no server could be reached: ${broken.servers}: `), err)
  })

  it.inChroot("goes on when the servers are there again", function* ({ chroot, link, run, zk }) {
    yield* zk.create("/app", { data: "data" })
    const broken = yield* link
    const lines = yield* Queue.unbounded<string>()
    const seen = yield* Queue.unbounded<string>()
    const fiber = yield* Effect.forkChild(
      run(["shell"], {
        env: { ZK_SERVERS: `${broken.servers}${chroot}` },
        stdin: { lines: Stream.fromQueue(lines) },
        onOut: (out) => Queue.offerUnsafe(seen, out)
      })
    )
    yield* Queue.offer(lines, "pwd")
    assert.strictEqual(yield* Queue.take(seen), "/\n")
    yield* broken.cut
    yield* Queue.offerAll(lines, ["get /app", "exit"])
    yield* Effect.sleep("100 millis")
    yield* broken.heal
    const { code, err, out } = yield* Fiber.join(fiber)
    assert.deepStrictEqual([code, err, out], [0, "", "/\ndata\n"])
  })

  it.inChroot("uses one session for all lines", function* ({ run }) {
    const { out } = yield* run(["shell"], { stdin: "whoami --ndjson\nwhoami --ndjson\n" })
    const [first, second] = out.trim().split("\n")
    assert.isString(second)
    assert.strictEqual(first, second)
  })

  it.inChroot("creates ephemeral znodes, which live for as long as the prompt", function* ({ run, zk }) {
    const lines = [
      "create -e /here one",
      "create /here- --ephemeral --sequential",
      "create -e /new/parent/here two --parents",
      "whoami --json",
      "stat /here --json",
      "get /new/parent/here"
    ]
    const { code, err, out } = yield* run(["shell"], { stdin: lines.join("\n") })
    assert.deepStrictEqual([code, err], [0, ""])
    assert.match(out, /^\/here\n\/here-0000000001\n\/new\/parent\/here\n/)
    const owner = /"ephemeralOwner": "(0x[0-9a-f]+)"/.exec(out)?.[1]
    assert.include(out, `"session": "${owner}"`)
    assert.isTrue(out.endsWith("\ntwo\n"), out)
    assert.deepStrictEqual(yield* zk.getChildren("/new/parent"), [])
    assert.isFalse(yield* zk.exists("/here"))
    for (const line of ["create -e /a --container", "create -e /a --ttl 5m"]) {
      const refused = yield* run(["shell"], { stdin: line })
      assert.strictEqual(refused.code, 2, line)
      assert.include(refused.err, "an ephemeral znode is no container, and has no TTL")
    }
  })

  it.inChroot("begins at its znode also where a path is left out", function* ({ run, zk }) {
    yield* zk.ensurePath("/q/queue-0000000000")
    yield* zk.ensurePath("/other/x")
    const one = (line: string) =>
      Effect.map(run(["shell", "/q"], { stdin: line }), ({ code, err, out }) => {
        assert.strictEqual(code, 0, err)
        return JSON.parse(out)
      })
    for (const command of ["ls", "find", "du", "locks", "doctor --fail-on never"]) {
      const text = JSON.stringify(yield* one(`${command} --json`))
      assert.notInclude(text, "other", command)
    }
    assert.strictEqual((yield* one("queue --json")).path, "/q")
    const { code, err } = yield* run(["queue"])
    assert.strictEqual(code, 2)
    assert.include(err, "Missing required argument: path")
    // Those that want a path take a dot.
    assert.strictEqual((yield* one("stat . --json")).path, "/q")
    assert.strictEqual((yield* one("get . --json")).path, "/q")
    assert.isArray((yield* one("acl . --json")).acl)
  })

  it.inChroot("starts relative paths at its znode also where a command takes any tree", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/one/x")
    yield* zk.ensurePath("/app/two")
    const diff = yield* run(["shell", "/app"], { stdin: "diff one ../app/two\n" })
    assert.deepStrictEqual([diff.code, diff.out], [1, "- /x\n"], diff.err)
    const copy = yield* run(["shell", "/app"], { stdin: "copy one three --yes\n" })
    assert.strictEqual(copy.code, 0, copy.err)
    assert.isTrue(yield* zk.exists("/app/three/x"))
    const outside = yield* run(["diff", "one", "/app/two"])
    assert.strictEqual(outside.code, 2)
    assert.include(outside.err, '"one" names no tree')
  })

  it.inChroot("ends a script at the first line that fails, with its exit code", function* ({ run, zk }) {
    const { code, err, out } = yield* run(["shell"], { stdin: "create /a\nget /none\ncreate /b\n" })
    assert.deepStrictEqual(
      { code, out, err },
      {
        code: 3,
        out: "/a\n",
        err: "zk: /none: no such znode\nline 2 has failed; the lines after it are not run\n"
      }
    )
    assert.isFalse(yield* zk.exists("/b"))
    const exit = yield* run(["shell"], { stdin: "exit\nget /none\n" })
    assert.strictEqual(exit.code, 0)
  })

  it.inChroot("refuses what only the prompt itself may say, and what it cannot read", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "kept" })
    const refused = (line: string, ...args: ReadonlyArray<string>) =>
      Effect.map(run(["shell", ...args], { stdin: line }), ({ code, err }) => `${code} ${err.split("\n")[0] ?? ""}`)
    assert.include(yield* refused("ls -s other:2181"), "2 zk: the prompt is connected already: --servers is for")
    assert.include(yield* refused("shell"), "2 zk: this is the prompt of `zk shell`")
    assert.include(yield* refused("ls --user digest:ann"), "is for `zk shell` itself; addauth adds a user here")
    for (const line of ["addauth digest ann:hunter2", "addauth digest:ann:hunter2"]) {
      assert.strictEqual(
        yield* refused(line),
        "2 zk: addauth takes no password, for it would stay on the screen; it is asked for"
      )
    }
    assert.include(yield* refused("addauth"), "2 zk: addauth takes scheme:name, as in digest:ann")
    assert.include(
      yield* refused("addauth digest ann"),
      "2 zk: there is no terminal to ask for the password of digest:ann"
    )
    assert.include(yield* refused("get 'a"), "2 zk: the line has a quote (') that is not closed")
    assert.include(yield* refused("nothing"), '2 zk: Unknown subcommand "nothing"')
    assert.include(yield* refused("cd /none"), "3 zk: /none: no such znode")
    assert.include(yield* refused("cd a b"), "2 zk: cd takes one argument at most")
    assert.include(yield* refused("set /a --file -"), "1 zk: the standard input cannot be read")
    assert.include(yield* refused("set /a x --read-only"), "6 zk: set was not sent")
    assert.include(yield* refused("set /a x", "--read-only"), "6 zk: set was not sent")
    assert.include(yield* refused("quota set /a --count 9 --read-only"), "6 zk: quota set was not sent")
    assert.include(yield* refused("ls", "/none"), "3 zk: /none: no such znode")
    assert.strictEqual(new TextDecoder().decode(yield* zk.getData("/a")), "kept")
  })

  it.inChroot("shows help, and limits a line by --timeout, not itself", function* ({ run }) {
    const help = yield* run(["shell", "--timeout", "20s"], { stdin: "help\nhelp ls\n" })
    assert.deepStrictEqual([help.code, help.err], [0, ""])
    assert.include(help.out, "List the children of a znode")
    assert.include(help.out, 'as in {"a":1} and C:\\temp')
    assert.match(help.out, /AT THE PROMPT:\n +cd .*\n +pwd .*\n +addauth .*\n +help .*\n +exit /)
    const { code, err } = yield* run(["shell"], { stdin: "lock /l --timeout 1s -- sleep 60\n" })
    assert.deepStrictEqual([code, err.split("\n")[0]], [124, "zk: not done within --timeout (1s)"])
  })
})

describe("the history of the prompt", () => {
  const secret = [
    ...["addauth digest ann:hunter3", "addauth digest:ann:hunter3", "addAuth digest ann:hunter3", "add_auth x y"],
    ...["zk addauth digest ann:hunter3", "addauth token hunter3", "addauth digest 'ann:hunter3'"],
    ...["get /app --user digest:ann:hunter2", "get /app --user=digest:ann:hunter2", "get /app --user ldap:ann:hunter2"],
    ...[
      "create /a --acl digest:ann:foo:cdrwa",
      "create /a '--acl=digest:ann:foo:cdrwa'",
      "setAcl /a auth:ann:foo:cdrwa"
    ]
  ]
  const plain = [
    ...["addauth digest:ann", "addauth digest ann", "get /app", "ls /digest:ann", "acl set /a auth::cdrwa"],
    ...["create /a --acl world:anyone:r --acl ip:10.0.0.1:r", "help addauth", "watch /a:b:c:d"]
  ]

  it("has no line with a password", () => {
    for (const line of secret) assert.isFalse(isKept(line), line)
    for (const line of plain) assert.isTrue(isKept(line), line)
    assert.isFalse(isKept(" ls"))
  })

  it.effect("leaves the passwords of earlier sessions out, and writes them no more", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
        (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
      )
      const file = Path.join(folder, "zk", "history")
      Fs.mkdirSync(Path.dirname(file))
      Fs.writeFileSync(file, [...secret, ...plain].map((line) => `${line}\n`).join(""))
      const { lines, save } = yield* openHistory.pipe(
        Effect.provideService(
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromEnv({ env: { XDG_STATE_HOME: folder } })
        )
      )
      assert.deepStrictEqual(lines, plain)
      yield* save(lines)
      assert.strictEqual(Fs.readFileSync(file, "utf8"), plain.map((line) => `${line}\n`).join(""))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("a line of the prompt", () => {
  it("is split at spaces, and a word in quotes is one", () => {
    const words = (line: string) => split(line).words
    assert.deepStrictEqual(words(`set /a  'x "y"' "it's" a\\ b ""`), ["set", "/a", 'x "y"', "it's", "a b", ""])
    assert.deepStrictEqual(words(String.raw`"say \"a\\b\" in C:\temp" '\"'`), [String.raw`say "a\b" in C:\temp`, '\\"'])
    assert.deepStrictEqual(words("ls # all"), ["ls"])
    assert.deepStrictEqual(words("create a#b"), ["create", "a#b"])
    assert.deepStrictEqual(words(String.raw`\#a \"b \'c`), ["#a", '"b', "'c"])
    assert.strictEqual(split("get 'a").mistake, "the line has a quote (') that is not closed")
    assert.include(split(`set /a 'it'"'"'s'`).mistake, "right after a quoted word ('it'): put quotes around all of it")
    assert.deepStrictEqual(split("get a").unfinished, { word: "a", typed: "a" })
    assert.deepStrictEqual(split(String.raw`get a\ b`).unfinished, { word: "a b", typed: String.raw`a\ b` })
    assert.isUndefined(split("get a ").unfinished)
  })

  it("keeps quotes and backslashes within a word as they are typed", () => {
    for (const data of [
      ...['{"a":1}', '[{"a":[1,"b"]}]', "it's", 'a"b', String.raw`C:\temp\x`, "C:\\temp\\"],
      ...[String.raw`\\server\share`, String.raw`{\"a\":1}`, String.raw`^\d+\.\w*$`]
    ]) {
      assert.deepStrictEqual(split(`set /app ${data}`).words, ["set", "/app", data])
      assert.deepStrictEqual(split(`set /app '${data.replaceAll("'", "")}' x`).words[2], data.replaceAll("'", ""))
    }
  })

  it.prop(
    "is read back as the words that completion writes",
    [Schema.Array(Schema.Array(Schema.Literals(["a", "/", " ", "\t", "\\", "'", '"', "#", "é"]))), Schema.Boolean],
    ([parts, isFinished]) => {
      const words = parts.map((chars) => chars.join(""))
      const line = words.map(quote).join(" ") + (isFinished ? " " : "")
      assert.deepStrictEqual(split(line).words, words, line)
    },
    { arbitrary: { runs: 500 } }
  )

  it("has paths that are relative to the current znode", () => {
    const resolve = (path: string) => resolvePath("/a/b", path)
    assert.deepStrictEqual(["c", ".", "..", "../..", "../../..", "/x/", "../c/./d", "c/"].map(resolve), [
      "/a/b/c",
      "/a/b",
      "/a",
      "/",
      "/",
      "/x",
      "/a/c/d",
      "/a/b/c"
    ])
    assert.strictEqual(resolvePath("/a", "job-/", true), "/a/job-/")
    assert.strictEqual(resolvePath(undefined, "/a/"), "/a")
    assert.strictEqual(resolvePath(undefined, "/"), "/")
  })

  it.effect("is completed: commands, flags, and paths from the current znode", () =>
    Effect.gen(function* () {
      const tree: Readonly<Record<string, ReadonlyArray<string>>> = {
        "/": ["app", "b"],
        "/app": ["one", "other", "two words"],
        "/app/one": ["x"]
      }
      const zk: Parameters<ReturnType<typeof makeCompleter>>[0] = {
        getChildren: (path) => Effect.succeed(tree[path] ?? []),
        stat: (path) => Effect.succeed(Option.some({ ...stat, numChildren: tree[path]?.length ?? 0 }))
      }
      const acl = Command.make("acl").pipe(Command.withSubcommands([Command.make("set", { yes: Flag.Boolean("yes") })]))
      const root = Command.make("zk").pipe(Command.withSubcommands([Command.make("create"), Command.make("cp"), acl]))
      const complete = makeCompleter(root)
      const at = (line: string) => complete(zk, "/app", line)
      assert.deepStrictEqual(yield* at("c"), [["cd ", "cp ", "create "], "c"])
      assert.deepStrictEqual(yield* at("help cr"), [["create "], "cr"])
      assert.deepStrictEqual(yield* at("ls "), [["one/", "other", "two\\ words"], ""])
      assert.deepStrictEqual(yield* at("ls o"), [["one/", "other"], "o"])
      assert.deepStrictEqual(yield* at("ls /"), [["/app/", "/b"], "/"])
      assert.deepStrictEqual(yield* at("ls ../a"), [["../app/"], "../a"])
      assert.deepStrictEqual(yield* at("ls one/"), [["one/x"], "one/"])
      assert.deepStrictEqual(yield* at("ls two\\ w"), [["two\\ words"], "two\\ w"])
      assert.deepStrictEqual(yield* at("ls 'o"), [[], ""])
      assert.deepStrictEqual(yield* at('ls "two w"'), [["two\\ words"], '"two w"'])
      assert.deepStrictEqual(yield* at("acl "), [["set ", "one/", "other", "two\\ words"], ""])
      assert.deepStrictEqual(yield* at("acl s"), [["set "], "s"])
      assert.deepStrictEqual(yield* at("acl set o"), [["one/", "other"], "o"])
      assert.deepStrictEqual(yield* at("acl set one --y"), [["--yes "], "--y"])
      assert.deepStrictEqual(yield* at("acl one s"), [[], "s"])
    })
  )

  it.effect("is completed to what all of many children begin with, and says that there are more", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 5000 }, (_, n) => `n${String(n).padStart(5, "0")}`)
      const zk = (children: ReadonlyArray<string>): Parameters<ReturnType<typeof makeCompleter>>[0] => ({
        getChildren: () => Effect.succeed(children),
        stat: () => Effect.succeed(Option.some({ ...stat, numChildren: 1 }))
      })
      const complete = makeCompleter(Command.make("zk").pipe(Command.withSubcommands([Command.make("get")])))
      const at = (line: string, children = numbers) => complete(zk(children), "/", line)
      const beginnings = ["n00…", "n01…", "n02…", "n03…", "n04…"].map((name) => `/big/${name}`)
      assert.deepStrictEqual(yield* at("get /big/"), [beginnings, "/big/"])
      assert.deepStrictEqual((yield* at("get /big/n00"))[0].length, 10)
      assert.strictEqual((yield* at("get /big/n000"))[0].length, 100)
      assert.strictEqual((yield* at("get /big/n000"))[0][0], "/big/n00000/")
      assert.deepStrictEqual(yield* at("get /big/", [...numbers, "n", "other", "😀a", "😀b"]), [
        ["/big/n…", "/big/other", "/big/😀…"],
        "/big/"
      ])
      assert.deepStrictEqual((yield* at("get /big/n", [...numbers, "n", "m"]))[0], ["/big/n", "/big/n0…"])
    })
  )
})
