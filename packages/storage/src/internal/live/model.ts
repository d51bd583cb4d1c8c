/** Trees wherever they are, and their znodes. */
import type { Service } from "@effect-zookeeper/client/Service"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Znode } from "../../Znode.ts"

/**
 * A znode of a tree that is restored, copied or compared.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly znode: Znode
  /** How many children it has. */
  readonly numChildren: number
  /**
   * Whether `owner` of the znode tells containers and TTL znodes. Servers do not tell them to clients: a live tree does not know
   * them, and shows them as persistent.
   */
  readonly isKindKnown: boolean
}

/**
 * A tree, or a subtree of one.
 *
 * @category models
 * @since 0.1.0
 */
export interface TreeSource<out E = never, out R = never> {
  /** The tree in a few words, for messages. */
  readonly name: string
  /** The path of its first znode, which the paths of all others begin with. */
  readonly root: string
  /** All znodes, parents before their children. `/zookeeper` and what is below it is not in a whole tree. */
  readonly entries: Stream.Stream<Entry, E, R>
  /** How many znodes there are about; undefined where it is not known before they are read. */
  readonly size: Effect.Effect<number | undefined>
  /** The client that reads a live tree; undefined where the tree is in a file. A live tree is not copied into itself. */
  readonly client?: LiveReader | undefined
}

/**
 * The methods of a client that reading a live tree needs: those of every client, also of one that may not write.
 *
 * @category models
 * @since 0.1.0
 */
export type LiveReader = Pick<
  Service,
  | "get"
  | "getAcl"
  | "getChildrenWithStat"
  | "stat"
  | "read"
  | "sync"
  | "session"
  | "events"
  | "countDescendants"
  | "chroot"
>

/**
 * An option of all that reads a live tree.
 *
 * @category options
 * @since 0.1.0
 */
export interface AclReaders<Reader = LiveReader> {
  /**
   * More clients of the same tree, which ask for ACLs as well. Default: none.
   *
   * Servers have a request for each ACL, and take those of one connection one after the other: with seven more clients
   * a large tree is read two to three times as fast. Their answers are compared with what the first client reads, so that a
   * server that lags behind does no harm. They need the same chroot and credentials.
   */
  readonly aclReaders?: ReadonlyArray<Reader> | undefined
}

/**
 * The owner of a znode by its path and `czxid`, for the kinds of znodes that servers do not tell; undefined where it is not known.
 *
 * @category models
 * @since 0.1.0
 */
export type Owners = (path: string, czxid: bigint) => bigint | undefined
