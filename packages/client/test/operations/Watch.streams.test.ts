import { NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { Changed, PersistentWatchListener, Session, Watched } from "@effect-zookeeper/session/Session"
import { ConnectionLoss, ServerRefused, SessionClosed, SessionExpired } from "@effect-zookeeper/session/SessionError"
import { assert, describe, it } from "@effect/vitest"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import { during } from "@effect-zookeeper/test-kit/Expectations"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"

const changedEvent = { type: "NodeDataChanged", path: "/app/a", zxid: Option.none() } as const

/** A stream of events with its listener, read one chunk at a time when the test says so. */
const listening = Effect.gen(function* () {
  const listener = yield* Deferred.make<PersistentWatchListener>()
  const removed = yield* Deferred.make<void>()
  const { zk } = yield* makeScriptedClient(() => Effect.die("asked"), {
    chroot: "/app",
    session: {
      watchPersistently: (_, options) =>
        Effect.acquireRelease(Deferred.succeed(listener, options.listener), () => Deferred.succeed(removed, undefined))
    }
  })
  return { zk, listener: Deferred.await(listener), removed }
})

const itListening = testWith(it.effect, listening)

describe("a stream of events", () => {
  itListening("replaces events that were not read by one Gap, and goes on", function* ({ listener, zk }) {
    const gate = yield* Queue.unbounded<void>()
    const seen: Array<string> = []
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(zk.events("/a"), (event) => {
        seen.push(`${event.type} ${event.path}`)
        return seen.length === 1 ? Queue.take(gate) : Effect.void
      })
    )
    const { onEnd, onEvent } = yield* listener
    onEvent(changedEvent)
    yield* Effect.yieldNow
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(seen, ["NodeDataChanged /a"])
    for (let index = 0; index < 8_192 + 3; index++) onEvent(changedEvent)
    onEnd(new SessionClosed())
    yield* Queue.offer(gate, undefined)
    // The end of the client is the end of the stream, and no failure.
    yield* Fiber.join(fiber)
    assert.deepStrictEqual(seen, [
      "NodeDataChanged /a",
      "Gap /a",
      "NodeDataChanged /a",
      "NodeDataChanged /a",
      "NodeDataChanged /a"
    ])
  })

  itListening("takes its watch away when it ends", function* ({ listener, removed, zk }) {
    const fiber = yield* Effect.forkChild(Stream.runDrain(zk.events("/a")))
    yield* listener
    yield* Fiber.interrupt(fiber)
    assert.isTrue(yield* Deferred.isDone(removed))
  })
})

interface Look {
  /** Undefined for no znode. */
  readonly mzxid?: bigint
  readonly changed: Changed
}

/** A session on which each look at the data gives the next of a list. */
const looking = (looks: ReadonlyArray<Look | Effect.Effect<never, SessionExpired | ConnectionLoss>>) => {
  let next = 0
  const syncedAt: Array<number> = []
  const session: Partial<Session["Service"]> = {
    watchData: () =>
      Effect.suspend(
        (): Effect.Effect<
          Watched<{ readonly data: null; readonly stat: typeof stat }>,
          NoNode | SessionExpired | ConnectionLoss
        > => {
          const look = looks[next]
          if (look === undefined) return Effect.never
          if (Effect.isEffect(look)) {
            next++
            return look
          }
          if (look.mzxid === undefined) return Effect.fail(new NoNode({ path: "/a", operation: "getData" }))
          next++
          return Effect.succeed({
            response: { data: null, stat: { ...stat, mzxid: look.mzxid } },
            changed: look.changed
          })
        }
      ),
    watchExists: () =>
      Effect.suspend(() => {
        const look = looks[next++]
        return look === undefined || Effect.isEffect(look)
          ? Effect.die("no look")
          : Effect.succeed({ response: undefined, changed: look.changed })
      })
  }
  return Effect.map(
    makeScriptedClient(
      () =>
        Effect.sync(() => {
          syncedAt.push(next)
          return { path: "/a" }
        }),
      { session }
    ),
    ({ zk }) => ({ zk, syncedAt })
  )
}

