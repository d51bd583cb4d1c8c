/**
 * The cases of watches from the suites of other clients. The number is the row of the list of telling tests; K is kazoo, F
 * Curator's framework.
 *
 * Held elsewhere: 8 (K test_create_async_returns_unchrooted_path, test_unchroot) by conformance "a chroot"; 10
 * (K test_exists_watcher_exception) by session's Session.brokenApplication "a state, the event of a watch ..." and conformance
 * "of existence tells creation, data and deletion, one of them each"; 17 (K test_watcher_repeat_delete) by conformance "give the
 * data, then what it becomes ..."; 18 (K test_datawatch_across_session_expire) by Operations.lostConnections "goes on in a
 * new session, and events say that there is a gap".
 */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Faults from "../support/faults.ts"
import { now } from "../support/clients.ts"

describe("watches", () => {
  Faults.itBehindProxy(
    "that are stopped get no more events and leave nothing (19, K test_child_watcher_remove_session_watcher)",
    function* ({ beside, proxy, zk }) {
      const told = Faults.countFrames(proxy, { direction: "down", op: "notification" })
      yield* zk.create("/a")
      const seen: Array<number> = []
      const stopping = yield* Effect.forkChild(
        zk.childrenChanges("/a").pipe(
          Stream.map((state) => Option.match(state, { onNone: () => -1, onSome: ({ children }) => children.length })),
          Stream.takeUntil((count) => count === 1),
          Stream.runForEach((count) => Effect.sync(() => seen.push(count)))
        ),
        now
      )
      yield* Faults.awaitCondition(() => seen.length === 1)
      yield* beside.create("/a/one")
      yield* Fiber.join(stopping)
      yield* zk.sync()
      assert.strictEqual(yield* told, 1)
      yield* beside.create("/a/two")
      yield* zk.sync()
      assert.deepStrictEqual(seen, [0, 1])
      // Servers before 3.5 remove no watch.
      assert.strictEqual(yield* told, TestServer.isAtLeast("3.5.0") ? 1 : 2)
    }
  )

  Faults.itBehindProxy(
    "of one path by several kinds fire once, and none is left (35, F testSameWatcherDifferentKinds1Triggered)",
    function* ({ beside, chroot, proxy, zk }) {
      yield* zk.create("/a")
      const watched = [yield* zk.existsAndWatch("/a"), yield* zk.getAndWatch("/a"), yield* zk.getAndWatch("/a")]
      const fibers = yield* Effect.forEach(watched, ({ changed }) => Effect.forkChild(changed, now))
      const children = yield* zk.getChildrenAndWatch("/a")
      const listing = yield* Effect.forkChild(children.changed, now)
      yield* beside.set("/a", "1")
      for (const fiber of fibers) assert.strictEqual((yield* Fiber.join(fiber)).type, "NodeDataChanged")
      assert.strictEqual(yield* Faults.countFrames(proxy, { direction: "down", op: "notification" }), 1)
      assert.strictEqual(yield* Faults.watchesBelow(chroot), 0)
      yield* Fiber.interrupt(listing)
      yield* zk.sync()
      yield* beside.create("/a/b")
      yield* zk.sync()
      assert.strictEqual(yield* Faults.countFrames(proxy, { direction: "down", op: "notification" }), 1)
      // Nor on the client, which would register it again.
      yield* Faults.breakConnections(zk, proxy)
      yield* zk.sync()
      assert.strictEqual(yield* Faults.countSent(proxy, Faults.Op.setWatches), 0)
    }
  )
})
