import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { connectTo } from "@effect-zookeeper/test-kit/conformance/Target"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { parseContenders, lockKind, nodeName, readKind, writeKind } from "../../src/internal/locks/nodeNames.ts"
import * as Lock from "../../src/Lock.ts"
import { assertEach, withClient, eventually } from "../support/targets.ts"

const layouts: ReadonlyArray<Lock.Layout> = ["curator", "go", "kazoo", "aiozk"]
const id = "9f2b61c4-5c1e-4d0a-8f3e-0c7a5b1d2e4f"
const hex = "9f2b61c45c1e4d0a8f3e0c7a5b1d2e4f"

const sequences = (names: ReadonlyArray<string>) => parseContenders(names, { lock: lockKind }).map((c) => c.sequence)

const permutations = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.length === 0
    ? [[]]
    : all.flatMap((a, index) => permutations(all.toSpliced(index, 1)).map((rest) => [a].concat(rest)))

describe("the names of contenders", () => {
  it("are those of each client", () => {
    assert.strictEqual(nodeName("curator", lockKind, id), `_c_${id}-lock-`)
    assert.strictEqual(nodeName("go", lockKind, id), `_c_${hex}-lock-`)
    assert.strictEqual(nodeName("kazoo", lockKind, id), `${hex}__lock__`)
    assert.strictEqual(nodeName("aiozk", lockKind, id), `lock-${hex}-`)
    assert.strictEqual(nodeName("curator", readKind, id), `_c_${id}-__READ__`)
    assert.strictEqual(nodeName("curator", writeKind, id), `_c_${id}-__WRIT__`)
  })

  it("are understood in each layout, for every number that a counter has (aiozk and kazoo misread some: R3)", () => {
    for (const layout of layouts) {
      for (const n of [0, 7, 999_999_999, 2147483646, 2147483647, -2147483648, -1_000_000_000, -999_999_999, -10, -1]) {
        const name = nodeName(layout, lockKind, id) + ZnodePath.formatSequence(n)
        assert.deepStrictEqual(parseContenders([name], { lock: lockKind }), [{ name, kind: "lock", sequence: n }])
      }
    }
  })

  it("are no others", () => {
    const others = [
      "lock",
      "lock-",
      "lock-1",
      "lock-00000000001",
      `${hex}__lock__`,
      `lock-${hex}-1`,
      `read-${hex}-0000000001`
    ]
    assert.deepStrictEqual(sequences([...others, "_c_-latch-0000000001", "0000000001", "lock-x0000000001"]), [])
  })

  it("are in the order of arrival, past the end of the counter, whatever the order of the list", () => {
    const runs = [
      [2147483645, 2147483646, 2147483647, -2147483648, -2147483647],
      [-2, -1, 0, 1],
      [-2147483648, -1],
      [0, 2147483646],
      [5, 6, 100]
    ]
    for (const run of runs) {
      for (const order of permutations(run)) {
        const names = order.map((n, at) => nodeName(layouts[at % 4]!, lockKind, id) + ZnodePath.formatSequence(n))
        assert.deepStrictEqual(sequences(names), run)
      }
    }
  })

  it("have one order even when they are further apart than that order reaches", () => {
    const all = [2147483646, 2147483647, -2147483648, -1, 0]
    const seen = new Set(
      permutations(all).map((order) => sequences(order.map((n) => `lock-${ZnodePath.formatSequence(n)}`)).join())
    )
    assert.strictEqual(seen.size, 1)
    const order = [...seen][0]!.split(",").map(Number)
    for (let index = 1; index < order.length; index++) {
      assert.strictEqual(ZnodePath.compareSequence(order[index - 1]!, order[index]!), -1)
    }
  })

  it.effect.prop(
    "are in the order of their creation, wherever the counter is",
    [
      Schema.Int.check(Schema.isInt32()),
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))).check(Schema.isMaxLength(8))
    ],
    ([start, steps]) =>
      Effect.sync(() => {
        let number = start
        const made = [start, ...steps.map((step) => (number = (number + step) | 0))]
        const names = made.map((n) => `_c_${id}-lock-${ZnodePath.formatSequence(n)}`)
        assert.deepStrictEqual(sequences(names.toReversed()), made)
      })
  )
})

layer(EmbeddedServer.layerMemory, { excludeTestServices: true })("a path that clients of all languages share", (it) => {
  // A real server's counter stands still at its end: the numbers of the first run are ...646, ...647, ...647 and so on.
  for (const start of [2147483646, -2, 0]) {
    it.effect(`goes round in the order of arrival, one at a time, from ${start} on`, () =>
      Effect.gen(function* () {
        const server = yield* EmbeddedServer.EmbeddedServer
        const transport = yield* Transport
        const zk = yield* connectTo({ servers: server.connectString, transport })
        const path = `/shared${start}`
        yield* zk.create(path)
        assert.isTrue(yield* server.setSequence(path, start))
        const { contenders } = yield* withClient(zk)(Lock.make(path))
        const order: Array<number> = []
        const gate = yield* Deferred.make<void>()
        let inside = 0
        const body = Effect.fnUntraced(function* (index: number) {
          assert.strictEqual(++inside, 1)
          order.push(index)
          yield* Deferred.await(gate)
          yield* Effect.sleep(2)
          inside--
        })
        const fibers: Array<Fiber.Fiber<void, unknown>> = []
        for (const [index, layout] of [...layouts, ...layouts].entries()) {
          const lock = yield* withClient(zk)(Lock.make(path, { layout }))
          fibers.push(yield* Effect.forkChild(lock.withLock(body(index))))
          const all = yield* eventually(contenders, (all) => all.length === index + 1)
          assertEach(all, ({ path }) => layoutOf(ZnodePath.name(path)), [...layouts, ...layouts].slice(0, index + 1))
        }
        yield* Deferred.succeed(gate, undefined)
        for (const fiber of fibers) yield* Fiber.join(fiber)
        assert.deepStrictEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
      })
    )
  }
})

const layoutOf = (name: string): Lock.Layout =>
  name.startsWith("lock-") ? "aiozk" : !name.startsWith("_c_") ? "kazoo" : name.charAt(11) === "-" ? "curator" : "go"
