/** A file that is made from a subtree, and follows it. */
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Output from "../../src/Output.ts"
import { compile } from "../../src/internal/around/liquid.ts"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"
import { describeOnServers } from "../support/zk.ts"

const write = (folder: string, name: string, text: string): string => {
  const file = Path.join(folder, name)
  Fs.writeFileSync(file, text)
  return file
}

const has = (file: string, text: string) =>
  Effect.gen(function* () {
    for (let tries = 0; ; tries++) {
      const all = Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
      if (all === text) return
      if (tries > 600) assert.strictEqual(all, text)
      yield* Effect.sleep("25 millis")
    }
  })

const modeOf = (file: string): string => (Fs.statSync(file).mode & 0o777).toString(8)

const isLong = process.env["ZK_LONG"] === "1"

describeOnServers("zk template", (it, { isReal }) => {
  /** What takes seconds is the same on both servers. */
  const title = (text: string) => (isReal && !isLong ? `${text} (in test:long only)` : text)
  const options = { skip: isReal && !isLong }

  it.inChroot("prints what it would write", function* ({ run, zk }) {
    const folder = yield* inFolder
    yield* zk.createWithParents("/c/smtp/host", { data: "mail.example" })
    yield* zk.createWithParents("/c/web/a", { data: '{"port":8080}' })
    yield* zk.createWithParents("/c/web/b", { data: '{"port":8081}' })
    write(folder, "line.liquid", "server {{ name }}:{{ port }};")
    const template = write(
      folder,
      "mail.liquid",
      "host = {{ smtp.host }}, port = {{ smtp.port | default: 25 }}\n" +
        '{%- for web in web %}{% assign at = web[1] | parse_json %}\n{% render "line.liquid", name: web[0], port: at.port %}' +
        "{%- endfor %}\n"
    )
    const { code, err, out } = yield* run(["template", "/c", template])
    const text = "host = mail.example, port = 25\nserver a:8080;\nserver b:8081;\n"
    assert.deepStrictEqual({ code, out, err }, { code: 0, out: text, err: "" })
    const json = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Rendered))(
      (yield* run(["template", "/c", template, "--json"])).out
    )
    assert.deepStrictEqual(json, { path: "/c", text })
  })

  it.inChroot("writes a file once, keeps its permissions, and says whether it has changed", function* ({ run, zk }) {
    const folder = yield* inFolder
    yield* zk.createWithParents("/c/port", { data: "25" })
    const template = write(folder, "t.liquid", "port {{ port }}\n")
    const file = Path.join(folder, "out.conf")
    const once = (...args: ReadonlyArray<string>) =>
      Effect.map(run(["template", "/c", template, "-o", file, "--once", ...args]), ({ code, err, out }) => ({
        code,
        out,
        err
      }))
    assert.deepStrictEqual(yield* once(), { code: 0, out: `${file}  written\n`, err: "" })
    assert.strictEqual(modeOf(file), "600")
    assert.deepStrictEqual(yield* once(), { code: 0, out: `${file}  as it was\n`, err: "" })
    assert.strictEqual((yield* once("--mode", "644")).out, `${file}  written\n`)
    yield* zk.set("/c/port", "26")
    const reloaded = Path.join(folder, "reloaded")
    const json = yield* once("--ndjson", "--reload", `cat "$ZK_FILE" > ${reloaded}; exit 3`)
    assert.deepStrictEqual(json, {
      code: 3,
      out: `${JSON.stringify({ path: "/c", file, changed: true })}\n`,
      err: "--reload has ended with 3\n"
    })
    assert.strictEqual(Fs.readFileSync(reloaded, "utf8"), "port 26\n")
    assert.strictEqual(modeOf(file), "644")
    assert.deepStrictEqual(Fs.readdirSync(folder).toSorted(), ["out.conf", "reloaded", "t.liquid"])
  })

  it.inChroot(
    title("starts a command again, or sends it a signal, when its file has changed"),
    options,
    function* (commands) {
      const { chroot, servers, zk } = commands
      const folder = yield* inFolder
      yield* zk.createWithParents("/c/port", { data: "25" })
      yield* zk.createWithParents("/c/other", { data: "" })
      const template = write(folder, "t.liquid", "port {{ port }}\n")
      const log = Path.join(folder, "log")
      const begin = (file: string, command: string, ...args: ReadonlyArray<string>) => {
        const common = ["template", "/c", template, "-o", file, "--settle", "100ms"]
        return start(`${servers}${chroot}`, [...common, ...args, "--", "sh", "-c", command])
      }
      const restarted = Path.join(folder, "restarted")
      const loop = "while :; do sleep 0.05; done"
      const one = yield* begin(restarted, `trap 'exit 0' TERM; cat ${restarted} >> ${log}; ${loop}`)
      yield* has(log, "port 25\n")
      // Nothing that is in the file has changed.
      yield* zk.set("/c/other", "x")
      yield* zk.set("/c/port", "26")
      yield* has(log, "port 25\nport 26\n")
      // A state that the template refuses leaves the file as it is.
      yield* zk.delete("/c/port")
      yield* awaitCondition(() => one.err().includes("is not taken over"))
      yield* zk.create("/c/port", { data: "27" })
      yield* has(log, "port 25\nport 26\nport 27\n")
      one.child.kill("SIGTERM")
      const { code, err } = yield* one.end
      assert.strictEqual(code, 0)
      assert.include(err, `${restarted} has changed: the command is started again\n`)
      assert.match(err, /^\/c is not taken over: undefined variable: port, line:1, col:9$/m)

      const told = Path.join(folder, "told")
      const two = yield* begin(
        told,
        `trap 'cat ${told} >> ${log}; exit 7' HUP; echo begin >> ${log}; ${loop}`,
        "--signal",
        "HUP"
      )
      yield* has(log, "port 25\nport 26\nport 27\nbegin\n")
      yield* zk.set("/c/port", "28")
      yield* has(log, "port 25\nport 26\nport 27\nbegin\nport 28\n")
      assert.strictEqual((yield* two.end).code, 7)
    }
  )

  it.inChroot(
    title("replaces the file only where the check accepts the new one"),
    options,
    function* ({ chroot, servers, zk }) {
      const folder = yield* inFolder
      yield* zk.createWithParents("/c/port", { data: "25" })
      const template = write(folder, "t.liquid", "port {{ port }}\n")
      const file = Path.join(folder, "out.conf")
      const args = ["template", "/c", template, "-o", file, "--check", "grep -q 'port 2' $ZK_FILE", "--settle", "100ms"]
      const { child, end, err: printed } = yield* start(`${servers}${chroot}`, args)
      yield* has(file, "port 25\n")
      yield* zk.set("/c/port", "99")
      yield* awaitCondition(() => printed().includes("stays as it was"))
      yield* has(file, "port 25\n")
      yield* zk.set("/c/port", "29")
      yield* has(file, "port 29\n")
      child.kill("SIGINT")
      const { code, err, out } = yield* end
      assert.strictEqual(code, 130)
      assert.isTrue(out.startsWith(`${file}  written\n`), out)
      assert.include(err, `${file} stays as it was: ${file} was not replaced, because its check ended with 1: grep`)
      assert.deepStrictEqual(Fs.readdirSync(folder).toSorted(), ["out.conf", "t.liquid"])
    }
  )

  it.inChroot("refuses what is missing, wrong, or means nothing", function* ({ run, zk }) {
    const folder = yield* inFolder
    yield* zk.createWithParents("/c/a", { data: "1" })
    const template = write(folder, "t.liquid", "{{ a }}\n")
    const wrong = write(folder, "wrong.liquid", "{% if a %}\n")
    const unknown = write(folder, "unknown.liquid", "{{ a | nothing }}\n")
    const missing = write(folder, "missing.liquid", "one\n{{ b.c }}\n")
    const file = Path.join(folder, "out")
    const refused = (...args: ReadonlyArray<string>) =>
      Effect.map(run(["template", ...args]), ({ code, err }) => `${code} ${err.trim()}`)
    assert.strictEqual(yield* refused("/none", template), "3 zk: /none: no such znode")
    assert.include(yield* refused("/c", `${template}.none`), "1 zk: the template cannot be read: ")
    assert.include(yield* refused("/c", wrong), `2 zk: ${wrong}: tag {% if a %} not closed`)
    assert.include(yield* refused("/c", unknown), `2 zk: ${unknown}: undefined filter: nothing`)
    assert.include(yield* refused("/c", missing), "4 zk: /c: undefined variable: b, line:2, col:4")
    assert.include(yield* refused("/c", template, "--", "true"), "2 zk: a command needs a file to read")
    assert.include(yield* refused("/c", template, "--reload", "true"), "2 zk: --reload is for a file")
    assert.include(yield* refused("/c", template, "-o", file, "--signal", "HUP"), "2 zk: --signal is for a command")
    assert.include(yield* refused("/c", template, "-o", file, "--mode", "999"), '2 zk: --mode "999" is no mode')
    const both = ["/c", template, "-o", file, "--reload", "true", "--", "true"]
    assert.include(yield* refused(...both), "2 zk: --reload and a command exclude each other")
    assert.include(yield* refused("/c", template, "-o", `${folder}/none/out`, "--once"), "none/out cannot be written: ")
    const check = ["/c", template, "-o", file, "--once", "--check", "exit 4"]
    assert.include(yield* refused(...check), `1 zk: ${file} was not replaced, because its check ended with 4: exit 4`)
    assert.isFalse(Fs.existsSync(file))
  })
})

