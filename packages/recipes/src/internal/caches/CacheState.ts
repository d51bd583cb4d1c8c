/**
 * The core of all caches: a snapshot of a sub-tree, and the paths that have to be read for it to become right.
 *
 * Two rules make it right in the end. Only a read of a path tells what is at that path: an event, or a name in a list of
 * children, merely causes a read. And of two reads of a path none overtakes the other, which `RefreshQueue.ts` ensures.
 *
 * Nothing here waits or sends requests: that is in `runCache.ts`.
 */
import * as Bytes from "@effect-zookeeper/client/Bytes"
import type { ChildrenAndStat, DataAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type { Gap, WatchEvent } from "@effect-zookeeper/client/Models"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type * as Queue from "effect/Queue"
import type { CacheEvent, CacheChange, Freshness, Unreadable } from "../../CacheEvent.ts"
import type { RecipeError } from "../../Errors.ts"
import { RefreshQueue, type Job, ReadFlags } from "./RefreshQueue.ts"
import { EventBroadcaster } from "./EventBroadcaster.ts"
import type { NodeReader, ZnodeRead } from "./nodeReader.ts"
import type { Branch } from "./Branch.ts"
import * as TreeSnapshot from "./TreeSnapshot.ts"

/** The part of a tree that is cached. */
export interface CacheRange {
  readonly root: string
  /** How many levels below the root. */
  readonly maxDepth: number
  /** Whether data is read at a level, or Stats alone. */
  readonly keepsData: (depth: number) => boolean
  /** Whether a path below the root is cached, together with all below it. */
  readonly filter: ((path: string) => boolean) | undefined
  readonly maxNodes: number
}

/** A list of children that is known to be complete. */
interface ChildListVersion {
  readonly pzxid: bigint
  readonly cversion: number
}

interface ReadFailure {
  readonly error: Unreadable
  readonly attempts: number
}

const noData = new Uint8Array(0)

export class CacheState {
  readonly range: CacheRange
  readonly broadcaster: EventBroadcaster<RecipeError>
  tree: TreeSnapshot.TreeSnapshot = TreeSnapshot.empty
  freshness: Freshness = "suspended"
  /** The paths that have to be read. */
  readonly refreshQueue: RefreshQueue
  /** Open when everything has to be read. */
  readonly refreshDue = Latch.makeUnsafe()
  /** Done when everything has been read for the first time, or never will be. */
  readonly loaded = Deferred.makeUnsafe<void, RecipeError>()
  /** How znodes are read. */
  reader: NodeReader
  private readonly listings = new Map<string, ChildListVersion>()
  private readonly readFailures = new Map<string, ReadFailure>()
  /** Paths that are held from a former history of the ensemble, whose transactions say nothing about this one. */
  private formerHistory = new Set<string>()
  private history = 0
  private isFull = false
  private hasEnded = false

  constructor(range: CacheRange, reader: NodeReader, queue: Queue.Queue<Job>) {
    this.range = range
    this.reader = reader
    this.refreshQueue = new RefreshQueue(queue, {
      root: range.root,
      namesBelow: (names) => Array.from(TreeSnapshot.find(this.tree, names)?.children ?? [], ({ name }) => name),
      isUnreadable: (path) => this.readFailures.has(path)
    })
    this.broadcaster = new EventBroadcaster(range.root, () => ({ tree: this.tree, statusEvents: this.statusEvents() }))
  }

  // ---------------------------------------------------------------------------
  // results of reads
  // ---------------------------------------------------------------------------

  /** Whether to read the data, knowing only that a read is wanted. */
  needsData({ running, names }: Job): boolean {
    if (!this.range.keepsData(names.length)) return false
    return (running & ReadFlags.data) !== 0 || TreeSnapshot.find(this.tree, names) === undefined
  }

  /** Whether to read the data, now that the Stat is known. */
  hasOutdatedData({ names, path }: Job, stat: Stat): boolean {
    if (!this.range.keepsData(names.length)) return false
    const known = TreeSnapshot.find(this.tree, names)
    return (
      known === undefined ||
      this.formerHistory.has(path) ||
      stat.czxid > known.czxid ||
      (stat.czxid === known.czxid && stat.mzxid > known.mzxid)
    )
  }

  /** Takes in a read; true when the list of children has to be read too. */
  observed(job: Job, seen: ZnodeRead): boolean {
    const { running, names, path } = job
    this.readFailures.delete(path)
    const before = TreeSnapshot.find(this.tree, names)
    const held = this.merge(path, names, seen)
    if (held === undefined) {
      this.reader.forget(path)
      return false
    }
    // Below a znode that was created again nothing is known, because everything went with the old one.
    const isNew = before?.czxid !== held.czxid
    if (names.length >= this.range.maxDepth) return false
    if (!this.reader.isListWatched(path) || (running & ReadFlags.list) !== 0) return true
    if ((running & ReadFlags.deep) === 0 && !isNew) return false
    const { cversion, numChildren, pzxid } = held
    const listing = this.listings.get(path)
    if (numChildren === 0 || (listing?.pzxid === pzxid && listing.cversion === cversion)) {
      // No child came or went: the list need not be read, but the children may have changed.
      if ((running & ReadFlags.deep) !== 0) this.refreshQueue.requestBelow(path, names)
      return false
    }
    return true
  }

  /** Takes in a list of children. */
  observedChildren(job: Job, { children, stat }: ChildrenAndStat): void {
    const { running, names, path } = job
    const branch = this.merge(path, names, { stat, data: undefined })
    // The parent went while its list was on the way.
    if (branch === undefined) return this.reader.forget(path)
    if (branch.czxid !== stat.czxid) return this.refreshQueue.request(path, ReadFlags.data | ReadFlags.list)
    this.listings.set(path, { pzxid: stat.pzxid, cversion: stat.cversion })
    const { filter } = this.range
    const deep = running & ReadFlags.deep
    let stayed = 0
    for (const name of children) {
      const below = ZnodePath.join(path, name)
      if (branch.children.has(name)) {
        stayed++
        if (deep !== 0) this.refreshQueue.request(below, ReadFlags.stat | deep)
      } else if (filter === undefined || filter(below)) {
        this.refreshQueue.request(below, ReadFlags.data | deep)
      }
    }
    if (stayed === branch.children.size) return
    const listed = new Set(children)
    for (const { name } of branch.children) {
      if (!listed.has(name)) this.refreshQueue.request(ZnodePath.join(path, name), ReadFlags.stat)
    }
  }

  /** Notes that there is no such znode. */
  observedAbsence({ names, path }: { readonly names: TreeSnapshot.Names; readonly path: string }): void {
    this.readFailures.delete(path)
    this.reader.forget(path)
    const branch = TreeSnapshot.find(this.tree, names)
    if (branch === undefined) return
    const changes = this.release(path, branch)
    this.commit(TreeSnapshot.remove(this.tree, names), changes)
  }

  /** Notes that it could not be read. Gives whether that is new, and how often it has been tried. */
  observedFailure(
    { running, names, path }: Job,
    error: Unreadable
  ): { readonly isNews: boolean; readonly attempts: number } {
    const attempts = (this.readFailures.get(path)?.attempts ?? 0) + 1
    this.readFailures.set(path, { error, attempts })
    if ((running & ReadFlags.deep) !== 0) this.refreshQueue.requestBelow(path, names)
    if (attempts === 1) this.broadcaster.notify([{ _tag: "Unreadable", path, error }])
    return { isNews: attempts === 1, attempts }
  }

  /** The error of the last read of a path, if it failed. */
  readFailure(path: string): Unreadable | undefined {
    return this.readFailures.get(path)?.error
  }

  // ---------------------------------------------------------------------------
  // the snapshot
  // ---------------------------------------------------------------------------

  /** Takes in a read, unless it is older than the snapshot; gives the branch after that. */
  private merge(path: string, names: TreeSnapshot.Names, { data, stat }: ZnodeRead): Branch | undefined {
    const branch = TreeSnapshot.find(this.tree, names)
    const znode: DataAndStat = { data: data ?? noData, stat }
    const isComplete = data !== undefined || !this.range.keepsData(names.length)
    if (branch === undefined) return isComplete ? this.adopt(path, names, znode) : undefined
    if (this.formerHistory.has(path)) return isComplete ? this.replace(path, names, branch, znode) : branch
    if (stat.czxid < branch.czxid || stat.mzxid < branch.mzxid || stat.pzxid < branch.pzxid) return branch
    if (stat.czxid === branch.czxid && stat.mzxid === branch.mzxid) {
      // Its children or its ACL changed: no event, but the Stat has to be right.
      if (!isSame(stat, branch)) this.tree = TreeSnapshot.putStat(this.tree, names, stat)
    } else if (!isComplete) {
      this.refreshQueue.request(path, ReadFlags.data)
    } else if (stat.czxid === branch.czxid) {
      this.commit(TreeSnapshot.put(this.tree, names, znode), [{ _tag: "Updated", path, old: branch.znode, znode }])
    } else {
      this.recreate(path, names, branch, znode)
    }
    return TreeSnapshot.find(this.tree, names)
  }

  /** Takes in a znode in place of one of a former history, older or newer by its transactions. */
  private replace(path: string, names: TreeSnapshot.Names, branch: Branch, znode: DataAndStat) {
    const old = branch.znode
    if (znode.stat.czxid !== branch.czxid) this.recreate(path, names, branch, znode)
    else {
      this.formerHistory.delete(path)
      const isChanged = znode.stat.mzxid !== branch.mzxid || !Bytes.equals(znode.data, old.data)
      const changes: Array<CacheChange> = isChanged ? [{ _tag: "Updated", path, old, znode }] : []
      this.commit(TreeSnapshot.put(this.tree, names, znode), changes)
    }
    return TreeSnapshot.find(this.tree, names)
  }

  /** It was deleted and created again, so everything below it was deleted before. */
  private recreate(path: string, names: TreeSnapshot.Names, branch: Branch, znode: DataAndStat): void {
    const changes = this.release(path, branch)
    changes.push({ _tag: "Created", path, znode })
    this.commit(TreeSnapshot.put(TreeSnapshot.remove(this.tree, names), names, znode), changes)
  }

  private adopt(path: string, names: TreeSnapshot.Names, znode: DataAndStat): Branch | undefined {
    if (names.length > 0 && TreeSnapshot.find(this.tree, names.slice(0, -1)) === undefined) {
      // A read will tell whether the parent is there, and its list will lead here again.
      this.refreshQueue.request(ZnodePath.parent(path)!, ReadFlags.data | ReadFlags.list)
      return undefined
    }
    if (this.tree.size >= this.range.maxNodes) {
      // The list is not complete: the next sweep has to read it again.
      if (names.length > 0) this.listings.delete(ZnodePath.parent(path)!)
      if (!this.isFull) {
        this.isFull = true
        this.broadcaster.notify([{ _tag: "Full", maxNodes: this.range.maxNodes }])
      }
      return undefined
    }
    this.commit(TreeSnapshot.put(this.tree, names, znode), [{ _tag: "Created", path, znode }])
    return TreeSnapshot.find(this.tree, names)
  }

  /** Forgets everything that is known about znodes that leave the snapshot. */
  private release(path: string, branch: Branch): Array<CacheChange> {
    const changes = [...TreeSnapshot.deletions(path, branch)]
    for (const gone of changes) {
      this.listings.delete(gone.path)
      this.formerHistory.delete(gone.path)
      if (gone.path !== path) this.reader.forget(gone.path)
    }
    return changes
  }

  private commit(tree: TreeSnapshot.TreeSnapshot, changes: ReadonlyArray<CacheChange>): void {
    if (this.hasEnded) return
    this.tree = tree
    this.broadcaster.notify(changes)
  }

  /** True, once, when znodes were left out for want of room and there is room again. */
  claimFreedRoom(): boolean {
    if (!this.isFull || this.tree.size >= this.range.maxNodes) return false
    this.isFull = false
    return true
  }

  // ---------------------------------------------------------------------------
  // events and states of the session
  // ---------------------------------------------------------------------------

  /** The history of the session. When it changes, the snapshot is of a former one. */
  setHistory(history: number): void {
    if (history === this.history) return
    this.history = history
    this.listings.clear()
    const { root } = this.tree
    this.formerHistory = new Set(
      root === undefined ? [] : Array.from(TreeSnapshot.deletions(this.range.root, root), ({ path }) => path)
    )
  }

  onEvent(event: WatchEvent | Gap): void {
    if (event.type === "Gap") {
      if (this.freshness === "live") this.setFreshness("suspended")
      this.refreshDue.openUnsafe()
      return
    }
    const { path } = event
    const zxid = Option.getOrUndefined(event.zxid)
    if (event.type === "NodeChildrenChanged") return this.requestIfOlder(path, zxid)
    const names = TreeSnapshot.relativeNames(this.range.root, path)
    if (names === undefined) return
    if (this.isInRange(names)) this.onChange(event.type, path, names, zxid)
    // Its Stat counts its children.
    if (event.type !== "NodeDataChanged" && names.length > 0) this.requestIfOlder(ZnodePath.parent(path)!, zxid)
  }

  /** Events of ZooKeeper 3.9 and later name their transaction: the snapshot may be of a later one. */
  private onChange(
    type: Exclude<WatchEvent["type"], "NodeChildrenChanged">,
    path: string,
    names: TreeSnapshot.Names,
    zxid: bigint | undefined
  ): void {
    const known = TreeSnapshot.find(this.tree, names)
    if (zxid !== undefined && known !== undefined && !this.formerHistory.has(path)) {
      if (type === "NodeDeleted" ? known.czxid > zxid : known.mzxid >= zxid) return
      if (type === "NodeDeleted" && !this.refreshQueue.has(path)) return this.observedAbsence({ path, names })
    }
    // Another znode, with an ACL of its own.
    if (type === "NodeCreated" && this.readFailures.has(path)) return this.refreshQueue.requestAgain(path)
    this.refreshQueue.request(path, type === "NodeDeleted" ? ReadFlags.stat : ReadFlags.data)
  }

  private requestIfOlder(path: string, zxid: bigint | undefined): void {
    const names = TreeSnapshot.relativeNames(this.range.root, path)
    const known = names === undefined ? undefined : TreeSnapshot.find(this.tree, names)
    if (known !== undefined && (zxid === undefined || this.formerHistory.has(path) || known.pzxid < zxid)) {
      this.refreshQueue.request(path, ReadFlags.stat)
    }
  }

  /** A one-shot watch has fired. */
  onWatchFired(kind: "data" | "children", path: string): void {
    this.refreshQueue.request(path, kind === "data" ? ReadFlags.data : ReadFlags.list)
  }

  private isInRange(names: TreeSnapshot.Names): boolean {
    const { filter, maxDepth, root } = this.range
    if (names.length > maxDepth) return false
    if (filter === undefined) return true
    let at = root
    for (const name of names) {
      at = ZnodePath.join(at, name)
      if (!filter(at)) return false
    }
    return true
  }

  /** Everything that was to be read has been read. */
  setLive(): void {
    this.setFreshness("live")
    this.broadcaster.notify([{ _tag: "Synced", size: this.tree.size }])
    Deferred.doneUnsafe(this.loaded, Effect.void)
  }

  setFreshness(freshness: Freshness): void {
    if (this.hasEnded || this.freshness === freshness) return
    this.freshness = freshness
    this.broadcaster.notify([{ _tag: "Freshness", freshness }])
  }

  /** Emits no event from here on except the reason, if there is one; the snapshot stays. */
  end(why: Cause.Cause<RecipeError> | undefined): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.freshness = "lost"
    this.broadcaster.end(why === undefined ? Effect.undefined : Effect.failCause(why))
    if (why !== undefined) Deferred.doneUnsafe(this.loaded, Effect.failCause(why))
  }

  private statusEvents(): ReadonlyArray<CacheEvent> {
    const remarks: Array<CacheEvent> = []
    for (const [path, { error }] of this.readFailures) remarks.push({ _tag: "Unreadable", path, error })
    if (this.isFull) remarks.push({ _tag: "Full", maxNodes: this.range.maxNodes })
    remarks.push({ _tag: "Freshness", freshness: this.freshness })
    if (this.freshness === "live") remarks.push({ _tag: "Synced", size: this.tree.size })
    return remarks
  }
}

/** Whether an error says that the session is over, or that no request of it can succeed. */
export const isFinal = (error: RecipeError): error is Exclude<RecipeError, Unreadable> => !unreadable.has(error._tag)

// ---- internal

const unreadable: ReadonlySet<string> = new Set<Unreadable["_tag"]>([
  "NoAuth",
  "ConnectionLoss",
  "ServerRefused",
  "FrameTooLarge",
  "ProtocolError"
])

const isSame = (a: Stat, b: Stat): boolean =>
  a.pzxid === b.pzxid && a.cversion === b.cversion && a.aversion === b.aversion && a.numChildren === b.numChildren
