/** A command that is guarded by a lock: it runs alone, gets signals, and has ended before anyone else can hold the lock. */
import type { Service } from "@effect-zookeeper/client/Service"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"
import { describeSlowOnServers } from "../support/zk.ts"

const read = (file: string): ReadonlyArray<string> =>
  Fs.existsSync(file) ? Fs.readFileSync(file, "utf8").trim().split("\n") : []

const eventually = (what: string, holds: () => boolean) =>
  Effect.gen(function* () {
    for (let tries = 0; !holds(); tries++) {
      if (tries > 600) assert.fail(`not in time: ${what}`)
      yield* Effect.sleep("25 millis")
    }
  })

/** A command with a child, both of which ignore SIGTERM, and write their names to a file for as long as they live. */
const stubborn = (file: string, name: string): ReadonlyArray<string> => [
  "sh",
  "-c",
  `trap '' TERM INT; write() { for i in $(seq 400); do echo "${name} $1" >> "${file}"; sleep 0.05; done; }; write child & write parent`
]

const hasWritten = (file: string, line: string) => eventually(`${line} writes`, () => read(file).includes(line))

const isQuiet = (file: string) =>
  Effect.gen(function* () {
    const before = read(file).length
    yield* Effect.sleep("300 millis")
    assert.strictEqual(read(file).length, before, "something writes still")
  })

/** Waits until nothing has written for a while; the commands write for much longer by themselves. */
const becomesQuiet = (file: string) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 20; tries++) {
      const before = read(file).length
      yield* Effect.sleep("300 millis")
      if (read(file).length === before) return
    }
    assert.fail("something writes still")
  })

/** The znode of the only contender, once it is there. */
const contender = Effect.fnUntraced(function* (zk: Service, path: string) {
  while (true) {
    const [name] = yield* Effect.orElseSucceed(zk.getChildren(path), () => [])
    if (name !== undefined) return `${path}/${name}`
    yield* Effect.sleep("25 millis")
  }
})

const short = ["--session-timeout", "3s"]

