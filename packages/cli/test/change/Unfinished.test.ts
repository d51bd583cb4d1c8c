/** What commands that work in steps say where they do not come to their end. */
import { Op } from "@effect-zookeeper/client"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { start } from "../support/processes.ts"
import { run } from "../support/zk.ts"

/** A server that is far away, behind a proxy, and a client beside it. */
const farAway = Effect.gen(function* () {
  const { connectString } = yield* EmbeddedServer.EmbeddedServer
  const [host = "", port] = connectString.split(":")
  const proxy = yield* FaultProxy.make({ host, port: Number(port) })
  yield* proxy.shape("both", { delay: Duration.millis(100) })
  const context = yield* Layer.build(ZooKeeper.layer({ servers: connectString }))
  const zk = Context.get(context, ZooKeeper.ZooKeeper)
  return { zk, far: proxy.connectString, near: connectString }
})

const withFarServer = testOn(it.live, EmbeddedServer.layer(), farAway)

/** Names so long that a transaction deletes a few of them. */
const long = (parent: string, index: number) => `${parent}/${String(index).padStart(8000, "0")}`

const growLong = Effect.fnUntraced(function* (zk: ZooKeeper.Service, path: string, children: number) {
  yield* zk.create(path)
  for (let begin = 0; begin < children; begin += 50) {
    yield* zk.transaction(Array.from({ length: 50 }, (_, index) => Op.create(long(path, begin + index))))
  }
})

const growMany = Effect.fnUntraced(function* (zk: ZooKeeper.Service, path: string) {
  yield* zk.create(path)
  for (let upper = 0; upper < 20; upper++) {
    const creates = Array.from({ length: 100 }, (_, lower) => Op.create(`${path}/${upper}/${lower}`, { data: "data" }))
    yield* zk.transaction([Op.create(`${path}/${upper}`), ...creates])
  }
})

describe("a command that is ended in the middle", () => {
  withFarServer("says how many znodes rm -r has left", { timeout: 120_000 }, function* ({ far, near, zk }) {
    yield* growLong(zk, "/big", 150)
    const { child, end } = yield* start(far, ["rm", "-r", "/big", "--yes"])
    const left = Effect.orElseSucceed(zk.countDescendants("/big"), () => 0)
    yield* Effect.repeat(Effect.delay(left, "20 millis"), { until: (count) => count < 150 })
    child.kill("SIGINT")
    const { code, err } = yield* end
    assert.strictEqual(code, 130, err)
    const said = /^(\d+) of the 151 znodes are left; the same command goes on with them\n$/.exec(err)?.[1]
    assert.strictEqual(Number(said), (yield* zk.countDescendants("/big")) + 1, err)

    // The time is over while it lists what it will delete, or deletes it.
    const timed = yield* run(["rm", "-r", "/big", "--yes", "--timeout", "3s"], { env: { ZK_SERVERS: far } })
    if (timed.code !== 0) {
      assert.strictEqual(timed.code, 124, timed.err)
      assert.match(timed.err, /^\d+ of the \d+ znodes are left; .*\nzk: not done within --timeout \(3s\)\n$/)
    }
    assert.include([0, 3], (yield* run(["rm", "-r", "/big", "--yes"], { env: { ZK_SERVERS: near } })).code)
  })

  withFarServer("says how far a restore and a copy have come", { timeout: 120_000 }, function* ({ far, near, zk }) {
    yield* growMany(zk, "/app")
    const file = Path.join(yield* inFolder, "app.ndjson.gz")
    assert.strictEqual((yield* run(["backup", "/app", file], { env: { ZK_SERVERS: near } })).code, 0)
    for (const command of [
      ["restore", file, "/restored", "--yes"],
      ["copy", "/app", "/copied", "--yes"]
    ]) {
      const target = command[2] ?? ""
      const { child, end } = yield* start(far, command)
      const written = Effect.orElseSucceed(zk.countDescendants(target), () => 0)
      yield* Effect.repeat(Effect.delay(written, "5 millis"), { until: (count) => count > 0 })
      child.kill("SIGTERM")
      const { code, err } = yield* end
      assert.strictEqual(code, 143, err)
      assert.match(
        err,
        /^(\d+ of the 2021 znodes were done, and maybe some more; the same command goes on with the rest|no write was confirmed; the same command can be run again)$/m
      )
      assert.strictEqual((yield* run(command, { env: { ZK_SERVERS: near } })).code, 0)
      assert.strictEqual(yield* zk.countDescendants(target), 2020)
    }
  })

  withFarServer("says that a backup goes on", { timeout: 120_000 }, function* ({ far, zk }) {
    yield* growMany(zk, "/app")
    const file = Path.join(yield* inFolder, "app.ndjson.gz")
    const { child, end } = yield* start(far, ["backup", "/app", file])
    const size = Effect.sync(() => Fs.statSync(`${file}.partial`, { throwIfNoEntry: false })?.size ?? 0)
    yield* Effect.repeat(Effect.delay(size, "5 millis"), { until: (bytes) => bytes > 1000 })
    child.kill("SIGINT")
    const { code, err } = yield* end
    assert.strictEqual(code, 130, err)
    assert.strictEqual(err, `what was read is kept in ${file}.partial; the same command goes on with it\n`)
    const missing = yield* run(["backup", "/none", `${file}2`], { env: { ZK_SERVERS: far } })
    assert.deepStrictEqual([missing.code, missing.err], [3, "zk: /none: no such znode\n"])
  })
})