const fired: Changed = Effect.succeed(changedEvent)
const expired = Effect.fail(new SessionExpired({ sessionId: 7n }))

const mzxids = <E, R>(
  stream: Stream.Stream<Option.Option<{ readonly stat: { readonly mzxid: bigint } }>, E, R>,
  n: number
) =>
  Effect.map(Stream.runCollect(Stream.take(stream, n)), (seen) =>
    Array.from(seen, (state) => Option.getOrNull(Option.map(state, (node) => Number(node.stat.mzxid))))
  )

describe("a stream of changes that is interrupted", () => {
  itEffect("leaves no watch behind, whichever of its steps is the last", function* () {
    for (let steps = 0; steps < 150; steps++) {
      let watches = 0
      const changed = Effect.onInterrupt(Effect.never, () => Effect.sync(() => watches--))
      const { zk } = yield* makeScriptedClient(() => Effect.die("asked"), {
        session: {
          watchData: () =>
            Effect.sync(() => {
              watches++
              return { response: { data: null, stat }, changed }
            })
        }
      })
      const fiber = yield* Effect.forkChild(Stream.runDrain(zk.dataChanges("/a"))).pipe(
        Effect.provideService(Scheduler.MaxOpsBeforeYield, 5)
      )
      for (let step = 0; step < steps; step++) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      for (let step = 0; step < 100 && watches > 0; step++) yield* Effect.yieldNow
      assert.strictEqual(watches, 0, `after ${steps} steps`)
    }
  })

  itEffect("asks no server again, in whichever pause between two attempts that is", function* () {
    for (let attempts = 1; attempts <= 8; attempts++) {
      let asked = 0
      const throttled = new ServerRefused({ code: -127, name: "ThrottledOp", operation: "getData", path: "/a" })
      const { zk } = yield* makeScriptedClient(() => Effect.die("asked"), {
        session: {
          watchData: () =>
            Effect.suspend(() => {
              asked++
              return Effect.fail(throttled)
            })
        }
      })
      const fiber = yield* Effect.forkChild(Stream.runDrain(zk.dataChanges("/a")))
      while (asked < attempts) yield* TestClock.adjust("50 millis")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(asked, attempts)
    }
  })
})

describe("a stream of changes", () => {
  itEffect("emits a state once, and none that is older than the last", function* () {
    const { zk } = yield* looking([
      { mzxid: 5n, changed: fired },
      { mzxid: 5n, changed: fired },
      { mzxid: 4n, changed: fired },
      { mzxid: 6n, changed: fired },
      { changed: fired },
      { changed: fired },
      { mzxid: 9n, changed: Effect.never }
    ])
    assert.deepStrictEqual(yield* mzxids(zk.dataChanges("/a"), 4), [5, 6, null, 9])
  })

  itEffect("reads again behind a sync when a new session follows an expired one", function* () {
    const { syncedAt, zk } = yield* looking([
      { mzxid: 5n, changed: expired },
      expired,
      { mzxid: 5n, changed: fired },
      { mzxid: 7n, changed: Effect.never }
    ])
    assert.deepStrictEqual(yield* mzxids(zk.dataChanges("/a"), 2), [5, 7])
    assert.deepStrictEqual(syncedAt, [1, 2])
  })

  itEffect("reads again, after a pause, when a read was lost", function* () {
    const lost = Effect.fail(new ConnectionLoss({ operation: "getData", path: "/a", maybeApplied: false }))
    const { zk } = yield* looking([lost, lost, { mzxid: 5n, changed: Effect.never }])
    assert.deepStrictEqual(yield* during("2 seconds", mzxids(zk.dataChanges("/a"), 1)), [5])
  })

  itEffect("drops its watch when it ends", function* () {
    const dropped = yield* Deferred.make<void>()
    const changed = Effect.onInterrupt(Effect.never, () => Deferred.succeed(dropped, undefined))
    const { zk } = yield* looking([{ mzxid: 5n, changed }])
    yield* mzxids(zk.dataChanges("/a"), 1)
    assert.isTrue(yield* Deferred.isDone(dropped))
  })
})
