import { ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { Session } from "@effect-zookeeper/session"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const InMemory = ZooKeeper.layerSession().pipe(
  Layer.provide(Session.layer()),
  Layer.provideMerge(EmbeddedServer.layerMemory)
)

it.live("a worker stays registered when the connection is lost", () =>
  Effect.gen(function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    const server = yield* EmbeddedServer.EmbeddedServer
    yield* zk.create("/worker", { mode: "ephemeral" })
    yield* server.disconnectAll
    assert.isTrue(yield* zk.exists("/worker"))
  }).pipe(Effect.provide(InMemory))
)
