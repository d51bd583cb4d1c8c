/** The cases of aiozk's `test_watchers.py`: its watchers are `dataChanges` and `childrenChanges` here. */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ZooKeeper } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { connect, failure, text } from "../support/clients.ts"

const numbers = (length: number) => Array.from({ length }, (_, index) => index)

/** What `dataChanges` gives from now on: the data as text, or "none". */
const recordData = (zk: ZooKeeper.Service, path: string) =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    yield* Effect.forkScoped(
      Stream.runForEach(zk.dataChanges(path), (state) =>
        Effect.sync(() => seen.push(Option.isSome(state) ? text(state.value.data) : "none"))
      ),
      { startImmediately: true }
    )
    yield* Faults.awaitCondition(() => seen.length > 0)
    return seen
  })

/** A client that watches and another that writes. */
const pair = Effect.fnUntraced(function* (name: string) {
  const { beside, connectString } = yield* Faults.makeChroot(name)
  return { zk: yield* connect({ servers: connectString }), other: beside }
})

describe("aiozk test_watchers.py", () => {
  it.live("data of 4000 bytes is shown as soon as it is written (test_data_watch)", () =>
    Effect.gen(function* () {
      const { other, zk } = yield* pair("data-watch")
      yield* other.create("/a")
      const seen = yield* recordData(zk, "/a")
      assert.deepStrictEqual(seen, [""])
      yield* other.set("/a", "d".repeat(4000))
      yield* Faults.awaitCondition(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["", "d".repeat(4000)])
    })
  )

  it.live("the data there is comes first, and its deletion next (test_data_watch_delete)", () =>
    Effect.gen(function* () {
      const { other, zk } = yield* pair("data-delete")
      yield* other.create("/a", { data: "initial" })
      const seen = yield* recordData(zk, "/a")
      yield* other.delete("/a")
      yield* Faults.awaitCondition(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["initial", "none"])
    })
  )

  it.live("a path without a znode is reported as such (test_data_watch_no_node)", () =>
    Effect.gen(function* () {
      const { zk } = yield* pair("data-none")
      assert.deepStrictEqual(yield* recordData(zk, "/a"), ["none"])
      assert.strictEqual((yield* failure(zk.getAndWatch("/a"), "NoNode")).path, "/a")
    })
  )

  it.live("each child that is added comes in the list (test_child_watch)", () =>
    Effect.gen(function* () {
      const { other, zk } = yield* pair("child-watch")
      yield* other.create("/a")
      const seen: Array<ReadonlyArray<string>> = []
      yield* Effect.forkScoped(
        Stream.runForEach(zk.childrenChanges("/a"), (state) =>
          Effect.sync(() => seen.push(Option.isSome(state) ? [...state.value.children].sort() : ["none"]))
        )
      )
      yield* Faults.awaitCondition(() => seen.length === 1)
      yield* other.create("/a/one")
      yield* Faults.awaitCondition(() => seen.length === 2)
      yield* other.create("/a/two")
      yield* Faults.awaitCondition(() => seen.length === 3)
      assert.deepStrictEqual(seen, [[], ["one"], ["one", "two"]])
    })
  )

  it.live("the list of a path without a znode is reported as such (test_child_watch_no_node)", () =>
    Effect.gen(function* () {
      const { zk } = yield* pair("child-none")
      assert.deepStrictEqual(yield* Stream.runHead(zk.childrenChanges("/a")), Option.some(Option.none()))
      assert.strictEqual((yield* failure(zk.getChildrenAndWatch("/a"), "NoNode")).path, "/a")
    })
  )

  it.live("a change by another client after a reconnection comes (test_reconnect_watcher)", () =>
    Effect.gen(function* () {
      const { beside, proxy, zk } = yield* Faults.connectProxied("reconnect")
      yield* beside.create("/a", { data: "before" })
      const seen = yield* recordData(zk, "/a")
      yield* Faults.breakConnections(zk, proxy)
      yield* beside.set("/a", "after")
      yield* Faults.awaitCondition(() => seen.includes("after"))
      assert.deepStrictEqual(seen, ["before", "after"])
    })
  )

  it.live("a znode that is created later follows its absence (test_watcher_fires_after_nonode)", () =>
    Effect.gen(function* () {
      const { other, zk } = yield* pair("after-none")
      const seen = yield* recordData(zk, "/a")
      yield* other.create("/a", { data: "created" })
      yield* Faults.awaitCondition(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["none", "created"])
    })
  )

  it.live(
    "and does so when its ancestors are missing, whose creation is not shown (test_watcher_without_parents)",
    () =>
      Effect.gen(function* () {
        const { other, zk } = yield* pair("no-parents")
        const seen = yield* recordData(zk, "/x/y/z")
        yield* other.create("/x")
        yield* other.create("/x/y")
        assert.isFalse(yield* zk.exists("/x/y/z"))
        assert.deepStrictEqual(seen, ["none"])
        yield* other.create("/x/y/z", { data: "created" })
        yield* Faults.awaitCondition(() => seen.length === 2)
        assert.deepStrictEqual(seen, ["none", "created"])
      })
  )

  it.live(
    "a thousand watches all report that the session was lost while the process stood still (test_multi_watcher)",
    () =>
      Effect.gen(function* () {
        const server = yield* ZooKeeperServer.make({ tickTime: 100 })
        const proxy = yield* FaultProxy.make(server)
        const { root: other } = yield* Faults.makeChroot("multi", server.connectString)
        const zk = yield* connect({
          servers: proxy.connectString,
          sessionTimeout: "1 second",
          retry: Faults.RETRY_SOON
        })
        const { id } = zk.session
        yield* other.create("/m")
        yield* Effect.forEach(numbers(1000), (index) => zk.create(`/m/${index}`, { mode: "ephemeral" }), {
          concurrency: "unbounded"
        })
        const outcomes = yield* Effect.forEach(
          numbers(1000),
          (index) =>
            Effect.flatMap(zk.getAndWatch(`/m/${index}`), ({ changed }) =>
              Effect.forkScoped(Effect.flip(changed), { startImmediately: true })
            ),
          { concurrency: "unbounded" }
        )
        // The server goes by its own clock: by the end of this it has given the session up.
        const until = performance.now() + 1600
        while (performance.now() < until);
        const errors = yield* Effect.forEach(outcomes, Fiber.join)
        assert.isTrue(errors.every((error) => error._tag === "SessionExpired" && error.sessionId === id))
        yield* Faults.awaitState(zk, "Connected")
        assert.notStrictEqual(zk.session.id, id)
        yield* zk.sync()
        assert.deepStrictEqual(yield* zk.getChildren("/m"), [])
      })
  )

  it.live("a change between arming and waiting is not lost (test_data_watcher_no_race_condition)", () =>
    Effect.gen(function* () {
      const { other, zk } = yield* pair("race")
      yield* other.create("/a", { data: "0" })
      const { changed, data } = yield* zk.getAndWatch("/a")
      assert.strictEqual(text(data), "0")
      yield* other.set("/a", "1")
      // The event has come by then: it precedes this reply.
      assert.strictEqual(text(yield* zk.getData("/a")), "1")
      const event = yield* changed
      assert.deepStrictEqual([event.type, event.path], ["NodeDataChanged", "/a"])
      // The same holds for the stream: however fast the writes are, it emits the last.
      const seen = yield* recordData(zk, "/a")
      for (const index of numbers(50)) yield* other.set("/a", `n${index}`)
      yield* Faults.awaitCondition(() => seen.at(-1) === "n49")
    })
  )
})
