import { ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { Session } from "@effect-zookeeper/session"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"

// The application: a job belongs to whoever creates its znode, for as long as that session lives.
const claim = (zk: ZooKeeper.Service, job: string) =>
  zk.create(`/claim-${job}`, { mode: "ephemeral", idempotent: true }).pipe(
    Effect.as(true),
    Effect.catchTag("NodeExists", () => Effect.succeed(false))
  )

// A client with a session of its own, on whatever transport there is.
const Worker = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer({ sessionTimeout: "10 seconds" })))
const worker = Effect.map(Layer.build(Layer.fresh(Worker)), Context.get(ZooKeeper.ZooKeeper))

layer(EmbeddedServer.layerMemory, { excludeTestServices: true })("a job", (it) => {
  it.effect("is claimed by one worker alone", () =>
    Effect.gen(function* () {
      const [ann, bob] = [yield* worker, yield* worker]
      const claims = yield* Effect.all([claim(ann, "mail"), claim(bob, "mail")], { concurrency: "unbounded" })
      assert.sameMembers(claims, [true, false])
    })
  )

  it.effect("is free again when the worker's session has expired, and the worker is told", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedServer.EmbeddedServer
      const [ann, bob] = [yield* worker, yield* worker]
      yield* claim(ann, "web")
      const lost = yield* Effect.forkChild(Effect.flip(ann.session.ownership), { startImmediately: true })
      yield* server.expireSession(ann.session.id)
      assert.isTrue(yield* claim(bob, "web"))
      assert.strictEqual((yield* Fiber.join(lost))._tag, "OwnershipLost")
    })
  )

  it.effect("stays with a worker whose answer was lost with the connection", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedServer.EmbeddedServer
      const ann = yield* worker
      yield* server.dropReply({ operation: "create", path: "/claim-bill" })
      assert.isTrue(yield* claim(ann, "bill"))
    })
  )
})
