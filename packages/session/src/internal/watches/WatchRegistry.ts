import { someLong } from "@effect-zookeeper/protocol/Json"
import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Option from "effect/Option"
import type { PersistentWatchListener } from "../../Watch.ts"
import type { ConnectionLoss, ServerRefused, SessionClosed, SessionExpired } from "../../SessionError.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { type OneShotKind, OneShotWatch } from "./OneShotWatch.ts"
import {
  PathWatches,
  type RegisteredWatch,
  type ServerWatchMode,
  type ServerWatchModes,
  type WatchTable
} from "./PathWatches.ts"
import type { WatchLists } from "./setWatches.ts"

/** The commands of the registry to the server. They are sent behind earlier requests, and need no answer. */
export interface WatchCommands {
  readonly addWatch: (path: string, mode: ServerWatchMode) => void
  readonly removeWatches: (path: string, type: RemoveType) => void
}

/** The numbers of the protocol; `persistent` and `recursive` are known from 3.9 on, and refused without harm before. */
export const RemoveType = { child: 1, data: 2, any: 3, persistent: 4, recursive: 5 } as const
export type RemoveType = (typeof RemoveType)[keyof typeof RemoveType]

/** The numbers of the protocol. */
export const addWatchMode = { persistent: 0, recursive: 1 } as const

/**
 * The watches of a session.
 *
 * Applications watch one path in several ways at once; a server before 3.9 keeps one mode for a path in each of its two
 * tables, and the last request wins. So if a path has a persistent watch, the registry holds one at the server that covers
 * all watches of the path, asks for no one-shot watch on data beside it, and decides here which of them get an event. A watch
 * at the server is removed with the last watch that needs it.
 *
 * A recursive watch reports no `NodeChildrenChanged`; here one is derived from the creation or deletion of a child. Servers
 * from 3.9 on keep a recursive watch beside a persistent one, and report it themselves, also for children that this client may
 * not read. Only their events have a zxid, which tells them apart: both modes are asked for at once where the order of the
 * requests makes the recursive one win on an older server, or once an event has shown the release.
 */
export class WatchRegistry {
  private readonly paths = new Map<string, PathWatches>()
  private readonly commands: WatchCommands
  readonly guardCallback: GuardCallback
  /** Whether an event of this connection has shown that the server keeps modes side by side. */
  private keepsBothModes = false
  private recursiveCount = 0
  /** Undefined when watches have come or gone since. */
  private cachedSize: number | undefined
  /** The lists that the last connection got, if nothing has come, gone or changed since. */
  private cachedLists: WatchLists | undefined
  /** While watches are registered again, persistent ones get no events: `Gap` will tell them that they missed some. */
  private isRestoring = false

  constructor(commands: WatchCommands, guardCallback: GuardCallback) {
    this.commands = commands
    this.guardCallback = guardCallback
  }

  /** How many watches applications have. It is read at every heartbeat, and counted only after some came or went. */
  get size(): number {
    if (this.cachedSize === undefined) {
      let size = 0
      for (const entry of this.paths.values()) size += entry.size
      this.cachedSize = size
    }
    return this.cachedSize
  }

  // ---------------------------------------------------------------------------
  // one-shot watches
  // ---------------------------------------------------------------------------

  /** A read that sets a watch is on its way. */
  readSent(path: string, table: WatchTable): void {
    this.entry(path).addPending(table, 1)
  }

  /** Whether such a read has to ask the server for a watch; decided at the moment at which it is sent. */
  needsServerWatch(path: string, table: WatchTable): boolean {
    const entry = this.entry(path)
    // A recursive watch does not tell of children that this client may not read, so their parent is watched as well.
    return !entry.isRequested || (entry.requested.recursive && table === "child")
  }

  /**
   * The read was answered. `kind` is undefined when no watch came of it, or when its caller has gone. `isCounterExhausted` is what
   * a list of children has shown.
   */
  readAnswered(
    path: string,
    table: WatchTable,
    asked: boolean,
    kind: OneShotKind | undefined,
    isCounterExhausted?: boolean
  ): RegisteredWatch | undefined {
    const entry = this.entry(path)
    if (isCounterExhausted !== undefined) entry.isCounterExhausted = isCounterExhausted
    entry.addPending(table, -1)
    if (asked) entry.setArmed(table, true)
    if (kind === undefined) {
      this.releaseUnused(entry)
      return undefined
    }
    const watch = new OneShotWatch(this, entry, kind)
    entry.addOneShot(kind, watch)
    this.releaseUnused(entry)
    return watch
  }

