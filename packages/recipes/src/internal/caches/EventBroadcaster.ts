/**
 * Listeners of a cache. Each first gets the events that lead from an empty cache to the current snapshot, and then each
 * batch of events. A listener that falls far behind gets, in place of all waiting batches, the events that lead from the
 * snapshot that it knows to the current one. So no listener holds up the cache, and memory stays bounded.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CacheEvent } from "../../CacheEvent.ts"
import { endWhenClosed } from "../shared/retry.ts"
import { changes, empty, type TreeSnapshot } from "./TreeSnapshot.ts"

/** The snapshot of a cache, and its state. */
interface CacheStatus {
  readonly tree: TreeSnapshot
  /** Further events for a listener that comes late. */
  readonly statusEvents: ReadonlyArray<CacheEvent>
}

/**
 * Events that are emitted together, computed from the snapshot that the listener knows, and the snapshot that they lead
 * to.
 */
interface Batch {
  readonly events: (known: TreeSnapshot) => Iterable<CacheEvent>
  readonly after: TreeSnapshot
}

interface Listener {
  /** The snapshot that the emitted events lead to. */
  known: TreeSnapshot
  emitting: Iterator<CacheEvent>
  pending: Array<Batch>
  wake: (() => void) | undefined
}

/** How many batches may wait for a listener. */
const MAX_PENDING_BATCHES = 8_192

export class EventBroadcaster<E extends { readonly _tag: string }> {
  private readonly root: string
  private readonly status: () => CacheStatus
  private readonly listeners = new Set<Listener>()
  private ended: Effect.Effect<undefined, E> | undefined

  /** `status` gives the present state, to which the events so far lead. */
  constructor(root: string, status: () => CacheStatus) {
    this.root = root
    this.status = status
  }

  get isEmpty(): boolean {
    return this.listeners.size === 0
  }

  readonly stream: Stream.Stream<CacheEvent, E> = Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => this.subscribe()),
        (listener) => Effect.sync(() => this.listeners.delete(listener))
      ),
      (listener) => Stream.unfold(listener, () => this.next(listener))
    )
  ).pipe(endWhenClosed)

  /** Call it last in a turn: listeners may run within it. */
  notify(events: ReadonlyArray<CacheEvent>): void {
    if (this.listeners.size === 0) return
    const batch: Batch = { events: () => events, after: this.status().tree }
    for (const listener of [...this.listeners]) {
      if (listener.pending.length < MAX_PENDING_BATCHES) listener.pending.push(batch)
      else listener.pending = [this.catchUpBatch()]
      listener.wake?.()
    }
  }

  /** Emits nothing any more, not even the waiting batches. */
  end(how: Effect.Effect<undefined, E>): void {
    if (this.ended !== undefined) return
    this.ended = how
    const listeners = [...this.listeners]
    this.listeners.clear()
    for (const listener of listeners) listener.wake?.()
  }

  private subscribe(): Listener {
    const none: ReadonlyArray<CacheEvent> = []
    const listener: Listener = {
      known: empty,
      emitting: none[Symbol.iterator](),
      pending: [this.catchUpBatch()],
      wake: undefined
    }
    if (this.ended === undefined) this.listeners.add(listener)
    return listener
  }

  /** The current state, for a listener that may know any earlier one. */
  private catchUpBatch(): Batch {
    const { tree, statusEvents } = this.status()
    const { root } = this
    return {
      after: tree,
      *events(known) {
        yield* changes(root, known.root, tree.root)
        yield* statusEvents
      }
    }
  }

  private next(listener: Listener): Effect.Effect<readonly [CacheEvent, Listener] | undefined, E> {
    return Effect.suspend(() => {
      while (this.ended === undefined) {
        const told = listener.emitting.next()
        if (told.done !== true) return Effect.succeed([told.value, listener] as const)
        const batch = listener.pending.shift()
        if (batch === undefined) return Effect.andThen(this.awaitMore(listener), this.next(listener))
        listener.emitting = batch.events(listener.known)[Symbol.iterator]()
        listener.known = batch.after
      }
      return this.ended
    })
  }

  /** Resumes the listener after other fibers have run, because the cache is in the middle of a step. */
  private awaitMore(listener: Listener): Effect.Effect<void> {
    return Effect.callback((resume) => {
      // A batch may have arrived since the last look.
      if (listener.pending.length > 0 || this.ended !== undefined) return resume(Effect.void)
      const wake = () => {
        listener.wake = undefined
        resume(Effect.yieldNow)
      }
      listener.wake = wake
      return Effect.sync(() => {
        listener.wake = undefined
      })
    })
  }
}
