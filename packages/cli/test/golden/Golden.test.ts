/**
 * What each command prints: for a success, a refusal, and as JSON. The golden files are beside this one; `ZK_GOLDEN=write` writes
 * them anew, from the embedded server.
 */
import * as Acl from "@effect-zookeeper/client/Acl"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { start } from "../support/processes.ts"
import { type Commands, describeOnServers } from "../support/zk.ts"
import { type Case, casesIn, elsewhere, type Masks } from "./cases.ts"

const isLong = process.env["ZK_LONG"] === "1"
const writes = process.env["ZK_GOLDEN"] === "write"

/** The tree that the commands find. */
const grow = Effect.fnUntraced(function* ({ another, run, zk }: Commands) {
  yield* zk.create("/app", { data: "app" })
  yield* zk.create("/app/config", { data: '{"port":8080,"hosts":["a","b"]}' })
  yield* zk.create("/app/secret", { acl: [Acl.world("r"), Acl.world("a")] })
  yield* zk.create("/app/env", { data: "" })
  yield* zk.create("/app/env/smtpHost", { data: "mail.example" })
  yield* zk.create("/app/env/port", { data: "25" })
  yield* zk.create("/limited")
  yield* run(["quota", "set", "/limited", "--count", "5", "--hard-bytes", "1k"])
  const other = yield* another()
  yield* other.create("/app/member", { mode: "ephemeral", data: "host-1" })
  yield* zk.create("/locks")
  yield* zk.create("/locks/one", { mode: "container" })
  yield* other.create("/locks/one/lock-0123456789abcdef0123456789abcdef-", { mode: "ephemeralSequential", data: "db1" })
  yield* zk.create("/queue")
  yield* zk.create("/queue/queue-", { data: "first", mode: "persistentSequential" })
  yield* zk.create("/queue/queue-", { data: "second", mode: "persistentSequential" })
})

