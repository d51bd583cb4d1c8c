/** The memory that a backup and a restore take over the wire, while they go on. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { MiB, retainedBytes } from "@effect-zookeeper/test-kit/MemoryUse"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backup, type OnProgress, Restore, TreeSource } from "../../src/index.ts"
import { withFiles } from "../support/files.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** 30 MB of data, or 150. It is no text, so that a backup has it in a longer form. */
const SIZE = 150_000
const count = isLong ? 1000 : 200

/** The same for any amount of data: what is in memory are those that are asked for or written at a time, in all their forms. */
const ALLOWED = 16 * MiB
const concurrency = 4

/** The most memory that is kept at some moments of a work, beyond that before it. */
const mostKept = <A, E, R>(work: (onProgress: OnProgress) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = retainedBytes()
    let [most, told] = [0, 0]
    yield* work(() => {
      if (told++ % (count / 10) === 0) most = Math.max(most, retainedBytes() - before)
    })
    assert.isAbove(told, 20)
    return most
  })

describe("a tree with much data", () => {
  it.live(
    "is backed up and restored in memory that does not grow with it",
    () =>
      Effect.gen(function* () {
        // It has the tree and its copy, and keeps the last requests.
        const { connectString } = yield* ZooKeeperServer.make({ heapMegabytes: 512 })
        const zk = yield* clientOf(ZooKeeper.layer({ servers: connectString }))
        const file = `${yield* TemporaryFolder.make("memory-")}/app.ndjson`
        yield* zk.create("/app")
        for (let index = 0; index < count; index++) {
          yield* zk.create(`/app/${index}`, { data: new Uint8Array(SIZE).fill(200 + (index % 50)) })
        }
        const backup = yield* mostKept((onProgress) => Backup.make(zk, file, { path: "/app", concurrency, onProgress }))
        const source = yield* TreeSource.backup(file)
        const restore = yield* mostKept((onProgress) =>
          Restore.run(source, zk, { path: "/copy", concurrency, onProgress })
        )
        // This one reads the data of the copy, too.
        const again = yield* mostKept((onProgress) =>
          Restore.run(source, zk, { path: "/copy", concurrency, onProgress })
        )
        yield* Effect.log({ backup, restore, again })
        assert.isBelow(backup, ALLOWED)
        assert.isBelow(restore, ALLOWED)
        assert.isBelow(again, ALLOWED)
        assert.isAbove(count * SIZE, 1.5 * ALLOWED)
      }).pipe(Effect.scoped, withFiles),
    isLong ? 600_000 : 90_000
  )
})
