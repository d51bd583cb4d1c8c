import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Acl } from "../src/index.ts"
import { connect, connectFresh, failure, pulled, text } from "./utils.ts"

describe("one-shot watches on a real server", () => {
  it.live("tell the next change of data, by the client's path", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("watch")
      yield* zk.create("/a", { data: "1" })
      const { changed, data } = yield* zk.getAndWatch("/a")
      assert.strictEqual(text(data), "1")
      // The change comes between arming and waiting, and is not lost.
      yield* zk.set("/a", "2")
      const event = yield* changed
      assert.strictEqual(event.type, "NodeDataChanged")
      assert.strictEqual(event.path, "/a")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
    })
  )

  it.live("wait for creation, deletion and children", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("watch-exists")
      const absent = yield* zk.existsAndWatch("/a")
      assert.isTrue(Option.isNone(absent.stat))
      yield* zk.create("/a")
      assert.strictEqual((yield* absent.changed).type, "NodeCreated")
      const listed = yield* zk.getChildrenAndWatch("/a")
      assert.deepStrictEqual(listed.children, [])
      yield* zk.create("/a/b")
      const event = yield* listed.changed
      assert.deepStrictEqual([event.type, event.path], ["NodeChildrenChanged", "/a"])
      const there = yield* zk.existsAndWatch("/a/b")
      assert.isTrue(Option.isSome(there.stat))
      yield* zk.delete("/a/b")
      assert.strictEqual((yield* there.changed).type, "NodeDeleted")
      yield* failure(zk.getAndWatch("/no"), "NoNode")
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* failure(zk.getAndWatch("/hidden"), "NoAuth")
    })
  )

  it.live("can be given up", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("watch-dropped")
      yield* zk.create("/a")
      const first = yield* zk.getAndWatch("/a")
      const waiting = yield* Effect.forkChild(first.changed, { startImmediately: true })
      const other = yield* Effect.forkChild(first.changed, { startImmediately: true })
      yield* Fiber.interrupt(other)
      assert.isUndefined(waiting.pollUnsafe())
      // The last who waits takes the watch along, for good.
      yield* Fiber.interrupt(waiting)
      yield* failure(first.changed, "SessionClosed")
      assert.strictEqual(zk.session.state._tag, "Connected")
      const second = yield* zk.getAndWatch("/a")
      yield* zk.set("/a", "1")
      assert.strictEqual((yield* second.changed).type, "NodeDataChanged")
    })
  )
})

describe("events on a real server", () => {
  it.live("come in order, of a path or of all below it", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("events")
      yield* zk.create("/a")
      const own = yield* pulled(zk.events("/a"))
      const all = yield* pulled(zk.events("/", { recursive: true }))
      // The watches stand when a first event has come through both.
      yield* Effect.sleep("200 millis")
      yield* zk.set("/a", "1")
      yield* zk.create("/a/b")
      yield* zk.set("/a/b", "1")
      yield* zk.delete("/a/b")
      const told = (take: typeof own, n: number) =>
        Effect.map(Effect.all(Array.from({ length: n }, () => take)), (events) =>
          events.map((event) => `${event.type} ${event.path}`)
        )
      assert.deepStrictEqual(yield* told(own, 3), [
        "NodeDataChanged /a",
        "NodeChildrenChanged /a",
        "NodeChildrenChanged /a"
      ])
      assert.deepStrictEqual(yield* told(all, 4), [
        "NodeDataChanged /a",
        "NodeCreated /a/b",
        "NodeDataChanged /a/b",
        "NodeDeleted /a/b"
      ])
    })
  )
})

describe("dataChanges and childrenChanges on a real server", () => {
  it.live("give the current data, then what it becomes, through deletion and creation", () =>
    Effect.gen(function* () {
      const { connectString, zk } = yield* connectFresh("data-changes")
      const other = yield* connect({ servers: connectString })
      const next = yield* pulled(
        Stream.map(zk.dataChanges("/a/b"), (seen) => Option.getOrNull(Option.map(seen, ({ data }) => text(data))))
      )
      assert.isNull(yield* next)
      // The creation of an ancestor says nothing.
      yield* other.create("/a")
      yield* other.create("/a/b", { data: "1" })
      assert.strictEqual(yield* next, "1")
      yield* other.set("/a/b", "2")
      assert.strictEqual(yield* next, "2")
      yield* other.delete("/a/b")
      assert.isNull(yield* next)
      yield* other.create("/a/b", { data: "3" })
      assert.strictEqual(yield* next, "3")
    })
  )

  it.live("never go back and end at the last, however fast it is written", () =>
    Effect.gen(function* () {
      const { connectString, zk } = yield* connectFresh("data-changes-fast")
      const other = yield* connect({ servers: connectString })
      yield* zk.create("/n", { data: "0" })
      const seen = yield* Effect.forkChild(
        zk.dataChanges("/n").pipe(
          Stream.map((state) => Option.match(state, { onNone: () => -1, onSome: ({ data }) => Number(text(data)) })),
          Stream.takeUntil((n) => n === 300),
          Stream.runCollect
        )
      )
      yield* Effect.forEach(
        Array.from({ length: 300 }, (_, index) => index + 1),
        (n) => other.set("/n", String(n)),
        { concurrency: 10, discard: true }
      )
      const values = yield* Fiber.join(seen)
      assert.deepStrictEqual(
        [...values].sort((a, b) => a - b),
        [...values]
      )
      assert.strictEqual(new Set(values).size, values.length)
    })
  )

  it.live("give the lists of children", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("children-changes")
      const next = yield* pulled(
        Stream.map(zk.childrenChanges("/a"), (seen) =>
          Option.getOrNull(Option.map(seen, ({ children }) => [...children].sort()))
        )
      )
      assert.isNull(yield* next)
      yield* zk.create("/a")
      assert.deepStrictEqual(yield* next, [])
      yield* zk.create("/a/b")
      assert.deepStrictEqual(yield* next, ["b"])
      yield* zk.delete("/a/b")
      assert.deepStrictEqual(yield* next, [])
      yield* zk.delete("/a")
      assert.isNull(yield* next)
    })
  )

  it.live("fail with NoAuth where reading is forbidden", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("changes-hidden")
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* failure(Stream.runDrain(zk.dataChanges("/hidden")), "NoAuth")
      yield* failure(Stream.runDrain(zk.childrenChanges("/hidden")), "NoAuth")
    })
  )

  it.live("leave no watch behind when the stream ends", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("changes-end")
      yield* zk.create("/a", { data: "1" })
      const first = yield* Stream.runHead(zk.dataChanges("/a"))
      assert.isTrue(Option.isSome(first))
      // A new watch on the same path still works.
      const { changed } = yield* zk.getAndWatch("/a")
      yield* zk.set("/a", "2")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
    })
  )
})
