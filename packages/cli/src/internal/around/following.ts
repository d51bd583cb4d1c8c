/** A subtree that is followed as one text: each state of it is encoded, and a state that has no encoding is not taken over. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { NoNode } from "@effect-zookeeper/client/Errors"
import * as LiveConfig from "@effect-zookeeper/config/LiveConfig"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Client } from "../frame/Client.ts"
import { Conflict } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"
import { shown } from "../output/text.ts"

/**
 * Follows the subtree at `path` until the Scope closes. `encode` gives the value of one state as JSON, so that all of it comes
 * from that state. The first state has to have one: otherwise it fails with `Conflict`.
 */
export const follow = <A>(
  path: string,
  schema: Schema.Codec<A, string>,
  encode: (tree: ConfigProvider.ConfigProvider) => Effect.Effect<unknown, ConfigProvider.SourceError>
) =>
  Effect.gen(function* () {
    const zk = yield* (yield* Client).follower
    if (Option.isNone(yield* zk.stat(path))) return yield* new NoNode({ path, operation: "exists" })
    return yield* LiveConfig.make(Config.schema(schema), {
      path,
      compose: (tree) =>
        ConfigProvider.make((at) =>
          at.length > 0
            ? Effect.undefined
            : Effect.map(encode(tree), (value) => ConfigProvider.makeValue(JSON.stringify(value)))
        )
    }).pipe(
      Effect.provideService(ZooKeeper.ZooKeeper, zk),
      Effect.catchTag("ConfigError", (error) =>
        Effect.fail(new Conflict({ message: `${shown(path)}: ${reasonOf(error)}` }))
      )
    )
  })

/** Gives each state that has lasted for `settle`, the newest alone, and says why another one is not taken over. */
export const changesOf = <A>(
  live: LiveConfig.LiveConfig<A>,
  settle: Duration.Duration
): Effect.Effect<Queue.Dequeue<A>, never, Printer | Scope.Scope> =>
  Effect.gen(function* () {
    const { note } = yield* Printer
    const path = shown(live.path)
    const changes = yield* Queue.sliding<A>(1)
    const problems = live.statusChanges.pipe(
      Stream.map(({ problem }) =>
        Option.map(problem, (problem) => (problem._tag === "ConfigError" ? reasonOf(problem) : problem.message))
      ),
      Stream.changes,
      Stream.runForEach((problem) =>
        Option.isNone(problem) ? Effect.void : note(`${path} is not taken over: ${shown(problem.value)}`)
      )
    )
    yield* Effect.forkScoped(problems)
    const states = live.changes.pipe(
      Stream.debounce(settle),
      Stream.runForEach((value) => Queue.offer(changes, value)),
      // What runs goes on with what it has.
      Effect.catch((error) => note(`${path} is not followed any more: ${error.message}`))
    )
    yield* Effect.forkScoped(states)
    return changes
  })

// ---- internal

const reasonOf = ({ cause }: Config.ConfigError): string => cause.message
