/**
 * Configuration as Promises.
 *
 * Each part is the one that its own module documents, with Promises for Effects and AsyncIterables for Streams. Promises
 * reject with the same errors. A live configuration is followed until it is given back by `release()`, by `await using`, or
 * by closing the client.
 *
 * `Config` and its providers are Effect's: import them from `effect/Config` and `effect/ConfigProvider`.
 *
 * @since 0.1.0
 */
import { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"
import { acquireForked } from "@effect-zookeeper/client/Detached"
import * as PromiseAdapter from "@effect-zookeeper/client/PromiseAdapter"
import type { CallOptions } from "@effect-zookeeper/client/PromiseAdapter"
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import type * as Config from "effect/Config"
import type { ConfigProvider } from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { KeyValueStore } from "effect/persistence/KeyValueStore"
import * as Scope from "effect/Scope"
import * as Encryption from "./Encryption.ts"
import { nodeSnapshotFile } from "./internal/promise/nodeSnapshotFile.ts"
import * as LiveConfig from "./LiveConfig.ts"
import * as Snapshot from "./Snapshot.ts"
import type { SnapshotFile } from "./SnapshotFile.ts"
import * as ZooKeeperConfigProvider from "./ZooKeeperConfigProvider.ts"
import * as ZooKeeperKeyValueStore from "./ZooKeeperKeyValueStore.ts"
import * as ZooKeeperReactivity from "./ZooKeeperReactivity.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * See `LiveConfig`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseLiveConfig<A> {
  readonly path: string
  /** The newest value that decoded. */
  readonly current: A
  /** The current value, then each newer one. Rejects when the session has ended for good. */
  readonly changes: AsyncIterable<A>
  /** Its freshness, its source, and the problem of the newest state, if there is one. */
  readonly status: LiveConfig.Status
  /** The current status, then each newer one. */
  readonly statusChanges: AsyncIterable<LiveConfig.Status>
  /** Ends the following; may be called again. */
  readonly release: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * See `ZooKeeperKeyValueStore`: `get`, `set`, `remove`, `modify`, `has`, `keys`, `size` and `clear` are methods that give
 * Promises.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseSettings extends PromiseAdapter.Promised<KeyValueStore> {}

/**
 * See `Encryption`, of which this is the Promise form. It is a `decoder` of `load` and `live` as well.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseEncryption extends Pick<
  Encryption.Encryption,
  "decodeData" | "decoderWith" | "codec" | "isEncrypted"
> {
  /** Encrypts. The `context` is not stored: the same one is needed to decrypt. Default: none. */
  readonly encrypt: (data: Uint8Array | string, context?: string, call?: CallOptions) => Promise<Uint8Array>
  /** Decrypts. Rejects with `DecryptionError`. */
  readonly decrypt: (data: Uint8Array, context?: string, call?: CallOptions) => Promise<Uint8Array>
  /** Encrypts the data of a znode anew by the first key, unless it is so already; whether it has done so. */
  readonly rotate: (path: string, context?: string, call?: CallOptions) => Promise<boolean>
}

/**
 * See `ZooKeeperReactivity`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseInvalidations {
  /** Tells all processes that what belongs to these keys has changed. */
  readonly invalidate: (keys: ReadonlyArray<unknown>, call?: CallOptions) => Promise<void>
  /**
   * An element at the start, and one after each invalidation of one of the keys in any process. Invalidations that come
   * while the loop is busy are one element. There may also be elements without a reason.
   */
  readonly changes: (keys: ReadonlyArray<unknown>) => AsyncIterable<void>
  /** Leaves the other processes; may be called again. */
  readonly release: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * Configuration on one client; see {@link configuration}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Configuration {
  /** A sub-tree as it was at one moment; see `Snapshot.read`. */
  readonly snapshot: (path: string, options?: Snapshot.Options, call?: CallOptions) => Promise<Snapshot.Snapshot>
  /** Reads a sub-tree once and decodes it; `compose` adds other providers. See `ZooKeeperConfigProvider.make`. */
  readonly load: <A>(config: Config.Config<A>, options: LoadOptions, call?: CallOptions) => Promise<A>
  /** Follows a sub-tree; see `LiveConfig.make`. */
  readonly live: <A>(
    config: Config.Config<A>,
    options: LiveConfig.Options,
    call?: CallOptions
  ) => Promise<PromiseLiveConfig<A>>
  /** A store for settings; see `ZooKeeperKeyValueStore.make`. It sends nothing, and throws `InvalidArgument`. */
  readonly settings: (options: ZooKeeperKeyValueStore.Options) => PromiseSettings
  /** Encrypts and decrypts data of znodes; see `Encryption.make`. Throws `InvalidArgument`, which shows no secret. */
  readonly encryption: (options: Encryption.Options) => PromiseEncryption
  /** Connects with other processes that invalidate the same keys; see `ZooKeeperReactivity.make`. */
  readonly invalidations: (options: ZooKeeperReactivity.Options, call?: CallOptions) => Promise<PromiseInvalidations>
}

