import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as IdGenerator from "../../src/IdGenerator.ts"
import { withClient, describeOnServers, failure, text, atOnce } from "../support/targets.ts"

describeOnServers("a generator of ids", (it) => {
  it.inChroot("gives each id once, to simultaneous calls in several processes", function* ({ another, zk }) {
    const generators = yield* Effect.forEach([1, 2, 3], () =>
      Effect.flatMap(another(), (zk) => withClient(zk)(IdGenerator.make("/ids", { blockSize: 7 })))
    )
    const given = yield* atOnce(generators.map(({ next }) => atOnce(Array.from({ length: 50 }, () => next))))
    assert.strictEqual(new Set(given.flat()).size, 150)
    // A generator's own only grow.
    for (const ids of given) {
      assert.deepStrictEqual(
        ids,
        ids.toSorted((a, b) => (a < b ? -1 : 1))
      )
    }
    // Eight blocks for each, and none is asked for twice.
    assert.strictEqual((yield* zk.get("/ids")).stat.version, 3 * 8 - 1)
  })

  it.inChroot("asks the server once for a block, and begins at the given number", function* ({ zk }) {
    let writes = 0
    const counting = {
      ...zk,
      create: (...args: Parameters<typeof zk.create>) => Effect.suspend(() => (writes++, zk.create(...args))),
      setData: (...args: Parameters<typeof zk.setData>) => Effect.suspend(() => (writes++, zk.setData(...args)))
    }
    const { next } = yield* withClient(counting)(IdGenerator.make("/ids", { blockSize: 10, initial: 1000n }))
    const ids = yield* Effect.all(Array.from({ length: 25 }, () => next))
    assert.deepStrictEqual(
      ids,
      Array.from({ length: 25 }, (_, n) => BigInt(1000 + n))
    )
    assert.strictEqual(writes, 3)
    assert.match(text(yield* zk.getData("/ids")), /^1030\n/)
  })

  it.inChroot("repeats no id when replies are lost, and skips at most a block", function* ({ breakable }) {
    const { link, zk } = yield* breakable()
    const { next } = yield* withClient(zk)(IdGenerator.make("/ids", { blockSize: 2 }))
    const ids: Array<bigint> = []
    for (const lose of [link.loseReply, link.loseRequest, link.loseReply]) {
      yield* lose(Operations.setData)
      for (let n = 0; n < 4; n++) ids.push(yield* next)
    }
    assert.strictEqual(new Set(ids).size, 12)
    assert.isAtMost(Number(ids[11]), 12 + 3 * 2)
  })

  it.inChroot("gives ids in the order of the calls, over all processes", function* ({ another, breakable }) {
    const { link, zk } = yield* breakable()
    const mine = yield* withClient(zk)(IdGenerator.makeOrdered("/ids/ordered"))
    const theirs = yield* withClient(yield* another())(IdGenerator.makeOrdered("/ids/ordered"))
    let last = 0n
    for (let n = 0; n < 6; n++) {
      if (n === 2) yield* link.loseReply(Operations.setData)
      for (const { next } of [mine, theirs]) {
        const id = yield* next
        assert.isTrue(id > last)
        last = id
      }
    }
    const many = yield* atOnce(Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? mine : theirs).next))
    assert.strictEqual(new Set(many).size, 50)
  })

  it.inChroot("refuses invalid options", function* ({ zk }) {
    yield* failure(withClient(zk)(IdGenerator.make("/ids", { blockSize: 0 })), "InvalidArgument")
    yield* failure(withClient(zk)(IdGenerator.make("ids")), "InvalidArgument")
    const { next } = yield* withClient(zk)(IdGenerator.make("/ids", { blockSize: 2, initial: 2n ** 63n - 3n }))
    assert.strictEqual(yield* next, 2n ** 63n - 3n)
    assert.strictEqual(yield* next, 2n ** 63n - 2n)
    yield* failure(next, "OutOfRange")
  })
})
