/**
 * Picks the instance of a service to use next.
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Instance } from "../../ServiceInstance.ts"
import { monotonicMillis } from "../shared/clock.ts"
import { checkOptions, knownOptions } from "../shared/options.ts"
import { checkCount, checkTimeout } from "../shared/validate.ts"
import type { DownInstances as DownOptions, Provider, ProviderOptions } from "./model.ts"

export const makeProvider = <A>(
  name: string,
  instances: Effect.Effect<ReadonlyArray<Instance<A>>>,
  { downInstances = {}, filter, strategy = "roundRobin" }: ProviderOptions<A>
): Effect.Effect<Provider<A>, InvalidArgument> =>
  Effect.gen(function* () {
    yield* checkOptions(knownDown, downInstances, "downInstances")
    const timeout =
      (yield* checkTimeout(timeoutOrDefault(downInstances), "downInstances.timeout")) ?? Number.POSITIVE_INFINITY
    const threshold = (yield* checkCount("threshold", downInstances.threshold)) ?? 2
    const down = new DownInstances(threshold, timeout)
    const choose = yield* strategies[strategy]
    const candidates = Effect.flatMap(instances, (all) =>
      Effect.map(monotonicMillis, (at) =>
        all.filter(
          (instance) => instance.enabled && !down.has(instance, at) && (filter === undefined || filter(instance))
        )
      )
    )
    return {
      name,
      candidates,
      pick: Effect.flatMap(candidates, (all) =>
        all.length === 0 ? Effect.succeedNone : Effect.map(choose(all), (index) => Option.fromUndefinedOr(all[index]))
      ),
      noteError: (instance) => Effect.map(monotonicMillis, (at) => down.note(instance, at))
    }
  })

const knownDown = knownOptions<DownOptions>({ threshold: true, timeout: true }, "{ threshold: 2 }")

const timeoutOrDefault = ({ timeout = "30 seconds" }: DownOptions) => timeout

// ---- internal: strategies

/** Gives an index of a list that is not empty. */
type Choose = (all: ReadonlyArray<Instance<unknown>>) => Effect.Effect<number>

const pickAny: Choose = (all) => Random.nextIntBetween(0, all.length - 1)

const strategies: Readonly<Record<"roundRobin" | "random" | "sticky", Effect.Effect<Choose>>> = {
  random: Effect.succeed(pickAny),
  // Begins anywhere, so that not every client sends its first request to the first instance.
  roundRobin: Effect.map(Random.nextIntBetween(0, 1_000_000), (begin): Choose => {
    let turn = begin
    return (all) => Effect.sync(() => turn++ % all.length)
  }),
  sticky: Effect.sync((): Choose => {
    let kept: Instance<unknown> | undefined
    return (all) =>
      Effect.suspend(() => {
        const index = all.findIndex((instance) => kept !== undefined && keyOf(instance) === keyOf(kept))
        if (index !== -1) return Effect.succeed(index)
        return Effect.tap(pickAny(all), (index) =>
          Effect.sync(() => {
            kept = all[index]
          })
        )
      })
  })
}

// ---- internal: instances that are down

/** An instance that was registered again counts as another one. */
const keyOf = ({ id, registrationTimeUTC }: Instance<unknown>): string => `${registrationTimeUTC} ${id}`

class DownInstances {
  private readonly threshold: number
  /** Milliseconds. */
  private readonly timeout: number
  private readonly errors = new Map<string, { readonly since: number; count: number }>()

  constructor(threshold: number, timeout: number) {
    this.threshold = threshold
    this.timeout = timeout
  }

  note(instance: Instance<unknown>, at: number): void {
    this.forgive(at)
    const key = keyOf(instance)
    const noted = this.errors.get(key)
    if (noted === undefined) this.errors.set(key, { since: at, count: 1 })
    else noted.count++
  }

  has(instance: Instance<unknown>, at: number): boolean {
    this.forgive(at)
    return (this.errors.get(keyOf(instance))?.count ?? 0) >= this.threshold
  }

  private forgive(at: number): void {
    for (const [key, { since }] of this.errors) if (at - since >= this.timeout) this.errors.delete(key)
  }
}
