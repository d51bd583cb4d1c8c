/** Locks, read-write locks and semaphores as Promises, on the real server. */
import { Op, PromiseClient } from "@effect-zookeeper/client"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LockLost, LockTimeout, PermitsMismatch } from "../../src/Errors.ts"
import { type PromiseLock, recipes } from "../../src/Promise.ts"
import { freshRoot, rejection } from "../support/promises.ts"

interface Clients {
  readonly zk: PromiseClient.PromiseClient
  readonly other: PromiseClient.PromiseClient
}

/** Tests with two clients that have a fresh root in common. */
const itWithClients = (name: string, steps: (clients: Clients) => Promise<void>): void =>
  it(name, async () => {
    const connectString = await freshRoot("promise-locks")
    await using zk = await PromiseClient.connect(connectString)
    await using other = await PromiseClient.connect(connectString)
    await steps({ zk, other })
  })

const until = (predicate: () => Promise<boolean> | boolean): Promise<boolean> =>
  vi.waitUntil(predicate, { interval: 5, timeout: 15_000 })

const pause = (milliseconds: number): Promise<void> => Effect.runPromise(Effect.sleep(milliseconds))

const childrenOf = (zk: PromiseClient.PromiseClient, path: string) => zk.getChildren(path).catch(() => [])

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))

describe("a lock, as Promises", () => {
  itWithClients("holds several locks at once, whichever order they are given in", async ({ zk }) => {
    const [a, b] = [recipes(zk).lock("/a"), recipes(zk).lock("/b")]
    let inside = 0
    const both = (locks: ReadonlyArray<PromiseLock>) =>
      recipes(zk).withLocks(locks, async ({ signal }) => {
        signal.throwIfAborted()
        assert.strictEqual(++inside, 1)
        assert.isAtLeast((await a.contenders()).length, 1)
        inside--
        return "done"
      })
    assert.deepStrictEqual(await Promise.all([both([a, b]), both([b, a])]), ["done", "done"])
    const other = { ...a } satisfies PromiseLock
    assert.propertyVal(await rejection(both([other])), "argument", "locks")
  })

  itWithClients("is given at once, and throws for an invalid path", async ({ zk }) => {
    assert.throws(() => recipes(zk).lock("no path"), /path/)
    assert.strictEqual(recipes(zk).lock("/lock").path, "/lock")
  })

  itWithClients("runs a callback while it is held, with the hold and a signal", async ({ other, zk }) => {
    const lock = recipes(zk).lock("/lock", { identifier: "me" })
    const theirs = recipes(other).lock("/lock")
    const answer = await lock.withLock(async ({ fencingToken, path, signal, transaction }) => {
      assert.isFalse(signal.aborted)
      assert.strictEqual((await zk.stat(path))?.czxid, fencingToken)
      assertEach(await theirs.contenders(), ({ identifier }) => new TextDecoder().decode(identifier), ["me"])
      assert.deepStrictEqual(await transaction([Op.create("/made")]), ["/made"])
      const busy = await rejection(theirs.withLock(() => assert.fail("held"), { timeout: 0 }))
      assert.instanceOf(busy, LockTimeout)
      return "done"
    })
    assert.strictEqual(answer, "done")
    assert.strictEqual(await theirs.withLock(() => "plain values too"), "plain values too")
    assert.isEmpty(await childrenOf(zk, "/lock"))
  })

  itWithClients("rejects with the very error that the callback throws", async ({ zk }) => {
    const lock = recipes(zk).lock("/lock")
    const mistake = new Error("mistake")
    assert.strictEqual(await rejection(lock.withLock(() => Promise.reject(mistake))), mistake)
    assert.strictEqual(
      await rejection(
        lock.withLock(() => {
          throw mistake
        })
      ),
      mistake
    )
    assert.isEmpty(await childrenOf(zk, "/lock"))
  })

  itWithClients(
    "aborts the signal when it is lost, and rejects when the callback has settled",
    async ({ other, zk }) => {
      const lock = recipes(zk).lock("/lock")
      let settled = false
      let late: unknown
      const lost = await rejection(
        lock.withLock(async ({ path, signal, transaction }) => {
          await other.delete(path)
          await until(() => signal.aborted)
          await pause(20)
          late = await rejection(transaction([Op.create("/late")]))
          settled = true
        })
      )
      assert.instanceOf(lost, LockLost)
      assert.strictEqual(lost.reason, "deleted")
      assert.isTrue(settled)
      assert.instanceOf(late, LockLost)
      assert.isFalse(await zk.exists("/late"))
    }
  )

  itWithClients("is not waited for any more by a call that is aborted, and leaves no znode", async ({ other, zk }) => {
    await using held = await recipes(zk).lock("/lock").acquire()
    const theirs = recipes(other).lock("/lock")
    const controller = new AbortController()
    const waiting = [
      rejection(theirs.withLock(() => assert.fail("held"), undefined, { signal: controller.signal })),
      rejection(theirs.acquire({}, { signal: controller.signal }))
    ]
    await until(async () => (await zk.getChildren("/lock")).length === 3)
    const reason = new Error("enough")
    controller.abort(reason)
    assert.deepStrictEqual(await Promise.all(waiting), [reason, reason])
    await until(async () => (await zk.getChildren("/lock")).length === 1)
    assert.isTrue(await zk.exists(held.path))
  })

  itWithClients("aborts the callback's signal when the call is aborted", async ({ zk }) => {
    const lock = recipes(zk).lock("/lock")
    const controller = new AbortController()
    let aborted = false
    const call = rejection(
      lock.withLock(
        async ({ signal }) => {
          controller.abort(new Error("enough"))
          await never(signal).catch(() => (aborted = true))
        },
        {},
        { signal: controller.signal }
      )
    )
    assert.propertyVal(await call, "message", "enough")
    assert.isTrue(aborted)
    await until(async () => (await childrenOf(zk, "/lock")).length === 0)
  })

  itWithClients("is released by `release`, by `await using` and by closing the client", async ({ other, zk }) => {
    const lock = recipes(zk).lock("/lock")
    const first = await lock.acquire()
    await first.release()
    await first.release()
    assert.propertyVal(await rejection(first.transaction([])), "reason", "released")
    {
      await using second = await lock.acquire({ timeout: 0 })
      assert.isTrue(second.fencingToken > first.fencingToken)
    }
    await lock.acquire({ timeout: 0 })
    await zk.close()
    await recipes(other)
      .lock("/lock")
      .withLock(() => {}, { timeout: "10 seconds" })
  })

  itWithClients("is free after a call that was aborted, whenever that was", async ({ other, zk }) => {
    const lock = recipes(zk).lock("/lock")
    for (let round = 0; round < 30; round++) {
      const controller = new AbortController()
      const acquiring = lock.acquire({}, { signal: controller.signal }).then(
        ({ release }) => release(),
        () => {}
      )
      if (round < 10) for (let turn = 0; turn < round; turn++) await Promise.resolve()
      else await pause((round - 10) * 0.4)
      controller.abort()
      await acquiring
      await recipes(other)
        .lock("/lock")
        .withLock(() => {}, { timeout: "15 seconds" })
    }
    await until(async () => (await childrenOf(other, "/lock")).length === 0)
  })
})

