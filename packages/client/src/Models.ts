/**
 * What goes into the client's methods and comes out of them.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type { CreateMode } from "@effect-zookeeper/protocol/CreateMode"
import type * as Records from "@effect-zookeeper/protocol/Records"
import type { Changed } from "@effect-zookeeper/session/Session"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type { BadVersion } from "./Errors.ts"

/**
 * What a server knows about a znode beside its data.
 *
 * `czxid`, `mzxid` and `pzxid` are the transactions that created it, changed its data, and changed its list of children;
 * `ctime` and `mtime` are milliseconds since 1970. `version` counts changes of data, `cversion` of the list of children,
 * `aversion` of the ACL. `ephemeralOwner` is the session that owns an ephemeral znode, and 0 for every other.
 *
 * @category models
 * @since 0.1.0
 */
export type Stat = Records.Stat

/**
 * The data of a znode as it is written; text is encoded as UTF-8. It is always read as bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Data = Uint8Array | string

/**
 * What becomes of a new znode; see `CreateMode` of the protocol.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZnodeOptions {
  /** Default: none, which reads as empty. */
  readonly data?: Data | undefined
  /** Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /** Default `persistent`. Containers need ZooKeeper 3.5.1, the modes with a time to live 3.5.3. */
  readonly mode?: CreateMode | undefined
  /** For the modes with a time to live, which need one, and for no other; numbers are milliseconds. */
  readonly ttl?: Duration.Input | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface CreateOptions extends ZnodeOptions {
  /**
   * Puts an id into the name, `_c_<uuid>-name`, by which the client finds its own znode when the connection is lost
   * before the reply: after a `sync` it looks among the children of the parent, takes what it finds as created, and
   * creates it when it finds nothing. What does not go with its session is looked for in the next one, if there is one. An
   * ephemeral of an older session is deleted and created anew. After eight lost connections it is given up. Nothing is left
   * behind when it fails or is interrupted: what may have been created is looked for and deleted in the background.
   *
   * A function builds the name, in place of `true`, for those who share a path with others that have a convention of
   * their own: it gets the id and the name that was asked for, and what it gives has to contain the id.
   *
   * Default false.
   */
  readonly protected?: boolean | ((id: string, name: string) => string) | undefined
  /**
   * When the connection is lost before the reply, or the znode turns out to exist after such a loss, looks at what is
   * there (after a `sync`): the same data and, for an ephemeral, this session as its owner count as created; nothing
   * there is created again; anything else is `NodeExists`. Not for sequential modes, whose name the client cannot know:
   * use `protected` there. Default false.
   */
  readonly idempotent?: boolean | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface CreateWithParentsOptions extends CreateOptions {
  /** The ACL of the parents that have to be created. Default: the client's `defaultAcl`. */
  readonly parentAcl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface SetDataOptions {
  /** The version that the znode must have; -1, the default, for any. */
  readonly version?: number | undefined
  /**
   * When the connection is lost before the reply, looks at what is there (after a `sync`): with a version v, the data
   * with version v + 1 counts as written, and version v is written again. Without one, the same data counts as
   * written, whoever wrote it, and other data is written again. A version does not tell a znode from another that was made
   * anew at the path, whose versions begin again: that one is taken for it. Default false.
   */
  readonly idempotent?: boolean | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface DeleteOptions {
  /** The version that the znode must have; -1, the default, for any. */
  readonly version?: number | undefined
  /**
   * Goes on in the background, across reconnections and past the caller's interruption, until the znode is deleted or
   * gone, the server refuses for good, or the session has ended. Who waits gets the outcome. After a lost reply it looks
   * before it deletes again, see `idempotent`. Default false.
   */
  readonly guaranteed?: boolean | undefined
  /**
   * Looks first, which costs a read. When the connection is lost before the reply, it looks again, after a `sync`, and
   * deletes again if the same znode is still there, by its czxid. One that is gone counts as deleted, and so does one that
   * was made anew since, which stays. ZooKeeper deletes by path and version alone: a znode that another deletes and makes
   * anew with the same version between a look and the delete that follows it is deleted in its place. Not so when the
   * request was not even sent. Default false.
   */
  readonly idempotent?: boolean | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions {
  /**
   * The pauses after a `BadVersion`; when it ends, the update fails with it. Default: from 5 milliseconds, doubling up
   * to a second, with jitter, forever.
   */
  readonly retry?: Schedule.Schedule<unknown, BadVersion> | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ReconfigureOptions {
  /** Servers to add or change: `server.4=host:2888:3888:participant;2181`. */
  readonly joining?: ReadonlyArray<string> | undefined
  /** The numbers of servers to remove. */
  readonly leaving?: ReadonlyArray<number | string> | undefined
  /** The whole new list, in place of the two above. */
  readonly members?: ReadonlyArray<string> | undefined
  /** The version of the configuration that it must start from, as `getConfig` gives it. Default: any. */
  readonly fromConfig?: bigint | undefined
}

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

/** @category models @since 0.1.0 */
export interface DataAndStat {
  /**
   * Empty for a znode that was created without data. Nobody writes to it any more, but it may be a view of a buffer with
   * other data beside it (of at most 16 KiB, unless it is large itself): where its `buffer` is used, so is its `byteOffset`.
   */
  readonly data: Uint8Array
  readonly stat: Stat
}

/** @category models @since 0.1.0 */
export interface ChildrenAndStat {
  /** Names, not paths, in no order. */
  readonly children: ReadonlyArray<string>
  readonly stat: Stat
}

/** @category models @since 0.1.0 */
export interface AclAndStat {
  readonly acl: ReadonlyArray<Acl.Acl>
  readonly stat: Stat
}

/** @category models @since 0.1.0 */
export interface PathAndStat {
  /** Without the chroot, with the number of a sequential one. */
  readonly path: string
  readonly stat: Stat
}

/** @category models @since 0.1.0 */
export interface WatchedData extends DataAndStat {
  readonly changed: Changed
}

/** @category models @since 0.1.0 */
export interface WatchedChildren extends ChildrenAndStat {
  readonly changed: Changed
}

/** @category models @since 0.1.0 */
export interface WatchedStat {
  /** None when there is no such znode; `changed` then waits for it to be created. */
  readonly stat: Option.Option<Stat>
  readonly changed: Changed
}

/**
 * An identity of this connection: `{ scheme: "digest", id: "bob" }`, `{ scheme: "ip", id: "10.0.0.7" }`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Identity {
  readonly scheme: string
  readonly id: string
}

/**
 * One server of an ensemble: `server.1=zk1:2888:3888:participant;0.0.0.0:2181`.
 *
 * @category models
 * @since 0.1.0
 */
export interface EnsembleMember {
  readonly id: number
  /** `host:quorumPort:electionPort` of each of its addresses; most servers have one. */
  readonly addresses: ReadonlyArray<string>
  readonly role: "participant" | "observer"
  /** `host:port` for clients, if it says so. */
  readonly client: Option.Option<string>
}

/**
 * The configuration of an ensemble. A standalone server has none: version 0 and no members.
 *
 * @category models
 * @since 0.1.0
 */
export interface EnsembleConfig {
  /** The transaction that made it. */
  readonly version: bigint
  readonly members: ReadonlyArray<EnsembleMember>
  /** As the servers keep it in `/zookeeper/config`. */
  readonly raw: string
}
