import type { PersistentWatchListener } from "../../Watch.ts"
import { elementsOf, hasElement, type SmallSet, sizeOf, withElement, withoutElement } from "../SmallSet.ts"
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

/** A one-shot watch in the registry. */
export type RegisteredWatch = OneShotWatch<PathWatches>

/** The persistent watches of one path. */
class PersistentWatches {
  persistent: SmallSet<PersistentWatchListener> = undefined
  recursive: SmallSet<PersistentWatchListener> = undefined
  requested = noModes
  confirmed = noModes
}

/** In the place of those of a path that has none. It is never changed. */
const noPersistentWatches: Readonly<PersistentWatches> = new PersistentWatches()

/** Facts about a path, in one number. */
const Flag = { dataArmed: 1, childArmed: 2, counterExhausted: 4 } as const

/**
 * All watches of one path: those that applications wait for, and those that the server was asked for. There may be a hundred
 * thousand of these objects, nearly all with one watch alone: so they have few fields, and what belongs to persistent watches
 * is an object of its own.
 */
export class PathWatches {
  readonly path: string
  /** Set by getData, and by exists if the znode existed. */
  private data: SmallSet<RegisteredWatch> = undefined
  /** Set by exists if the znode did not exist. */
  private exists: SmallSet<RegisteredWatch> = undefined
  private child: SmallSet<RegisteredWatch> = undefined
  private ofPersistent = noPersistentWatches
  private pendingData = 0
  private pendingChild = 0
  private flags = 0

  constructor(path: string) {
    this.path = path
  }

  // ---------------------------------------------------------------------------
  // one-shot watches
  // ---------------------------------------------------------------------------

  addOneShot(kind: OneShotKind, watch: RegisteredWatch): void {
    this[kind] = withElement(this[kind], watch)
  }

  /** Whether it was there. */
  deleteOneShot(kind: OneShotKind, watch: RegisteredWatch): boolean {
    const wasThere = hasElement(this[kind], watch)
    this[kind] = withoutElement(this[kind], watch)
    return wasThere
  }

  hasOneShots(kind: OneShotKind): boolean {
    return this[kind] !== undefined
  }

  /** Removes all of a kind, and gives them in the order in which they came. */
  takeOneShots(kind: OneShotKind): ReadonlyArray<RegisteredWatch> {
    const watches = elementsOf(this[kind])
    this[kind] = undefined
    return watches
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
    return this.is(armed[table])
  }

  setArmed(table: WatchTable, isArmed: boolean): void {
    this.set(armed[table], isArmed)
  }

  /**
   * Whether creations of children no longer show in the Stat (see `isCounterExhausted`): after a reconnection no server can tell
   * whether there were some.
   */
  get isCounterExhausted(): boolean {
    return this.is(Flag.counterExhausted)
  }

  set isCounterExhausted(isExhausted: boolean) {
    this.set(Flag.counterExhausted, isExhausted)
  }

  /** Whether the watch that the server has in a table is still needed. */
  isUsed(table: WatchTable): boolean {
    if (this.pending(table) > 0) return true
    return table === "data" ? this.data !== undefined || this.exists !== undefined : this.child !== undefined
  }

  private is(flag: number): boolean {
    return (this.flags & flag) !== 0
  }

  private set(flag: number, is: boolean): void {
    this.flags = is ? this.flags | flag : this.flags & ~flag
  }

  // ---------------------------------------------------------------------------
  // persistent watches
  // ---------------------------------------------------------------------------

  addPersistent(mode: ServerWatchMode, listener: PersistentWatchListener): void {
    const own = this.ownPersistent()
    own[mode] = withElement(own[mode], listener)
  }

  /** Whether it was there. */
  deletePersistent(mode: ServerWatchMode, listener: PersistentWatchListener): boolean {
    if (!hasElement(this.ofPersistent[mode], listener)) return false
    const own = this.ownPersistent()
    own[mode] = withoutElement(own[mode], listener)
    return true
  }

  /** How many watches of a mode there are. */
  countPersistent(mode: ServerWatchMode): number {
    return sizeOf(this.ofPersistent[mode])
  }

  /** Those of a mode, in the order in which they came. */
  listeners(mode: ServerWatchMode): ReadonlyArray<PersistentWatchListener> {
    return elementsOf(this.ofPersistent[mode])
  }

  /** Removes all persistent watches, and gives them. */
  takePersistent(): ReadonlyArray<PersistentWatchListener> {
    if (!this.isListened) return []
    const own = this.ownPersistent()
    const listeners = [...elementsOf(own.persistent), ...elementsOf(own.recursive)]
    own.persistent = undefined
    own.recursive = undefined
    return listeners
  }

  /** The modes that the server was asked for last. */
  get requested(): ServerWatchModes {
    return this.ofPersistent.requested
  }

  set requested(modes: ServerWatchModes) {
    if (this.ofPersistent !== noPersistentWatches || hasAny(modes)) this.ownPersistent().requested = modes
  }

  /** The modes that it held when it answered last: events come by these until it has answered again. */
  get confirmed(): ServerWatchModes {
    return this.ofPersistent.confirmed
  }

  set confirmed(modes: ServerWatchModes) {
    if (this.ofPersistent !== noPersistentWatches || hasAny(modes)) this.ownPersistent().confirmed = modes
  }

  /** The modes of all persistent watches here. */
  get needed(): ServerWatchModes {
    if (!this.isListened) return noModes
    const hasPersistent = this.countPersistent("persistent") > 0
    if (this.countPersistent("recursive") > 0) return hasPersistent ? bothModes : recursiveMode
    return hasPersistent ? persistentMode : noModes
  }

  /** Whether any persistent watch is here. */
  get isListened(): boolean {
    return this.ofPersistent.persistent !== undefined || this.ofPersistent.recursive !== undefined
  }

  /** Whether the server was asked for any mode. */
  get isRequested(): boolean {
    return hasAny(this.requested)
  }

  /** The server holds no mode any more, or is asked to. */
  clearModes(): void {
    this.requested = noModes
    this.confirmed = noModes
  }

  private ownPersistent(): PersistentWatches {
    const { ofPersistent } = this
    if (ofPersistent !== noPersistentWatches) return ofPersistent
    const own = new PersistentWatches()
    this.ofPersistent = own
    return own
  }

  // ---------------------------------------------------------------------------
  // all of them
  // ---------------------------------------------------------------------------

  get isEmpty(): boolean {
    return !this.isListened && !this.isRequested && !this.isUsed("data") && !this.isUsed("child")
  }

  get size(): number {
    const { child, data, exists, ofPersistent } = this
    return (
      sizeOf(data) + sizeOf(exists) + sizeOf(child) + sizeOf(ofPersistent.persistent) + sizeOf(ofPersistent.recursive)
    )
  }
}

const armed = { data: Flag.dataArmed, child: Flag.childArmed } as const

const hasAny = ({ persistent, recursive }: ServerWatchModes): boolean => persistent || recursive