describe("a read-write lock, as Promises", () => {
  itWithClients("is read by many, written by one, and downgraded with the hold", async ({ other, zk }) => {
    const mine = recipes(zk).readWriteLock("/rw")
    const theirs = recipes(other).readWriteLock("/rw")
    await mine.read.withLock(async () => {
      await theirs.read.withLock(async () => {
        assertEach(await mine.contenders(), ({ kind }) => kind, ["read", "read"])
        assert.instanceOf(await rejection(theirs.write.acquire({ timeout: 50 })), LockTimeout)
      })
    })
    const writing = await mine.write.acquire()
    const waiting = theirs.write.withLock(() => "written")
    await until(async () => (await mine.contenders()).length === 2)
    const reading = await mine.read.acquire({ downgrade: writing })
    await writing.release()
    assertEach(await mine.contenders(), ({ kind }) => kind, ["read", "write"])
    await reading.release()
    assert.strictEqual(await waiting, "written")
    const left = await mine.write.withLock((held) => mine.read.acquire({ downgrade: held }))
    assert.instanceOf(await rejection(theirs.write.acquire({ timeout: 0 })), LockTimeout)
    await left.release()
    await theirs.write.withLock(({ signal }) => assert.isFalse(signal.aborted), { timeout: 0 })
    assert.throws(() => recipes(zk).readWriteLock("/"), /path/)
  })
})

describe("a semaphore, as Promises", () => {
  itWithClients("gives permits one by one and several at once", async ({ other, zk }) => {
    const mine = recipes(zk).semaphore("/semaphore", { permits: 3, identifier: "me" })
    const theirs = recipes(other).semaphore("/semaphore", { permits: 3 })
    assert.strictEqual(await mine.available(), 3)
    const answer = await mine.withPermits(2, async ({ permits, signal }) => {
      assert.lengthOf(permits, 2)
      assert.isFalse(signal.aborted)
      await permits[1]!.transaction([Op.create("/made")])
      assert.strictEqual(await theirs.available(), 1)
      assert.instanceOf(await rejection(theirs.acquireMany(2, { timeout: 0 })), LockTimeout)
      return theirs.withPermit(({ fencingToken }) => fencingToken > permits[1]!.fencingToken)
    })
    assert.isTrue(answer)
    {
      await using both = await mine.acquireMany(2)
      assert.lengthOf(both.permits, 2)
      await using one = await theirs.acquire({ timeout: "10 seconds" })
      assert.lengthOf(await mine.holders(), 3)
      assert.isTrue(await zk.exists(one.path))
      const four = recipes(other).semaphore("/semaphore", { permits: 4 })
      assert.instanceOf(await rejection(four.withPermit(() => {})), PermitsMismatch)
    }
    assert.strictEqual(await theirs.available(), 3)
    assert.throws(() => recipes(zk).semaphore("/semaphore", { permits: 0 }), /permits/)
  })

  itWithClients("aborts the signal when one of several permits is lost", async ({ other, zk }) => {
    const semaphore = recipes(zk).semaphore("/semaphore", { permits: 2 })
    const lost = await rejection(
      semaphore.withPermits(2, async ({ permits, signal }) => {
        await other.delete(permits[0]!.path)
        await until(() => signal.aborted)
      })
    )
    assert.instanceOf(lost, LockLost)
    await until(async () => (await childrenOf(zk, "/semaphore/leases")).length === 0)
  })
})