/** The same text in every run. */
const settle = (
  text: string,
  folder: string,
  { chroot, servers }: Commands,
  { hasAges, hasNumbers }: Masks
): string => {
  const fixed = text
    .replaceAll(folder, "FOLDER")
    .replaceAll(servers, "SERVER")
    .replaceAll(chroot, "")
    .replaceAll(Os.hostname(), "HOST")
    .replaceAll(/HOST:\d+/g, "HOST:PID")
    .replaceAll(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
    // Examples and the first bytes of files are always the same.
    .replaceAll(/(?<!(?:as in|expected|found) )\b0x[0-9a-f]+/g, (hex) => (hex.length > 13 ? "ID" : "ZXID"))
    // The server may delete a container of an earlier command in the middle of a backup, which then names two moments.
    .replaceAll("at zxid ZXID to ZXID: ", "at zxid ZXID: ")
    .replaceAll(/ \(\d+ times\)/g, "")
  const aged = hasAges === true ? fixed.replaceAll(/\b(\d+[dhms] )?\d+[dhms]\b/g, "AGE") : fixed
  const numbered = hasNumbers === true ? aged.replaceAll(/\d+(\.\d+)*/g, "#") : aged
  // Columns are as wide as their cells.
  return hasAges === true || hasNumbers === true
    ? numbered.replaceAll(/(?<=\S) {2,}/g, "  ").replaceAll(/-{3,}/g, "---")
    : numbered.replaceAll(/ID {2,}/g, "ID  ")
}

/** The two words of a command with others below it, where each has its own output. */
const nameOf = ({ args: [first = "", second = ""] }: Case): string =>
  ["acl", "quota"].includes(first) && ["set", "rm"].includes(second) ? `${first} ${second}` : first

const golden = (name: string): string =>
  fileURLToPath(new URL(`${name.replaceAll(" ", "-")}.golden.txt`, import.meta.url))

describeOnServers("the output of each command", (it, { isReal }) => {
  const title = `is what its golden file has${isReal && !isLong ? " (in test:long only)" : ""}`
  it.inChroot(title, { timeout: 300_000, skip: isReal && !isLong }, function* (commands) {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-golden-"))),
      (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
    )
    Fs.writeFileSync(Path.join(folder, "t.liquid"), "{% for pair in env %}{{ pair[0] }} is {{ pair[1] }}\n{% endfor %}")
    yield* grow(commands)
    const outputs = new Map<string, Array<string>>()
    const seen = new Map<string, { success: boolean; refusal: boolean; json: boolean }>()
    for (const each of casesIn(folder)) {
      const { args, arrives, isSlow = false, options } = each
      const name = nameOf(each)
      const blocks = outputs.get(name) ?? []
      outputs.set(name, blocks)
      const line = `$ zk ${settle(args.map(quoted).join(" "), folder, commands, {})}\n`
      if (isSlow && !isLong && !writes) {
        blocks.push(line)
        continue
      }
      const begun = Deferred.makeUnsafe<void>()
      const onOut = () => void Deferred.doneUnsafe(begun, Exit.void)
      const arrival =
        arrives === undefined
          ? Effect.void
          : Effect.andThen(
              Deferred.await(begun),
              commands.zk.create(arrives, { data: "third", mode: "persistentSequential" })
            )
      // Guards take the signals of their process.
      const running = isSlow
        ? Effect.scoped(Effect.flatMap(start(`${commands.servers}${commands.chroot}`, args), ({ end }) => end))
        : commands.run(args, { ...options, onOut })
      const [{ code, err, out }] = yield* Effect.all([running, arrival], { concurrency: 2 }).pipe(
        Effect.timeoutOrElse({
          duration: isSlow ? "60 seconds" : "20 seconds",
          orElse: () => Effect.die(`${line} does not end`)
        })
      )
      const text = [out, err]
        .map((part) => settle(part, folder, commands, each))
        .map((part) => (part === "" || part.endsWith("\n") ? part : `${part}\n`))
      blocks.push(
        `${line}${text[0]}${text[1] === "" ? "" : `2> ${text[1]?.trimEnd().replaceAll("\n", "\n2> ")}\n`}${code === 0 ? "" : `exit code ${code}\n`}`
      )
      const is = seen.get(name) ?? { success: false, refusal: false, json: false }
      const isJson = args.includes("--json") || args.includes("--ndjson")
      if (code !== 0) is.refusal = true
      else if (isJson) is.json = true
      else is.success = true
      seen.set(name, is)
    }
    if (writes && !isReal) {
      for (const [name, blocks] of outputs) Fs.writeFileSync(golden(name), blocks.join("\n"))
    }
    const cases = Map.groupBy(casesIn(folder), nameOf)
    for (const [name, blocks] of outputs) {
      const expected = Fs.readFileSync(golden(name), "utf8").split(/\n(?=\$ zk )/)
      const compared = (texts: ReadonlyArray<string>) =>
        texts
          .map((text) => text.trimEnd())
          .filter((_, index) => {
            const { isServersOwn = false, isSlow = false } = cases.get(name)?.[index] ?? { args: [] }
            return (!isReal || !isServersOwn) && (isLong || !isSlow)
          })
      assert.deepStrictEqual(compared(blocks), compared(expected), name)
    }
    // Each command that there is has all three.
    const help = (yield* commands.run(["--help"])).out
    const names = [...help.matchAll(/^ {2}([a-z0-9]+) {2,}\S/gm)].map(([, name = ""]) => name)
    assert.includeMembers(names, ["ls", "4lw", "template", "snapshot"])
    for (const name of [...names, "acl set", "quota set", "quota rm"]) {
      const is = seen.get(name) ?? assert.fail(`${name} has no golden output`)
      const of = elsewhere[name]
      const hasSlow = (cases.get(name) ?? []).some(({ isSlow }) => isSlow === true) && !isLong
      assert.isTrue(is.refusal, `a refusal of ${name}`)
      assert.isTrue(is.success || of?.success !== undefined || hasSlow, `a success of ${name}`)
      assert.isTrue(is.json || of?.json !== undefined || hasSlow, `the JSON of ${name}`)
    }
  })
})

const quoted = (word: string): string => (/^[\w./:=,@#*-]+$/.test(word) ? word : `'${word.replaceAll("\n", "\\n")}'`)
