/**
 * One server of an ensemble as clients see it: a tree that follows the log, perhaps with a lag, and the watches of its
 * connections.
 *
 * @since 0.1.0
 */
import type { Stat } from "@effect-zookeeper/protocol/Records"
import type { WatchEventType } from "@effect-zookeeper/protocol/WatchEvent"
import type { Transaction } from "./Transaction.ts"
import { DataTree, type Touch } from "./DataTree.ts"
import type { Session } from "./Sessions.ts"
import type { Watches } from "./Watches.ts"

/**
 * An event on its way to a connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery<Client> {
  readonly to: Client
  readonly type: WatchEventType
  readonly path: string
  /** The transaction that it is about; undefined for one that makes up for changes before the watch was set. */
  readonly zxid: bigint | undefined
}

/**
 * A member with its own tree and watches.
 *
 * @category models
 * @since 0.1.0
 */
export class Replica<Client> {
  readonly id: number
  tree = new DataTree()
  readonly watches: Watches<Client>
  /** The last transaction that was applied here. */
  zxid = 0n
  /** How many transactions it stays behind, until a client of it writes or calls `sync`. */
  lag = 0
  /** Whether it has lost the others and only answers reads. */
  readOnly = false
  /**
   * Whether it follows the others (`joined`), has lost them but does not know yet (`alone`), knows it and refuses clients
   * (`down`), or does not run at all (`stopped`).
   */
  membership: "joined" | "alone" | "down" | "stopped" = "joined"
  /** Sessions that gave a sign of life while it was alone. */
  readonly touched = new Set<Session<Client>>()

  /** Whether it refuses all clients. One that is down may be read-only instead. */
  get isOut(): boolean {
    return this.membership === "stopped" || (this.membership === "down" && !this.readOnly)
  }

  private readonly pending: Array<Transaction> = []
  private readonly mayRead: (client: Client, touch: Touch) => boolean

  constructor(id: number, watches: Watches<Client>, mayRead: (client: Client, touch: Touch) => boolean) {
    this.id = id
    this.watches = watches
    this.mayRead = mayRead
  }

  /** Takes a transaction of the log. Events that become visible are added to `deliveries`. */
  follow(transaction: Transaction, deliveries: Array<Delivery<Client>>): void {
    this.pending.push(transaction)
    this.catchUp(deliveries, this.readOnly ? Infinity : this.lag)
  }

  /** Applies all pending transactions except the last `behind`. A member that has lost the others gets none. */
  catchUp(deliveries: Array<Delivery<Client>>, behind = 0): void {
    if (this.membership !== "joined") return
    while (this.pending.length > behind) this.apply(this.pending.shift()!, deliveries)
  }

  /** Applies a transaction at once, and returns the Stat of each znode that still exists after it. */
  apply({ changes, time, zxid }: Transaction, deliveries: Array<Delivery<Client>>): ReadonlyArray<Stat | undefined> {
    const onTouch = (touch: Touch) => {
      // A client that may not read is not told, but its one-shot watch is used up.
      for (const to of this.watches.fire(touch)) {
        if (this.mayRead(to, touch)) deliveries.push({ to, type: touch.type, path: touch.path, zxid })
      }
    }
    const stats = changes.map((change) => this.tree.apply(change, zxid, time, onTouch))
    this.zxid = zxid
    return stats
  }

  /** Takes over a tree as of a transaction, and drops pending transactions. */
  replace(tree: DataTree, zxid: bigint): void {
    this.tree = tree
    this.zxid = zxid
    this.pending.length = 0
  }
}
