import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe } from "@effect/vitest"
import { Snowflake } from "../../src/index.ts"
import { recipes } from "../../src/Promise.ts"
import { itConnected, rejection } from "../support/promises.ts"

const decode = (data: Uint8Array | undefined) => new TextDecoder().decode(data)

describe("transactions, as Promises", () => {
  itConnected("read and write, and run again when another client has written in between", async (zk) => {
    await zk.create("/a", { data: "1" })
    await zk.create("/b", { data: "1" })
    const stm = recipes(zk).stm("/stm")
    let runs = 0
    const sum = await stm.atomically(async (tx) => {
      runs++
      const a = Number(decode(await tx.get("/a")))
      if (runs === 1) await zk.set("/a", "5")
      // Rejects in the first run.
      const b = Number(decode(await tx.get("/b")))
      await tx.set("/b", String(a + b))
      await tx.create("/c")
      return a + b
    })
    assert.deepStrictEqual([sum, runs], [6, 2])
    assert.strictEqual(decode(await zk.getData("/b")), "6")
    assert.propertyVal(await rejection(stm.atomically((tx) => tx.create("/c"))), "_tag", "NodeExists")
    await rejection(
      stm.atomically(async (tx) => {
        await tx.delete("/c")
        throw new Error("own")
      })
    )
    assert.isTrue(await zk.exists("/c"))
  })

  itConnected("wait for a change, and stop waiting when the call is aborted", async (zk) => {
    const stm = recipes(zk).stm("/stm")
    const waiting = stm.atomically(async (tx) => (await tx.get("/inbox")) ?? tx.retry())
    await zk.create("/inbox", { data: "letter" })
    assert.strictEqual(decode(await waiting), "letter")
    const stop = new AbortController()
    const given = stm.atomically((tx) => tx.retry(), { signal: stop.signal })
    stop.abort()
    await rejection(given)
  })
})

describe("numbers of workers and their ids, as Promises", () => {
  itConnected("are taken and given back", async (zk) => {
    const workers = recipes(zk).workerIds("/workers", { limit: 2, identifier: "host" })
    assert.strictEqual(workers.limit, 2)
    const first = await workers.acquire()
    assert.strictEqual(first.id, 0)
    assert.isTrue(first.fencingToken > 0n)
    const inside = await workers.withWorkerId(async ({ id, signal }) => {
      signal.throwIfAborted()
      assert.propertyVal(await rejection(workers.acquire({ timeout: 0 })), "_tag", "LockTimeout")
      assertEach(await workers.holders(), (holder) => [holder.id, decode(holder.identifier)], [
        [0, "host"],
        [1, "host"]
      ])
      return id
    })
    assert.strictEqual(inside, 1)
    await first.release()
    assert.deepStrictEqual(await workers.holders(), [])
  })

  itConnected("make ids that grow", async (zk) => {
    const ids = recipes(zk).snowflake("/ids")
    assert.isUndefined(await ids.workerId())
    const [one, two] = [await ids.next(), await ids.next()]
    assert.isTrue(one < two)
    assert.strictEqual(Snowflake.decode(two).workerId, await ids.workerId())
  })
})

describe("revocation, as Promises", () => {
  itConnected("is asked for by one call, and heard by another", async (zk) => {
    const { lock, readWriteLock, semaphore } = recipes(zk)
    const mine = lock("/lock")
    await using held = await mine.acquire()
    const heard = held.revocation()
    assert.strictEqual(await lock("/lock").revoke(), 1)
    await heard
    const stopping = lock("/other", { onRevoke: "stop" })
    const lost = stopping.withLock(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")))
          void stopping.revoke()
        })
    )
    assert.deepInclude(await rejection(lost), { _tag: "LockLost", reason: "revoked" })
    assert.strictEqual(await readWriteLock("/rw").revoke(), 0)
    assert.strictEqual(await semaphore("/permits", { permits: 1 }).revoke(), 0)
  })
})
