/** Guarded commands beside processes with kazoo, on real ZooKeeper. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"
import { describeSlowOnServers } from "../support/zk.ts"

const python = "/usr/bin/python3"
const peer = fileURLToPath(new URL("support/kazooPeer.py", import.meta.url))
const hasKazoo = ChildProcess.spawnSync(python, ["-c", "import kazoo"]).status === 0
const rounds = process.env["ZK_LONG"] === "1" ? 30 : 3

/** Starts a process with kazoo, which ends with the Scope. Gives its first line. */
const kazoo = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn(python, [peer, ...args], { stdio: ["pipe", "pipe", "pipe"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const line = Effect.callback<string, Error>((resume) => {
    let err = ""
    child.stderr.on("data", (chunk) => (err += String(chunk)))
    child.stdout.once("data", (chunk) => resume(Effect.succeed(String(chunk).trim())))
    child.once("close", () => resume(Effect.fail(new Error(`kazoo has ended: ${err}`))))
  })
  return { child, line }
})

describeSlowOnServers("a guarded command and kazoo", (it) => {
  const title = (text: string) => (hasKazoo ? text : `${text} (needs kazoo)`)

  it.inChroot(
    title("exclude each other by the layout of kazoo"),
    { skip: !hasKazoo, timeout: 120_000 },
    function* ({ chroot, servers, zk }) {
      yield* zk.create("/l")
      const folder = Path.join(yield* inFolder, "alone")
      const theirs = yield* kazoo(servers, "turns", `${chroot}/l`, folder, String(rounds * 10))
      const line = yield* Effect.forkChild(theirs.line)
      const script = `mkdir ${folder} || exit 1; sleep 0.1; rmdir ${folder}`
      for (let round = 0; round < rounds; round++) {
        const args = ["lock", "/l", "--layout", "kazoo", "--", "sh", "-c", script]
        assert.deepStrictEqual(yield* (yield* start(`${servers}${chroot}`, args)).end, { code: 0, out: "", err: "" })
      }
      assert.strictEqual(yield* Fiber.join(line), "0")
    }
  )

  it.inChroot(
    title("do not run at the same time by other layouts: the command is not started"),
    { skip: !hasKazoo, timeout: 120_000 },
    function* ({ chroot, run, servers, zk }) {
      yield* zk.create("/k")
      for (const kind of ["lock", "election", "semaphore"]) {
        const { line } = yield* kazoo(servers, `hold-${kind}`, `${chroot}/k/${kind}`)
        assert.strictEqual(yield* line, "holds")
      }
      const lock = yield* run(["lock", "/k/lock", "--", "true"])
      assert.deepInclude(lock, { code: 4, out: "" })
      assert.match(lock.err, /\/k\/lock has contenders of kazoo, .*give --layout kazoo/)
      const election = yield* run(["elect", "/k/election", "--", "true"])
      assert.deepInclude(election, { code: 4, out: "" })
      assert.match(election.err, /\/k\/election has contenders of kazoo, .*give --layout kazoo/)
      const semaphore = yield* run(["semaphore", "/k/semaphore", "-n", "2", "--", "true"])
      assert.deepInclude(semaphore, { code: 4, out: "" })
      assert.match(semaphore.err, /\/k\/semaphore has permits of kazoo/)
    }
  )
})
