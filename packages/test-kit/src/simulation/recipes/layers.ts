/** A Layer that is built while a client leads; a client that waits for long asks the leader to resign. */
import type { HeldLayer } from "@effect-zookeeper/recipes/HeldLayer"
import * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type { Environment, Recipe } from "../RecipeSimulation.ts"
import { MutualExclusion } from "./MutualExclusion.ts"

class Leading extends Context.Service<Leading, HeldLayer<never>>()("test-kit/simulation/Leading") {}

export const leaderLayer: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  yield* Effect.orDie(environment.clients[0]!.zk.create("/resource"))
  const exclusion = new MutualExclusion(environment)
  return {
    play: Effect.fnUntraced(function* (client) {
      const path = "/recipe/leader"
      // Its work is over when the Layer is torn down.
      const layer = LeaderElection.layerService(
        Leading,
        path,
        (held) =>
          Layer.effectDiscard(
            Effect.forkScoped(Effect.forever(Effect.ignoreCause(exclusion.work(client, "leader", held, held))))
          ),
        { onRevoke: "stop", onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue" }
      )
      const leading = Context.get(yield* Layer.build(layer), Leading)
      const { revoke } = yield* LeaderElection.make(path)
      const lead = leading.use(Effect.flatMap(Random.nextBetween(0, 50), Effect.sleep), { timeout: 1000 })
      return Effect.catchTag(lead, "LockTimeout", () => Effect.andThen(revoke(), lead))
    }),
    judge: () => Effect.sync(() => exclusion.judge())
  }
})
