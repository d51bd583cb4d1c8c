/** The limits of requests and replies, on a server with a larger `jute.maxbuffer`. */
import { Op } from "@effect-zookeeper/client"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { FrameTooLarge } from "@effect-zookeeper/client/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { make as makeClient } from "../../src/internal/frame/Client.ts"
import { explain } from "../../src/internal/frame/explain.ts"
import { settingsOf } from "../support/settings.ts"
import { run } from "../support/zk.ts"

const large = Effect.gen(function* () {
  const { connectString } = yield* EmbeddedServer.EmbeddedServer
  const context = yield* Layer.build(ZooKeeper.layer({ servers: connectString }))
  return {
    servers: connectString,
    zk: Context.get(context, ZooKeeper.ZooKeeper),
    run: (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
      run(args, { env: { ZK_SERVERS: connectString, ...env } })
  }
})

const onLargeServer = testOn(it.live, EmbeddedServer.layer({ maxFrameSize: 4 * 1024 * 1024 }), large)

describe("zk, with what is large,", () => {
  onLargeServer("reads a list of names that is longer than other clients take", function* ({ run, zk }) {
    yield* zk.create("/wide")
    const name = (index: number) => `/wide/${String(index).padStart(4000, "0")}`
    for (let begin = 0; begin < 1200; begin += 200) {
      yield* zk.transaction(Array.from({ length: 200 }, (_, index) => Op.create(name(begin + index))))
    }
    const { code, err, out } = yield* run(["ls", "/wide"])
    assert.deepStrictEqual([code, err, out.trim().split("\n").length], [0, "", 1200])
    const removed = yield* run(["rm", "-r", "/wide", "--yes"])
    assert.deepStrictEqual([removed.code, removed.err], [0, ""])
  })

  onLargeServer(
    "sends a large request with --max-buffer, its variable or its key, and names it without",
    function* ({ run, servers }) {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-test-"))),
        (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
      )
      const file = Path.join(folder, "data")
      Fs.writeFileSync(file, "x".repeat(1_500_000))
      const profiles = Path.join(folder, "profiles.toml")
      Fs.writeFileSync(profiles, `[prod]\nservers = "${servers}"\nmaxBuffer = "4m"\n`)
      const create = (path: string) => ["create", path, "--file", file]

      const refused = yield* run(create("/refused"))
      assert.strictEqual(refused.code, 1)
      assert.match(
        refused.err,
        /^zk: \/refused: the request has 15\d{5} bytes, and --max-buffer allows 1048575; it was not sent\. Where all servers run with a larger jute\.maxbuffer, set --max-buffer to that\n$/
      )
      assert.strictEqual((yield* run([...create("/flag"), "--max-buffer", "4m"])).out, "/flag\n")
      assert.strictEqual((yield* run(create("/variable"), { ZK_MAX_BUFFER: "4194304" })).out, "/variable\n")
      assert.strictEqual((yield* run([...create("/key"), "--profiles", profiles, "-p", "prod"])).out, "/key\n")

      // A copy in one transaction has as much room.
      assert.strictEqual((yield* run(["cp", "/flag", "/copy"])).code, 4)
      const copied = yield* run(["cp", "/flag", "/copy", "--max-buffer", "4m"])
      assert.deepStrictEqual([copied.code, copied.out], [0, "copied /copy\n"], copied.err)
      // So has another ensemble: by its profile, or by the flag.
      const other = yield* run(["copy", "/flag", "@prod/profile", "--yes", "--profiles", profiles])
      assert.strictEqual(other.code, 0, other.err)
      const flagged = yield* run(["copy", "/flag", `zk://${servers}/servers`, "--yes", "--max-buffer", "4m"])
      assert.strictEqual(flagged.code, 0, flagged.err)
      assert.strictEqual((yield* run(["copy", "/flag", `zk://${servers}/none`, "--yes"])).code, 1)
    }
  )

  it.live("refuses an invalid size", () =>
    Effect.gen(function* () {
      for (const size of ["much", "10", "2g"]) {
        const { code, err } = yield* run(["ls", "-s", "127.0.0.1:1", "--max-buffer", size])
        assert.strictEqual(code, 2, err)
        assert.include(err, `--max-buffer "${size}" is no`)
      }
      const prompt = yield* run(["ls", "-s", "127.0.0.1:1"], { env: { ZK_MAX_BUFFER: "much" } })
      assert.strictEqual(prompt.code, 2)
    })
  )

  it("gives the replies of all commands the same room, also those of the console", () => {
    const settings = { ...settingsOf("127.0.0.1:1"), maxBuffer: 128 * 1024 * 1024 }
    const asked = new Set<string>()
    makeClient(settings, (_settings, _chroot, options = {}) => {
      for (const option of Object.keys(options)) asked.add(option)
      return Effect.never
    })
    assert.sameMembers([...asked], ["sessionExpiry", "allowReadOnly"])
  })

  it("says for a reply how much room it needs", () => {
    const request = { operation: "getChildren", path: "/wide", size: 70_000_000, limit: 67_108_864 }
    assert.strictEqual(
      explain(new FrameTooLarge({ ...request, option: "maxFrameSize" })),
      "/wide: the reply has 70000000 bytes, and --max-buffer allows 67108864; raise it: --max-buffer 67m"
    )
    assert.include(
      explain(
        new FrameTooLarge({ ...request, operation: "multi", path: "", option: "maxFrameSize", maybeApplied: true })
      ),
      "multi: the reply has 70000000 bytes, and --max-buffer allows 67108864; raise it: --max-buffer 67m; the write may have been applied"
    )
  })
})
