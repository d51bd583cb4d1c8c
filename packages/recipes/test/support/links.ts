/** Links that lose requests and replies by chance. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type { BreakableEndpoint } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** One request in five never comes to the server, one reply in five never comes back. */
export const sometimesLose = (link: BreakableEndpoint, operation: Operation.Any) =>
  Effect.flatMap(Random.next, (random) =>
    random < 0.2 ? link.loseReply(operation) : random < 0.4 ? link.loseRequest(operation) : Effect.void
  )

/** The client that runs something first whenever a recipe looks for the fate of a write that it has sent. */
export const beforeLooks = (zk: ZooKeeper.Service, first: Effect.Effect<unknown, unknown>): ZooKeeper.Service => ({
  ...zk,
  transaction: (ops) =>
    ops.every(({ _tag }) => _tag === "Check")
      ? Effect.andThen(Effect.orDie(first), zk.transaction(ops))
      : zk.transaction(ops)
})
