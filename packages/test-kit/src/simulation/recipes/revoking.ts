/** Requests to a holder to give back, and what it may make of them. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Environment } from "../RecipeSimulation.ts"
import type { SimulatedClient } from "../SimulatedClient.ts"

/** The answer of a holder that is asked. */
export const anyOnRevoke = Effect.map(Random.nextBoolean, (isStopped) => (isStopped ? "stop" : "continue"))

/** A round that sometimes begins with a request to the holders, whose own holder is lost to one only under `stop`. */
export const asking = <A, E, E2, R, R2>(
  environment: Environment,
  client: SimulatedClient,
  options: { readonly onRevoke: "stop" | "continue"; readonly revoke: Effect.Effect<unknown, E2, R2> },
  round: Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R | R2> =>
  Effect.gen(function* () {
    if ((yield* Random.next) < 0.2) yield* options.revoke
    return yield* Effect.tapError(round, (error) =>
      Effect.sync(() => {
        if (options.onRevoke === "continue" && isRevoked(error)) {
          environment.addViolation(`${client.name} goes on when it is asked, and has lost what it held`)
        }
      })
    )
  })

// ---- internal

const isRevoked = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "reason" in error && error.reason === "revoked"