/**
 * Options of `load`.
 *
 * @category options
 * @since 0.1.0
 */
export interface LoadOptions extends ZooKeeperConfigProvider.Options {
  /** The root of the sub-tree, such as `/config/mail`. */
  readonly path: string
  /** Other providers before or behind the tree. Default: the tree alone. */
  readonly compose?: ((tree: ConfigProvider) => ConfigProvider) | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Gives configuration on a client. It sends nothing.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 * import { configuration } from "@effect-zookeeper/config/Promise"
 * import * as Config from "effect/Config"
 *
 * await using zk = await PromiseClient.connect("zk1:2181,zk2:2181,zk3:2181")
 * const mail = Config.all({ host: Config.String("host"), port: Config.Port("port") })
 * await using live = await configuration(zk).live(mail, { path: "/config/mail" })
 * console.log(live.current.host)
 * for await (const { host, port } of live.changes) console.log(host, port)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const configuration = (zk: PromiseClient): Configuration => ({
  snapshot: (path, options, call) =>
    zk.run(Effect.map(Snapshot.read(path, options), held), call).then(({ value }) => value),
  load: (config, options, call) => zk.run(Effect.map(load(config, options), held), call).then(({ value }) => value),
  live: async (config, options, call) => {
    const { own, value } = await zk
      .run(acquire(LiveConfig.make(config, options)), call)
      .then((acquired) => acquired.value)
    return toPromise(zk, value, () => zk.run(Scope.close(own, Exit.void)))
  },
  settings: (options) =>
    PromiseAdapter.promisify(zk.run, zk.runSync(ZooKeeperKeyValueStore.make(options)), { exact: true }),
  encryption: (options) => {
    const { decrypt, encrypt, rotate, ...others } = zk.runSync(Encryption.make(options))
    return {
      ...others,
      encrypt: (data, context, call) => zk.run(encrypt(data, context), call),
      decrypt: (data, context, call) => zk.run(decrypt(data, context), call),
      rotate: (path, context, call) => zk.run(rotate(path, context), call)
    }
  },
  invalidations: async (options, call) => {
    const { own, value } = await zk
      .run(acquire(ZooKeeperReactivity.make(options)), call)
      .then((acquired) => acquired.value)
    const release = () => zk.run(Scope.close(own, Exit.void))
    return {
      invalidate: (keys, call) => zk.run(value.invalidate(keys), call),
      changes: (keys) => PromiseAdapter.iterable(zk.run, value.stream(keys, Effect.void)),
      release,
      [Symbol.asyncDispose]: release
    }
  }
})

/**
 * A file that keeps the last good state of a tree, on Node's own files; see `SnapshotFile`. It is the option `file` of `live`.
 * It is not opened, and its folder has to exist.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 * import { configuration, snapshotFile } from "@effect-zookeeper/config/Promise"
 * import * as Config from "effect/Config"
 *
 * // Starts without ZooKeeper, with what the process before it has seen.
 * await using zk = await PromiseClient.connect("zk1:2181,zk2:2181", { firstConnection: "background" })
 * const file = snapshotFile("/var/lib/mail/config.json")
 * await using port = await configuration(zk).live(Config.Port("port"), { path: "/config/mail", file })
 * console.log(port.current, port.status.source)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const snapshotFile = (file: string): SnapshotFile => nodeSnapshotFile(file)

// ---- internal

/** Keeps values of the application from being converted. */
class Held<A> extends PromiseAdapter.Opaque {
  readonly value: A
  constructor(value: A) {
    super()
    this.value = value
  }
}

const knownLoad = KnownOptions.make<LoadOptions>(
  { path: true, compose: true, maxNodes: true, attempts: true, decoder: true },
  '{ path: "/config/mail" }'
)

const load = Effect.fnUntraced(function* <A>(config: Config.Config<A>, options: LoadOptions) {
  yield* checkOptions(knownLoad, options ?? null)
  const { compose = (tree) => tree, path, ...rest } = options
  return yield* config.parse(compose(yield* ZooKeeperConfigProvider.make(path, rest)))
})

const held = <A>(value: A): Held<A> => new Held(value)

/** Acquires in a Scope that the caller closes. */
const acquire = <A, E, R>(make: Effect.Effect<A, E, R>) =>
  acquireForked((restore, own) => Effect.map(restore(make), (value) => held({ own, value })))

const toPromise = <A>(
  zk: PromiseClient,
  live: LiveConfig.LiveConfig<A>,
  release: () => Promise<void>
): PromiseLiveConfig<A> => ({
  path: live.path,
  get current() {
    return live.current
  },
  changes: PromiseAdapter.iterable(zk.run, live.changes),
  get status() {
    return live.status
  },
  statusChanges: PromiseAdapter.iterable(zk.run, live.statusChanges),
  release,
  [Symbol.asyncDispose]: release
})