  /** All that waited for a watch have gone before its event came. */
  dropped(watch: RegisteredWatch, entry: PathWatches, kind: OneShotKind): void {
    if (entry.deleteOneShot(kind, watch)) this.releaseUnused(entry)
  }

  /** The read will not be answered. */
  readFailed(path: string, table: WatchTable): void {
    const entry = this.entry(path)
    entry.addPending(table, -1)
    this.releaseUnused(entry)
  }

  // ---------------------------------------------------------------------------
  // persistent watches
  // ---------------------------------------------------------------------------

  /** Adds a persistent watch; the server is still to be asked for it. */
  add(path: string, recursive: boolean, listener: PersistentWatchListener): void {
    this.entry(path).addPersistent(recursive ? "recursive" : "persistent", listener)
    if (recursive) this.recursiveCount++
  }

  /**
   * The mode to ask the server for, so that it covers all that is watched at the path; decided at the moment at which it is
   * asked, for reads that were sent before could not count on it.
   */
  requestMode(path: string, recursive: boolean): ServerWatchMode {
    const entry = this.entry(path)
    const mode =
      recursive || (entry.countPersistent("recursive") > 0 && !this.keepsBothModes) ? "recursive" : "persistent"
    entry.requested = this.withMode(entry.requested, mode)
    return mode
  }

  /** The server has answered that it holds this mode. */
  confirmMode(path: string, mode: ServerWatchMode): void {
    const entry = this.paths.get(path)
    if (entry === undefined) return
    this.changed()
    entry.confirmed = this.withMode(entry.confirmed, mode)
  }

  /** On a server before 3.9, which this one may be, a persistent watch replaces a recursive one. */
  private withMode(modes: ServerWatchModes, mode: ServerWatchMode): ServerWatchModes {
    return mode === "recursive"
      ? { ...modes, recursive: true }
      : { persistent: true, recursive: modes.recursive && this.keepsBothModes }
  }

  /**
   * The server has refused: it holds what it held before. True when one-shot watches may have been counted on it that no
   * server has, so that all has to be registered anew.
   */
  revertMode(path: string): boolean {
    const entry = this.paths.get(path)
    if (entry === undefined) return false
    this.changed()
    entry.requested = entry.confirmed
    return entry.isUsed("data") || entry.isUsed("child")
  }

  remove(path: string, recursive: boolean, listener: PersistentWatchListener): void {
    const entry = this.paths.get(path)
    if (entry === undefined) return
    if (entry.deletePersistent(recursive ? "recursive" : "persistent", listener) && recursive) this.recursiveCount--
    this.releaseUnused(entry)
  }

  // ---------------------------------------------------------------------------
  // events
  // ---------------------------------------------------------------------------

  /** Gives an event to all watches that it concerns, once to each. */
  dispatch(type: WatchEvent.WatchEventType, path: string, zxid: bigint): void {
    const event: WatchEvent.WatchEvent = { type, path, zxid: zxid > 0n ? someLong(zxid) : Option.none() }
    // An event of a watch that is registered again has none, whatever the release.
    if (zxid > 0n) this.keepsBothModes = true
    const entry = this.paths.get(path)
    if (entry !== undefined) this.dispatchAt(entry, event)
    if (type === "NodeChildrenChanged") return
    if (this.recursiveCount > 0) {
      for (let at: string | undefined = path; at !== undefined; at = ZnodePath.parent(at)) {
        const ancestor = this.paths.get(at)
        if (ancestor !== undefined) this.notify(ancestor, "recursive", event)
      }
    }
    // The server may hold a recursive watch for longer than it is needed here.
    if (type !== "NodeDataChanged") this.deriveChildrenChanged(path, event)
  }

