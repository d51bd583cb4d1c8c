/**
 * The queue of paths that have to be read for a cache to become right.
 *
 * There is one read of a path at a time: requests that come meanwhile cause another one after it. So no read overtakes
 * another, and the last one begins after the last change.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as TreeSnapshot from "./TreeSnapshot.ts"

/** Reasons to read a path; several may apply at once. */
export const ReadFlags = {
  /** Whether it exists, with the same Stat. */
  stat: 1,
  /** The data has probably changed. */
  data: 2,
  /** The list of children has to be read. */
  list: 4,
  /** Everything that is held below it has to be read too: it is part of a sweep. */
  deep: 8
} as const

/** A path that has to be read. */
export interface Job {
  readonly path: string
  readonly names: TreeSnapshot.Names
  /** Why it has to be read, or read again. */
  requested: number
  /** Why it is being read; 0 when it is not. */
  running: number
}

/** The snapshot as far as the queue needs it. */
interface KnownTree {
  readonly root: string
  /** The names of the children in the snapshot. */
  readonly namesBelow: (names: TreeSnapshot.Names) => Iterable<string>
  /** Whether the last read of a path failed. */
  readonly isUnreadable: (path: string) => boolean
}

export class RefreshQueue {
  /** Jobs wait here, first in first out. */
  readonly queue: Queue.Queue<Job>
  private readonly known: KnownTree
  private readonly jobs = new Map<string, Job>()
  /** How many reads of the sweep are left. */
  private remainingInSweep = 0
  private swept = Deferred.makeUnsafe<void>()

  constructor(queue: Queue.Queue<Job>, known: KnownTree) {
    this.queue = queue
    this.known = known
  }

  /** Requests a read of a path; ignores paths outside of the tree. */
  request(path: string, flags: number): void {
    let job = this.jobs.get(path)
    if (job === undefined) {
      const names = TreeSnapshot.relativeNames(this.known.root, path)
      if (names === undefined) return
      if (this.known.isUnreadable(path)) {
        // It is tried again later; the znodes below it can be read nevertheless.
        if ((flags & ReadFlags.deep) !== 0) this.requestBelow(path, names)
        return
      }
      job = this.addJob(path, names)
    }
    this.addFlags(job, flags)
  }

  /** `request` for a path that could not be read. */
  requestAgain(path: string): void {
    const names = TreeSnapshot.relativeNames(this.known.root, path)
    if (names === undefined) return
    this.addFlags(this.jobs.get(path) ?? this.addJob(path, names), ReadFlags.data | ReadFlags.list)
  }

  /** Reads everything that is held or exists below the root; done when all of it has been read. */
  refreshAll(): Effect.Effect<void> {
    this.swept = Deferred.makeUnsafe()
    // A read that has been answered may show the state before the gap.
    for (const job of this.jobs.values()) if (job.running !== 0) this.addFlags(job, job.running)
    this.request(this.known.root, ReadFlags.stat | ReadFlags.deep)
    this.checkSwept()
    return Deferred.await(this.swept)
  }

  /** Reads everything that is held below a path, as part of a sweep. */
  requestBelow(path: string, names: TreeSnapshot.Names): void {
    for (const name of this.known.namesBelow(names))
      this.request(ZnodePath.join(path, name), ReadFlags.stat | ReadFlags.deep)
  }

  /** Whether a read of a path is wanted or under way. */
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
