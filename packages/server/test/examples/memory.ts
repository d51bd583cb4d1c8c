import { ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { Session } from "@effect-zookeeper/session"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

// A client and its server, without a socket.
const InMemory = ZooKeeper.layerSession().pipe(
  Layer.provide(Session.layer({ sessionTimeout: "4 seconds" })),
  Layer.provideMerge(EmbeddedServer.layerMemory)
)

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const server = yield* EmbeddedServer.EmbeddedServer
  yield* zk.create("/jobs")
  yield* zk.create("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
  yield* server.disconnectAll
  console.log(yield* zk.getChildren("/jobs"))
  yield* server.answerWith({ operation: "getChildren2" }, "NoAuth")
  console.log(yield* zk.getChildren("/jobs").pipe(Effect.catchTag("NoAuth", (error) => Effect.succeed(error.message))))
})

await Effect.runPromise(Effect.provide(program, InMemory))