describe("a template", () => {
  const render = (template: string, tree: unknown) =>
    Effect.flatMap(compile(template, "/none"), (render) => render(ConfigProvider.fromUnknown(tree)))
  const message = (template: string, tree: unknown) => Effect.map(Effect.flip(render(template, tree)), (e) => e.message)

  it.effect("compares the data of znodes as text and as numbers", () =>
    Effect.gen(function* () {
      const tree = { port: "587", debug: "true", name: "b" }
      const tests = ['port == "587"', "port == 587", "port > 90", 'debug == "true"', 'name < "c"']
      for (const test of tests) assert.strictEqual(yield* render(`{% if ${test} %}yes{% endif %}`, tree), "yes", test)
      const others = ["port == 588", "port == nil", "port < 90", "debug == nil", "name == empty", "none", 'none == "x"']
      for (const test of others) assert.strictEqual(yield* render(`{% if ${test} %}yes{% endif %}`, tree), "", test)
      const ofEmpty = yield* compile("{% if nothing == empty %}{{ nothing | default: 'none' }}{% endif %}", "/none")
      const empty = ConfigProvider.make((path) =>
        Effect.succeed(
          path.length === 0 ? ConfigProvider.makeRecord(new Set(["nothing"])) : ConfigProvider.makeValue("")
        )
      )
      assert.strictEqual(yield* ofEmpty(empty), "none")
      assert.strictEqual(yield* render("{{ port | plus: 1 }} {{ name | upcase }}", tree), "588 B")
    })
  )

  it.effect("has the children of a znode as pairs, and numbered ones as an array", () =>
    Effect.gen(function* () {
      const tree = { web: { b: "2", a: "1" }, hosts: ["x", "y"], none: "data" }
      const pairs = "{% for pair in web %}{{ pair[0] }}={{ pair[1] }} {% endfor %}{{ web.size }}"
      assert.strictEqual(yield* render(pairs, tree), "a=1 b=2 2")
      assert.strictEqual(yield* render('{{ hosts | join: "," }} {{ hosts.first }} {{ hosts[1] }}', tree), "x,y x y")
      assert.strictEqual(yield* render("{% for x in none %}{{ x }}{% else %}nothing{% endfor %}", tree), "nothing")
    })
  )

  it.effect("reads no property that is no znode, and shows no data in its errors", () =>
    Effect.gen(function* () {
      for (const name of ["constructor", "toString", "__proto__", "equals"]) {
        assert.include(yield* message(`{{ a.${name} }}`, { a: { b: "1" } }), "undefined variable")
      }
      assert.strictEqual(yield* render("{{ a.constructor }}", { a: { constructor: "1" } }), "1")
      const error = yield* message("{{ a | parse_json }}", { a: "hunter2" })
      assert.include(error, "parse_json: the data is not JSON")
      assert.notInclude(error, "hunter2")
    })
  )
})
