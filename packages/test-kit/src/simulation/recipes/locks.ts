/** Recipes with one holder at a time: the lock, the leader's leadership, the lease. */
import * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import * as Lease from "@effect-zookeeper/recipes/Lease"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Recipe, Environment } from "../RecipeSimulation.ts"
import { MutualExclusion } from "./MutualExclusion.ts"
import { anyOnRevoke, Requests } from "./revoking.ts"

export const lock: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const exclusion = yield* guarded(environment)
  const requests = new Requests(environment)
  return {
    play: Effect.fnUntraced(function* (client) {
      const onRevoke = yield* anyOnRevoke
      const lock = yield* Lock.make("/recipe/lock", {
        onRevoke,
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue",
        layout: (["curator", "go", "kazoo", "aiozk"] as const)[yield* Random.nextIntBetween(0, 3)]
      })
      const timeout = (yield* Random.nextBoolean) ? 0 : 2000
      return Effect.gen(function* () {
        const options = (yield* Random.next) < 0.2 && !environment.isFaultFree() ? { timeout } : undefined
        const working = lock.withLock(
          (held) => Effect.andThen(exclusion.work(client, "holder", held, held), requests.hear(onRevoke, lock, held)),
          options
        )
        yield* requests.around(client, onRevoke, lock, working)
      })
    }),
    mayBeClosedInside: true,
    judge: () => Effect.sync(() => exclusion.judge())
  }
})

export const leaderElection: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const exclusion = yield* guarded(environment)
  return {
    play: Effect.fnUntraced(function* (client) {
      const { whileLeader } = yield* LeaderElection.make("/recipe/leader", {
        identifier: client.name,
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
      })
      return whileLeader((held) => exclusion.work(client, "leader", held, held))
    }),
    mayBeClosedInside: true,
    judge: () => Effect.sync(() => exclusion.judge())
  }
})

export const lease: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const exclusion = yield* guarded(environment)
  return {
    play: Effect.fnUntraced(function* (client) {
      const { withLease } = yield* Lease.make("/recipe/lease", { duration: "1500 millis" })
      return withLease((held) => exclusion.work(client, "tenant", held, held))
    }),
    // Its time is what it is; the znodes that tell it are not deleted by others.
    survivesDeletion: false,
    judge: () => Effect.sync(() => exclusion.judge())
  }
})

/** A section with something to write. */
const guarded = Effect.fnUntraced(function* (environment: Environment) {
  yield* Effect.orDie(environment.clients[0]!.zk.create("/resource"))
  return new MutualExclusion(environment)
})
