import { ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer, SimulatedNetwork, Simulation } from "@effect-zookeeper/server"
import { Session } from "@effect-zookeeper/session"
import { Transport } from "@effect-zookeeper/transport"
import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"

// The application: whoever creates the znode has the job, even if the answer was lost on the way.
const claim = (zk: ZooKeeper.Service) =>
  zk.create("/job", { mode: "ephemeral", idempotent: true }).pipe(
    Effect.as(1),
    Effect.catchTag("NodeExists", () => Effect.succeed(0))
  )

// One server, two processes, and a network on which anything may happen for five seconds.
const world = Effect.gen(function* () {
  const simulation = yield* Simulation.Simulation
  const memory = yield* Layer.build(EmbeddedServer.layerMemory)
  const network = yield* SimulatedNetwork.make({ transport: Context.get(memory, Transport.Transport) })

  const claims: Array<Fiber.Fiber<number, unknown>> = []
  for (const name of ["ann", "bob"]) {
    const node = yield* simulation.node(name)
    const client = ZooKeeper.layerSession().pipe(
      Layer.provide(Session.layer({ sessionTimeout: "10 seconds" })),
      Layer.provide(network.layer(name))
    )
    const context = yield* node.run(Layer.build(Layer.fresh(client)))
    claims.push(yield* Effect.forkChild(node.run(claim(Context.get(context, ZooKeeper.ZooKeeper)))))
  }

  yield* SimulatedNetwork.nemesis(network, {
    clients: ["ann", "bob"],
    servers: ["memory:2181"],
    duration: 5_000,
    peace: 500,
    lasting: 1_000
  })
  yield* network.heal

  const owners = (yield* Fiber.joinAll(claims)).reduce((sum, count) => sum + count, 0)
  if (owners !== 1) return yield* Effect.fail(`the job has ${owners} owners`)
}).pipe(Effect.scoped)

// Fails with the first seed that breaks the rule, hangs, or leaves a fiber or timer behind.
it.live("a job has one owner, whatever the network does", () => Simulation.check(world, { seeds: 100 }))
