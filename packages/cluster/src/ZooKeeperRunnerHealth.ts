/**
 * Effect Cluster's `RunnerHealth` on ZooKeeper: a runner is alive for as long as its registration is there. Runners do not
 * ping each other.
 *
 * ZooKeeper deletes the registration of a runner at the end of its session, at most a session timeout after its process or
 * its host has died. A runner that is cut off from the others but not from ZooKeeper counts as alive: its shards stay.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { RunnerHealth } from "effect/cluster/RunnerHealth"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bounding } from "./internal/makeStorage.ts"
import { isRegistered } from "./internal/registrations.ts"
import { checkedLayout, type PrefixOptions } from "./internal/settings.ts"

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends PrefixOptions {}

/**
 * The health of runners that are registered with `ZooKeeperRunnerStorage` under the same prefix.
 *
 * If ZooKeeper does not answer within five seconds, a runner counts as alive, as with Effect's Kubernetes check: nothing is
 * known against it, and no other runner could be told.
 *
 * @example
 * ```ts
 * import { ZooKeeperRunnerHealth } from "@effect-zookeeper/cluster"
 * import * as RunnerAddress from "effect/cluster/RunnerAddress"
 * import * as Effect from "effect/Effect"
 *
 * export const isAlive = Effect.flatMap(ZooKeeperRunnerHealth.make({ prefix: "/shop" }), (health) =>
 *   health.isAlive(RunnerAddress.make("runner-1", 34431))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options = {}
): Effect.Effect<RunnerHealth["Service"], InvalidArgument, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    const layout = yield* checkedLayout(options)
    const zk = yield* ZooKeeper.ZooKeeper
    const bounded = bounding(zk, layout, { interval: 5000 })
    return RunnerHealth.of({
      isAlive: ({ host, port }) =>
        Effect.orElseSucceed(bounded("isAlive", isRegistered(zk, layout, `${host}:${port}`)), () => true)
    })
  })

/**
 * Provides it as Effect's `RunnerHealth`. It has the errors of {@link make}.
 *
 * @example
 * ```ts
 * import { ZooKeeperRunnerHealth, ZooKeeperRunnerStorage } from "@effect-zookeeper/cluster"
 * import * as Layer from "effect/Layer"
 *
 * const options = { prefix: "/shop" }
 *
 * export const cluster = Layer.mergeAll(ZooKeeperRunnerStorage.layer(options), ZooKeeperRunnerHealth.layer(options))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<RunnerHealth, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Layer.effect(RunnerHealth, make(options))
