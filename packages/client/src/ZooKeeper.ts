/**
 * The ZooKeeper client: the service, its options and its layers.
 *
 * The methods of the client are those of `Service`. `PromiseClient` has the same methods with Promises.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const path = yield* zk.createWithParents("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
 *   const { data, stat } = yield* zk.get(path)
 *   yield* zk.set(path, "next", stat.version)
 *   return data
 * })
 *
 * const client = ZooKeeper.layer({ servers: "zk1:2181,zk2:2181,zk3:2181/app" })
 *
 * await program.pipe(Effect.provide(client), Effect.runPromise)
 * ```
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Session from "@effect-zookeeper/session/Session"
import type { AuthFailed, ConnectFailed, SessionExpired } from "@effect-zookeeper/session/SessionError"
import type { TlsSource } from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { checkOptions } from "./ArgumentCheck.ts"
import { makeClient, mistakeIn } from "./internal/makeClient.ts"
import type { ClientOptions, Service } from "./Service.ts"

export type * from "./Models.ts"
export type { ClientOptions, Service } from "./Service.ts"

/**
 * The service of the client: the key under which a layer provides it, and an Effect that gives it.
 *
 * `yield* ZooKeeper.ZooKeeper` gives the methods of {@link Service}. One layer is one session, which all parts of an
 * application can share: requests are pipelined, so that a pool of clients is of no use.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const readConfig = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const { data } = yield* zk.get("/config")
 *   return new TextDecoder().decode(data)
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class ZooKeeper extends Context.Service<ZooKeeper, Service>()("@effect-zookeeper/client/ZooKeeper") {}

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * All options of {@link layer}: those of the client, of its session, and of its connections. None is needed but `servers`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends ClientOptions, Session.SessionOptions {
  /**
   * The TLS options. If they are given, the client uses TLS for each server that has no scheme in the connect string. An
   * Effect, such as `TlsOptions.fromFiles`, runs for each connection, so that certificates can be replaced without a
   * restart. Default: no TLS, except for servers with the scheme `tls://`, whose certificates Node verifies.
   */
  readonly tls?: TlsSource | undefined
}

const clientOptions = KnownOptions.make<ClientOptions>(
  { chroot: true, defaultAcl: true, followConfig: true, interceptors: true },
  '{ chroot: "/app" }'
)

/**
 * The names of the options that `layer` takes. Libraries that pass options on use it to refuse all others.
 *
 * @category options
 * @since 0.1.0
 */
export const options = KnownOptions.make<Options>(
  { ...Session.sessionOptions.keys, ...clientOptions.keys, tls: true },
  Session.sessionOptions.example
)

/**
 * The options that are strings, numbers, durations and booleans, which {@link layerConfig} reads from the configuration.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions
  extends
    Pick<ClientOptions, "chroot" | "followConfig">,
    Pick<
      Session.SessionOptions,
      | "servers"
      | "sessionTimeout"
      | "connectTimeout"
      | "firstConnection"
      | "requestTimeout"
      | "allowReadOnly"
      | "allowPlaintext"
      | "sessionExpiry"
      | "ensembleReset"
      | "maxFrameSize"
      | "maxRequestSize"
      | "maxInFlight"
      | "ownershipMargin"
      | "ownershipProof"
      | "closeTimeout"
    > {}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * The errors that keep a client from starting.
 *
 * `ConnectFailed`: no server gave a session within `connectTimeout`; it names what was tried. `AuthFailed`: the servers
 * refused the credentials. `SessionExpired`: the session of the option `session` is over, under `sessionExpiry: "fail"`.
 * `InvalidArgument`: an option broke a rule.
 *
 * @category errors
 * @since 0.1.0
 */
export type StartError = ConnectFailed | AuthFailed | SessionExpired | InvalidArgument

