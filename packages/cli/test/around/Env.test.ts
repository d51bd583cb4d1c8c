/** A command whose environment is a subtree, and that follows it. */
import { assert, describe, it } from "@effect/vitest"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Output from "../../src/Output.ts"
import { variablesOf } from "../../src/internal/around/variables.ts"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"
import { describeOnServers } from "../support/zk.ts"

const has = (file: string, text: string) =>
  Effect.gen(function* () {
    for (let tries = 0; ; tries++) {
      const all = Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
      if (all === text) return
      if (tries > 600) assert.strictEqual(all, text)
      yield* Effect.sleep("25 millis")
    }
  })

describeOnServers("zk env", (it) => {
  it.inChroot("prints the variables, for a shell and in JSON", function* ({ run, zk }) {
    yield* zk.createWithParents("/c/smtp/maxSize", { data: "10" })
    yield* zk.createWithParents("/c/name", { data: "it's\ntwo lines" })
    yield* zk.createWithParents("/c/hosts/0", { data: "a" })
    yield* zk.createWithParents("/c/hosts/1", { data: "b" })
    const text = yield* run(["env", "/c", "--prefix", "APP_"])
    assert.deepStrictEqual(
      { code: text.code, out: text.out, err: text.err },
      {
        code: 0,
        out: "export APP_HOSTS_0='a'\nexport APP_HOSTS_1='b'\nexport APP_NAME='it'\\''s\ntwo lines'\nexport APP_SMTP_MAX_SIZE='10'\n",
        err: ""
      }
    )
    const json = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Variables))(
      (yield* run(["env", "/c/smtp", "--json"])).out
    )
    assert.deepStrictEqual(json, { path: "/c/smtp", variables: { MAX_SIZE: "10" } })
  })

  it.inChroot("runs a command with them, and gives its exit code", function* ({ chroot, servers, zk }) {
    yield* zk.createWithParents("/c/port", { data: "25" })
    const at = `${servers}${chroot}`
    const once = yield* start(at, ["env", "/c", "--once", "--", "sh", "-c", "echo $PORT; exit 5"])
    assert.deepStrictEqual(yield* once.end, { code: 5, out: "25\n", err: "" })
    const none = yield* (yield* start(at, ["env", "/c", "--", "/no/such/command"])).end
    assert.strictEqual(none.code, 127)
  })

  it.inChroot("starts it again when the subtree has changed, and not before", function* ({ chroot, servers, zk }) {
    yield* zk.createWithParents("/c/port", { data: "25" })
    const file = Path.join(yield* inFolder, "file")
    const command = `trap 'echo end >> ${file}; exit 0' TERM; echo $PORT >> ${file}; while :; do sleep 0.05; done`
    const args = ["env", "/c", "--settle", "100ms", "--", "sh", "-c", command]
    const { child, end, err: errSoFar } = yield* start(`${servers}${chroot}`, args)
    yield* has(file, "25\n")
    yield* zk.set("/c/port", "25")
    yield* zk.set("/c/port", "26")
    yield* has(file, "25\nend\n26\n")
    // A state that is no environment is not taken over.
    yield* zk.create("/c/PORT", { data: "27" })
    yield* awaitCondition(() => errSoFar().includes("/c is not taken over"))
    yield* zk.delete("/c/PORT")
    yield* zk.set("/c/port", "28")
    yield* has(file, "25\nend\n26\nend\n28\n")
    child.kill("SIGTERM")
    const { code, err, out } = yield* end
    assert.deepStrictEqual({ code, out }, { code: 0, out: "" })
    assert.strictEqual(Fs.readFileSync(file, "utf8"), "25\nend\n26\nend\n28\nend\n")
    const lines = err.trim().split("\n")
    assert.include(lines, "/c has changed (PORT): the command is started again")
    assert.isTrue(
      lines.some((line) => /^\/c is not taken over: (port|PORT) and (port|PORT) are both PORT$/.test(line)),
      err
    )
  })

  it.inChroot(
    "sends a signal when the subtree has changed, and ends what does not end",
    function* ({ chroot, servers, zk }) {
      yield* zk.createWithParents("/c/port", { data: "25" })
      const file = Path.join(yield* inFolder, "file")
      const command = `trap 'echo changed >> ${file}' HUP; trap '' TERM; echo begin >> ${file}; while :; do sleep 0.05; done`
      const at = `${servers}${chroot}`
      const { child, end } = yield* start(at, [
        "env",
        "/c",
        "--settle",
        "100ms",
        "--signal",
        "HUP",
        "--",
        "sh",
        "-c",
        command
      ])
      yield* has(file, "begin\n")
      yield* zk.set("/c/port", "26")
      yield* has(file, "begin\nchanged\n")
      child.kill("SIGUSR2")
      assert.strictEqual((yield* end).code, 128 + Os.constants.signals.SIGUSR2)

      const stubborn = Path.join(yield* inFolder, "file")
      const ignoring = `trap '' TERM; echo $PORT >> ${stubborn}; while :; do sleep 0.05; done`
      const again = yield* start(at, ["env", "/c", "--settle", "100ms", "--grace", "300ms", "--", "sh", "-c", ignoring])
      yield* has(stubborn, "26\n")
      yield* zk.set("/c/port", "27")
      yield* has(stubborn, "26\n27\n")
      again.child.kill("SIGUSR1")
      assert.strictEqual((yield* again.end).code, 128 + Os.constants.signals.SIGUSR1)
    }
  )

  it.inChroot("refuses what is missing, or is no environment", function* ({ run, zk }) {
    yield* zk.createWithParents("/c/a-b", { data: "1" })
    yield* zk.createWithParents("/c/a_b", { data: "2" })
    yield* zk.createWithParents("/d/bytes", { data: new Uint8Array([255]) })
    const refused = (...args: ReadonlyArray<string>) =>
      Effect.map(run(["env", ...args]), ({ code, err }) => `${code} ${err.trim()}`)
    assert.strictEqual(yield* refused("/none"), "3 zk: /none: no such znode")
    assert.match(yield* refused("/c"), /^4 zk: \/c: a[-_]b and a[-_]b are both A_B$/)
    assert.include(yield* refused("/d"), "4 zk: /d: ")
    assert.include(yield* refused("/c", "--signal", "SOON"), "2 zk: --signal")
    assert.include(yield* refused("/c", "--signal", "HUP", "--once"), "2 zk: --once and --signal exclude")
  })
})

describe("the variables of a subtree", () => {
  const variables = (tree: unknown, prefix = "") => variablesOf(ConfigProvider.fromUnknown(tree), prefix)

  it.effect("have the names that Effect's configuration reads", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* variables({ a: { "api-v2": "x", maxSize: "1" }, b: ["p", "q"] }), {
        A_API_V2: "x",
        A_MAX_SIZE: "1",
        B_0: "p",
        B_1: "q"
      })
    })
  )

  it.effect("are refused where an environment cannot have them", () =>
    Effect.gen(function* () {
      assert.include((yield* Effect.flip(variables({ "1": "x" }))).message, "gives no name of a variable")
      assert.deepStrictEqual(yield* variables({ "1": "x" }, "N"), { N1: "x" })
      assert.include((yield* Effect.flip(variables({ a: "\0" }))).message, "zero byte")
    })
  )
})
