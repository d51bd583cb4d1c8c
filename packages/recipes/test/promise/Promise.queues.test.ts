import { assert, describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { recipes } from "../../src/Promise.ts"
import { connectFresh, rejection, itConnected } from "../support/promises.ts"

describe("queues, as Promises", () => {
  itConnected("gives items as they were put in, in order, and undefined for none", async (zk) => {
    const queue = recipes(zk).queue("/queue", { schema: Schema.Option(Schema.Int) })
    assert.isUndefined(await queue.poll())
    assert.isUndefined(await queue.peek())
    const taking = queue.take()
    await queue.offer(Option.some(1))
    assert.deepStrictEqual(await taking, Option.some(1))
    await queue.offerAll([Option.some(2), Option.none()])
    assert.deepStrictEqual(await queue.peek(), Option.some(2))
    assert.strictEqual(await queue.size(), 2)
    assert.deepStrictEqual([await queue.take(), await queue.poll()], [Option.some(2), Option.none()])
    const abort = new AbortController()
    const waiting = queue.take({ signal: abort.signal })
    abort.abort(new Error("enough"))
    assert.propertyVal(await rejection(waiting), "message", "enough")
    assert.throws(() => recipes(zk).queue("queue"), /path/)
  })

  itConnected("moves an item that was taken as often as it may be to the dead letters", async (zk) => {
    const queue = recipes(zk).queue("/queue", { schema: Schema.Int, maxAttempts: 2, deadLetterPath: "/dead" })
    await queue.offerAll([1, 2])
    for (const attempt of [1, 2]) {
      await using taken = await queue.takeWithLock()
      assert.deepStrictEqual([taken.item, taken.attempt], [1, attempt])
    }
    assert.strictEqual(await queue.consumeOne(({ item }) => item), 2)
    assert.strictEqual(await recipes(zk).queue("/dead", { schema: Schema.Int }).poll(), 1)
  })

  it("leaves nothing behind when a queue is made for each call, of one path or of many, or on a view of the client", async () => {
    await using zk = await connectFresh("queue")
    for (let n = 0; n < 40; n++) {
      await recipes(zk)
        .queue("/queue")
        .offer(new Uint8Array([n]))
      await recipes(zk).queue("/queue").take()
      await recipes(zk).priorityQueue("/queue").poll()
    }
    assert.lengthOf(await zk.getChildren("/queue-clients"), 1)
    for (let n = 0; n < 40; n++)
      await recipes(zk)
        .queue(`/queues/${n}`)
        .offer(new Uint8Array([n]))
    // Those of places that are used no more go, in the background.
    await expect.poll(async () => (await zk.getEphemerals("/")).length, { timeout: 10_000 }).toBe(16)
    for (let n = 0; n < 40; n++) {
      const tenant = await zk.withChroot(`/tenants/${n % 2}`)
      await recipes(tenant)
        .queue("/queue")
        .offer(new Uint8Array([n]))
    }
    await expect.poll(async () => (await zk.getEphemerals("/")).length, { timeout: 10_000 }).toBe(16)
  })

  itConnected("keeps an item that is worked on until it is done, and gives it back otherwise", async (zk) => {
    const queue = recipes(zk).queue("/queue", { schema: Schema.Option(Schema.Int) })
    await queue.offerAll([Option.some(1), Option.some(2)])
    {
      await using taken = await queue.takeWithLock()
      assert.deepStrictEqual(taken.item, Option.some(1))
      assert.strictEqual(taken.path, "/queue/queue-0000000000")
      assert.strictEqual(await queue.size(), 2)
    }
    const failed = new Error("failed")
    const error = await rejection(
      queue.consumeOne(({ item }) => {
        assert.deepStrictEqual(item, Option.some(1))
        throw failed
      })
    )
    assert.strictEqual(error, failed)
    assert.strictEqual(await queue.consumeOne(async ({ item }) => Option.getOrThrow(item)), 1)
    {
      await using taken = await queue.takeWithLock()
      await taken.ack()
    }
    assert.strictEqual(await queue.size(), 0)
  })

  it("consumes until its call is aborted, and then waits for the handler, whose signal is aborted", async () => {
    await using zk = await connectFresh("queue")
    const queue = recipes(zk).queue("/queue", { schema: Schema.Int })
    await queue.offerAll([1, 2, 3])
    const seen: Array<number> = []
    const abort = new AbortController()
    let hasStopped = false
    const consuming = queue.consume(
      async ({ item, signal }) => {
        seen.push(item)
        if (item < 3) return
        const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
        abort.abort(new Error("enough"))
        await stopped
        hasStopped = true
      },
      { signal: abort.signal }
    )
    assert.propertyVal(await rejection(consuming), "message", "enough")
    while (!hasStopped) await new Promise((resolve) => setImmediate(resolve))
    assert.deepStrictEqual(seen, [1, 2, 3])
    assert.strictEqual(await queue.size(), 1)
    assert.strictEqual(await queue.consumeOne(({ item }) => item), 3)
  })

  itConnected("lets urgent items overtake", async (zk) => {
    const queue = recipes(zk).priorityQueue("/queue", { schema: Schema.String })
    await queue.offer("usual")
    await queue.offer("urgent", 1)
    await queue.offerAll(["late 1", "late 2"], 500)
    const taken = [await queue.take(), await queue.take(), await queue.take(), await queue.take()]
    assert.deepStrictEqual(taken, ["urgent", "usual", "late 1", "late 2"])
    assert.propertyVal(await rejection(queue.offer("never", 1_000)), "_tag", "InvalidArgument")
  })
})
