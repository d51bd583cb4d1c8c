/**
 * Atoms of znodes and of live configuration: values of ZooKeeper for user interfaces and everything else that uses Effect's
 * `Atom`.
 *
 * An atom follows its znode while something uses it. In an outage it keeps its value. If its stream fails, the `AsyncResult`
 * is a failure that has the last value.
 *
 * `Atom` is unstable in Effect 4.1, so the peer range of this package is `~4.1`.
 *
 * @since 0.1.0
 */
import type { InvalidArgument, NoAuth, SessionError } from "@effect-zookeeper/client/Errors"
import type * as ZNode from "@effect-zookeeper/client/ZNode"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as AsyncResult from "effect/reactivity/AsyncResult"
import type * as Atom from "effect/reactivity/Atom"
import * as Stream from "effect/Stream"
import type { LiveConfig } from "./internal/live/model.ts"

/**
 * An atom of a stream, with the errors of the stream and of the runtime's layer.
 *
 * @category models
 * @since 0.1.0
 */
export type StreamAtom<A, E> = Atom.Atom<AsyncResult.AsyncResult<A, E | Cause.NoSuchElementError>>

/**
 * The data and the Stat of a znode, or none if there is none; see `dataChanges` of the client.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperAtom } from "@effect-zookeeper/config"
 * import * as Atom from "effect/reactivity/Atom"
 *
 * const runtime = Atom.runtime(ZooKeeper.layer({ servers: "localhost:2181" }))
 *
 * export const motd = ZooKeeperAtom.data(runtime, "/motd")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const data = <R, E>(
  runtime: Atom.AtomRuntime<ZooKeeper.ZooKeeper | R, E>,
  path: string
): StreamAtom<Option.Option<ZooKeeper.DataAndStat>, NoAuth | InvalidArgument | SessionError | E> =>
  runtime.atom(Stream.unwrap(Effect.map(ZooKeeper.ZooKeeper, (zk) => zk.dataChanges(path))))

/**
 * The names of the children of a znode and its Stat, or none if there is none; see `childrenChanges` of the client.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperAtom } from "@effect-zookeeper/config"
 * import * as Atom from "effect/reactivity/Atom"
 *
 * const runtime = Atom.runtime(ZooKeeper.layer({ servers: "localhost:2181" }))
 *
 * export const members = ZooKeeperAtom.children(runtime, "/members")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const children = <R, E>(
  runtime: Atom.AtomRuntime<ZooKeeper.ZooKeeper | R, E>,
  path: string
): StreamAtom<Option.Option<ZooKeeper.ChildrenAndStat>, NoAuth | InvalidArgument | SessionError | E> =>
  runtime.atom(Stream.unwrap(Effect.map(ZooKeeper.ZooKeeper, (zk) => zk.childrenChanges(path))))

/**
 * The value of a typed znode, or none if there is none; see `changes` of `ZNode`.
 *
 * @example
 * ```ts
 * import { ZNode, ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperAtom } from "@effect-zookeeper/config"
 * import * as Atom from "effect/reactivity/Atom"
 * import * as Schema from "effect/Schema"
 *
 * const runtime = Atom.runtime(ZooKeeper.layer({ servers: "localhost:2181" }))
 * const Feature = ZNode.make({ path: "/features/:name", schema: Schema.Struct({ enabled: Schema.Boolean }) })
 *
 * export const darkMode = ZooKeeperAtom.znode(runtime, Feature, { name: "dark-mode" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const znode = <R, E, P extends string, A>(
  runtime: Atom.AtomRuntime<ZooKeeper.ZooKeeper | R, E>,
  typed: ZNode.ZNode<P, A>,
  params: ZNode.Params<P>
): StreamAtom<
  Option.Option<ZNode.ValueAndStat<A>>,
  NoAuth | InvalidArgument | SessionError | ZNode.ZNodeDecodeError | E
> => runtime.atom(typed.changes(params))

/**
 * The value of a live configuration, which a service of the runtime has; see `LiveConfig.layer`.
 *
 * @example
 * ```ts
 * import { LiveConfig, ZooKeeperAtom } from "@effect-zookeeper/config"
 * import * as Context from "effect/Context"
 * import type * as Atom from "effect/reactivity/Atom"
 *
 * class Port extends Context.Service<Port, LiveConfig.LiveConfig<number>>()("app/Port") {}
 *
 * declare const runtime: Atom.AtomRuntime<Port>
 *
 * export const port = ZooKeeperAtom.config(runtime, Port)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const config = <R, E, I, A>(
  runtime: Atom.AtomRuntime<I | R, E>,
  service: Context.Key<I, LiveConfig<A>>
): StreamAtom<A, SessionError | E> => runtime.atom(Stream.unwrap(Effect.map(service, ({ changes }) => changes)))
