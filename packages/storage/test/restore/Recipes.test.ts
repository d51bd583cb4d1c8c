import { ZooKeeper } from "@effect-zookeeper/client"
import { Lock, Queue } from "@effect-zookeeper/recipes"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backup, Restore, TreeSource } from "../../src/index.ts"
import { describeOnServers } from "../support/liveTrees.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (data: Uint8Array) => new TextDecoder().decode(data)

describeOnServers("recipes in a tree that was restored", (it) => {
  it("go on where they were: a queue in its order, a lock, and new sequence numbers", function* ({ file, zk }) {
    yield* zk.create("/app")
    const inTree = Effect.provideService(ZooKeeper.ZooKeeper, zk)
    const queueAt = (path: string) => inTree(Queue.make(path))
    const queue = yield* queueAt("/app/queue")
    for (const item of ["gone", "also gone", "first", "second"]) yield* queue.offer(encode(item))
    yield* queue.take
    yield* queue.take
    // A lock's own parent would be a container, which the servers delete.
    yield* zk.create("/app/lock")
    const lock = yield* inTree(Lock.make("/app/lock"))
    yield* lock.withLock(Effect.void)

    yield* Backup.make(zk, file("app.ndjson.gz"), { path: "/app" })
    yield* Restore.run(yield* TreeSource.backup(file("app.ndjson.gz")), zk, { path: "/copy" })
    const copy = yield* queueAt("/copy/queue")
    yield* copy.offer(encode("third"))
    const taken = [yield* copy.take, yield* copy.take, yield* copy.take]
    assert.deepStrictEqual(taken.map(decode), ["first", "second", "third"])
    const copiedLock = yield* inTree(Lock.make("/copy/lock"))
    assert.strictEqual(yield* copiedLock.withLock(Effect.succeed("held")), "held")
    const next = yield* zk.create("/copy/lock/n-", { mode: "persistentSequential" })
    assert.isAtLeast(Number(next.slice(-10)), 2)
  })
})
