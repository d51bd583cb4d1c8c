/** Caches of a parent whose counter of children has come to its end, where creations move neither cversion nor pzxid. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { ChildrenCache, TreeCache } from "../../src/index.ts"

const connect = (servers: string) => clientOf(ZooKeeper.layer({ servers, retry: Schedule.spaced("20 millis") }))

const caches = {
  ChildrenCache: Effect.map(ChildrenCache.make("/p"), (cache) => () => [...cache.get().keys()]),
  TreeCache: Effect.map(TreeCache.make("/p"), (cache) => () => [...cache.children("/p").keys()])
}

describe("the children of a parent whose counter is at its end", () => {
  for (const [name, make] of Object.entries(caches)) {
    itLive(`come and go in a ${name}, while there is a connection and while there is none`, function* () {
      const context = yield* Layer.build(EmbeddedServer.layer())
      const server = Context.get(context, EmbeddedServer.EmbeddedServer)
      const [host = "", port = ""] = server.connectString.split(":")
      const proxy = yield* FaultProxy.make({ host, port: Number(port) })
      const zk = yield* connect(proxy.connectString)
      const beside = yield* connect(server.connectString)
      yield* beside.create("/p")
      yield* beside.create("/p/first")
      assert.isTrue(yield* server.setSequence("/p", 2_147_483_647))
      const names = yield* Effect.provideService(make, ZooKeeper.ZooKeeper, zk)
      const becomes = (expected: string) => awaitCondition(() => names().toSorted().join() === expected)
      yield* becomes("first")
      yield* beside.create("/p/a")
      yield* becomes("a,first")
      yield* Effect.andThen(proxy.accept("refuse"), proxy.dropAll("rst"))
      yield* awaitCondition(() => zk.session.state._tag === "Disconnected")
      yield* beside.create("/p/b")
      yield* proxy.heal
      yield* becomes("a,b,first")
      yield* beside.delete("/p/first")
      yield* beside.create("/p/c")
      yield* becomes("a,b,c")
    })
  }
})