describeSlowOnServers("a guarded command", (it) => {
  it.inChroot(
    "runs while no other holds the lock, has its token, and gives its exit code",
    function* ({ chroot, servers, zk }) {
      const at = `${servers}${chroot}`
      const go = Path.join(yield* inFolder, "go")
      const wait = `echo "$ZK_FENCING_TOKEN"; while [ ! -e ${go} ]; do sleep 0.05; done; exit 9`
      const first = yield* start(at, ["lock", "/l", "--", "sh", "-c", wait])
      const { stat } = yield* zk.get(yield* contender(zk, "/l"))
      const second = yield* (yield* start(at, ["lock", "/l", "--wait", "0", "--", "echo", "ran"])).end
      assert.deepStrictEqual(second, { code: 124, out: "", err: "zk: /l is held by another\n" })
      Fs.writeFileSync(go, "")
      assert.deepStrictEqual(yield* first.end, { code: 9, out: `${stat.czxid}\n`, err: "" })
      const none = yield* (yield* start(at, ["semaphore", "/s", "-n", "2", "--", "/no/such/command"])).end
      assert.strictEqual(none.code, 127)
      assert.strictEqual(none.err, "zk: the command could not be started: /no/such/command: no such program\n")
      // The servers may have deleted the container already.
      assert.deepStrictEqual(yield* Effect.orElseSucceed(zk.getChildren("/s/leases"), () => []), [])
    }
  )

  it.inChroot("gets the signals, and what it leaves behind ends with it", function* ({ chroot, servers }) {
    const file = Path.join(yield* inFolder, "file")
    const command = `trap 'exit 5' INT; (trap '' INT; for i in $(seq 400); do echo child >> ${file}; sleep 0.05; done) & wait`
    const { child, end } = yield* start(`${servers}${chroot}`, ["lock", "/l", "--", "sh", "-c", command])
    yield* hasWritten(file, "child")
    child.kill("SIGINT")
    assert.deepStrictEqual(yield* end, { code: 5, out: "", err: "" })
    yield* isQuiet(file)
  })

  it.inChroot(
    "has no child that lives on after the loss, as that of consul lock does",
    function* ({ chroot, servers, zk }) {
      const file = Path.join(yield* inFolder, "file")
      const { end } = yield* start(`${servers}${chroot}`, ["lock", "/l", ...short, "--", ...stubborn(file, "one")])
      yield* hasWritten(file, "one child")
      yield* zk.delete(yield* contender(zk, "/l"))
      const { code, err } = yield* end
      yield* isQuiet(file)
      assert.strictEqual(code, 7)
      assert.match(err, /^zk: .* is no longer held: its znode was deleted; the command was ended\n$/)
    }
  )

  it.inChroot(
    "has no child that lives on after the loss, also where one has left the process group",
    { skip: process.platform !== "linux" },
    function* ({ chroot, servers, zk }) {
      const file = Path.join(yield* inFolder, "file")
      const writes = (name: string) => `for i in $(seq 400); do echo ${name} >> ${file}; sleep 0.05; done`
      const inner = `trap "" TERM; (${writes("grandchild")}) & ${writes("child")}`
      const command = ["sh", "-c", `setsid sh -c '${inner}' > /dev/null 2>&1 & ${writes("parent")}`]
      const { end } = yield* start(`${servers}${chroot}`, ["lock", "/l", ...short, "--", ...command])
      yield* hasWritten(file, "grandchild")
      yield* hasWritten(file, "parent")
      yield* zk.delete(yield* contender(zk, "/l"))
      const { code } = yield* end
      yield* isQuiet(file)
      assert.strictEqual(code, 7)
    }
  )

  it.inChroot("ends with zk, and with its keeper", function* ({ chroot, servers }) {
    const folder = yield* inFolder
    const run = (name: string) =>
      Effect.gen(function* () {
        const file = Path.join(folder, name)
        const running = yield* start(`${servers}${chroot}`, [
          "lock",
          `/${name}`,
          ...short,
          "--",
          ...stubborn(file, name)
        ])
        yield* hasWritten(file, `${name} child`)
        return { ...running, file }
      })
    const killed = yield* run("killed")
    killed.child.kill("SIGKILL")
    yield* becomesQuiet(killed.file)

    const unkept = yield* run("unkept")
    const [keeper = 0] = childrenOf(unkept.child.pid ?? 0)
    process.kill(keeper, "SIGKILL")
    assert.strictEqual((yield* unkept.end).code, 1)
    yield* isQuiet(unkept.file)
  })

  it.inChroot("has ended before another begins, also where zk is stopped", function* ({ chroot, servers }) {
    const file = Path.join(yield* inFolder, "file")
    const at = `${servers}${chroot}`
    const one = yield* start(at, ["lock", "/l", ...short, "--", ...stubborn(file, "one")])
    yield* hasWritten(file, "one child")
    const two = yield* start(at, ["lock", "/l", "--", "sh", "-c", `echo "two" >> ${file}; sleep 0.5`])
    one.child.kill("SIGSTOP")
    assert.deepStrictEqual(yield* two.end, { code: 0, out: "", err: "" })
    const lines = read(file)
    assert.strictEqual(lines.indexOf("two"), lines.length - 1)
    one.child.kill("SIGCONT")
    assert.strictEqual((yield* one.end).code, 7)
  })

  it.inChroot("goes on where its keeper was stopped for a while", function* ({ chroot, servers }) {
    const folder = yield* inFolder
    const file = Path.join(folder, "file")
    const go = Path.join(folder, "go")
    const command = `echo begin >> ${file}; while [ ! -e ${go} ]; do sleep 0.05; done; exit 9`
    const { child, end } = yield* start(`${servers}${chroot}`, ["lock", "/l", ...short, "--", "sh", "-c", command])
    yield* hasWritten(file, "begin")
    const [keeper = 0] = childrenOf(child.pid ?? 0)
    process.kill(keeper, "SIGSTOP")
    // Longer than what the keeper was told last.
    yield* Effect.sleep("3500 millis")
    process.kill(keeper, "SIGCONT")
    yield* Effect.sleep("500 millis")
    Fs.writeFileSync(go, "")
    assert.deepStrictEqual(yield* end, { code: 9, out: "", err: "" })
  })

  it.inChroot("of an election runs again after a loss", function* ({ chroot, servers, zk }) {
    const file = Path.join(yield* inFolder, "file")
    const command = `echo begin >> ${file}; while [ $(wc -l < ${file}) -lt 2 ]; do sleep 0.05; done; exit 3`
    const { end } = yield* start(`${servers}${chroot}`, ["elect", "/e", ...short, "--", "sh", "-c", command])
    yield* hasWritten(file, "begin")
    yield* zk.delete(yield* contender(zk, "/e"))
    const { code, err } = yield* end
    assert.strictEqual(code, 3)
    assert.match(
      err,
      /^zk: .* is no longer held: its znode was deleted; the command was ended, and is a candidate again\n$/
    )
    assert.deepStrictEqual(read(file), ["begin", "begin"])
  })
})

/** The processes that a process has started. */
const childrenOf = (pid: number): ReadonlyArray<number> =>
  ChildProcess.execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" })
    .trim()
    .split(/\s+/)
    .map(Number)
