/**
 * A sub-tree as a `ConfigProvider`, so that every `Config` of an application can be kept in ZooKeeper.
 *
 * - A znode without children is a value: its data as UTF-8.
 * - A znode with children is a record of them by their names; its own data, unless empty, is its value beside them.
 * - A znode whose children are called `0`, `1`, `2` and so on without a gap is an array, and so is one whose children all
 *   have the ten digits of sequential znodes (`0000000007`), in their order and whatever is missing between them.
 *
 * All values are of one moment of the tree (see `Snapshot`): the provider is a snapshot and never changes. For values that
 * follow the tree use `LiveConfig`. A value that the tree does not have is missing, so that `ConfigProvider.orElse` can ask
 * another provider, before the tree or behind it. A tree that does not exist has nothing.
 *
 * Data that is not UTF-8 fails with `SourceError`, which names the znode and shows no data, when it is asked for.
 *
 * @since 0.1.0
 */
import { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { DataDecoder } from "./DataDecoder.ts"
import { nodeAt } from "./internal/snapshot/configNodes.ts"
import * as Snapshot from "./Snapshot.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * How the data of znodes becomes text.
 *
 * @category options
 * @since 0.1.0
 */
export interface DecodeOptions {
  /** Converts data before it is read as UTF-8, such as an `Encryption` that decrypts. Default: none. */
  readonly decoder?: DataDecoder | undefined
}

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Snapshot.Options, DecodeOptions {}

const known = KnownOptions.make<Options>({ maxNodes: true, attempts: true, decoder: true }, "{ maxNodes: 500 }")

const knownLayer = KnownOptions.make<Parameters<typeof layer>[1] & {}>(
  { ...known.keys, asPrimary: true },
  "{ asPrimary: true }"
)

const knownDecode = KnownOptions.make<DecodeOptions>({ decoder: true }, "{ decoder: encryption }")

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Reads a sub-tree and gives its values. Fails as `Snapshot.read` does.
 *
 * @example
 * ```ts
 * import { ZooKeeperConfigProvider } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as ConfigProvider from "effect/ConfigProvider"
 * import * as Effect from "effect/Effect"
 *
 * // The environment first, then /config/mail.
 * export const port = Effect.gen(function* () {
 *   const tree = yield* ZooKeeperConfigProvider.make("/config/mail")
 *   return yield* Config.Port("port").parse(ConfigProvider.orElse(ConfigProvider.fromEnv(), tree))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<ConfigProvider.ConfigProvider, Snapshot.ReadError, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const { attempts, decoder, maxNodes } = options
    return fromSnapshot(yield* Snapshot.read(path, { attempts, maxNodes }), { decoder })
  })

/**
 * Gives the values of a snapshot. It reads nothing.
 *
 * @example
 * ```ts
 * import { Snapshot, ZooKeeperConfigProvider } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 *
 * export const replicas = Effect.flatMap(Snapshot.read("/config/mail"), (snapshot) =>
 *   Config.Int("replicas").parse(ZooKeeperConfigProvider.fromSnapshot(snapshot))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromSnapshot = (
  snapshot: Snapshot.Snapshot,
  options: DecodeOptions = {}
): ConfigProvider.ConfigProvider => {
  const mistake = KnownOptions.check(knownDecode, options)
  if (mistake !== undefined) throw mistake
  return ConfigProvider.make((path) => nodeAt(snapshot, path, options.decoder))
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Reads a sub-tree once, and adds its values to the present `ConfigProvider`, which is the environment by default. The
 * present provider is asked first; with `asPrimary` the tree is.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperConfigProvider } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.flatMap(Config.Port("port"), (port) => Effect.log("listening on", port))
 *
 * export const main = program.pipe(
 *   Effect.provide(ZooKeeperConfigProvider.layer("/config/mail", { asPrimary: true })),
 *   Effect.provide(ZooKeeper.layer({ servers: "localhost:2181" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  path: string,
  options: Options & { readonly asPrimary?: boolean | undefined } = {}
): Layer.Layer<never, Snapshot.ReadError, ZooKeeper.ZooKeeper> => {
  const mistake = KnownOptions.check(knownLayer, options)
  if (mistake !== undefined) return ConfigProvider.layerAdd(Effect.fail(mistake))
  const { asPrimary, ...rest } = options
  return ConfigProvider.layerAdd(make(path, rest), { asPrimary })
}
