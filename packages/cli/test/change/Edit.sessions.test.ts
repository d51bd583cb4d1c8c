/** The session of `zk edit`, which may expire while a person types. */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { run } from "../support/zk.ts"

const onServer = testOn(
  it.live,
  EmbeddedServer.layer({ tickTime: "500 millis" }),
  Effect.flatMap(EmbeddedServer.EmbeddedServer, Effect.succeed)
)

describe("zk edit", () => {
  onServer("writes in a new session where its own has expired", function* (server) {
    const env = { ZK_SERVERS: server.connectString }
    yield* run(["create", "/a", "one"], { env })
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
      (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
    )
    const [isOpen, mayEnd] = [Path.join(folder, "open"), Path.join(folder, "end")]
    const editor = Path.join(folder, "editor.sh")
    Fs.writeFileSync(
      editor,
      `#!/bin/sh\nprintf mine > "$1"; touch ${isOpen}; while [ ! -e ${mayEnd} ]; do sleep 0.05; done\n`,
      { mode: 0o755 }
    )
    const expire = Effect.gen(function* () {
      while (!Fs.existsSync(isOpen)) yield* Effect.sleep("20 millis")
      const sessions = yield* server.sessions
      assert.strictEqual(sessions.length, 1)
      for (const { id } of sessions) yield* server.expireSession(id)
      Fs.writeFileSync(mayEnd, "")
    })
    const editing = run(["edit", "/a"], { env: { ...env, EDITOR: editor } })
    const [{ code, err, out }] = yield* Effect.all([editing, expire], { concurrency: 2 })
    assert.deepStrictEqual([code, out], [0, "set /a  (version 1)\n"], err)
    assert.strictEqual((yield* run(["get", "/a"], { env })).out, "mine")
  })
})
