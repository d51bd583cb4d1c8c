/**
 * The methods of the client, which the service `ZooKeeper` gives, and what they promise.
 *
 * `internal/operations/` has their code, by subject. The Promise API has the same methods: see `PromiseClient`.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type { NoAuth, NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import type { SessionError } from "@effect-zookeeper/session/SessionError"
import type * as Effect from "effect/Effect"
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
import type { Interceptor } from "./Interceptor.ts"
import type * as Op from "./Op.ts"

/**
 * The options of a client, beside those of its session.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClientOptions {
  /**
   * The znode that is "/" for this client, such as `/app`. It is below the chroot of the connect string, if that has one.
   * Default: none.
   */
  readonly chroot?: string | undefined
  /**
   * The ACL of znodes that are created without one (`default_acl` in aiozk). Default: `Acl.open`, which lets every client
   * do everything.
   */
  readonly defaultAcl?: ReadonlyArray<Acl.Acl> | undefined
  /**
   * Whether the list of servers follows the ensemble's own configuration (`/zookeeper/config`), as Curator's
   * `EnsembleTracker` does: members that join are used, and those that leave are left, in the way of `updateServers`. The
   * addresses that servers announce there have to be reachable for this client. Where a member announces no port for clients,
   * the list stays as it is, with a warning. The ports are those without TLS, so that it is refused together with TLS.
   * Default false. ZooKeeper 3.5.
   */
  readonly followConfig?: boolean | undefined
  /** Additions to each request, in this order; see the module `Interceptor`. Default: none. */
  readonly interceptors?: ReadonlyArray<Interceptor> | undefined
}

