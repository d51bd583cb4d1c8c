/**
 * The list of what has to be looked at for a cache to be true.
 *
 * There is one look at a path at a time: what is asked for meanwhile causes another one behind it. So no look overtakes
 * another, and the last one begins after the last change.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as TreeSnapshot from "./TreeSnapshot.ts"

/** What a look is for; several may be wanted at once. */
export const ReadFlags = {
  /** Whether it is there, and as it was. */
  stat: 1,
  /** The data has probably changed. */
  data: 2,
  /** The list of children has to be read. */
  list: 4,
  /** All that is held below it has to be looked at too: it is part of a sweep. */
  deep: 8
} as const

/** A path that has to be looked at. */
export interface Job {
  readonly path: string
  readonly names: TreeSnapshot.Names
  /** Why it has to be looked at, or looked at again. */
  requested: number
  /** Why it is being looked at; 0 when it is not. */
  running: number
}

/** What a cache knows of its paths. */
export interface KnownTree {
  readonly root: string
  /** The names of what is held below a path. */
  readonly namesBelow: (names: TreeSnapshot.Names) => Iterable<string>
  /** Whether a path could not be read when it was looked at last. */
  readonly isUnreadable: (path: string) => boolean
}

export class RefreshQueue {
  /** Where jobs wait to be done, first come first. */
  readonly queue: Queue.Queue<Job>
  private readonly known: KnownTree
  private readonly jobs = new Map<string, Job>()
  /** How many looks of the sweep are left. */
  private remainingInSweep = 0
  private swept = Deferred.makeUnsafe<void>()

  constructor(queue: Queue.Queue<Job>, known: KnownTree) {
    this.queue = queue
    this.known = known
  }

  /** Has a path looked at; what is out of the tree is left alone. */
  request(path: string, flags: number): void {
    let job = this.jobs.get(path)
    if (job === undefined) {
      const names = TreeSnapshot.relativeNames(this.known.root, path)
      if (names === undefined) return
      if (this.known.isUnreadable(path)) {
        // It is tried again by and by; what is held below it can be looked at nevertheless.
        if ((flags & ReadFlags.deep) !== 0) this.requestBelow(path, names)
        return
      }
      job = this.addJob(path, names)
    }
    this.addFlags(job, flags)
  }

  /** `request` for what could not be read. */
  requestAgain(path: string): void {
    const names = TreeSnapshot.relativeNames(this.known.root, path)
    if (names === undefined) return
    this.addFlags(this.jobs.get(path) ?? this.addJob(path, names), ReadFlags.data | ReadFlags.list)
  }

  /** Looks at all that is held, or is there, below the root; done when every look of it is. */
  refreshAll(): Effect.Effect<void> {
    this.swept = Deferred.makeUnsafe()
    // A look that has been answered may show what was before the gap.
    for (const job of this.jobs.values()) if (job.running !== 0) this.addFlags(job, job.running)
    this.request(this.known.root, ReadFlags.stat | ReadFlags.deep)
    this.checkSwept()
    return Deferred.await(this.swept)
  }

  /** Looks at all that is held below a path, as part of a sweep. */
  requestBelow(path: string, names: TreeSnapshot.Names): void {
    for (const name of this.known.namesBelow(names))
      this.request(ZnodePath.join(path, name), ReadFlags.stat | ReadFlags.deep)
  }

  /** Whether a look at a path is wanted or under way. */
  has(path: string): boolean {
    return this.jobs.has(path)
  }

  begin(job: Job): void {
    job.running = job.requested
    job.requested = 0
  }

  finish(job: Job): void {
    const { running } = job
    job.running = 0
    if (job.requested === 0) this.jobs.delete(job.path)
    else Queue.offerUnsafe(this.queue, job)
    if ((running & ReadFlags.deep) !== 0) {
      this.remainingInSweep--
      this.checkSwept()
    }
  }

  private addJob(path: string, names: TreeSnapshot.Names): Job {
    const job: Job = { path, names, requested: 0, running: 0 }
    this.jobs.set(path, job)
    Queue.offerUnsafe(this.queue, job)
    return job
  }

  private addFlags(job: Job, flags: number): void {
    if ((flags & ReadFlags.deep) !== 0 && (job.requested & ReadFlags.deep) === 0) this.remainingInSweep++
    job.requested |= flags
  }

  private checkSwept(): void {
    if (this.remainingInSweep === 0) Deferred.doneUnsafe(this.swept, Effect.void)
  }
}
