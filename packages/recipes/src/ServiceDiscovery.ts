/**
 * Services and their instances, registered and found by name.
 *
 * The znodes are those of Curator's x-discovery, `<base>/<service>/<id>` with the same JSON: Java processes find instances
 * that are registered here, and the other way round.
 *
 * **Guarantees**
 *
 * - A registered instance is there for as long as its Scope is open: it comes back after an expiry, and after a client has
 *   deleted it. It is not mistaken for an earlier instance of the same process, because ids are random unless given.
 * - `watch` and `provider` follow the server and never go back, see `ChildrenCache`. An instance that cannot be decoded is
 *   left out and logged once, and hides none of the others.
 *
 * It does not guarantee that a picked instance is alive: one that has died is listed until its session has expired. Call
 * `noteError`, and it is left out for a while.
 *
 * @since 0.1.0
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ChildrenCache from "./ChildrenCache.ts"
import type { RecipeError } from "./Errors.ts"
import { instanceCodec, type InstanceCodec } from "./internal/discovery/instanceCodec.ts"
import type { Provider, ProviderOptions, Registration } from "./internal/discovery/model.ts"
import { makeProvider } from "./internal/discovery/provider.ts"
import { register } from "./internal/discovery/announce.ts"
import { type AclOptions, checkOptions, knownOptions } from "./internal/shared/options.ts"
import { getChildrenOrNone } from "./internal/shared/requests.ts"
import { retryAcrossSessions, endWhenClosed } from "./internal/shared/retry.ts"
import { checkPath } from "./internal/shared/validate.ts"
import { Instance, type ServiceType, type UriSpec } from "./ServiceInstance.ts"

export type {
  DownInstances,
  InstanceChange,
  Provider,
  ProviderOptions,
  Registration
} from "./internal/discovery/model.ts"
export { Instance, type ServiceType, type UriSpec } from "./ServiceInstance.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<A, I> extends AclOptions {
  /** The payload of instances, as JSON: `Schema.Null` for none, `Schema.Unknown` for anything. */
  readonly schema: Schema.Codec<A, I>
  /**
   * Written as `@class` into payloads that are objects, for Java processes whose payload is a class of that name. Default:
   * none; then Java reads such a payload as a Map.
   */
  readonly payloadClass?: string | undefined
}

/**
 * An instance to register.
 *
 * @category options
 * @since 0.1.0
 */
export interface Registrant<A> {
  /** The service: a name without "/". */
  readonly name: string
  /** A name without "/" that is unique within the service. Default: a new UUID. */
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

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The services at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceDiscovery<A> {
  readonly basePath: string
  /**
   * Registers an instance until the Scope closes, and returns when it is there. If another session has registered the same
   * id, it waits until that instance has gone.
   */
  readonly register: (
    instance: Registrant<A>
  ) => Effect.Effect<Registration<A>, RecipeError | InvalidArgument, Scope.Scope>
  /** The instances of a service, by their ids, including those that are not enabled. */
  readonly instances: (name: string) => Effect.Effect<ReadonlyArray<Instance<A>>, RecipeError>
  /** The current instances of a service, then each newer list. Fails when the session has ended for good. */
  readonly watch: (name: string) => Stream.Stream<ReadonlyArray<Instance<A>>, RecipeError>
  /** Follows a service until the Scope closes, to pick instances without a request; returns when they have been read. */
  readonly provider: (
    name: string,
    options?: ProviderOptions<A>
  ) => Effect.Effect<Provider<A>, RecipeError | InvalidArgument, Scope.Scope>
  /** The names of all services that have or had instances, sorted. */
  readonly services: Effect.Effect<ReadonlyArray<string>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a discovery of the services at a path. Nothing is sent before it is used. Fails with `InvalidArgument` for a path
 * or options that are not valid.
 *
 * @example
 * ```ts
 * import { ServiceDiscovery } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * export const program = Effect.gen(function* () {
 *   const discovery = yield* ServiceDiscovery.make("/services", { schema: Schema.Struct({ zone: Schema.String }) })
 *   yield* discovery.register({ name: "mail", address: "10.0.0.7", port: 2525, payload: { zone: "b" } })
 *   const mail = yield* discovery.provider("mail", { strategy: "roundRobin" })
 *   yield* Effect.log(yield* mail.pick)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, I>(
  basePath: string,
  options: Options<A, I>
): Effect.Effect<ServiceDiscovery<A>, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
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
          yield* checkOptions(knownRegistrant, registrant ?? null, "instance")
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
          checkOptions(knownProvider, options),
          Effect.flatMap(follow(name), ({ cache, path }) =>
            makeProvider(
              name,
              Effect.suspend(() => data.decodeAll(path, cache.get())),
              options ?? {}
            )
          )
        ),
      services: Effect.map(getChildrenOrNone(zk, basePath), (names) => names.toSorted())
    }
  })

// ---- internal

const known = knownOptions<Options<unknown, unknown>>(
  { schema: true, payloadClass: true, acl: true },
  "{ schema: Schema.Unknown }"
)

const knownRegistrant = knownOptions<Registrant<unknown>>(
  {
    name: true,
    id: true,
    address: true,
    port: true,
    sslPort: true,
    payload: true,
    serviceType: true,
    uriSpec: true,
    enabled: true
  },
  '{ name: "web", address: "10.0.0.7", port: 80, payload: null }'
)

const knownProvider = knownOptions<ProviderOptions<unknown>>(
  { strategy: true, downInstances: true, filter: true },
  '{ strategy: "random" }'
)

/** The present instances. */
const look = <A>(
  zk: ZooKeeper.Service,
  path: string,
  data: InstanceCodec<A>
): Effect.Effect<ReadonlyArray<Instance<A>>, RecipeError> =>
  Effect.gen(function* () {
    const names = yield* getChildrenOrNone(zk, path)
    const results = yield* retryAcrossSessions(zk, zk.read(names.map((name) => Op.get(ZnodePath.join(path, name)))))
    const found = new Map<string, DataAndStat>()
    // Instances that went between the two requests are left out.
    for (const [index, result] of results.entries()) {
      if (Result.isSuccess(result)) found.set(names[index]!, result.success)
    }
    return yield* data.decodeAll(path, found)
  })

const checkName = (argument: "name" | "id", parent: string, value: string): Effect.Effect<string, InvalidArgument> =>
  value.includes("/")
    ? Effect.fail(new InvalidArgument({ argument, value, rule: 'it has to be a name without "/"' }))
    : Effect.as(Effect.fromResult(ZnodePath.validate(ZnodePath.join(parent, value), argument)), value)
