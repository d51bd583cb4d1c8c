/**
 * The core of all caches: a picture of a sub-tree, and what has to be looked at for it to be true.
 *
 * Two rules make it true in the end. What is at a path is learnt from looks at that very path alone: an event, or a name in
 * a list of children, only causes a look. And of two looks at a path none overtakes the other, for which `Agenda.ts` sees.
 *
 * Nothing here waits or asks: `tend.ts` does.
 */
import type { ChildrenAndStat, DataAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as HashMap from "effect/HashMap"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type * as Queue from "effect/Queue"
import type { CacheEvent, CacheChange, Freshness, Unreadable } from "../../CacheEvent.ts"
import type { RecipeError } from "../../Errors.ts"
import { Agenda, type Job, Wants } from "./Agenda.ts"
import { Audience } from "./audience.ts"
import type { Looking, Seen } from "./looking.ts"
import * as Picture from "./picture.ts"

/** What of a tree is mirrored. */
export interface Range {
  readonly root: string
  /** How many levels below the root. */
  readonly maxDepth: number
  /** Whether data is read at a level, or Stats alone. */
  readonly keepsData: (depth: number) => boolean
  /** Whether a path below the root is mirrored, and with it what is below it. */
  readonly filter: ((path: string) => boolean) | undefined
  readonly maxNodes: number
}

/** A list of children that is known to be complete. */
interface Listing {
  readonly pzxid: bigint
  readonly cversion: number
}

interface Trouble {
  readonly error: Unreadable
  readonly attempts: number
}

const noData = new Uint8Array(0)

export class Mirror {
  readonly range: Range
  readonly audience: Audience<RecipeError>
  picture: Picture.Picture = Picture.nothing
  freshness: Freshness = "suspended"
  /** What has to be looked at. */
  readonly agenda: Agenda
  /** Open when all has to be looked at. */
  readonly due = Latch.makeUnsafe()
  /** Done when all has been read for the first time, or never will be. */
  readonly loaded = Deferred.makeUnsafe<void, RecipeError>()
  /** How it looks. */
  looking: Looking
  private readonly listings = new Map<string, Listing>()
  private readonly troubles = new Map<string, Trouble>()
  /** What is held of a former history of the ensemble, whose transactions say nothing of this one. */
  private former = new Set<string>()
  private history = 0
  private isFull = false
  private isOver = false

  constructor(range: Range, looking: Looking, queue: Queue.Queue<Job>) {
    this.range = range
    this.looking = looking
    this.agenda = new Agenda(queue, {
      root: range.root,
      namesBelow: (names) => HashMap.keys(Picture.find(this.picture, names)?.children ?? HashMap.empty()),
      isTroubled: (path) => this.troubles.has(path)
    })
    this.audience = new Audience(range.root, () => ({ picture: this.picture, remarks: this.remarks() }))
  }

  // ---------------------------------------------------------------------------
  // what looks have shown
  // ---------------------------------------------------------------------------

  /** Whether the data has to be read, with no more known than that a look is wanted. */
  wantsData({ doing, names }: Job): boolean {
    if (!this.range.keepsData(names.length)) return false
    return (doing & Wants.data) !== 0 || Picture.find(this.picture, names) === undefined
  }

  /** Whether the data has to be read, now that the Stat is known. */
  lacksData({ names, path }: Job, stat: Stat): boolean {
    if (!this.range.keepsData(names.length)) return false
    const known = Picture.find(this.picture, names)?.znode.stat
    return (
      known === undefined ||
      this.former.has(path) ||
      stat.czxid > known.czxid ||
      (stat.czxid === known.czxid && stat.mzxid > known.mzxid)
    )
  }

  /** What was seen; true when the list of children has to be read too. */
  saw(job: Job, seen: Seen): boolean {
    const { doing, names, path } = job
    this.troubles.delete(path)
    const before = Picture.find(this.picture, names)
    const held = this.hold(path, names, seen)
    if (held === undefined) {
      this.looking.forget(path)
      return false
    }
    // Of one that was created again nothing below it is known, for all of that went with the old one.
    const isNew = before?.znode.stat.czxid !== held.znode.stat.czxid
    if (names.length >= this.range.maxDepth) return false
    if (!this.looking.isListWatched(path) || (doing & Wants.list) !== 0) return true
    if ((doing & Wants.deep) === 0 && !isNew) return false
    const { cversion, numChildren, pzxid } = held.znode.stat
    const listing = this.listings.get(path)
    if (numChildren === 0 || (listing?.pzxid === pzxid && listing.cversion === cversion)) {
      // Nobody came or went: the list need not be read, but what is on it may have changed.
      if ((doing & Wants.deep) !== 0) this.agenda.askBelow(path, names)
      return false
    }
    return true
  }

  /** The list of children was read. */
  sawList(job: Job, { children, stat }: ChildrenAndStat): void {
    const { doing, names, path } = job
    const branch = this.hold(path, names, { stat, data: undefined })
    // It went with what is above it while its list was on the way.
    if (branch === undefined) return this.looking.forget(path)
    if (branch.znode.stat.czxid !== stat.czxid) return this.agenda.ask(path, Wants.data | Wants.list)
    this.listings.set(path, { pzxid: stat.pzxid, cversion: stat.cversion })
    const { filter } = this.range
    const deep = doing & Wants.deep
    let stayed = 0
    for (const name of children) {
      const below = ZnodePath.join(path, name)
      if (HashMap.has(branch.children, name)) {
        stayed++
        if (deep !== 0) this.agenda.ask(below, Wants.stat | deep)
      } else if (filter === undefined || filter(below)) {
        this.agenda.ask(below, Wants.data | deep)
      }
    }
    if (stayed === HashMap.size(branch.children)) return
    const listed = new Set(children)
    for (const name of HashMap.keys(branch.children)) {
      if (!listed.has(name)) this.agenda.ask(ZnodePath.join(path, name), Wants.stat)
    }
  }

  /** There is no such znode. */
  sawNothing({ names, path }: { readonly names: Picture.Names; readonly path: string }): void {
    this.troubles.delete(path)
    this.looking.forget(path)
    const branch = Picture.find(this.picture, names)
    if (branch === undefined) return
    const changes = this.letGo(path, branch)
    this.commit(Picture.remove(this.picture, names), changes)
  }

  /** It could not be read. True if that was not known; how often it has been tried. */
  couldNotRead(
    { doing, names, path }: Job,
    error: Unreadable
  ): { readonly isNews: boolean; readonly attempts: number } {
    const attempts = (this.troubles.get(path)?.attempts ?? 0) + 1
    this.troubles.set(path, { error, attempts })
    if ((doing & Wants.deep) !== 0) this.agenda.askBelow(path, names)
    if (attempts === 1) this.audience.tell([{ _tag: "Unreadable", path, error }])
    return { isNews: attempts === 1, attempts }
  }

  /** Why a path cannot be read. */
  trouble(path: string): Unreadable | undefined {
    return this.troubles.get(path)?.error
  }

  // ---------------------------------------------------------------------------
  // what is held
  // ---------------------------------------------------------------------------

  /** Takes in what was seen, unless it is older than what is held; gives what is held then. */
  private hold(path: string, names: Picture.Names, { data, stat }: Seen): Picture.Branch | undefined {
    const branch = Picture.find(this.picture, names)
    const znode: DataAndStat = { data: data ?? noData, stat }
    const isComplete = data !== undefined || !this.range.keepsData(names.length)
    if (branch === undefined) return isComplete ? this.takeIn(path, names, znode) : undefined
    const known = branch.znode
    if (this.former.has(path)) return isComplete ? this.replace(path, names, branch, znode) : branch
    if (stat.czxid < known.stat.czxid || stat.mzxid < known.stat.mzxid || stat.pzxid < known.stat.pzxid) return branch
    if (stat.czxid === known.stat.czxid && stat.mzxid === known.stat.mzxid) {
      // Its children or its ACL: no event, but the Stat is to be right.
      if (!isSame(stat, known.stat)) this.picture = Picture.put(this.picture, names, { data: known.data, stat })
    } else if (!isComplete) {
      this.agenda.ask(path, Wants.data)
    } else if (stat.czxid === known.stat.czxid) {
      this.commit(Picture.put(this.picture, names, znode), [{ _tag: "Updated", path, old: known, znode }])
    } else {
      this.recreate(path, names, branch, znode)
    }
    return Picture.find(this.picture, names)
  }

  /** Takes in what stands in the place of one of a former history, older or newer by its transactions. */
  private replace(path: string, names: Picture.Names, branch: Picture.Branch, znode: DataAndStat) {
    const known = branch.znode
    if (znode.stat.czxid !== known.stat.czxid) this.recreate(path, names, branch, znode)
    else {
      this.former.delete(path)
      const isChanged = znode.stat.mzxid !== known.stat.mzxid || !Equal.equals(znode.data, known.data)
      const changes: Array<CacheChange> = isChanged ? [{ _tag: "Updated", path, old: known, znode }] : []
      this.commit(Picture.put(this.picture, names, znode), changes)
    }
    return Picture.find(this.picture, names)
  }

  /** Deleted and created again, so that all that was below it had gone before. */
  private recreate(path: string, names: Picture.Names, branch: Picture.Branch, znode: DataAndStat): void {
    const changes = this.letGo(path, branch)
    changes.push({ _tag: "Created", path, znode })
    this.commit(Picture.put(Picture.remove(this.picture, names), names, znode), changes)
  }

  private takeIn(path: string, names: Picture.Names, znode: DataAndStat): Picture.Branch | undefined {
    if (names.length > 0 && Picture.find(this.picture, names.slice(0, -1)) === undefined) {
      // Whether the parent is there is learnt by a look at it, and its list will lead here again.
      this.agenda.ask(ZnodePath.parent(path)!, Wants.data | Wants.list)
      return undefined
    }
    if (this.picture.size >= this.range.maxNodes) {
      // The list is not complete: the next sweep has to read it again.
      if (names.length > 0) this.listings.delete(ZnodePath.parent(path)!)
      if (!this.isFull) {
        this.isFull = true
        this.audience.tell([{ _tag: "Full", maxNodes: this.range.maxNodes }])
      }
      return undefined
    }
    this.commit(Picture.put(this.picture, names, znode), [{ _tag: "Created", path, znode }])
    return Picture.find(this.picture, names)
  }

  /** Forgets all that is known beside the picture about what is taken out of it. */
  private letGo(path: string, branch: Picture.Branch): Array<CacheChange> {
    const changes = [...Picture.deletions(path, branch)]
    for (const gone of changes) {
      this.listings.delete(gone.path)
      this.former.delete(gone.path)
      if (gone.path !== path) this.looking.forget(gone.path)
    }
    return changes
  }

  private commit(picture: Picture.Picture, changes: ReadonlyArray<CacheChange>): void {
    if (this.isOver) return
    this.picture = picture
    this.audience.tell(changes)
  }

  /** True, once, when something was left out for want of room and there is some again. */
  takeRoom(): boolean {
    if (!this.isFull || this.picture.size >= this.range.maxNodes) return false
    this.isFull = false
    return true
  }

  // ---------------------------------------------------------------------------
  // what the session tells
  // ---------------------------------------------------------------------------

  /** In which history the session is: what is held is of a former one when it has become another. */
  isIn(history: number): void {
    if (history === this.history) return
    this.history = history
    this.listings.clear()
    const { root } = this.picture
    this.former = new Set(
      root === undefined ? [] : Array.from(Picture.deletions(this.range.root, root), ({ path }) => path)
    )
  }

  onEvent(event: WatchEvent | Gap): void {
    if (event.type === "Gap") {
      if (this.freshness === "live") this.become("suspended")
      this.due.openUnsafe()
      return
    }
    const { path } = event
    const zxid = Option.getOrUndefined(event.zxid)
    if (event.type === "NodeChildrenChanged") return this.askIfOlder(path, zxid)
    const names = Picture.namesOf(this.range.root, path)
    if (names === undefined) return
    if (this.isWanted(names)) this.onChange(event.type, path, names, zxid)
    // Its Stat counts its children.
    if (event.type !== "NodeDataChanged" && names.length > 0) this.askIfOlder(ZnodePath.parent(path)!, zxid)
  }

  /** Since 3.9 events say which transaction they are of: what is held may be of a later one. */
  private onChange(
    type: Exclude<WatchEvent["type"], "NodeChildrenChanged">,
    path: string,
    names: Picture.Names,
    zxid: bigint | undefined
  ): void {
    const known = Picture.find(this.picture, names)?.znode.stat
    if (zxid !== undefined && known !== undefined && !this.former.has(path)) {
      if (type === "NodeDeleted" ? known.czxid > zxid : known.mzxid >= zxid) return
      if (type === "NodeDeleted" && !this.agenda.has(path)) return this.sawNothing({ path, names })
    }
    // Another znode, with an ACL of its own.
    if (type === "NodeCreated" && this.troubles.has(path)) return this.agenda.askAgain(path)
    this.agenda.ask(path, type === "NodeDeleted" ? Wants.stat : Wants.data)
  }

  private askIfOlder(path: string, zxid: bigint | undefined): void {
    const names = Picture.namesOf(this.range.root, path)
    const known = names === undefined ? undefined : Picture.find(this.picture, names)?.znode.stat
    if (known !== undefined && (zxid === undefined || this.former.has(path) || known.pzxid < zxid)) {
      this.agenda.ask(path, Wants.stat)
    }
  }

  /** A one-shot watch has fired. */
  alarm(kind: "data" | "children", path: string): void {
    this.agenda.ask(path, kind === "data" ? Wants.data : Wants.list)
  }

  private isWanted(names: Picture.Names): boolean {
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

  /** All that was to be read has been. */
  becomeLive(): void {
    this.become("live")
    this.audience.tell([{ _tag: "Synced", size: this.picture.size }])
    Deferred.doneUnsafe(this.loaded, Effect.void)
  }

  become(freshness: Freshness): void {
    if (this.isOver || this.freshness === freshness) return
    this.freshness = freshness
    this.audience.tell([{ _tag: "Freshness", freshness }])
  }

  /** Nothing is told from here on but why, if there is a reason; what is held stays. */
  end(why: Cause.Cause<RecipeError> | undefined): void {
    if (this.isOver) return
    this.isOver = true
    this.freshness = "lost"
    this.audience.end(why === undefined ? Effect.undefined : Effect.failCause(why))
    if (why !== undefined) Deferred.doneUnsafe(this.loaded, Effect.failCause(why))
  }

  private remarks(): ReadonlyArray<CacheEvent> {
    const remarks: Array<CacheEvent> = []
    for (const [path, { error }] of this.troubles) remarks.push({ _tag: "Unreadable", path, error })
    if (this.isFull) remarks.push({ _tag: "Full", maxNodes: this.range.maxNodes })
    remarks.push({ _tag: "Freshness", freshness: this.freshness })
    if (this.freshness === "live") remarks.push({ _tag: "Synced", size: this.picture.size })
    return remarks
  }
}

/** The errors that say that the session is over, or that nothing can be asked by it. */
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
