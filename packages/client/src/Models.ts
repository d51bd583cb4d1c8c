/**
 * The arguments and the answers of the client's methods.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type { CreateMode } from "@effect-zookeeper/protocol/CreateMode"
import type * as Records from "@effect-zookeeper/protocol/Records"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import type { Changed } from "@effect-zookeeper/session/Session"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type { BadVersion } from "./Errors.ts"

export type { Changed, Gap, WatchEvent }

/**
 * The metadata of a znode.
 *
 * `czxid`, `mzxid` and `pzxid` are the transactions that created the znode, last wrote its data, and last changed its list
 * of children. `ctime` and `mtime` are milliseconds since 1970 by the clock of the servers' leader. `version` counts
 * changes of the data, `cversion` those of the list of children, `aversion` those of the ACL. `ephemeralOwner` is the
 * session that owns an ephemeral znode, and 0 for every other. `dataLength` is in bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Stat = Records.Stat

/**
 * The data of a znode as methods take it: bytes, or text, which is encoded as UTF-8. Reads give bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Data = Uint8Array | string

/**
 * The properties of a new znode, wherever one is created.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZnodeOptions {
  /** The data. Default: none, which reads as empty. */
  readonly data?: Data | undefined
  /** The access control list of the znode. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /**
   * The kind of the znode, and how long it stays; see `CreateMode`. Default `persistent`. Containers need ZooKeeper 3.5.1, the
   * modes with a time to live 3.5.3.
   */
  readonly mode?: CreateMode | undefined
  /**
   * The time to live, which the modes with one need and no other mode takes. Numbers are milliseconds. The server deletes
   * the znode when it has no children and was not written for that time.
   */
  readonly ttl?: Duration.Input | undefined
}

/**
 * The options of `create` and `createWithStat`.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreateOptions extends ZnodeOptions {
  /**
   * Puts an id into the name, `_c_<uuid>-name`. When the connection is lost before the reply, the client looks for its
   * own znode by that id, after a transaction that changes nothing, among the children of the parent: if it is there,
   * it counts as created, and if not, it is created. A znode that outlives its session is also looked for in the next
   * session, if there is one. An ephemeral of an older session is deleted and created anew. The create is given up
   * after eight lost connections.
   *
   * Nothing is left behind when the create fails or is interrupted: a znode that may have been created is looked for and
   * deleted in the background. Use it for sequential names.
   *
   * A function builds the name, for a layout that other clients share: it gets the id and the name that was asked for, and
   * returns a name that contains the id.
   *
   * Default `false`.
   */
  readonly protected?: boolean | ((id: string, name: string) => string) | undefined
  /**
   * Compares after a lost reply. When the connection is lost before the reply, or the znode turns out to exist after
   * such a loss, the client looks at the path, after a transaction that changes nothing. A znode with the same data,
   * which for an ephemeral is owned by this session, counts as created. If there is no znode, it is created. Any other
   * znode is `NodeExists`.
   *
   * The client cannot know the name of a sequential znode: that is `InvalidArgument`, and `protected` is the way there.
   * Default `false`.
   */
  readonly idempotent?: boolean | undefined
}

/**
 * The options of `createWithParents`.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreateWithParentsOptions extends CreateOptions {
  /** The ACL of the parents that have to be created. Default: the client's `defaultAcl`. */
  readonly parentAcl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * The options of `setData`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetDataOptions {
  /** The version that the znode must have. Default: -1, which is any. */
  readonly version?: number | undefined
  /**
   * Compares after a lost reply. When the connection is lost before the reply, the client looks at the znode, after a
   * transaction that changes nothing. With a version v, the same data at version v + 1 counts as written, and a znode that
   * still has version v is written again. Without a version, the same data counts as written, whichever client wrote it, and
   * other data is written again.
   *
   * A version does not tell a znode from another one that was created anew at the path, whose versions begin again: that
   * one is taken for it. Default `false`.
   */
  readonly idempotent?: boolean | undefined
}

