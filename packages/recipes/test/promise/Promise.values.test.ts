import { assert, describe } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { recipes } from "../../src/Promise.ts"
import { rejection, itConnected } from "../support/promises.ts"

describe("counters, values and ids, as Promises", () => {
  itConnected("counts, and shows the values before and after", async (zk) => {
    const counter = recipes(zk).counter("/counters/visits", { layout: "exact" })
    assert.strictEqual(await counter.get(), 0n)
    const [first, second] = await Promise.all([counter.increment(), counter.add(2n)])
    assert.deepStrictEqual([first.pre, first.post, second.pre, second.post], [0n, 1n, 1n, 3n])
    assert.isTrue((await counter.compareAndSet(3n, 5n)).applied)
    assert.isFalse((await counter.compareAndSet(3n, 6n)).applied)
    assert.strictEqual((await counter.update((n) => n * 2n)).post, 10n)
    await counter.set(2n ** 63n - 1n)
    assert.propertyVal(await rejection(counter.increment()), "_tag", "OutOfRange")
    const float = recipes(zk).counterFloat("/counters/load")
    assert.strictEqual((await float.add(1.5)).post, 1.5)
    assert.throws(() => recipes(zk).counter("visits"), /path/)
  })

  itConnected("gives a value as it was set, an Option too, and shows its changes", async (zk) => {
    const value = recipes(zk).atomicValue("/value", {
      schema: Schema.Option(Schema.Int),
      initial: Option.none()
    })
    assert.isTrue(Option.isNone(await value.get()))
    const seen: Array<Option.Option<number>> = []
    const watching = (async () => {
      for await (const { value: current } of value.changes) {
        seen.push(current)
        if (Option.isSome(current) && current.value === 2) return
      }
    })()
    const { pre, post } = await value.set(Option.some(1))
    assert.deepStrictEqual([pre, post], [Option.none(), Option.some(1)])
    const versioned = await value.getVersioned()
    assert.deepStrictEqual(versioned.value, Option.some(1))
    assert.isTrue((await value.compareAndSet(versioned, Option.some(2))).applied)
    assert.isFalse((await value.compareAndSet(versioned, Option.some(3))).applied)
    await watching
    assert.deepStrictEqual(seen.at(-1), Option.some(2))
    await value.update(Option.map((n) => n + 1))
    assert.deepStrictEqual(await value.get(), Option.some(3))
    const bytes = recipes(zk).atomicValue("/bytes")
    await bytes.set(new Uint8Array([7]))
    assert.deepStrictEqual(Array.from(await bytes.get()), [7])
  })

  itConnected("gives ids out of blocks, and in order", async (zk) => {
    const ids = recipes(zk).idGenerator("/ids", { blockSize: 10 })
    assert.deepStrictEqual(await Promise.all([ids.next(), ids.next(), ids.next()]), [1n, 2n, 3n])
    const ordered = recipes(zk).idGeneratorOrdered("/ordered")
    const first = await ordered.next()
    assert.isTrue((await ordered.next()) > first)
  })
})
