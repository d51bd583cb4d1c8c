/** Links that lose requests and replies by chance. */
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type { BreakableEndpoint } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** One request in five never comes to the server, one reply in five never comes back. */
export const sometimesLose = (link: BreakableEndpoint, operation: Operation.Any) =>
  Effect.flatMap(Random.next, (random) =>
    random < 0.2 ? link.loseReply(operation) : random < 0.4 ? link.loseRequest(operation) : Effect.void
  )
