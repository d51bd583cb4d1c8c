/** F39: the wall clock of a process is set, by an hour and by a day, under a session with thousands of watches. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Session from "@effect-zookeeper/session/Session"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { assert, describe, it } from "@effect/vitest"
import { clientOf } from "../../src/conformance/Target.ts"
import { gather, inScope } from "../../src/Expectations.ts"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { awaitAllFired, changeAll, createAll, MANY, acquireLock, stillOwns, watchAll } from "../support/watching.ts"

const HOUR = 3_600_000

/** Milliseconds. */
const steps = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR] as const

const share = (n: number): number => (n * MANY) / steps.length

const world = inScope(function* () {
  const simulation = yield* Simulation.Simulation
  const ensemble = yield* simulation.node("ensemble")
  const server = yield* ensemble.run(Layer.build(EmbeddedServer.layerMemoryWith({ tickTime: "500 millis" })))
  const layer = ZooKeeper.layerSession().pipe(
    Layer.provide(Session.layer({ sessionTimeout: "6 seconds" })),
    Layer.provide(Layer.succeed(Transport.Transport, Context.get(server, Transport.Transport)))
  )
  const client = Effect.fnUntraced(function* (name: string) {
    const node = yield* simulation.node(name)
    const zk = yield* node.run(clientOf(layer))
    const states = yield* node.run(gather(Stream.map(zk.session.states, ({ _tag }) => _tag)))
    return { node, client: { zk, states } }
  })
  const { client: writer } = yield* client("writer")
  const { client: watcher, node } = yield* client("watcher")
  yield* node.run(acquireLock(watcher, "stepped"))
  const { id } = watcher.zk.session
  yield* createAll(writer, "/stepped", MANY)
  const watching = yield* node.run(watchAll(watcher, "/stepped", MANY))

  for (const [n, step] of steps.entries()) {
    const before = yield* node.run(Clock.currentTimeMillis)
    yield* node.stepWallClock(step)
    assert.approximately((yield* node.run(Clock.currentTimeMillis)) - before, step, 1000)
    // A session that took it for a silence, or for none, would be lost by then.
    yield* Effect.sleep("15 seconds")
    yield* changeAll(writer, "/stepped", share(n), share(n + 1))
    // All that was changed is told, and nothing of what was not.
    yield* Effect.sleep("1 second")
    assert.strictEqual(watching.told, share(n + 1))
  }
  yield* node.run(awaitAllFired(watching))
  assert.deepStrictEqual(watcher.states, ["Connected"])
  assert.strictEqual(watcher.zk.session.id, id)
  assert.isTrue(yield* node.run(stillOwns(watcher, "stepped")))
})

describe("a session with thousands of watches in a process whose wall clock is set", () => {
  it.live(
    "goes on as if nothing was, and tells of every change",
    () => Effect.asVoid(Simulation.check(world, { seeds: 1, maxTime: "1 hour" })),
    180_000
  )
})
