import type { PersistentWatchListener } from "../../Watch.ts"
import { SmallSet } from "./SmallSet.ts"
import type { OneShotWatch } from "./OneShotWatch.ts"

/** The persistent mode that the server holds for a path; it covers one-shot watches on data of the same path. */
export type ServerWatchMode = "none" | "persistent" | "recursive"

/** The two tables of a server: `data` has the watches of getData and exists, `child` those of getChildren. */
export type WatchTable = "data" | "child"

/** All watches of one path: those that applications wait for, and those that the server was asked for. */
export class PathWatches {
  readonly path: string
  /** Set by getData, and by exists if the znode existed. */
  readonly data = new SmallSet<OneShotWatch>()
  /** Set by exists if the znode did not exist. */
  readonly exists = new SmallSet<OneShotWatch>()
  readonly child = new SmallSet<OneShotWatch>()
  readonly persistent = new SmallSet<PersistentWatchListener>()
  readonly recursive = new SmallSet<PersistentWatchListener>()
  /** Reads with a watch whose replies are still to come. */
  readonly pending: Record<WatchTable, number> = { data: 0, child: 0 }
  /** Whether a one-shot watch may be set at the server. */
  readonly armed: Record<WatchTable, boolean> = { data: false, child: false }
  /**
   * Whether creations of children no longer show in the Stat (see `isCounterExhausted`): after a reconnection no server can tell
   * whether there were some.
   */
  isCounterExhausted = false
  /** The mode that the server was asked for last. */
  requestedMode: ServerWatchMode = "none"
  /** The mode that it held when it answered last: events come by this mode until it has answered again. */
  confirmedMode: ServerWatchMode = "none"

  constructor(path: string) {
    this.path = path
  }

  /** The one mode that serves all persistent watches here: a recursive one covers the other. */
  get neededMode(): ServerWatchMode {
    if (this.recursive.size > 0) return "recursive"
    return this.persistent.size > 0 ? "persistent" : "none"
  }

  /** Whether the watch that the server has in a table is still needed. */
  isUsed(table: WatchTable): boolean {
    if (this.pending[table] > 0) return true
    return table === "data" ? this.data.size + this.exists.size > 0 : this.child.size > 0
  }

  get isEmpty(): boolean {
    return this.neededMode === "none" && this.requestedMode === "none" && !this.isUsed("data") && !this.isUsed("child")
  }

  get size(): number {
    return this.data.size + this.exists.size + this.child.size + this.persistent.size + this.recursive.size
  }
}