/**
 * The options of `delete`.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeleteOptions {
  /** The version that the znode must have. Default: -1, which is any. */
  readonly version?: number | undefined
  /**
   * Goes on in the background, across reconnections and past the caller's interruption, until the znode is deleted or
   * gone, the server refuses for good, eight connections were lost while one of its requests was with a server, or the
   * session has ended. A caller that waits gets the outcome; without one, a failure is a warning in the log. After a lost
   * reply it looks before it deletes again, as `idempotent` does. Default `false`.
   */
  readonly guaranteed?: boolean | undefined
  /**
   * Deletes the znode that is there now, and no later one. The client looks first, which costs a read. When the
   * connection is lost before the reply, it looks again, after a transaction that changes nothing, and deletes again if
   * the znode with the same czxid is still there. A znode that is gone counts as deleted, and so does one that was
   * created anew since, which stays. A request that was never sent is not followed by a look.
   *
   * ZooKeeper deletes by path and version alone: if another client deletes the znode between a look and the delete that
   * follows it, and creates it anew with the same version, that one is deleted in its place. Default `false`.
   */
  readonly idempotent?: boolean | undefined
}

/**
 * The options of `update`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions {
  /**
   * The pauses after each `BadVersion`. The update fails with `BadVersion` when the schedule ends. Default: from 5
   * milliseconds, doubling up to a second, with jitter, forever.
   */
  readonly retry?: Schedule.Schedule<unknown, BadVersion> | undefined
}

/**
 * The changes that `reconfigure` makes: `joining` and `leaving`, or `members`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReconfigureOptions {
  /** The servers to add or to change: `server.4=host:2888:3888:participant;2181`. */
  readonly joining?: ReadonlyArray<string> | undefined
  /** The numbers of the servers to remove. */
  readonly leaving?: ReadonlyArray<number | string> | undefined
  /** The whole new list, in place of `joining` and `leaving`. */
  readonly members?: ReadonlyArray<string> | undefined
  /** The version of the configuration to change, which `getConfig` gives; another one is `BadVersion`. Default: any. */
  readonly fromConfig?: bigint | undefined
}

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

/**
 * The data of a znode and its Stat.
 *
 * @category models
 * @since 0.1.0
 */
export interface DataAndStat {
  /**
   * Empty for a znode that was created without data. The client never writes to it again. It may be a view of a buffer with
   * other data beside it (of at most 16 KiB, unless it is large itself): use its `byteOffset` wherever you use its
   * `buffer`.
   */
  readonly data: Uint8Array
  readonly stat: Stat
}

/**
 * The children of a znode and its Stat.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildrenAndStat {
  /** Names, not paths, in no order. */
  readonly children: ReadonlyArray<string>
  readonly stat: Stat
}

/**
 * The ACL of a znode and its Stat, whose `aversion` is the version of the ACL.
 *
 * @category models
 * @since 0.1.0
 */
export interface AclAndStat {
  readonly acl: ReadonlyArray<Acl.Acl>
  readonly stat: Stat
}

/**
 * The path of a created znode and its Stat.
 *
 * @category models
 * @since 0.1.0
 */
export interface PathAndStat {
  /** Without the chroot, and with the number of a sequential znode. */
  readonly path: string
  readonly stat: Stat
}

/**
 * The data of a znode and its Stat, and a watch for the next change.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchedData extends DataAndStat {
  /** Waits for the next change of the data or the deletion; see `getAndWatch`. */
  readonly changed: Changed
}

/**
 * The children of a znode and its Stat, and a watch for the next change of the list.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchedChildren extends ChildrenAndStat {
  /** Waits for the next change of the list or the deletion; see `getAndWatch`. */
  readonly changed: Changed
}

/**
 * The Stat of a znode, if there is one, and a watch for the next change.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchedStat {
  /** None if there is no such znode; `changed` then waits for its creation. */
  readonly stat: Option.Option<Stat>
  /** Waits for the creation, the next change of the data, or the deletion; see `getAndWatch`. */
  readonly changed: Changed
}

/**
 * An identity of a connection: `{ scheme: "digest", id: "bob" }`, `{ scheme: "ip", id: "10.0.0.7" }`.
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
  /** `host:port` for clients, if the configuration has it. */
  readonly client: Option.Option<string>
}

/**
 * The configuration of an ensemble. That of a standalone server has version 0 and no members.
 *
 * @category models
 * @since 0.1.0
 */
export interface EnsembleConfig {
  /** The transaction that made it. */
  readonly version: bigint
  readonly members: ReadonlyArray<EnsembleMember>
  /** The text that servers keep in `/zookeeper/config`. */
  readonly raw: string
}
