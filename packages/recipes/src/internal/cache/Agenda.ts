/**
 * The list of what has to be looked at for a mirror to be true.
 *
 * There is one look at a path at a time: what is asked for meanwhile causes another one behind it. So no look overtakes
 * another, and the last one begins after the last change.
 */
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Picture from "./picture.ts"

/** What a look is for; several may be wanted at once. */
export const Wants = {
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
  readonly names: Picture.Names
  /** Why it has to be looked at, or looked at again. */
  wants: number
  /** Why it is being looked at; 0 when it is not. */
  doing: number
}

/** What a mirror knows of its paths. */
export interface Known {
  readonly root: string
  /** The names of what is held below a path. */
  readonly namesBelow: (names: Picture.Names) => Iterable<string>
  /** Whether a path could not be read when it was looked at last. */
  readonly isTroubled: (path: string) => boolean
}

export class Agenda {
  /** Where jobs wait to be done, first come first. */
  readonly queue: Queue.Queue<Job>
  private readonly known: Known
  private readonly jobs = new Map<string, Job>()
  /** How many looks of the sweep are left. */
  private sweeping = 0
  private swept = Deferred.makeUnsafe<void>()

  constructor(queue: Queue.Queue<Job>, known: Known) {
    this.queue = queue
    this.known = known
  }

  /** Has a path looked at; what is out of the tree is left alone. */
  ask(path: string, wants: number): void {
    let job = this.jobs.get(path)
    if (job === undefined) {
      const names = Picture.namesOf(this.known.root, path)
      if (names === undefined) return
      if (this.known.isTroubled(path)) {
        // It is tried again by and by; what is held below it can be looked at nevertheless.
        if ((wants & Wants.deep) !== 0) this.askBelow(path, names)
        return
      }
      job = this.enter(path, names)
    }
    this.want(job, wants)
  }

  /** `ask` for what could not be read. */
  askAgain(path: string): void {
    const names = Picture.namesOf(this.known.root, path)
    if (names === undefined) return
    this.want(this.jobs.get(path) ?? this.enter(path, names), Wants.data | Wants.list)
  }

  /** Looks at all that is held, or is there, below the root; done when every look of it is. */
  sweep(): Effect.Effect<void> {
    this.swept = Deferred.makeUnsafe()
    // A look that has been answered may show what was before the gap.
    for (const job of this.jobs.values()) if (job.doing !== 0) this.want(job, job.doing)
    this.ask(this.known.root, Wants.stat | Wants.deep)
    this.checkSwept()
    return Deferred.await(this.swept)
  }

  /** Looks at all that is held below a path, as part of a sweep. */
  askBelow(path: string, names: Picture.Names): void {
    for (const name of this.known.namesBelow(names)) this.ask(ZnodePath.join(path, name), Wants.stat | Wants.deep)
  }

  /** Whether a look at a path is wanted or under way. */
  has(path: string): boolean {
    return this.jobs.has(path)
  }

  begin(job: Job): void {
    job.doing = job.wants
    job.wants = 0
  }

  finish(job: Job): void {
    const { doing } = job
    job.doing = 0
    if (job.wants === 0) this.jobs.delete(job.path)
    else Queue.offerUnsafe(this.queue, job)
    if ((doing & Wants.deep) !== 0) {
      this.sweeping--
      this.checkSwept()
    }
  }

  private enter(path: string, names: Picture.Names): Job {
    const job: Job = { path, names, wants: 0, doing: 0 }
    this.jobs.set(path, job)
    Queue.offerUnsafe(this.queue, job)
    return job
  }

  private want(job: Job, wants: number): void {
    if ((wants & Wants.deep) !== 0 && (job.wants & Wants.deep) === 0) this.sweeping++
    job.wants |= wants
  }

  private checkSwept(): void {
    if (this.sweeping === 0) Deferred.doneUnsafe(this.swept, Effect.void)
  }
}
