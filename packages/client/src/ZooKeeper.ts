/**
 * The ZooKeeper client: one session's view of the tree of znodes.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const path = yield* zk.create("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
 *   const { data, stat } = yield* zk.get(path)
 *   yield* zk.set(path, "next", stat.version)
 * })
 *
 * program.pipe(Effect.provide(ZooKeeper.layer({ servers: "zk1:2181,zk2:2181,zk3:2181/app" })))
 * ```
 *
 * Here stand the methods and what they promise; how each is done stands in `internal/`, by subject.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type { NoAuth, NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import * as Session from "@effect-zookeeper/session/Session"
import type { AuthFailed, ConnectFailed, SessionError, SessionExpired } from "@effect-zookeeper/session/SessionError"
import type { TlsSource } from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type {
  CreateError,
  DeleteError,
  ExistsError,
  ReadError,
  ReconfigureError,
  SetAclError,
  SetDataError,
  TransactionFailed
} from "./Errors.ts"
import { makeClient } from "./internal/makeClient.ts"
import { checked } from "./internal/methodOptions.ts"
import type {
  AclAndStat,
  ChildrenAndStat,
  CreateOptions,
  CreateWithParentsOptions,
  Data,
  DataAndStat,
  DeleteOptions,
  EnsembleConfig,
  Identity,
  PathAndStat,
  ReconfigureOptions,
  SetDataOptions,
  Stat,
  UpdateOptions,
  WatchedChildren,
  WatchedData,
  WatchedStat,
  ZnodeOptions
} from "./Models.ts"
import type * as Op from "./Op.ts"

export type * from "./Models.ts"

// -----------------------------------------------------------------------------
// the service
// -----------------------------------------------------------------------------

/**
 * The methods of the client.
 *
 * Paths are the application's: the chroot is put before them, and taken off what comes back. Every method fails with
 * `SessionError` beside what it names, and with `InvalidArgument` before a byte is sent. Any of them may be interrupted
 * at any time; a request that was sent may still be applied then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  // ---- create

  /**
   * Creates a znode and gives its path: with the number that a sequential one got, and with the id of a `protected` one.
   */
  readonly create: (path: string, options?: CreateOptions) => Effect.Effect<string, CreateError>

  /**
   * `create` that gives the Stat too: in one request since ZooKeeper 3.5, by a look after the create before. There
   * `NoNode` of the operation `exists` says that the znode was created, and that another deleted it before the look.
   */
  readonly createWithStat: (path: string, options?: CreateOptions) => Effect.Effect<PathAndStat, CreateError>

  /**
   * Creates the path and all above it that is missing, the chroot included. Reads before it creates, from the path
   * upwards, so that nothing is asked of an ancestor that exists. All it creates are containers, which servers delete
   * when their last child has gone, and never before they had one; below ZooKeeper 3.5.1 they are persistent.
   */
  readonly ensurePath: (
    path: string,
    options?: { readonly acl?: ReadonlyArray<Acl.Acl> | undefined }
  ) => Effect.Effect<void, Exclude<CreateError, { readonly _tag: "NodeExists" }>>

  /** `create`, and where the parent is missing `ensurePath` of it with `parentAcl` first. */
  readonly createWithParents: (path: string, options?: CreateWithParentsOptions) => Effect.Effect<string, CreateError>

  /**
   * Writes the data, whether the znode exists or not; `options` and parents as in `createWithParents` when it does not.
   * Not for sequential modes. Fails with `NodeExists` or `NoNode` only if others kept creating and deleting it, and below
   * ZooKeeper 3.5 as `createWithStat` does.
   */
  readonly createOrSet: (
    path: string,
    data: Data,
    options?: Omit<ZnodeOptions, "data"> & Pick<CreateWithParentsOptions, "parentAcl">
  ) => Effect.Effect<Stat, CreateError>

  // ---- read

  /** Whether the znode is there. Needs READ on it since ZooKeeper 3.8.4 and 3.9.2, before that nothing. */
  readonly exists: (path: string) => Effect.Effect<boolean, ExistsError>

  /** The Stat, if the znode is there. */
  readonly stat: (path: string) => Effect.Effect<Option.Option<Stat>, ExistsError>

  /** Data and Stat. */
  readonly get: (path: string) => Effect.Effect<DataAndStat, ReadError>

  readonly getData: (path: string) => Effect.Effect<Uint8Array, ReadError>

  /** The names of the children, in no order. */
  readonly getChildren: (path: string) => Effect.Effect<ReadonlyArray<string>, ReadError>

  readonly getChildrenWithStat: (path: string) => Effect.Effect<ChildrenAndStat, ReadError>

  /** Without ADMIN the hash of a digest reads as "x". */
  readonly getAcl: (path: string) => Effect.Effect<AclAndStat, ReadError>

  /** How many znodes are below the path, at any depth. ZooKeeper 3.6. */
  readonly countDescendants: (path: string) => Effect.Effect<number, ReadError>

  /**
   * The paths of this session's ephemeral znodes that start with the text `prefix`, "/" for all. Those outside of the
   * chroot are left out. ZooKeeper 3.6.
   */
  readonly getEphemerals: (prefix?: string) => Effect.Effect<ReadonlyArray<string>, InvalidArgument | SessionError>

  /**
   * Many reads in one request, each with a result of its own. One request since ZooKeeper 3.6, so many as there are reads
   * before. They need not see one state of the tree: a write may come between two of them.
   */
  readonly read: <const Ops extends ReadonlyArray<Op.Read>>(
    ops: Ops
  ) => Effect.Effect<Op.ReadResults<Ops>, InvalidArgument | SessionError>

  /**
   * Waits until the connected server has all that the ensemble had applied when this was asked. Later reads of this
   * client see it.
   */
  readonly sync: (path?: string) => Effect.Effect<void, InvalidArgument | SessionError>

  // ---- write

  /** Writes data, if the znode has the version; -1 or none for any. */
  readonly set: (path: string, data: Data, version?: number) => Effect.Effect<Stat, SetDataError>

  /** `set` with options. */
  readonly setData: (path: string, data: Data, options?: SetDataOptions) => Effect.Effect<Stat, SetDataError>

  /**
   * Reads, applies `f`, and writes if nobody else has written meanwhile; else again. `f` may run many times. ZooKeeper compares
   * versions alone: a znode that another deletes and makes anew with the same version between the read and the write is
   * written in the place of the one that was read. The `czxid` of the Stat tells, which differs from the one that `f` got.
   */
  readonly update: (
    path: string,
    f: (current: DataAndStat) => Data,
    options?: UpdateOptions
  ) => Effect.Effect<Stat, SetDataError>

  /** `version` is the ACL's own, `aversion` in the Stat; -1 or none for any. */
  readonly setAcl: (
    path: string,
    acl: ReadonlyArray<Acl.Acl>,
    options?: { readonly version?: number | undefined }
  ) => Effect.Effect<Stat, SetAclError>

  /** Deletes a znode without children. "/" cannot be deleted, under a chroot neither. */
  readonly delete: (path: string, options?: DeleteOptions) => Effect.Effect<void, DeleteError>

  /**
   * Deletes the znode and all below it, in transactions of bounded size, from the bottom up. Whatever others create
   * meanwhile goes too, and what others delete is fine: it ends with the root gone. It is not atomic. `NoNode` only if
   * the root was absent at the first look.
   */
  readonly deleteAll: (path: string) => Effect.Effect<void, NoNode | NoAuth | InvalidArgument | SessionError>

  /**
   * All operations or none, in order, each seeing what those before it did. Gives their results in a tuple. Without
   * operations nothing is sent.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops
  ) => Effect.Effect<Op.WriteResults<Ops>, TransactionFailed | InvalidArgument | SessionError>

  // ---- watch

  /**
   * Reads, and watches for the next change of the data or the deletion. `changed` waits for that one event, which may have
   * happened before. Several may wait at once, and who waits after the event gets it too. When the last who waits is
   * interrupted, by a timeout for one, the watch is dropped, and `changed` fails with `SessionClosed` from then on, though
   * the session goes on: read again for a new watch. It fails with `ConnectionLoss` when eight connections were lost while
   * the watch was being registered again; it is given up then, and so are `events` and the streams of changes at that path.
   */
  readonly getAndWatch: (path: string) => Effect.Effect<WatchedData, ReadError>

  /** Looks, and watches for creation, deletion or the next change of the data; `changed` as in `getAndWatch`. */
  readonly existsAndWatch: (path: string) => Effect.Effect<WatchedStat, ExistsError>

  /** Lists, and watches for the next change of the list or the deletion; `changed` as in `getAndWatch`. */
  readonly getChildrenAndWatch: (path: string) => Effect.Effect<WatchedChildren, ReadError>

  /**
   * All events of a znode and its list of children, or with `recursive` of all znodes at and below the path (whose
   * lists of children then have no events of their own), from a persistent watch that is removed when the stream ends.
   * `Gap` says that events may have been missed: after a reconnection, a new session, or when the stream was not read
   * for so long that more than 8,192 events waited. Ends with `SessionExpired` only under `sessionExpiry: "fail"`.
   * `onReady` is called when the server holds the watch: what is read from then on misses no change. It must return at
   * once and not throw. ZooKeeper 3.6.
   */
  readonly events: (
    path: string,
    options?: { readonly recursive?: boolean | undefined; readonly onReady?: (() => void) | undefined }
  ) => Stream.Stream<WatchEvent | Gap, InvalidArgument | SessionError>

  /**
   * The current data, None for no znode, then each newer one. May skip some, never goes back, never misses the last;
   * survives reconnections and, under `sessionExpiry: "recreate"`, new sessions. On every ZooKeeper.
   *
   * It stands on one-shot watches. Servers since 3.8.4 and 3.9.2 use those up without a word when the znode changes while
   * this client may not read it: where the right to read comes and goes, use `events` or a cache of the recipes.
   */
  readonly dataChanges: (
    path: string
  ) => Stream.Stream<Option.Option<DataAndStat>, NoAuth | InvalidArgument | SessionError>

  /** The same for the list of children. The Stat is that of the moment when the list was read. */
  readonly childrenChanges: (
    path: string
  ) => Stream.Stream<Option.Option<ChildrenAndStat>, NoAuth | InvalidArgument | SessionError>

  // ---- session and ensemble

  /** What this connection is known as. ZooKeeper 3.7. */
  readonly whoAmI: Effect.Effect<ReadonlyArray<Identity>, SessionError>

  /** Adds an identity to this connection and all that follow; for `digest` the credentials are `user:password`. */
  readonly addAuth: (
    scheme: string,
    credentials: Redacted.Redacted<string>
  ) => Effect.Effect<void, InvalidArgument | SessionError>

  /** The ensemble's configuration; the same under every chroot. ZooKeeper 3.5. */
  readonly getConfig: Effect.Effect<EnsembleConfig, NoNode | NoAuth | SessionError>

  /**
   * Changes the members of the ensemble and gives the new configuration. Needs WRITE on `/zookeeper/config`, and
   * `reconfigEnabled=true` on the servers. The connection may be lost after it. ZooKeeper 3.5.
   */
  readonly reconfigure: (options: ReconfigureOptions) => Effect.Effect<EnsembleConfig, ReconfigureError>

  /** Replaces the list of servers, and moves to another one as ZooKeeper's rebalancing has it. The chroot stays. */
  readonly updateServers: (connectString: string) => Effect.Effect<void, InvalidArgument>

  /** What the session is now, and what becomes of it. */
  readonly session: Session.SessionInfo

  // ---- views

  /** The same session, seen from a sub-tree. The path lies in this client's own chroot, and need not exist. */
  readonly withChroot: (path: string) => Effect.Effect<Service, InvalidArgument>

  /**
   * The same session in a new view whose `setData`, `set`, `delete` and `setAcl`, given no version, use the version
   * that this view last read or wrote at that path; data and ACL versions apart. Without one, any. The 10,000 paths used
   * last are remembered. A version of -1 is still any. Views of this view, by `withChroot`, share its memory.
   * All are forgotten when `ensembleReset: "accept"` has taken another history of the ensemble.
   */
  readonly trackVersions: Effect.Effect<Service>
}

