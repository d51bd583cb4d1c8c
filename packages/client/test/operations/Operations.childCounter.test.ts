/**
 * Parents whose counter of children has come to its end, 2147483647. A server of 3.6 or later lets it stand still there, and
 * the pzxid with it when a child is created, so that after a reconnection it takes the list for unchanged.
 */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as ZooKeeper from "../../src/ZooKeeper.ts"
import { connect, now, awaitCondition, gather } from "../support/clients.ts"
import { awaitState, cutOff } from "../support/faults.ts"

const end = 2_147_483_647

/** A client behind a proxy, and another beside it; `/p` has a child, and its counter has the given value. */
const behindProxy = Effect.fnUntraced(function* (sequence: number) {
  const context = yield* Layer.build(EmbeddedServer.layer())
  const server = Context.get(context, EmbeddedServer.EmbeddedServer)
  const proxy = yield* FaultProxy.make(TestServer.targetOf(server.connectString))
  const zk = yield* connect({ servers: proxy.connectString })
  const beside = yield* connect({ servers: server.connectString })
  yield* beside.create("/p")
  yield* beside.create("/p/first")
  assert.isTrue(yield* server.setSequence("/p", sequence))
  const whileCut = Effect.fnUntraced(function* <A, E>(during: Effect.Effect<A, E>) {
    yield* cutOff(proxy)
    yield* awaitState(zk, "Disconnected")
    yield* during
    yield* proxy.heal
    yield* awaitState(zk, "Connected")
  })
  return { beside, whileCut, zk }
})

/** What `childrenChanges` has told of `/p`, each state as its names in order. */
const following = Effect.fnUntraced(function* (zk: ZooKeeper.Service) {
  const told = yield* gather(
    Stream.map(
      zk.childrenChanges("/p"),
      Option.match({ onNone: () => "none", onSome: ({ children }) => children.toSorted().join() })
    )
  )
  const becomes = (last: string) => awaitCondition(() => told.at(-1) === last)
  return { told, becomes }
})

describe("a parent whose counter of children is at its end", () => {
  itLive("shows each creation and deletion in childrenChanges, once", function* () {
    const { beside, zk } = yield* behindProxy(end)
    const { becomes, told } = yield* following(zk)
    yield* becomes("first")
    const before = (yield* beside.getChildrenWithStat("/p")).stat.pzxid
    yield* beside.create("/p/a")
    assert.strictEqual((yield* beside.getChildrenWithStat("/p")).stat.pzxid, before)
    yield* becomes("a,first")
    yield* beside.create("/p/b")
    yield* becomes("a,b,first")
    yield* beside.delete("/p/a")
    yield* becomes("b,first")
    yield* beside.create("/p/c")
    yield* becomes("b,c,first")
    assert.deepStrictEqual(told, ["first", "a,first", "a,b,first", "b,first", "b,c,first"])
  })

  itLive("shows in childrenChanges the znodes that were created while the connection was lost", function* () {
    const { beside, whileCut, zk } = yield* behindProxy(end)
    const { becomes, told } = yield* following(zk)
    yield* becomes("first")
    yield* whileCut(beside.create("/p/a"))
    yield* becomes("a,first")
    // Nothing has changed, and nothing is told.
    yield* whileCut(Effect.void)
    yield* beside.create("/p/b")
    yield* becomes("a,b,first")
    assert.deepStrictEqual(told, ["first", "a,first", "a,b,first"])
  })

  itLive("fires the watch on its list after a lost connection, because the list may have changed", function* () {
    const { beside, whileCut, zk } = yield* behindProxy(end)
    const { changed } = yield* zk.getChildrenAndWatch("/p")
    const waiting = yield* Effect.forkChild(changed, now)
    yield* whileCut(beside.create("/p/a"))
    const { path, type } = yield* Fiber.join(waiting)
    assert.deepStrictEqual([type, path], ["NodeChildrenChanged", "/p"])
  })

  itLive("does not fire the watch where the counter still counts", function* () {
    const { beside, whileCut, zk } = yield* behindProxy(end - 1)
    const { changed } = yield* zk.getChildrenAndWatch("/p")
    const waiting = yield* Effect.forkChild(changed, now)
    yield* whileCut(beside.create("/other"))
    yield* zk.sync()
    assert.isUndefined(waiting.pollUnsafe())
    // The last that is counted: it moves the pzxid, and the watch tells of it after a lost connection too.
    yield* whileCut(beside.create("/p/last"))
    assert.strictEqual((yield* Fiber.join(waiting)).type, "NodeChildrenChanged")
  })
})
