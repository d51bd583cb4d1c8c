import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Acl } from "../../src/index.ts"
import { connectFresh, failure, pullFrom, text } from "../support/clients.ts"

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
      const own = yield* pullFrom(zk.events("/a"))
      const all = yield* pullFrom(zk.events("/", { recursive: true }))
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
