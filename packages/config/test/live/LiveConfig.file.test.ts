import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { awaitCondition, eventually, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as LaggingClient from "@effect-zookeeper/test-kit/LaggingClient"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as LiveConfig from "../../src/LiveConfig.ts"
import * as SnapshotFile from "../../src/SnapshotFile.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

const port = Config.Port("port")

const makeFile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  return { fs, file: yield* SnapshotFile.make(`${folder}/config.json`) }
}).pipe(Effect.provide(NodeFileSystem.layer))

/** Runs a live configuration until its state is in the file. */
const saveOnce = (zk: ZooKeeper.Service, path: string, file: SnapshotFile.SnapshotFile) =>
  withClient(zk)(LiveConfig.make(port, { path, file })).pipe(
    Effect.andThen(eventually(file.load, Option.isSome)),
    Effect.scoped
  )

describeOnServers("a live configuration with a file", (test) => {
  test("saves each good state, readable for its owner alone", function* ({ zk }) {
    const { file, fs } = yield* makeFile
    yield* plant(zk, { "/mail": "of the root", "/mail/port": "25", "/mail/list/0": "a" })
    assert.deepStrictEqual(yield* file.load, Option.none())
    const live = yield* withClient(zk)(LiveConfig.make(port, { path: "/mail", file }))
    const savedPort = Effect.map(file.load, (saved) =>
      Option.getOrUndefined(Option.map(saved, ({ znodes }) => new TextDecoder().decode(znodes.get("/mail/port")?.data)))
    )
    let saved: string | undefined
    const look = Effect.map(savedPort, (text) => (saved = text))
    yield* eventually(look, (text) => text === "25")
    yield* zk.set("/mail/port", "broken")
    yield* awaitCondition(() => Option.isSome(live.status.problem))
    yield* look
    assert.strictEqual(saved, "25")
    yield* zk.set("/mail/port", "26")
    yield* eventually(look, (text) => text === "26")
    assert.strictEqual((yield* fs.stat(file.file)).mode & 0o777, 0o600)
    const loaded = Option.getOrThrow(yield* file.load)
    assert.deepStrictEqual(loaded.znodes.get("/mail")?.children, ["list", "port"])
    assert.deepStrictEqual(loaded.znodes.get("/mail/list")?.children, ["0"])
  })

  test("begins with the file in an outage, and goes over to the tree", function* ({ breakable, zk }) {
    const { file } = yield* makeFile
    yield* plant(zk, { "/mail/port": "25" })
    yield* saveOnce(zk, "/mail", file)
    yield* zk.set("/mail/port", "26")
    const { link, zk: mine } = yield* breakable()
    yield* link.cut
    const live = yield* withClient(mine)(LiveConfig.make(port, { path: "/mail", file, fileAfter: 50 }))
    assert.strictEqual(live.current, 25)
    assert.deepStrictEqual(live.status, { freshness: "stale", source: "file", problem: Option.none() })
    yield* link.heal
    yield* awaitCondition(() => live.current === 26)
    assert.deepStrictEqual(live.status, { freshness: "live", source: "tree", problem: Option.none() })
  })

  test("shows nothing that is older than its file, on a member that lags behind", function* ({ another, zk }) {
    const { file } = yield* makeFile
    yield* plant(zk, { "/mail/port": "25" })
    const lagging = LaggingClient.make(yield* another(), "/mail/port")
    yield* lagging.zk.sync("/mail/port")
    yield* lagging.stay
    yield* zk.set("/mail/port", "26")
    yield* saveOnce(zk, "/mail", file)
    const live = yield* withClient(lagging.zk)(LiveConfig.make(port, { path: "/mail", file }))
    assert.strictEqual(live.current, 26)
  })

  test("begins with the file when the session has ended for good, and its streams say so", function* (servers) {
    const { another, expire, zk } = servers
    const { file } = yield* makeFile
    yield* plant(zk, { "/mail/port": "25" })
    yield* saveOnce(zk, "/mail", file)
    const mine = yield* another({ sessionExpiry: "fail" })
    yield* expire(mine)
    const live = yield* withClient(mine)(LiveConfig.make(port, { path: "/mail", file }))
    assert.strictEqual(live.current, 25)
    assert.deepInclude(live.status, { freshness: "ended", source: "file" })
    assert.strictEqual((yield* failure(Stream.runDrain(live.changes), "SessionExpired"))._tag, "SessionExpired")
    yield* Stream.runDrain(live.statusChanges)
  })

  test("begins with the file when the tree does not decode", function* ({ zk }) {
    const { file } = yield* makeFile
    yield* plant(zk, { "/mail/port": "25" })
    yield* saveOnce(zk, "/mail", file)
    yield* zk.set("/mail/port", "broken")
    const live = yield* withClient(zk)(LiveConfig.make(port, { path: "/mail", file }))
    assert.strictEqual(live.current, 25)
    assert.strictEqual(live.status.source, "file")
    assert.strictEqual(Option.getOrThrow(live.status.problem)._tag, "ConfigError")
  })

  test("does not begin with a file that is broken, of another tree, or does not decode", function* ({ zk }) {
    const { file, fs } = yield* makeFile
    yield* plant(zk, { "/mail/port": "broken", "/other/port": "25" })
    yield* fs.writeFileString(file.file, '{"format":"a secret')
    const error = yield* failure(file.load, "SnapshotFileError")
    assert.notInclude(error.message, "secret")
    const start = withClient(zk)(failure(LiveConfig.make(port, { path: "/mail", file }), "ConfigError"))
    yield* start
    yield* fs.remove(file.file)
    yield* saveOnce(zk, "/other", file)
    yield* start
  })

  test("goes on when the file cannot be written", function* ({ zk }) {
    yield* plant(zk, { "/mail/port": "25" })
    const file = yield* Effect.provide(SnapshotFile.make("/nowhere/at/all.json"), NodeFileSystem.layer)
    const live = yield* withClient(zk)(LiveConfig.make(port, { path: "/mail", file }))
    yield* zk.set("/mail/port", "26")
    yield* awaitCondition(() => live.current === 26)
  })
})