/**
 * @category services
 * @since 0.1.0
 */
export class ZooKeeper extends Context.Service<ZooKeeper, Service>()("@effect-zookeeper/client/ZooKeeper") {}

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface ClientOptions {
  /** The znode that is "/" for this client; it lies in the chroot of the connect string, if that has one. */
  readonly chroot?: string | undefined
  /** The ACL of what is created without one (`default_acl` in aiozk). Default: everybody may do everything. */
  readonly defaultAcl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options extends ClientOptions, Session.SessionOptions {
  /**
   * How to speak TLS. Given, servers without a scheme in the connect string are dialled with TLS. An Effect, such as
   * `TlsOptions.fromFiles`, runs for each connection, so that certificates are replaced without a restart.
   */
  readonly tls?: TlsSource | undefined
}

const clientOptions = KnownOptions.make<ClientOptions>({ chroot: true, defaultAcl: true }, '{ chroot: "/app" }')

/**
 * The options that `layer` knows, for who passes them on.
 *
 * @category options
 * @since 0.1.0
 */
export const options = KnownOptions.make<Options>(
  { ...Session.sessionOptions.keys, ...clientOptions.keys, tls: true },
  Session.sessionOptions.example
)

/**
 * The options that are strings, numbers, durations and booleans.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions
  extends
    Pick<ClientOptions, "chroot">,
    Pick<
      Session.SessionOptions,
      | "servers"
      | "sessionTimeout"
      | "connectTimeout"
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
 * What can keep a client from starting.
 *
 * @category errors
 * @since 0.1.0
 */
export type StartError = ConnectFailed | AuthFailed | SessionExpired | InvalidArgument

/**
 * Connects over TCP or TLS, and closes the session when its Scope closes. It fails after `connectTimeout` and never
 * hangs.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (given: Options = {}): Layer.Layer<ZooKeeper, StartError> => {
  const mistake = KnownOptions.check(options, given)
  if (mistake !== undefined) return Layer.effect(ZooKeeper, Effect.fail(mistake))
  return layerSession(given).pipe(
    Layer.provide(Session.layer(given)),
    Layer.provide(Transport.layer({ tls: given.tls }))
  )
}

/**
 * `layer` with options out of the configuration; what is no plain value stands in the second parameter.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<ConfigOptions>,
  options: Pick<Options, "auth" | "defaultAcl" | "retry" | "sasl" | "session" | "tls"> = {}
): Layer.Layer<ZooKeeper, StartError | Config.ConfigError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { unwrap } = yield* loadConfig
      return layer({ ...(yield* unwrap(config)), ...options })
    })
  )

/** Who has a configuration has loaded it already; of those who have none, an import of the client would take 5% longer. */
const loadConfig = Effect.promise(() => import("effect/Config"))

/**
 * The client on a session that is there. Options of the session and of the transport may stand beside its own, and are
 * passed over; any other key is `InvalidArgument`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSession = (given: ClientOptions = {}): Layer.Layer<ZooKeeper, InvalidArgument, Session.Session> =>
  Layer.effect(
    ZooKeeper,
    checked(options, given).pipe(
      Effect.andThen(Session.Session),
      Effect.flatMap((session) => makeClient(session, given))
    )
  )
