import { Op } from "@effect-zookeeper/client"
import { failure, numbersBelow, text } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Snapshot from "../../src/Snapshot.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

const dataOf = ({ znodes }: Snapshot.Snapshot) =>
  Object.fromEntries(Array.from(znodes, ([path, { data }]) => [path, text(data)]))

describeOnServers("a snapshot", (test) => {
  test("has each znode with its data, parents first", function* ({ zk }) {
    yield* plant(zk, { "/app/b/d": "4", "/app/a": "1", "/app/b/c": "3" })
    const snapshot = yield* withClient(zk)(Snapshot.read("/app"))
    assert.deepStrictEqual(dataOf(snapshot), {
      "/app": "",
      "/app/a": "1",
      "/app/b": "",
      "/app/b/c": "3",
      "/app/b/d": "4"
    })
    assert.deepStrictEqual([...snapshot.znodes.keys()], ["/app", "/app/a", "/app/b", "/app/b/c", "/app/b/d"])
    assert.strictEqual(snapshot.zxid, snapshot.znodes.get("/app/b/c")?.czxid)
  })

  test("is taken by JSON, as are its znodes, with the numbers as decimal text", function* ({ zk }) {
    yield* plant(zk, { "/app": "1" })
    const snapshot = yield* withClient(zk)(Snapshot.read("/app"))
    const json = JSON.parse(JSON.stringify({ snapshot, znode: snapshot.znodes.get("/app") }))
    assert.deepInclude(json.snapshot, { path: "/app", zxid: String(snapshot.zxid) })
    assert.deepInclude(json.znode, { czxid: String(snapshot.zxid), mzxid: String(snapshot.zxid) })
  })

  test("of a root that does not exist is empty", function* ({ zk }) {
    const { znodes, zxid } = yield* withClient(zk)(Snapshot.read("/missing"))
    assert.strictEqual(znodes.size, 0)
    assert.strictEqual(zxid, 0n)
  })

  test("of / leaves out the znodes of the servers", function* ({ zk }) {
    yield* zk.create("/zookeeper-of-ours", { data: "1" })
    assert.deepStrictEqual(dataOf(yield* withClient(zk)(Snapshot.read("/"))), { "/": "", "/zookeeper-of-ours": "1" })
  })

  test("has a limit of znodes", function* ({ zk }) {
    yield* plant(zk, { "/app/a": "1", "/app/b": "2" })
    yield* withClient(zk)(Snapshot.read("/app", { maxNodes: 3 }))
    const error = yield* withClient(zk)(failure(Snapshot.read("/app", { maxNodes: 2 }), "TreeTooLarge"))
    assert.strictEqual(error.message, "/app has more than 2 znodes: read a smaller sub-tree, or raise maxNodes")
  })

  test("refuses options and paths that are wrong, before anything is read", function* ({ zk }) {
    const read = withClient(zk)
    assert.strictEqual((yield* read(failure(Snapshot.read("app"), "InvalidArgument"))).argument, "path")
    assert.strictEqual(
      (yield* read(failure(Snapshot.read("/a", { maxNodes: 0 }), "InvalidArgument"))).argument,
      "maxNodes"
    )
    // A caller without types.
    const mistaken: object = { maxZnodes: 1 }
    yield* read(failure(Snapshot.read("/a", mistaken), "InvalidArgument"))
  })

  test("is one moment of a tree that changes all the time", function* ({ another, zk }) {
    const names = numbersBelow(12).map((n) => `/app/${"ab"[n % 2]}/k${n}`)
    yield* plant(zk, {
      "/app": "0",
      "/app/a": "0",
      "/app/b": "0",
      ...Object.fromEntries(names.map((path) => [path, "0"]))
    })
    const writer = yield* another()
    // Each transaction writes the same number everywhere, and moves one znode to another name. Between two of them is
    // time for some requests, however slow the machine is.
    const writing = yield* Effect.forkChild(
      Effect.gen(function* () {
        for (let n = 1; ; n++) {
          const data = String(n)
          const [took] = yield* Effect.timed(
            writer.transaction([
              Op.setData("/app", data),
              ...names.map((path) => Op.setData(path, data)),
              Op.create(`/app/moved-${n}`, { data }),
              ...(n === 1 ? [] : [Op.delete(`/app/moved-${n - 1}`)])
            ])
          )
          yield* Effect.sleep(15 + 10 * Duration.toMillis(took))
        }
      })
    )
    let newest = -1
    // However late the first write comes, it is seen.
    for (let round = 0; round < 10 || newest === 0; round++) {
      const { znodes } = yield* withClient(zk)(Snapshot.read("/app", { attempts: 1000 }))
      const values = new Set(["/app", ...names].map((path) => text(znodes.get(path)!.data)))
      assert.strictEqual(values.size, 1, [...values].join())
      const value = Number([...values][0])
      const moved = [...znodes.keys()].filter((path) => path.startsWith("/app/moved-"))
      assert.deepStrictEqual(moved, value === 0 ? [] : [`/app/moved-${value}`])
      assert.isAtLeast(value, newest)
      newest = value
    }
    assert.isUndefined(writing.pollUnsafe())
    assert.isAbove(newest, 0)
    yield* Fiber.interrupt(writing)
  })

  test("says so when the tree never settles", function* ({ zk }) {
    yield* plant(zk, { "/app/a": "1" })
    // A change comes before each second look.
    const restless = {
      ...zk,
      session: zk.session,
      stat: (path: string) => Effect.andThen(Effect.orDie(zk.set("/app/a", "2")), zk.stat(path))
    }
    const error = yield* withClient(restless)(failure(Snapshot.read("/app", { attempts: 3 }), "TreeUnsettled"))
    assert.include(error.message, "changed each of the 3 times")
  })
})
