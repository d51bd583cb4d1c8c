/** What `--timeout` limits, and what a default of the environment does not. */
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { run } from "../support/zk.ts"

/** A server behind a proxy, and a client beside it. */
const behind = Effect.gen(function* () {
  const { connectString } = yield* EmbeddedServer.EmbeddedServer
  const [host = "", port] = connectString.split(":")
  const proxy = yield* FaultProxy.make({ host, port: Number(port) })
  const context = yield* Layer.build(ZooKeeper.layer({ servers: connectString }))
  return {
    proxy,
    zk: Context.get(context, ZooKeeper.ZooKeeper),
    run: (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
      run(args, { env: { ZK_SERVERS: proxy.connectString, ...env } })
  }
})

const behindProxy = testOn(it.live, EmbeddedServer.layer(), behind)

const timedOut = (timeout: string) => `zk: not done within --timeout (${timeout})\n`

const exists = 3

describe("--timeout", () => {
  behindProxy(
    "limits env and template until they have a first state",
    { timeout: 60_000 },
    function* ({ proxy, run, zk }) {
      yield* zk.create("/c")
      yield* zk.create("/c/a", { data: "one" })
      const folder = yield* inFolder
      const template = Path.join(folder, "template")
      Fs.writeFileSync(template, "{{ a }}")
      // The command that they run may take longer.
      const longer = ["--once", "--timeout", "3s", "--", "sleep", "4"]
      const env = yield* run(["env", "/c", ...longer])
      assert.deepStrictEqual([env.code, env.err], [0, ""])
      // A server that has given a session, and then hangs.
      yield* proxy.rule({ match: { direction: "down", op: exists }, action: { _tag: "Hold" }, count: 100 })
      for (const args of [
        ["env", "/c", "--timeout", "2s"],
        ["env", "/c", "--timeout", "2s", "--", "sleep", "60"],
        ["template", "/c", template, "--timeout", "2s"]
      ]) {
        const { code, err, out } = yield* run(args)
        assert.deepStrictEqual([code, err, out], [124, timedOut("2s"), ""])
      }
      assert.strictEqual((yield* run(["env", "/c"], { ZK_TIMEOUT: "2s" })).code, 124)
    }
  )

  behindProxy("ends a template whose check or reload hangs, where nothing is followed", function* ({ run, zk }) {
    yield* zk.create("/c")
    const folder = yield* inFolder
    const template = Path.join(folder, "template")
    Fs.writeFileSync(template, "text")
    const output = Path.join(folder, "out")
    const args = ["template", "/c", template, "--once", "--output", output, "--timeout", "3s"]
    const checked = yield* run([...args, "--check", "exec sleep 60"])
    assert.deepStrictEqual([checked.code, checked.err], [124, timedOut("3s")])
    assert.isFalse(Fs.existsSync(output))
    const reloaded = yield* run([...args, "--reload", "exec sleep 60"])
    assert.deepStrictEqual([reloaded.code, reloaded.err], [124, timedOut("3s")])
  })

  behindProxy("ends a bench, which leaves nothing behind", function* ({ run, zk }) {
    yield* zk.create("/b")
    const args = ["bench", "/b", "--give-up", "1m", "--rate", "10"]
    const ended = yield* run([...args, "--duration", "1m", "--timeout", "3s"])
    assert.strictEqual(ended.code, 124, ended.err)
    assert.include(ended.err, timedOut("3s"))
    assert.deepStrictEqual(yield* zk.getChildren("/b"), [])
    // It has a duration of its own, which a default does not end.
    const whole = yield* run([...args, "--duration", "4s"], { ZK_TIMEOUT: "3s" })
    assert.strictEqual(whole.code, 0, whole.err)
  })

  behindProxy(
    "of the environment does not end a command that is guarded, and that of the line does",
    function* ({ run }) {
      const whole = yield* run(["lock", "/l", "--", "sleep", "4"], { ZK_TIMEOUT: "3s" })
      assert.deepStrictEqual([whole.code, whole.err], [0, ""])
      const ended = yield* run(["lock", "/l", "--timeout", "3s", "--", "sleep", "60"], { ZK_TIMEOUT: "1m" })
      assert.deepStrictEqual([ended.code, ended.err.split("\n")[0]], [124, timedOut("3s").trimEnd()])
    }
  )

  behindProxy("of the environment does not end an editor or a watch", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "one" })
    const editor = Path.join(yield* inFolder, "editor.sh")
    Fs.writeFileSync(editor, "#!/bin/sh\nsleep 4\n", { mode: 0o755 })
    const edited = yield* run(["edit", "/a"], { ZK_TIMEOUT: "3s", EDITOR: editor })
    assert.deepStrictEqual([edited.code, edited.err], [0, "/a: no change\n"])
    const [watch] = yield* Effect.all(
      [
        run(["watch", "/a", "--until", "gone"], { ZK_TIMEOUT: "3s" }),
        Effect.delay(Effect.orDie(zk.delete("/a")), "4 seconds")
      ],
      { concurrency: 2 }
    )
    assert.strictEqual(watch.code, 0, watch.err)
  })

  it.live("is refused by what serves until it is stopped", () =>
    Effect.gen(function* () {
      for (const command of ["server", "ui", "mcp"]) {
        const { code, err } = yield* run([command, "--timeout", "1s"])
        assert.deepStrictEqual([code, err], [2, "zk: --timeout is not for a command that serves until it is stopped\n"])
      }
    })
  )
})
