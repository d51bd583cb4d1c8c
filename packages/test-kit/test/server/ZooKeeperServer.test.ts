import { assert, describe } from "@effect/vitest"
import { itEffect, itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Fs from "node:fs"
import * as Tls from "node:tls"
import { fileURLToPath } from "node:url"
import * as TestServer from "../../src/TestServer.ts"
import * as ZooKeeperServer from "../../src/ZooKeeperServer.ts"
import { closable, failure } from "../../src/Expectations.ts"
import * as Command from "../support/command.ts"
import * as Znode from "../support/znode.ts"

/** A process that was killed may stay as a zombie where orphans are not reaped; it does nothing any more. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    const status = `/proc/${pid}/status`
    return !Fs.existsSync(status) || !/^State:\s+Z/m.test(Fs.readFileSync(status, "utf8"))
  } catch {
    return false
  }
}

describe("the shared server", () => {
  itLive("is there, and gives each test a path of its own", function* () {
    const { chroot, connectString } = TestServer.fresh("shared")
    assert.strictEqual(connectString, TestServer.connectString() + chroot)
    assert.notStrictEqual(TestServer.freshPath("shared"), chroot)
    const port = Number(TestServer.connectString().split(":")[1])
    assert.strictEqual(yield* Znode.create(port, chroot), 0)
    assert.strictEqual(yield* Znode.create(port, chroot), -110)
  })
})

describe("a server of one's own", () => {
  itLive("keeps its data and its port when it is killed and started again", function* () {
    const server = yield* ZooKeeperServer.make()
    assert.strictEqual(yield* server.mode, "standalone")
    assert.strictEqual(yield* server.fourLetterWord("ruok"), "imok")
    assert.strictEqual(yield* Znode.create(server.port, "/kept"), 0)
    const first = yield* server.pid
    yield* server.kill
    assert.strictEqual(yield* server.mode, "down")
    assert.strictEqual(yield* server.pid, undefined)
    yield* server.start
    assert.notStrictEqual(yield* server.pid, first)
    assert.strictEqual(yield* Znode.exists(server.port, "/kept"), 0)
    assert.strictEqual(yield* Znode.exists(server.port, "/never"), -101)
  })

  itLive("answers nothing while it is paused", function* () {
    const server = yield* ZooKeeperServer.make()
    yield* server.pause
    const error = yield* Effect.flip(server.fourLetterWord("ruok", "200 millis"))
    assert.match(error.message, /ruok failed: no answer in time/)
    yield* server.resume
    assert.strictEqual(yield* server.fourLetterWord("ruok"), "imok")
  })

  itLive("ends with its scope, paused or not, and leaves no folder", function* () {
    const [server, close] = yield* closable(ZooKeeperServer.make())
    const pid = yield* server.pid
    yield* server.pause
    yield* close
    assert.isDefined(pid)
    assert.isFalse(isAlive(pid ?? 0))
    assert.isFalse(Fs.existsSync(server.folder))
  })

  itLive("does not outlive a parent that is killed with SIGKILL", function* () {
    const script = fileURLToPath(new URL("../support/parent.ts", import.meta.url))
    const parent = yield* Command.startFile(script, [])
    const line = yield* Command.firstLine(parent)
    const { folder, pid }: { readonly folder: string; readonly pid: number } = JSON.parse(line)
    assert.isTrue(isAlive(pid))
    assert.isTrue(Fs.existsSync(folder))
    parent.kill("SIGKILL")
    yield* Effect.sync(() => isAlive(pid) || Fs.existsSync(folder)).pipe(
      Effect.repeat({ while: (there) => there, schedule: Schedule.spaced("20 millis") }),
      Effect.timeout("15 seconds")
    )
  })

  itLive("says why it did not start", function* () {
    const error = yield* failure(ZooKeeperServer.make({ config: ["tickTime=no"] }), "ZooKeeperServerError")
    assert.match(error.message, /NumberFormatException|Invalid config/)
    const [, port = ""] = TestServer.connectString().split(":")
    const taken = yield* Effect.flip(ZooKeeperServer.make({ port: Number(port) }))
    assert.match(taken.message, /BindException/)
  })

  itEffect(
    "waits in real time under a TestClock; speaks TLS; is an ensemble of one with local sessions and SASL",
    function* () {
      const server = yield* ZooKeeperServer.make({ quorum: true, tls: true, sasl: true, localSessions: "upgrading" })
      const { ca, client, connectString } = server.tls ?? assert.fail("no TLS")
      const answer = yield* Effect.callback<string, Error>((resume) => {
        let text = ""
        const port = Number(connectString.split(":")[1])
        const socket = Tls.connect({ host: "127.0.0.1", port, ca, ...client }, () => socket.write("srvr"))
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()))
        socket.on("error", (error) => resume(Effect.fail(error)))
        socket.on("close", () => resume(Effect.succeed(text)))
      })
      assert.match(answer, /^Mode: leader$/m)
    }
  )
})