  private dispatchAt(entry: PathWatches, event: WatchEvent.WatchEvent): void {
    const fired: Array<RegisteredWatch> = []
    if (event.type !== "NodeChildrenChanged") {
      entry.setArmed("data", false)
      moveOneShots(entry, ["data", "exists"], fired)
    }
    if (event.type === "NodeChildrenChanged" || event.type === "NodeDeleted") {
      entry.setArmed("child", false)
      moveOneShots(entry, ["child"], fired)
    }
    // Under a recursive watch alone, persistent watches get a change of children that is derived: see below.
    if (event.type !== "NodeChildrenChanged" || !this.isDerived(entry)) this.notify(entry, "persistent", event)
    this.releaseUnused(entry)
    for (const watch of fired) watch.fire(event)
  }

  private deriveChildrenChanged(path: string, event: WatchEvent.WatchEvent): void {
    const parent = ZnodePath.parent(path)
    const entry = parent === undefined ? undefined : this.paths.get(parent)
    if (entry === undefined || !this.isDerived(entry)) return
    const derived: WatchEvent.WatchEvent = { type: "NodeChildrenChanged", path: entry.path, zxid: event.zxid }
    const fired = entry.takeOneShots("child")
    this.notify(entry, "persistent", derived)
    this.releaseUnused(entry)
    for (const watch of fired) watch.fire(derived)
  }

  /** Whether the server tells of children by a recursive watch alone. */
  private isDerived({ confirmed }: PathWatches): boolean {
    return confirmed.recursive && !(confirmed.persistent && this.keepsBothModes)
  }

  private notify(entry: PathWatches, mode: ServerWatchMode, event: WatchEvent.WatchEvent | WatchEvent.Gap): void {
    if (this.isRestoring) return
    for (const listener of entry.listeners(mode)) this.guardCallback(() => listener.onEvent(event))
  }

  // ---------------------------------------------------------------------------
  // connections come and go
  // ---------------------------------------------------------------------------

  /**
   * The watches to register on a new connection. The registry relies on them from now on. The lists are not to be changed: they
   * are the same ones as at the last connection if nothing has changed since.
   */
  beginRestore(): WatchLists {
    this.isRestoring = true
    // The next server may be another one.
    this.keepsBothModes = false
    if (this.cachedLists !== undefined) return this.cachedLists
    const lists: WatchLists = { data: [], exists: [], child: [], counterExhausted: [], persistent: [], recursive: [] }
    for (const entry of this.paths.values()) {
      const { needed, path } = entry
      const hasData = entry.hasOneShots("data")
      const hasExists = entry.hasOneShots("exists")
      const hasChild = entry.hasOneShots("child")
      entry.requested = needed
      entry.confirmed = needed
      if (hasData) lists.data.push(path)
      if (hasExists) lists.exists.push(path)
      if (hasChild) lists[entry.isCounterExhausted ? "counterExhausted" : "child"].push(path)
      if (needed.persistent) lists.persistent.push(path)
      if (needed.recursive) lists.recursive.push(path)
      entry.setArmed("data", hasData || hasExists)
      entry.setArmed("child", hasChild)
      if (!hasData && !hasExists && !hasChild && entry.isEmpty) this.paths.delete(path)
    }
    if (this.paths.size > 0) this.cachedLists = lists
    return lists
  }

  /** Ends persistent watches, which the server does not know. One-shot watches that they covered are registered instead. */
  refusePersistent(error: (path: string) => ServerRefused): void {
    const ended: Array<() => void> = []
    for (const entry of this.paths.values()) {
      for (const listener of entry.takePersistent()) ended.push(() => listener.onEnd(error(entry.path)))
    }
    if (ended.length > 0) this.changed()
    this.recursiveCount = 0
    for (const tell of ended) this.guardCallback(tell)
  }

  /** Ends the watches of a path that no server can register, while there is no connection. */
  giveUp(path: string, error: ConnectionLoss): void {
    const entry = this.paths.get(path)
    if (entry === undefined) return
    this.recursiveCount -= entry.countPersistent("recursive")
    const fired: Array<RegisteredWatch> = []
    moveOneShots(entry, oneShotKinds, fired)
    const ended = entry.takePersistent()
    entry.setArmed("data", false)
    entry.setArmed("child", false)
    entry.clearModes()
    this.releaseUnused(entry)
    for (const watch of fired) watch.fail(error)
    for (const listener of ended) this.guardCallback(() => listener.onEnd(error))
  }