/**
 * A client with a session of its own. The layer connects over TCP or TLS, and closes the session when its Scope closes.
 *
 * It fails with a {@link StartError} within `connectTimeout` (default 15 seconds); it never hangs unless that is
 * `"infinity"`. Once it has started, the client reconnects by itself. With `firstConnection: "background"` it starts without
 * a connection.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * const client = ZooKeeper.layer({ servers: "zk1:2181,zk2:2181,zk3:2181/app", sessionTimeout: "30 seconds" })
 *
 * const program = Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => zk.getChildren("/"))
 *
 * await program.pipe(Effect.provide(client), Effect.runPromise)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (given: Options = {}): Layer.Layer<ZooKeeper, StartError> => {
  const mistake = KnownOptions.check(options, given) ?? mistakeIn(given)
  if (mistake !== undefined) return Layer.effect(ZooKeeper, Effect.fail(mistake))
  // One layer for all: a layer for the session and one for the transport would be a tenth of a session's memory.
  const session = Effect.provideService(Session.make(given), Transport.Transport, Transport.make({ tls: given.tls }))
  return Layer.effect(
    ZooKeeper,
    Effect.flatMap(session, (made) => makeClient(made, given))
  )
}

/**
 * A client like that of {@link layer}, with options from the configuration. Options that are not plain values are in the
 * second parameter.
 *
 * It also fails with `ConfigError`, if a value is missing or cannot be read.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import * as Config from "effect/Config"
 *
 * export const client = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<ConfigOptions>,
  options: Pick<Options, "auth" | "defaultAcl" | "interceptors" | "retry" | "sasl" | "session" | "tls"> = {}
): Layer.Layer<ZooKeeper, StartError | Config.ConfigError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      // Here, because they are spread into others.
      yield* checkOptions(objectOptions, options)
      const { isConfig, unwrap } = yield* loadConfig
      if (!isConfig(config)) yield* checkOptions(configOptions, config ?? null, "config")
      return layer({ ...(yield* unwrap(config)), ...options })
    })
  )

const configOptions = KnownOptions.make<ConfigOptions>(
  {
    chroot: true,
    followConfig: true,
    servers: true,
    sessionTimeout: true,
    connectTimeout: true,
    firstConnection: true,
    requestTimeout: true,
    allowReadOnly: true,
    allowPlaintext: true,
    sessionExpiry: true,
    ensembleReset: true,
    maxFrameSize: true,
    maxRequestSize: true,
    maxInFlight: true,
    ownershipMargin: true,
    ownershipProof: true,
    closeTimeout: true
  },
  '{ servers: Config.String("ZOOKEEPER") }'
)

const objectOptions = KnownOptions.make<Parameters<typeof layerConfig>[1] & {}>(
  { auth: true, defaultAcl: true, interceptors: true, retry: true, sasl: true, session: true, tls: true },
  "{ tls: { ca } }"
)

/** Loaded on demand: an application with a configuration has it already, and for all others an import would take 5% longer. */
const loadConfig = Effect.promise(() => import("effect/Config"))

/**
 * A client on a session that another layer provides. Use it for a transport of your own, or where two clients share a
 * session.
 *
 * The options may be those of {@link layer}: the options of the session and of the transport are ignored. It fails with
 * `InvalidArgument` if an option has an unknown name or breaks a rule.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import * as Session from "@effect-zookeeper/session/Session"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Layer from "effect/Layer"
 *
 * export const client = ZooKeeper.layerSession({ chroot: "/app" }).pipe(
 *   Layer.provide(Session.layer({ servers: "zk1:2181,zk2:2181,zk3:2181" })),
 *   Layer.provide(Transport.layer())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSession = (given: ClientOptions = {}): Layer.Layer<ZooKeeper, InvalidArgument, Session.Session> =>
  Layer.effect(
    ZooKeeper,
    checkOptions(options, given).pipe(
      Effect.andThen(Session.Session),
      Effect.flatMap((session) => makeClient(session, given))
    )
  )
