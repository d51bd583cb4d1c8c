/**
 * P8: which holders may act at the same time, and which writes are accepted. A scenario says when a client believes to hold
 * something; this judges.
 */
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as Op from "@effect-zookeeper/client/Op"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Environment } from "../RecipeSimulation.ts"
import type { SimulatedClient } from "../SimulatedClient.ts"

/** A holder that is inside. */
interface CurrentHolder {
  readonly client: SimulatedClient
  readonly session: bigint
  readonly paths: ReadonlyArray<string>
  readonly kind: string
}

/** The section that a recipe guards, and the writes in it. */
export class MutualExclusion {
  private readonly environment: Environment
  private readonly mayBeTogether: (kinds: ReadonlyArray<string>) => boolean
  private readonly holders = new Set<CurrentHolder>()
  private readonly writes: Array<{ readonly mzxid: bigint; readonly token: bigint }> = []

  /** `mayBeTogether` judges the kinds of all that are inside, the newest last. */
  constructor(
    environment: Environment,
    mayBeTogether: (kinds: ReadonlyArray<string>) => boolean = (kinds) => kinds.length <= 1
  ) {
    this.environment = environment
    this.mayBeTogether = mayBeTogether
  }

  /** The guarded work: it takes its time, and what is fenced by `writes` is written. */
  work(
    client: SimulatedClient,
    kind: string,
    held: Pick<Held, "path"> | ReadonlyArray<Held>,
    writes?: Held
  ): Effect.Effect<void, unknown> {
    const paths = "path" in held ? [held.path] : held.map(({ path }) => path)
    const one: CurrentHolder = { client, session: client.zk.session.id, paths, kind }
    return Effect.acquireUseRelease(
      Effect.sync(() => this.enter(one)),
      () =>
        Effect.gen({ self: this }, function* () {
          // Some stay for longer than a cut-off session lasts.
          const kind = yield* Random.next
          const longest = kind < 0.5 ? 20 : kind < 0.85 || this.environment.isFaultFree() ? 1200 : 6000
          yield* Effect.sleep(yield* Random.nextBetween(0, longest))
          if (writes !== undefined && (yield* Random.nextBoolean)) yield* this.write(writes)
          // An interrupted worker has something to put in order.
        }).pipe(Effect.ensuring(Effect.flatMap(Random.nextBetween(0, 30), Effect.sleep))),
      () =>
        Effect.sync(() => {
          this.holders.delete(one)
        })
    )
  }

  /** A former holder's write is refused: tokens only grow, in the order of the transactions. */
  private write(held: Held): Effect.Effect<void, unknown> {
    return held.transaction([Op.setData("/resource", String(held.fencingToken))]).pipe(
      Effect.map(([{ mzxid }]) => {
        this.writes.push({ mzxid, token: held.fencingToken })
      }),
      // Its fate does not matter.
      Effect.catchTag(["ConnectionLoss", "RequestTimeout", "SessionExpired"], () => Effect.void)
    )
  }

  private enter(one: CurrentHolder): void {
    this.holders.add(one)
    const isExcused = ({ paths, session, client }: CurrentHolder) =>
      paths.some((path) => this.environment.isExcused(client, session, path))
    if (isExcused(one)) return
    const others = [...this.holders].filter((other) => !isExcused(other))
    if (this.mayBeTogether(others.map(({ kind }) => kind))) return
    const names = others.map(({ kind, client }) => `${client.name} (${kind})`).join(" and ")
    this.environment.addViolation(`P8: ${names} are inside together at ${this.environment.now().toFixed(1)} ms`)
  }

  judge(): void {
    const inOrder = this.writes.toSorted((a, b) => (a.mzxid < b.mzxid ? -1 : 1))
    inOrder.forEach(({ mzxid, token }, index) => {
      const before = inOrder[index - 1]
      if (before !== undefined && token < before.token) {
        this.environment.addViolation(`P8: token ${token} was accepted by transaction ${mzxid}, behind ${before.token}`)
      }
    })
  }
}
