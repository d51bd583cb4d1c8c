/**
 * Services and their instances: who runs where, found by name.
 *
 * ```ts
 * const discovery = yield* ServiceDiscovery.make("/services", { schema: Schema.Struct({ zone: Schema.String }) })
 * yield* discovery.register({ name: "mail", address: "10.0.0.7", port: 2525, payload: { zone: "b" } })
 *
 * const mail = yield* discovery.provider("mail", { strategy: "roundRobin" })
 * const instance = yield* mail.pick
 * ```
 *
 * The znodes are those of Curator's x-discovery, `<base>/<service>/<id>` with the same JSON: a process in Java finds what is
 * registered here, and the other way round.
 *
 * **Guarantees**
 *
 * - A registered instance is there for as long as its Scope is open: it comes back after an expiry, and after somebody has
 *   deleted it. One that was registered by the same process before is not mistaken for it: ids are random unless given.
 * - `watch` and `provider` follow the server and never go back, see `ChildrenCache`; an instance that cannot be decoded is
 *   left out, and reported to the log once, so that it hides none of the others.
 *
 * It does not guarantee that a picked instance is alive: one that has died is listed until its session has expired. Tell
 * `noteError`, and it is left out for a while.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ChildrenCache from "./ChildrenCache.ts"
import type { RecipeError } from "./Errors.ts"
import { checkPath } from "./internal/shared/validate.ts"
import { instanceCodec, type InstanceCodec } from "./internal/discovery/instanceCodec.ts"
import { makeProvider } from "./internal/discovery/provider.ts"
import { register } from "./internal/discovery/announce.ts"
import { retryAcrossSessions, endWhenClosed } from "./internal/shared/retry.ts"
import { Instance, type ServiceType, type UriSpec } from "./ServiceInstance.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

export { Instance, type ServiceType, type UriSpec } from "./ServiceInstance.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface Options<A, I> {
  /** What instances carry beside their address, as JSON: `Schema.Null` for nothing, `Schema.Unknown` for anything. */
  readonly schema: Schema.Codec<A, I>
  /**
   * Written as `@class` into payloads that are objects, for Java processes whose payload is a class of that name. Default:
   * none, and Java reads a payload that is an object as a Map.
   */
  readonly payloadClass?: string | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * An instance to be registered.
 *
 * @category options
 * @since 0.1.0
 */
