/**
 * Effect's `Reactivity` across processes: an invalidation in one of them runs the queries of all.
 *
 * Each key belongs to one of `slots` znodes, by a hash of its name. An invalidation writes to the znodes of its keys, and a
 * recursive watch of each process tells it of these writes. Where events may be missing (`Gap`: a lost connection, a new
 * session) everything is invalidated.
 *
 * - In its own process an invalidation takes effect at once, as ever, and in others when the commit's event is there.
 *   In an outage it is sent when that is over.
 * - No invalidation is missed: after the last one every query runs once more in each process. A query may also run without
 *   a reason, because two keys can share a slot. While the server has no watch, because it refuses it or drops each connection
 *   with it, invalidations of other processes are not heard: a warning says so, and everything is invalidated afterwards.
 * - A query that it causes to run reads what is committed where it reads: with another database, commit before you
 *   invalidate (`withBatch` and `mutation` do so).
 * - Keys are text, numbers, bigints and booleans, and records of these. Other keys stay in their process.
 *
 * It is for invalidations by people and jobs, some per second: each is a commit by the quorum. It needs ZooKeeper 3.6.
 * `Reactivity` is unstable in Effect 4.1, so the peer range of this package is `~4.1`.
 *
 * @since 0.1.0
 */
import { checkCount, checkOptions, checkPath } from "@effect-zookeeper/client/ArgumentCheck"
import { acquireForked } from "@effect-zookeeper/client/Detached"
import type { InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import { makeBridge } from "./internal/reactivity/bridge.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The znode that the processes share, such as `/reactivity`. It is created when it is needed. */
  readonly path: string
  /** The number of znodes below it. It has to be the same in all processes. Default 1,024. */
  readonly slots?: number | undefined
}

const known = KnownOptions.make<Options>({ path: true, slots: true }, '{ path: "/reactivity" }')

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A `Reactivity` that is connected with those of other processes until the Scope closes. Returns when the server has the
 * watch. Fails with `ServerRefused` before ZooKeeper 3.6.
 *
 * @example
 * ```ts
 * import { ZooKeeperReactivity } from "@effect-zookeeper/config"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const reactivity = yield* ZooKeeperReactivity.make({ path: "/reactivity" })
 *   // The queries of "users" run again in all processes.
 *   yield* reactivity.invalidate(["users"])
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<Reactivity.Reactivity, InvalidArgument | SessionError, ZooKeeper.ZooKeeper | Scope.Scope> =>
  acquireForked((restore) =>
    restore(
      Effect.gen(function* () {
        yield* checkOptions(known, options)
        const path = yield* checkPath(options.path)
        const slots = yield* checkCount("slots", options.slots ?? 1024)
        const ready = Deferred.makeUnsafe<void, InvalidArgument | SessionError>()
        const bridge = yield* makeBridge({ zk: yield* ZooKeeper.ZooKeeper, path, slots, ready })
        yield* Deferred.await(ready)
        return bridge
      })
    )
  )

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Provides it as Effect's `Reactivity`.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperReactivity } from "@effect-zookeeper/config"
 * import * as Layer from "effect/Layer"
 *
 * export const reactivity = ZooKeeperReactivity.layer({ path: "/reactivity" }).pipe(
 *   Layer.provide(ZooKeeper.layer({ servers: "localhost:2181" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<Reactivity.Reactivity, InvalidArgument | SessionError, ZooKeeper.ZooKeeper> =>
  Layer.effect(Reactivity.Reactivity, make(options))
