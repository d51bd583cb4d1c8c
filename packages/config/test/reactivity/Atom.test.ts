import { ZNode, ZooKeeper } from "@effect-zookeeper/client"
import { awaitCondition, text } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AsyncResult from "effect/reactivity/AsyncResult"
import * as Atom from "effect/reactivity/Atom"
import * as AtomRegistry from "effect/reactivity/AtomRegistry"
import * as Schema from "effect/Schema"
import * as LiveConfig from "../../src/LiveConfig.ts"
import * as ZooKeeperAtom from "../../src/ZooKeeperAtom.ts"
import { describeOnServers, plant } from "../support/targets.ts"

describeOnServers("atoms", (test) => {
  test("follow data, children, typed znodes and live configuration", function* ({ zk }) {
    class Port extends Context.Service<Port, LiveConfig.LiveConfig<number>>()("test/Port") {}
    yield* plant(zk, { "/app/port": "25" })
    const client = Layer.succeed(ZooKeeper.ZooKeeper, zk)
    const port = LiveConfig.layer(Port, Config.Port("port"), { path: "/app" })
    const runtime = Atom.runtime(Layer.provideMerge(port, client))
    const registry = yield* Effect.acquireRelease(
      Effect.sync(() => AtomRegistry.make()),
      (made) => Effect.sync(() => made.dispose())
    )
    const Typed = ZNode.make({ path: "/app/:name", schema: Schema.Int })
    const data = ZooKeeperAtom.data(runtime, "/app/port")
    const children = ZooKeeperAtom.children(runtime, "/app")
    const typed = ZooKeeperAtom.znode(runtime, Typed, { name: "port" })
    const config = ZooKeeperAtom.config(runtime, Port)
    for (const atom of [data, children, typed, config]) registry.mount(atom as Atom.Atom<unknown>)
    const now = () => [
      Option.getOrUndefined(
        Option.map(Option.flatten(AsyncResult.value(registry.get(data))), (found) => text(found.data))
      ),
      Option.getOrUndefined(
        Option.map(Option.flatten(AsyncResult.value(registry.get(children))), (found) => found.children)
      ),
      Option.getOrUndefined(Option.map(Option.flatten(AsyncResult.value(registry.get(typed))), (found) => found.value)),
      Option.getOrUndefined(AsyncResult.value(registry.get(config)))
    ]
    yield* awaitCondition(() => JSON.stringify(now()) === '["25",["port"],25,25]')
    yield* zk.set("/app/port", "26")
    yield* zk.create("/app/a")
    yield* awaitCondition(() => JSON.stringify([now()[0], now()[2], now()[3]]) === '["26",26,26]')
    yield* awaitCondition(() => (now()[1] as ReadonlyArray<string>).length === 2)
    assert.isTrue(AsyncResult.isSuccess(registry.get(config)))
  })
})
