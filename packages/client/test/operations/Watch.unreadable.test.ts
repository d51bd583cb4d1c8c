import { NoAuth } from "@effect-zookeeper/protocol/ServerError"
import type { Changed, Session, SessionInfo } from "@effect-zookeeper/session/Session"
import { ServerRefused } from "@effect-zookeeper/session/SessionError"
import * as ScriptedSession from "@effect-zookeeper/test-kit/ScriptedSession"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"

const forbidden = new NoAuth({ path: "/a", operation: "exists" })

/** The znode that a stream follows, with no events at all, as servers keep them back from clients without READ. */
const silentZnode = Effect.fnUntraced(function* (options: { readonly session?: Partial<Session["Service"]> } = {}) {
  const znode = { mzxid: 5n, mayLook: true, mayRead: true, watches: 0, looks: 0 }
  const changed: Changed = Effect.onInterrupt(Effect.never, () => Effect.sync(() => znode.watches--))
  const { zk } = yield* makeScriptedClient(
    () =>
      Effect.suspend(() => {
        znode.looks++
        return znode.mayLook ? Effect.succeed({ stat: { ...stat, mzxid: znode.mzxid } }) : Effect.fail(forbidden)
      }),
    {
      session: {
        watchData: () =>
          Effect.suspend(() => {
            if (!znode.mayRead) return Effect.fail(forbidden)
            znode.watches++
            return Effect.succeed({ response: { data: null, stat: { ...stat, mzxid: znode.mzxid } }, changed })
          }),
        ...options.session
      }
    }
  )
  const seen: Array<number> = []
  const follow = Effect.forkChild(
    Stream.runForEach(zk.dataChanges("/a"), (state) =>
      Effect.sync(() => void seen.push(Number(Option.getOrThrow(state).stat.mzxid)))
    ),
    { startImmediately: true }
  )
  return { znode, seen, follow }
})

describe("a stream of changes without the right to read", () => {
  itEffect("shows the newest state within two minutes after that is given back", function* () {
    const { follow, seen, znode } = yield* silentZnode()
    yield* follow
    yield* TestClock.adjust(0)
    Object.assign(znode, { mzxid: 7n, mayLook: false, mayRead: false })
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(seen, [5])
    Object.assign(znode, { mayLook: true, mayRead: true })
    yield* TestClock.adjust("2 minutes")
    assert.deepStrictEqual(seen, [5, 7])
    // The watch of the first read is dropped.
    assert.strictEqual(znode.watches, 1)
  })

  itEffect("goes on where the server shows it the Stat all the same", function* () {
    const { follow, seen, znode } = yield* silentZnode()
    yield* follow
    yield* TestClock.adjust(0)
    Object.assign(znode, { mzxid: 7n, mayRead: false })
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(seen, [5])
    assert.strictEqual(znode.watches, 1)
    znode.mayRead = true
    yield* TestClock.adjust("2 minutes")
    assert.deepStrictEqual(seen, [5, 7])
  })

  itEffect("reads nothing anew while the Stat stays the same", function* () {
    const { follow, seen, znode } = yield* silentZnode()
    yield* follow
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(seen, [5])
    assert.isAtLeast(znode.looks, 30)
    assert.isAtMost(znode.looks, 60)
  })

  itEffect("looks once in a second with all others of the client, however many they are", function* () {
    const { follow, znode } = yield* silentZnode()
    for (let stream = 0; stream < 300; stream++) yield* follow
    yield* TestClock.adjust("10 minutes")
    assert.isAtLeast(znode.looks, 300)
    assert.isAtMost(znode.looks, 600)
  })
})

describe("the persistent watch of a stream of changes", () => {
  itEffect("is asked for again by each look where the server does not permit it", function* () {
    let asked = 0
    const watchPersistently = () =>
      Effect.suspend(() => {
        asked++
        return Effect.fail(new ServerRefused({ operation: "addWatch", path: "/a", code: -102, name: "NoAuth" }))
      })
    const { follow, seen, znode } = yield* silentZnode({ session: { watchPersistently } })
    yield* follow
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(seen, [5])
    assert.isAtLeast(znode.looks, 5)
    assert.strictEqual(asked, 1 + znode.looks)
  })

  const refusal = new ServerRefused({ operation: "addWatch", path: "/a", code: -6, name: "Unimplemented" })

  itEffect("is asked for once on each connection to a server that refuses it, without looks there", function* () {
    let asked = 0
    const { info } = yield* ScriptedSession.make(() => Effect.never)
    const server = { host: "zk1", port: 2181 }
    let state: SessionInfo["state"] = { _tag: "Connected", server, readOnly: false }
    const live = Object.defineProperty({ ...info }, "state", { get: () => state })
    let fired = 0
    const watchData: Session["Service"]["watchData"] = () =>
      Effect.sync(() => ({
        response: { data: null, stat: { ...stat, mzxid: BigInt(++fired) } },
        changed: fired < 5 ? Effect.succeed({ type: "NodeDataChanged", path: "/a", zxid: Option.none() }) : Effect.never
      }))
    const watchPersistently = () =>
      Effect.suspend(() => {
        asked++
        return Effect.fail(refusal)
      })
    const { follow, seen, znode } = yield* silentZnode({ session: { info: live, watchData, watchPersistently } })
    yield* follow
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(seen, [1, 2, 3, 4, 5])
    assert.strictEqual(asked, 1)
    assert.strictEqual(znode.looks, 0)
    state = { _tag: "Connected", server, readOnly: false }
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(asked, 2)
  })
})
