/** Starts of a process while no server runs. */
import * as PromiseClient from "@effect-zookeeper/client/PromiseClient"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { awaitCondition, eventually, failure, now, text } from "@effect-zookeeper/test-kit/Expectations"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Fs from "node:fs/promises"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { configuration, snapshotFile } from "../../src/Promise.ts"
import * as SnapshotFile from "../../src/SnapshotFile.ts"
import { plant, withClient } from "../support/targets.ts"

const port = Config.Port("port")

/** A server that is stopped, and the file of an earlier process, whose value was 25; the tree has 26. */
const given = Effect.gen(function* () {
  const server = yield* EmbeddedServer.EmbeddedServer
  const fs = yield* FileSystem.FileSystem
  const file = yield* SnapshotFile.make(`${yield* fs.makeTempDirectoryScoped()}/config.json`)
  const zk = yield* clientOf(ZooKeeper.layer({ servers: server.connectString }))
  yield* plant(zk, { "/mail/port": "25" })
  yield* withClient(zk)(LiveConfig.make(port, { path: "/mail", file })).pipe(
    Effect.andThen(eventually(file.load, Option.isSome)),
    Effect.scoped
  )
  yield* zk.set("/mail/port", "26")
  yield* server.stop()
  return { file, server }
})

const itStopped = testOn(it.live, Layer.merge(EmbeddedServer.layer(), NodeFileSystem.layer), given)

const fromFile = { freshness: "stale", source: "file", problem: Option.none() } as const
const fromTree = { freshness: "live", source: "tree", problem: Option.none() } as const

describe("a live configuration whose process starts without ZooKeeper", () => {
  itStopped("begins with its file, and goes over to the tree when a server comes", function* ({ file, server }) {
    const zk = yield* clientOf(ZooKeeper.layer({ servers: server.connectString, firstConnection: "background" }))
    const live = yield* withClient(zk)(LiveConfig.make(port, { path: "/mail", file, fileAfter: 50 }))
    assert.deepStrictEqual([live.current, live.status], [25, fromFile])
    yield* server.start()
    yield* awaitCondition(() => live.current === 26)
    assert.deepStrictEqual(live.status, fromTree)
  })

  itStopped("does so with Promises", function* ({ file, server }) {
    const connected = Effect.promise(() =>
      PromiseClient.connect(server.connectString, { firstConnection: "background" })
    )
    const zk = yield* Effect.acquireRelease(connected, (client) => Effect.promise(() => client.close()))
    assert.strictEqual(zk.session.state._tag, "Connecting")
    const options = { path: "/mail", file: snapshotFile(file.file), fileAfter: 50 }
    const live = yield* Effect.promise(() => configuration(zk).live(port, options))
    assert.deepStrictEqual([live.current, live.status.source], [25, "file"])
    yield* server.start()
    yield* awaitCondition(() => live.current === 26)
    assert.strictEqual(live.status.source, "tree")
    // The new state is in the file, which both faces read.
    const saved = Effect.map(
      file.load,
      Option.map(({ znodes }) => text(znodes.get("/mail/port")!.data))
    )
    yield* eventually(saved, (value) => Option.getOrUndefined(value) === "26")
    const { mode } = yield* Effect.promise(() => Fs.stat(file.file))
    assert.strictEqual(mode & 0o777, 0o600)
  })
})

describe("a file of the Promise face", () => {
  itStopped("tells what is not there from what is broken, and quotes nothing of it", function* ({ file }) {
    assert.deepStrictEqual(yield* snapshotFile(`${file.file}.none`).load, Option.none())
    yield* Effect.promise(() => Fs.writeFile(file.file, '{"format":"a secret'))
    const error = yield* failure(snapshotFile(file.file).load, "SnapshotFileError")
    assert.notInclude(error.message, "secret")
    const snapshot = { path: "/mail", znodes: new Map(), zxid: 0n }
    yield* failure(snapshotFile("/nowhere/at/all.json").save(snapshot), "SnapshotFileError")
  })

  itStopped("is whole when the fiber that saves it has been interrupted", function* ({ file }) {
    const data = new Uint8Array(4_000_000)
    const znode = { data, czxid: 1n, mzxid: 1n, pzxid: 1n, cversion: 0, children: [] }
    const snapshot = { path: "/mail", znodes: new Map([["/mail", znode]]), zxid: 1n }
    const saving = yield* Effect.forkChild(snapshotFile(file.file).save(snapshot), now)
    yield* Effect.yieldNow
    yield* Fiber.interrupt(saving)
    assert.strictEqual(Option.getOrUndefined(yield* file.load)?.znodes.get("/mail")?.data.length, data.length)
  })
})
