/** The configuration of an ensemble and its changes, which all pages share. */
import type { EnsembleConfig as Read } from "@effect-zookeeper/client/Models"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { EnsembleConfig } from "../../EnsembleModels.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { toReadFailure } from "../failures.ts"

/** The configurations that were seen, which outlive the session. */
export interface Configurations {
  /**
   * Asks every few seconds until the Scope closes: the configuration changes rarely, and its znode may be outside of the
   * chroot. The stream begins with the configurations that are known, the oldest first. It fails when an answer does.
   */
  readonly follow: (
    read: Effect.Effect<Read, ReadError>
  ) => Effect.Effect<Stream.Stream<EnsembleConfig, ReadFailure>, never, Scope.Scope>
}

export const makeConfigurations = (): Configurations => {
  let known: ReadonlyArray<EnsembleConfig> = []
  const note = (found: Read) =>
    Effect.map(Clock.currentTimeMillis, (seen) => {
      if (known.at(-1)?.version !== found.version) known = [...known, toConfig(found, seen)].slice(-kept)
      return known
    })
  return {
    follow: Effect.fnUntraced(function* (read) {
      const state = yield* SubscriptionRef.make<State>({ configs: known, failure: undefined })
      const set = (next: State) =>
        SubscriptionRef.updateSome(state, (now) =>
          now.configs === next.configs && now.failure === undefined && next.failure === undefined
            ? Option.none()
            : Option.some(next)
        )
      const look = Effect.matchEffect(Effect.flatMap(read, note), {
        onSuccess: (configs) => set({ configs, failure: undefined }),
        onFailure: (error) => set({ configs: known, failure: toReadFailure(error) })
      })
      yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("5 seconds")))
      return Stream.suspend(() => {
        let last: EnsembleConfig | undefined
        return SubscriptionRef.changes(state).pipe(
          Stream.buffer({ capacity: 1, strategy: "sliding" }),
          Stream.mapEffect(({ configs, failure }) => {
            if (failure !== undefined) return Effect.fail(failure)
            const fresh = configs.slice(last === undefined ? 0 : configs.indexOf(last) + 1)
            last = configs.at(-1)
            return Effect.succeed(fresh)
          }),
          Stream.flattenIterable
        )
      })
    })
  }
}

// ---- internal

interface State {
  readonly configs: ReadonlyArray<EnsembleConfig>
  readonly failure: ReadFailure | undefined
}

/** The most configurations that are kept. */
const kept = 20

const toConfig = ({ members, version }: Read, seen: number): EnsembleConfig => ({
  version,
  seen,
  members: members.map(({ addresses, client, id, role }) => ({
    id,
    role,
    addresses,
    ...(Option.isSome(client) ? { client: client.value } : {})
  }))
})