  /** The server holds all watches again. */
  restored(): void {
    this.isRestoring = false
    const { cachedLists } = this
    // Nothing has changed since, and there is no persistent watch.
    if (cachedLists?.persistent.length === 0 && cachedLists.recursive.length === 0) return
    // The listeners may add and remove watches.
    const restoredEntries: Array<PathWatches> = []
    for (const entry of this.paths.values()) if (entry.isListened) restoredEntries.push(entry)
    for (const entry of restoredEntries) {
      const gap: WatchEvent.Gap = { type: "Gap", path: entry.path }
      this.notify(entry, "persistent", gap)
      this.notify(entry, "recursive", gap)
    }
  }

  /** Ends all watches. */
  end(error: () => SessionExpired | SessionClosed): void {
    const entries = [...this.paths.values()]
    this.failOneShots(error)
    this.paths.clear()
    this.changed()
    this.recursiveCount = 0
    for (const entry of entries) {
      for (const listener of entry.takePersistent()) this.guardCallback(() => listener.onEnd(error()))
    }
  }

  /** Ends one-shot watches, which are gone with their session. Persistent ones go over to the next session. */
  failOneShots(error: () => SessionExpired | SessionClosed): void {
    const failed: Array<RegisteredWatch> = []
    for (const entry of this.paths.values()) moveOneShots(entry, oneShotKinds, failed)
    this.changed()
    for (const watch of failed) watch.fail(error())
  }

  // ---------------------------------------------------------------------------
  // giving back
  // ---------------------------------------------------------------------------

  /** Watches have come or gone, or the server holds others than before. */
  private changed(): void {
    this.cachedSize = undefined
    this.cachedLists = undefined
  }

  private entry(path: string): PathWatches {
    this.changed()
    let entry = this.paths.get(path)
    if (entry === undefined) {
      entry = new PathWatches(path)
      this.paths.set(path, entry)
    }
    return entry
  }

  /** Removes watches at the server that are no longer needed. */
  private releaseUnused(entry: PathWatches): void {
    this.changed()
    const { requested } = entry
    if (!entry.isRequested) {
      this.disarm(entry, "data")
      this.disarm(entry, "child")
    } else if (!entry.isListened) {
      // One-shot watches that the persistent one covers keep it until they have fired.
      if (!entry.isUsed("data") && !entry.isUsed("child")) {
        entry.clearModes()
        entry.setArmed("data", false)
        entry.setArmed("child", false)
        this.commands.removeWatches(entry.path, RemoveType.any)
      }
    } else if (requested.recursive && entry.countPersistent("recursive") === 0 && entry.pending("child") === 0) {
      // A read on its way may have been sent in reliance on the one or the other mode: it is waited for.
      entry.requested = { persistent: true, recursive: false }
      // Before 3.9 the first replaces the recursive watch; later servers keep both until the second.
      this.commands.addWatch(entry.path, "persistent")
      this.commands.removeWatches(entry.path, RemoveType.recursive)
    } else if (requested.persistent && requested.recursive && entry.countPersistent("persistent") === 0) {
      entry.requested = { persistent: false, recursive: true }
      entry.confirmed = { ...entry.confirmed, persistent: false }
      this.commands.removeWatches(entry.path, RemoveType.persistent)
    }
    if (entry.isEmpty && this.paths.get(entry.path) === entry) this.paths.delete(entry.path)
  }

  private disarm(entry: PathWatches, table: WatchTable): void {
    if (!entry.isArmed(table) || entry.isUsed(table)) return
    entry.setArmed(table, false)
    this.commands.removeWatches(entry.path, RemoveType[table])
  }
}

// ---- internal

const oneShotKinds: ReadonlyArray<OneShotKind> = ["data", "exists", "child"]

/** Takes the watches of some kinds out of an entry. They are added one by one: a function has no room for all as arguments. */
const moveOneShots = (entry: PathWatches, kinds: ReadonlyArray<OneShotKind>, to: Array<RegisteredWatch>): void => {
  for (const kind of kinds) for (const watch of entry.takeOneShots(kind)) to.push(watch)
}
