/** Requests to contenders to give back, and what holders may make of them: a request that was made is heard. */
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Environment } from "../RecipeSimulation.ts"
import type { SimulatedClient } from "../SimulatedClient.ts"

/** The znode of a contender. */
type Position = Pick<Held, "path">

type OnRevoke = "stop" | "continue"

/** A recipe whose contenders can be asked. */
interface Revocable<E> {
  readonly contenders: Effect.Effect<ReadonlyArray<Position>, E>
  readonly revoke: (contender?: Position) => Effect.Effect<number, E>
}

/** The answer of a holder that is asked. */
export const anyOnRevoke: Effect.Effect<OnRevoke> = Effect.map(Random.nextBoolean, (isStopped) =>
  isStopped ? "stop" : "continue"
)

/** The requests of all clients of a world. */
export class Requests {
  private readonly environment: Environment
  /** The znodes whose contender has been asked, and has it in its data. */
  private readonly asked = new Set<string>()

  constructor(environment: Environment) {
    this.environment = environment
  }

  /** A round that sometimes begins with a request, whose own hold is lost to one only under `stop`. */
  around<A, E, E2, R>(
    { name }: SimulatedClient,
    onRevoke: OnRevoke,
    recipe: Revocable<E2>,
    round: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | E2, R> {
    return Effect.gen({ self: this }, function* () {
      if ((yield* Random.next) < 0.2) yield* this.ask(recipe)
      return yield* Effect.tapError(round, (error) =>
        Effect.sync(() => {
          if (onRevoke === "continue" && isRevoked(error)) {
            this.environment.addViolation(`${name} goes on when it is asked, and has lost what it held`)
          }
        })
      )
    })
  }

  /**
   * The end of guarded work. A holder that has been asked stays until it hears of it, and under `stop` until it is
   * interrupted: it never ends if the request was lost. In peace some ask themselves.
   */
  hear<E>(
    onRevoke: OnRevoke,
    { revoke }: Pick<Revocable<E>, "revoke">,
    ...all: ReadonlyArray<Held>
  ): Effect.Effect<void, E> {
    const hear = ({ path, revocation }: Held) =>
      Effect.suspend(() => {
        if (!this.asked.has(path)) return Effect.void
        return onRevoke === "stop" ? Effect.never : revocation
      })
    return Effect.gen({ self: this }, function* () {
      const isOwn = this.environment.isFaultFree() && (yield* Random.next) < 0.3
      if (isOwn) for (const { path } of all) yield* this.request(revoke, path)
      for (const held of all) yield* hear(held)
    })
  }

  private ask<E>({ contenders, revoke }: Revocable<E>): Effect.Effect<void, E> {
    return Effect.gen({ self: this }, function* () {
      if ((yield* Random.next) < 0.3) {
        yield* revoke()
        return
      }
      const all = yield* contenders
      if (all.length === 0) return
      // Those who wait are asked as well.
      yield* this.request(revoke, all[yield* Random.nextIntBetween(0, all.length - 1)]!.path)
    })
  }

  private request<E>(revoke: Revocable<E>["revoke"], path: string): Effect.Effect<void, E> {
    return Effect.map(revoke({ path }), (count) => {
      if (count > 0) this.asked.add(path)
    })
  }
}

// ---- internal

const isRevoked = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "reason" in error && error.reason === "revoked"