export interface Registrant<A> {
  /** Of the service: a name without "/". */
  readonly name: string
  /** A name without "/", which no other instance of the service has. Default: a new UUID. */
  readonly id?: string | undefined
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly sslPort?: number | undefined
  readonly payload: A
  /** Default `DYNAMIC`. */
  readonly serviceType?: Exclude<ServiceType, "DYNAMIC_SEQUENTIAL"> | undefined
  readonly uriSpec?: UriSpec | undefined
  /** Whether providers may pick it. Default true. */
  readonly enabled?: boolean | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface ProviderOptions<A> {
  /**
   * Which instance is picked. `roundRobin`, the default: each in turn, by their ids, beginning with any. `random`: any.
   * `sticky`: any, and then the same for as long as it can be picked.
   */
  readonly strategy?: "roundRobin" | "random" | "sticky" | undefined
  /** When an instance with errors is left out, and for how long. */
  readonly downInstances?: DownInstances | undefined
  /** Which instances may be picked, of those that are enabled. Default: all. */
  readonly filter?: ((instance: Instance<A>) => boolean) | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface DownInstances {
  /** So many errors within `timeout` take an instance out. Default 2. */
  readonly threshold?: number | undefined
  /** How long, since the first of them. Default 30 seconds. Numbers are milliseconds. */
  readonly timeout?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What can be changed of an instance that is registered.
 *
 * @category models
 * @since 0.1.0
 */
export type InstanceChange<A> = Partial<
  Pick<Instance<A>, "address" | "port" | "sslPort" | "payload" | "uriSpec" | "enabled">
>

/**
 * An instance of ours.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registration<A> {
  readonly path: string
  /** As it was registered, or changed last. */
  readonly instance: Instance<A>
  /** Changes what others are shown of it, and waits until they are. */
  readonly update: (change: InstanceChange<A>) => Effect.Effect<Instance<A>, RecipeError>
}

/**
 * A service, and which of its instances to use next.
 *
 * @category models
 * @since 0.1.0
 */
export interface Provider<A> {
  readonly name: string
  /** An instance by the strategy; none if there is none that may be picked. Asks no server. */
  readonly pick: Effect.Effect<Option.Option<Instance<A>>>
  /** All that may be picked now, by their ids. */
  readonly candidates: Effect.Effect<ReadonlyArray<Instance<A>>>
  /** Says that an instance did not do: with `threshold` of these it is not picked until `timeout` is over. */
  readonly noteError: (instance: Instance<unknown>) => Effect.Effect<void>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ServiceDiscovery<A> {
  readonly basePath: string
  /**
   * Registers an instance until the Scope closes, and returns when it is there. An instance of the same id that another
   * session has registered is waited for until it has gone.
   */
  readonly register: (
    instance: Registrant<A>
  ) => Effect.Effect<Registration<A>, RecipeError | InvalidArgument, Scope.Scope>
  /** The instances of a service, by their ids; those that are not enabled too. */
  readonly instances: (name: string) => Effect.Effect<ReadonlyArray<Instance<A>>, RecipeError>
  /** The instances of a service, then each newer list of them. */
  readonly watch: (name: string) => Stream.Stream<ReadonlyArray<Instance<A>>, RecipeError>
  /** Follows a service until the Scope closes, to pick its instances without asking; returns when it knows them. */
  readonly provider: (
    name: string,
    options?: ProviderOptions<A>
  ) => Effect.Effect<Provider<A>, RecipeError | InvalidArgument, Scope.Scope>
  /** The names of the services that have or had instances, by the alphabet. */
  readonly services: Effect.Effect<ReadonlyArray<string>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * The services at a path. Nothing is sent before it is used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, I>(
  basePath: string,
  options: Options<A, I>
): Effect.Effect<ServiceDiscovery<A>, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.serviceDiscovery, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(basePath, true)
    const data = instanceCodec(options.schema, options.payloadClass)
    const pathOf = (name: string) =>
      Effect.map(checkName("name", basePath, name), (name) => ZnodePath.join(basePath, name))
    const follow = (name: string) =>
      Effect.flatMap(pathOf(name), (path) =>
        Effect.map(Effect.provideService(ChildrenCache.make(path), ZooKeeper.ZooKeeper, zk), (cache) => ({
          cache,
          path
        }))
      )
    return {
      basePath,
      register: (registrant) =>
        Effect.gen(function* () {
          yield* Known.checkOptions(Known.registrant, registrant ?? null, "instance")
          const parent = yield* pathOf(registrant.name)
          const id = yield* checkName("id", parent, registrant.id ?? (yield* Guid.make))
          const registrationTimeUTC = yield* Clock.currentTimeMillis
          const instance = new Instance({ ...registrant, id, registrationTimeUTC })
          return yield* register(zk, ZnodePath.join(parent, id), instance, data, options.acl)
        }),
      instances: (name) => Effect.flatMap(pathOf(name), (path) => look(zk, path, data)),
      watch: (name) =>
        Stream.unwrap(
          Effect.map(follow(name), ({ cache, path }) =>
            cache.changes.pipe(
              Stream.map(() => cache.get()),
              Stream.changesWith((a, b) => a === b),
              Stream.mapEffect((children) => data.decodeAll(path, children))
            )
          )
        ).pipe(endWhenClosed),
      provider: (name, options) =>
        Effect.andThen(
          Known.checkOptions(Known.provider, options),
          Effect.flatMap(follow(name), ({ cache, path }) =>
            makeProvider(
              name,
              Effect.suspend(() => data.decodeAll(path, cache.get())),
              options ?? {}
            )
          )
        ),
      services: retryAcrossSessions(zk, zk.getChildren(basePath)).pipe(
        Effect.catchTag("NoNode", () => Effect.succeed([])),
        Effect.map((names) => names.toSorted())
      )
    }
  })

// ---- internal

/** The instances that are there now. */
const look = <A>(
  zk: ZooKeeper.Service,
  path: string,
  data: InstanceCodec<A>
): Effect.Effect<ReadonlyArray<Instance<A>>, RecipeError> =>
  Effect.gen(function* () {
    const names = yield* retryAcrossSessions(zk, zk.getChildren(path))
    const results = yield* retryAcrossSessions(zk, zk.read(names.map((name) => Op.get(ZnodePath.join(path, name)))))
    const found = new Map<string, DataAndStat>()
    // Who has gone between the two looks is left out.
    for (const [index, result] of results.entries()) {
      if (Result.isSuccess(result)) found.set(names[index]!, result.success)
    }
    return yield* data.decodeAll(path, found)
  }).pipe(Effect.catchTag("NoNode", () => Effect.succeed([])))

const checkName = (argument: "name" | "id", parent: string, value: string): Effect.Effect<string, InvalidArgument> =>
  value.includes("/")
    ? Effect.fail(new InvalidArgument({ argument, value, rule: 'it has to be a name without "/"' }))
    : Effect.as(Effect.fromResult(ZnodePath.validate(ZnodePath.join(parent, value), argument)), value)