/**
 * The methods of the client.
 *
 * Paths are the application's: the client puts the chroot before the paths that it sends, and takes it off those that it
 * gets.
 *
 * The type of a method names its errors, and its documentation says what each of them means there. Every method can also
 * fail with `SessionError`, and each that has arguments with `InvalidArgument`, before a byte is sent. A Promise of
 * `PromiseClient` rejects with the same errors, and so does a loop over one of its AsyncIterables.
 *
 * Every method may be interrupted at any time. A request that was sent may still be applied then.
 *
 * A method works with ZooKeeper 3.4 and later unless its documentation names a later release. An older server answers
 * with `ServerRefused` of the name `Unimplemented`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  // ---- create

  /**
   * Creates a znode and gives its path. The path ends with the server's number if the mode is sequential, and its name
   * has an id in it if the create is `protected`.
   *
   * `NodeExists`: the path is taken. `NoNode`: there is no parent; `createWithParents` creates it. `NoAuth`: the parent's
   * ACL does not grant CREATE. `NoChildrenForEphemerals`: the parent is ephemeral. `InvalidACL`: the server does not
   * accept the ACL. `QuotaExceeded`: a hard quota of the sub-tree is used up (ZooKeeper 3.7).
   *
   * A lost reply is `ConnectionLoss { maybeApplied: true }`. Use the options `protected` or `idempotent` where the client
   * should find out by itself what became of the create.
   */
  readonly create: (path: string, options?: CreateOptions) => Effect.Effect<string, CreateError>

  /**
   * Creates a znode as `create` does, and gives its Stat too.
   *
   * It is one request since ZooKeeper 3.5. Before that it is a create and a look: `NoNode` of the operation `exists` says
   * that the znode was created, and that another client deleted it before the look. The other errors are those of
   * `create`.
   */
  readonly createWithStat: (path: string, options?: CreateOptions) => Effect.Effect<PathAndStat, CreateError>

  /**
   * Creates the znode and all of its ancestors that are missing, the chroot included. Does nothing if the znode exists.
   *
   * It reads from the path upwards until it finds a znode, and asks nothing about the ancestors of that one. All znodes that
   * it creates are containers: the server deletes a container some time after its last child has gone. A container that has
   * had no child stays, but since ZooKeeper 3.10 for five minutes only (`znode.container.maxNeverUsedIntervalMs`): create what
   * belongs below it within that time, or with `createWithParents`, which makes the parents again. Below ZooKeeper 3.5.1, and on
   * ClickHouse Keeper, they are persistent. `acl` is their ACL; default: the client's `defaultAcl`.
   *
   * It fails with the errors of `create` except `NodeExists`, and with `NoNode` only if other clients kept deleting what
   * it created.
   */
  readonly ensurePath: (
    path: string,
    options?: { readonly acl?: ReadonlyArray<Acl.Acl> | undefined }
  ) => Effect.Effect<void, Exclude<CreateError, { readonly _tag: "NodeExists" }>>

  /**
   * Creates a znode as `create` does. If its parent is missing, it first creates that with `ensurePath` and `parentAcl`.
   *
   * It fails with the errors of `create`, and with `NoNode` only if other clients kept deleting the parents.
   */
  readonly createWithParents: (path: string, options?: CreateWithParentsOptions) => Effect.Effect<string, CreateError>

  /**
   * Writes the data whether or not the znode exists, and gives its new Stat. If it does not exist, it is created with
   * `options`, and its parents as in `createWithParents`. Use it for values with one writer; `update` depends on the
   * value that is there.
   *
   * A sequential mode is `InvalidArgument`. `NodeExists` and `NoNode`: other clients kept creating and deleting the znode.
   * `NoNode` comes below ZooKeeper 3.5 also as in `createWithStat`. `NoAuth`: the ACL of the znode does not grant WRITE, or
   * that of its parent CREATE. The other errors are those of `create`.
   */
  readonly createOrSet: (
    path: string,
    data: Data,
    options?: Omit<ZnodeOptions, "data"> & Pick<CreateWithParentsOptions, "parentAcl">
  ) => Effect.Effect<Stat, CreateError>

  // ---- read

  /**
   * Whether the znode exists.
   *
   * `NoAuth`: its ACL does not grant READ. Only servers since ZooKeeper 3.8.4 and 3.9.2 ask for that permission.
   */
  readonly exists: (path: string) => Effect.Effect<boolean, ExistsError>

  /** The Stat of a znode, or none if there is no such znode. It fails with `NoAuth` as `exists` does. */
  readonly stat: (path: string) => Effect.Effect<Option.Option<Stat>, ExistsError>

  /**
   * The data and the Stat of a znode.
   *
   * `NoNode`: there is no such znode. `NoAuth`: its ACL does not grant READ.
   */
  readonly get: (path: string) => Effect.Effect<DataAndStat, ReadError>

  /** The data of a znode. It costs the same as `get`, and fails with the same errors. */
  readonly getData: (path: string) => Effect.Effect<Uint8Array, ReadError>

  /**
   * The names of the children of a znode, in no order.
   *
   * `NoNode`: there is no such znode. `NoAuth`: its ACL does not grant READ. A list that is longer than `maxFrameSize`
   * bytes is `FrameTooLarge`.
   */
  readonly getChildren: (path: string) => Effect.Effect<ReadonlyArray<string>, ReadError>

  /** The names of the children of a znode and its Stat. It fails with the errors of `getChildren`. */
  readonly getChildrenWithStat: (path: string) => Effect.Effect<ChildrenAndStat, ReadError>

  /**
   * The ACL and the Stat of a znode. Without ADMIN on it, the hash of a digest reads as "x".
   *
   * `NoNode`: there is no such znode. `NoAuth`: the server does not let this client read the ACL.
   */
  readonly getAcl: (path: string) => Effect.Effect<AclAndStat, ReadError>

  /**
   * The number of znodes below the path, at any depth. ZooKeeper 3.6.
   *
   * `NoNode`: there is no such znode. `NoAuth`: its ACL does not grant READ.
   */
  readonly countDescendants: (path: string) => Effect.Effect<number, ReadError>

  /**
   * The paths of this session's ephemeral znodes that start with the text `prefix`; default: "/", which is all. Those
   * outside the chroot are left out. ZooKeeper 3.6.
   */
  readonly getEphemerals: (prefix?: string) => Effect.Effect<ReadonlyArray<string>, InvalidArgument | SessionError>

  /**
   * Reads many znodes at once, and gives a Result for each operation (`Op.get`, `Op.getChildren`), in their order. A
   * Result fails with `NoNode` or `NoAuth`; the others keep their values.
   *
   * It is one request since ZooKeeper 3.6, and as many as there are operations before. The reads need not see one state
   * of the tree: a write may come between two of them.
   */
  readonly read: <const Ops extends ReadonlyArray<Op.Read>>(
    ops: Ops
  ) => Effect.Effect<Op.ReadResults<Ops>, InvalidArgument | SessionError>

  /**
   * Waits until the connected server has all that the ensemble had applied when this was called. Later reads of this
   * client see it. Use it before a read that must not be older than a write that this client heard of by another way.
   *
   * Servers sync all of the tree, whatever the `path`; default: "/".
   */
  readonly sync: (path?: string) => Effect.Effect<void, InvalidArgument | SessionError>

  // ---- write

  /**
   * Writes the data of a znode, and gives its new Stat. `version` is the version that the znode must have; -1, the
   * default, is any.
   *
   * `BadVersion`: the znode has another version; read it again, or use `update`. `NoNode`: there is no such znode.
   * `NoAuth`: its ACL does not grant WRITE. `QuotaExceeded`: a hard quota of the sub-tree is used up (ZooKeeper 3.7).
   *
   * A lost reply is `ConnectionLoss { maybeApplied: true }`; `setData` with `idempotent` finds out what became of the
   * write.
   */
  readonly set: (path: string, data: Data, version?: number) => Effect.Effect<Stat, SetDataError>

  /** Writes the data of a znode as `set` does, with options. It fails with the errors of `set`. */
  readonly setData: (path: string, data: Data, options?: SetDataOptions) => Effect.Effect<Stat, SetDataError>

  /**
   * Reads the data, applies `f`, and writes the result if no other client has written meanwhile; otherwise it begins
   * again. `f` may run many times. Gives the Stat of the write.
   *
   * It fails with the errors of `get` and `set`, and with `BadVersion` only when the schedule `retry` has ended. A lost
   * reply is `ConnectionLoss { maybeApplied: true }`: the write is not repeated.
   *
   * ZooKeeper compares versions alone: if another client deletes the znode between the read and the write, and creates
   * it anew with the same version, the new znode is written in place of the one that was read. Then the Stat has another
   * `czxid` than the one that `f` got.
   */
  readonly update: (
    path: string,
    f: (current: DataAndStat) => Data,
    options?: UpdateOptions
  ) => Effect.Effect<Stat, SetDataError>

  /**
   * Replaces the ACL of a znode, and gives its new Stat. `version` is the version that the ACL must have, which is
   * `aversion` in the Stat and not the version of the data; -1, the default, is any.
   *
   * `BadVersion`: the ACL has another version. `NoNode`: there is no such znode. `NoAuth`: the current ACL does not grant
   * ADMIN. `InvalidACL`: the server does not accept the new ACL.
   */
  readonly setAcl: (
    path: string,
    acl: ReadonlyArray<Acl.Acl>,
    options?: { readonly version?: number | undefined }
  ) => Effect.Effect<Stat, SetAclError>

  /**
   * Deletes a znode without children.
   *
   * "/" cannot be deleted, also under a chroot: that is `InvalidArgument`. `NotEmpty`: the znode has children;
   * `deleteAll` deletes them too. `BadVersion`: it has another version. `NoNode`: there is no such znode. `NoAuth`: the
   * parent's ACL does not grant DELETE.
   *
   * A lost reply is `ConnectionLoss { maybeApplied: true }`. Use the option `idempotent` where the client should find out
   * what became of the delete, and `guaranteed` where it should also go on without a caller that waits.
   */
  readonly delete: (path: string, options?: DeleteOptions) => Effect.Effect<void, DeleteError>

  /**
   * Deletes a znode and all znodes below it, from the bottom up, in transactions of bounded size. Znodes that other
   * clients create meanwhile are deleted too, and those that they delete are no error: it ends when the root is gone. It
   * is not atomic.
   *
   * `NoNode`: the root did not exist at the first look. `NoAuth`: an ACL did not grant READ or DELETE. Each of its errors
   * that comes after a first delete says `maybeApplied: true`, as far as it has that field.
   */
  readonly deleteAll: (path: string) => Effect.Effect<void, NoNode | NoAuth | InvalidArgument | SessionError>

  /**
   * Applies all operations or none, in their order; each sees the effects of those before it. Gives a tuple of their
   * results: the path of a create, the Stat of a `setData`, nothing for a check or a delete. Without operations nothing is
   * sent.
   *
   * `TransactionFailed`: an operation was refused, and none was applied. It says which operation, and why.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops
  ) => Effect.Effect<Op.WriteResults<Ops>, TransactionFailed | InvalidArgument | SessionError>

  // ---- watch

  /**
   * Reads a znode as `get` does, and registers a one-shot watch. `changed` waits for the event of that watch: the next
   * change of the data, or the deletion. Use it for a single event; `dataChanges` is the newest state again and again.
   *
   * `changed` may be run after the event, and more than once at a time: every run gets the event. When the last run that
   * waits is interrupted, by a timeout for example, the watch is dropped. From then on `changed` fails with
   * `SessionClosed`, though the session goes on; read again for a new watch. It fails with `SessionExpired` at the end of
   * the session, and with `ConnectionLoss` when eight connections were lost while the watch was being registered again.
   * The client then gives up the watch, and with it `events` and the streams of changes at that path.
   */
  readonly getAndWatch: (path: string) => Effect.Effect<WatchedData, ReadError>

  /**
   * Looks for a znode as `stat` does, and registers a one-shot watch for its creation, its deletion or the next change of
   * its data. `changed` is that of `getAndWatch`. Use it to wait for a znode that does not exist yet.
   */
  readonly existsAndWatch: (path: string) => Effect.Effect<WatchedStat, ExistsError>

  /**
   * Lists the children of a znode as `getChildrenWithStat` does, and registers a one-shot watch for the next change of
   * that list or the deletion of the znode. `changed` is that of `getAndWatch`.
   */
  readonly getChildrenAndWatch: (path: string) => Effect.Effect<WatchedChildren, ReadError>

  /**
   * All events of a znode and of its list of children, from a persistent watch that is removed when the stream ends.
   * With `recursive`, default `false`, all events of the znodes at and below the path, whose lists of children have no
   * events of their own then. Events carry no data. ZooKeeper 3.6.
   *
   * `Gap` says that events may have been missed: after a reconnection, after a new session, or when more than 8,192
   * events waited because the stream was not read. Read the current state then.
   *
   * `onReady` is called when the server has the watch: a read that begins after that misses no change. It must return at
   * once and not throw.
   *
   * The stream ends quietly when the application closes the client. It fails with `SessionExpired` only under
   * `sessionExpiry: "fail"`, with `ConnectionLoss` when the watch was given up (see `getAndWatch`), and with
   * `ServerRefused` when a server does not know persistent watches.
   */
  readonly events: (
    path: string,
    options?: { readonly recursive?: boolean | undefined; readonly onReady?: (() => void) | undefined }
  ) => Stream.Stream<WatchEvent | Gap, InvalidArgument | SessionError>

  /**
   * The current data of a znode, or none if it does not exist, then each newer state. It may skip states, never goes
   * back, and never misses the last one. It survives reconnections and, under `sessionExpiry: "recreate"`, new sessions.
   * It works on every ZooKeeper.
   *
   * The stream ends quietly when the application closes the client. It fails with `NoAuth` when an event has led to a read
   * that the ACL does not grant, as its first read may; with `SessionExpired` only under `sessionExpiry: "fail"`; and with
   * `ConnectionLoss` when the watch was given up (see `getAndWatch`).
   *
   * Servers since ZooKeeper 3.8.4 and 3.9.2 tell nothing of a znode while this client may not read it. The stream goes on
   * then. Once it may read again, it shows the newest state with the next change, and without one within two minutes, or two
   * seconds for each such stream of the client if that is more: it looks at the Stat at such intervals, except on servers
   * before 3.6, which tell everything.
   */
  readonly dataChanges: (
    path: string
  ) => Stream.Stream<Option.Option<DataAndStat>, NoAuth | InvalidArgument | SessionError>

  /**
   * The current list of children of a znode, or none if it does not exist, then each newer list; all else as in
   * `dataChanges`. The Stat is that of the moment when the list was read.
   */
  readonly childrenChanges: (
    path: string
  ) => Stream.Stream<Option.Option<ChildrenAndStat>, NoAuth | InvalidArgument | SessionError>

  // ---- session and ensemble

  /** The identities under which the server knows this connection. ZooKeeper 3.7. */
  readonly whoAmI: Effect.Effect<ReadonlyArray<Identity>, SessionError>

  /**
   * Adds an identity to this connection and to all later ones of the session. For the scheme `digest` the credentials are
   * `user:password`. Identities that are known at the start belong into the option `auth`.
   *
   * `AuthFailed`: the servers refused the credentials, which ends the session. Credentials with which eight connections
   * were lost are given up with `AuthFailed` too; the session goes on then, unless a server has accepted them before.
   */
  readonly addAuth: (
    scheme: string,
    credentials: Redacted.Redacted<string>
  ) => Effect.Effect<void, InvalidArgument | SessionError>

  /**
   * The configuration of the ensemble, which is the same under every chroot. ZooKeeper 3.5.
   *
   * `NoNode`: the server is older. `NoAuth`: the ACL of `/zookeeper/config` does not grant READ.
   */
  readonly getConfig: Effect.Effect<EnsembleConfig, NoNode | NoAuth | SessionError>

  /**
   * Changes the members of the ensemble, and gives the new configuration. It needs WRITE on `/zookeeper/config`, and
   * `reconfigEnabled=true` on the servers. The connection may be lost after it. ZooKeeper 3.5.
   *
   * `NewConfigNoQuorum`: the new members are not a connected and synced quorum. `ReconfigInProgress`: another
   * reconfiguration is not done yet. `BadVersion`: the configuration has another version than `fromConfig`. `NoAuth`: the
   * ACL does not grant WRITE.
   */
  readonly reconfigure: (options: ReconfigureOptions) => Effect.Effect<EnsembleConfig, ReconfigureError>

  /**
   * Replaces the list of servers, and moves this client to another server if that keeps the load even (ZooKeeper's
   * rebalancing). The chroot stays. Use it when the members of the ensemble have changed. `connectString` is
   * `host:port,...`; one that breaks a rule is `InvalidArgument`, and then the list stays as it is.
   */
  readonly updateServers: (connectString: string) => Effect.Effect<void, InvalidArgument>

  /** The state of the session now, and its changes. */
  readonly session: SessionInfo

  // ---- views

  /** The znode that is "/" for this client: that of the connect string, of the option and of the views together; "" for none. */
  readonly chroot: string

  /**
   * The same session, seen from a sub-tree. The path is below this client's own chroot, and need not exist.
   */
  readonly withChroot: (path: string) => Effect.Effect<Service, InvalidArgument>

  /**
   * The same session in a new view that tracks versions: `setData`, `set`, `delete` and `setAcl` that are given no version
   * use the version that this view last read or wrote at that path. If there is none, or if the version given is -1, any
   * version will do. Use it where a write must not overwrite a change that this client has not seen.
   *
   * The versions of data and of ACLs are kept apart, for the 10,000 paths that were used last. Views of this view, made by
   * `withChroot`, share its memory. All versions are forgotten when `ensembleReset: "accept"` has taken another history of
   * the ensemble.
   */
  readonly trackVersions: Effect.Effect<Service>
}
