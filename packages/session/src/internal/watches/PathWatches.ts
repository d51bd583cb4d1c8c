import type { PersistentWatchListener } from "../../Watch.ts"
import { emptySet, type SmallSet, withElement } from "./SmallSet.ts"
import type { OneShotKind, OneShotWatch } from "./OneShotWatch.ts"

/** A kind of persistent watch at the server; it covers one-shot watches on data of the same path. */
export type ServerWatchMode = "persistent" | "recursive"

/** Which of them there are. A server before 3.9 has one of the two for a path. */
export type ServerWatchModes = { readonly [Mode in ServerWatchMode]: boolean }

/** One object for each combination, and not for each path. */
const noModes: ServerWatchModes = { persistent: false, recursive: false }
const persistentMode: ServerWatchModes = { persistent: true, recursive: false }
const recursiveMode: ServerWatchModes = { persistent: false, recursive: true }
const bothModes: ServerWatchModes = { persistent: true, recursive: true }

/** The two tables of a server: `data` has the watches of getData and exists, `child` those of getChildren. */
export type WatchTable = "data" | "child"

/**
 * All watches of one path: those that applications wait for, and those that the server was asked for. Nearly all paths have
 * one watch alone, so that there are no objects but the set that has it.
 */
export class PathWatches {
  readonly path: string
  /** Set by getData, and by exists if the znode existed. */
  data: SmallSet<OneShotWatch<PathWatches>> = emptySet
  /** Set by exists if the znode did not exist. */
  exists: SmallSet<OneShotWatch<PathWatches>> = emptySet
  child: SmallSet<OneShotWatch<PathWatches>> = emptySet
  persistent: SmallSet<PersistentWatchListener> = emptySet
  recursive: SmallSet<PersistentWatchListener> = emptySet
  private pendingData = 0
  private pendingChild = 0
  private isDataArmed = false
  private isChildArmed = false
  /**
   * Whether creations of children no longer show in the Stat (see `isCounterExhausted`): after a reconnection no server can tell
   * whether there were some.
   */
  isCounterExhausted = false
  /** The modes that the server was asked for last. */
  requested = noModes
  /** The modes that it held when it answered last: events come by these until it has answered again. */
  confirmed = noModes

  constructor(path: string) {
    this.path = path
  }

  addOneShot(kind: OneShotKind, watch: OneShotWatch<PathWatches>): void {
    this[kind] = withElement(this[kind], watch)
  }

  addPersistent(kind: "persistent" | "recursive", listener: PersistentWatchListener): void {
    this[kind] = withElement(this[kind], listener)
  }

  /** How many reads with a watch have no reply yet. */
  pending(table: WatchTable): number {
    return table === "data" ? this.pendingData : this.pendingChild
  }

  addPending(table: WatchTable, count: 1 | -1): void {
    if (table === "data") this.pendingData += count
    else this.pendingChild += count
  }

  /** Whether a one-shot watch may be set at the server. */
  isArmed(table: WatchTable): boolean {
    return table === "data" ? this.isDataArmed : this.isChildArmed
  }

  setArmed(table: WatchTable, isArmed: boolean): void {
    if (table === "data") this.isDataArmed = isArmed
    else this.isChildArmed = isArmed
  }

  /** The modes of all persistent watches here. */
  get needed(): ServerWatchModes {
    if (this.recursive.size > 0) return this.persistent.size > 0 ? bothModes : recursiveMode
    return this.persistent.size > 0 ? persistentMode : noModes
  }

  /** Whether any persistent watch is here. */
  get isListened(): boolean {
    return this.persistent.size + this.recursive.size > 0
  }

  /** Whether the server was asked for any mode. */
  get isRequested(): boolean {
    return this.requested.persistent || this.requested.recursive
  }

  /** The server holds no mode any more, or is asked to. */
  clearModes(): void {
    this.requested = noModes
    this.confirmed = noModes
  }

  /** Whether the watch that the server has in a table is still needed. */
  isUsed(table: WatchTable): boolean {
    if (this.pending(table) > 0) return true
    return table === "data" ? this.data.size + this.exists.size > 0 : this.child.size > 0
  }

  get isEmpty(): boolean {
    return !this.isListened && !this.isRequested && !this.isUsed("data") && !this.isUsed("child")
  }

  get size(): number {
    return this.data.size + this.exists.size + this.child.size + this.persistent.size + this.recursive.size
  }
}
