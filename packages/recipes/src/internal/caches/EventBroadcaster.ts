/**
 * Those who listen to a cache. Each is told first what leads from nothing to the snapshot of the moment, and then each batch
 * of events; one who falls far behind is told, in place of all that waits, what leads from the snapshot that it knows to the
 * present one. So nobody holds up the cache, and memory stays bounded.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CacheEvent } from "../../CacheEvent.ts"
import { endWhenClosed } from "../shared/retry.ts"
import { changes, empty, type TreeSnapshot } from "./TreeSnapshot.ts"

/** What a cache holds, and its state. */
export interface CacheStatus {
  readonly tree: TreeSnapshot
  /** What those who come late have to know beside it. */
  readonly statusEvents: ReadonlyArray<CacheEvent>
}

/** What is told at once, and the snapshot that it leads to from the one that the listener knows. */
interface Batch {
  readonly events: (known: TreeSnapshot) => Iterable<CacheEvent>
  readonly after: TreeSnapshot
}

interface Listener {
  /** What the events lead to that it has been told, or is being told. */
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

  /** `status` tells what is true when it is called, and so what the events told before lead to. */
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

  /** The last thing to do in a turn: who listens may run within it. */
  notify(events: ReadonlyArray<CacheEvent>): void {
    if (this.listeners.size === 0) return
    const batch: Batch = { events: () => events, after: this.status().tree }
    for (const listener of [...this.listeners]) {
      if (listener.pending.length < MAX_PENDING_BATCHES) listener.pending.push(batch)
      else listener.pending = [this.catchUpBatch()]
      listener.wake?.()
    }
  }

  /** Nothing is told any more, not even what waits. */
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

  /** How things stand now, to one who may know anything. */
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

  /** Who is woken goes on when others have run: the cache is in the middle of something. */
  private awaitMore(listener: Listener): Effect.Effect<void> {
    return Effect.callback((resume) => {
      // Something may have been told since it was looked for.
      if (listener.pending.length > 0 || this.ended !== undefined) return resume(Effect.void)
      listener.wake = () => {
        listener.wake = undefined
        resume(Effect.yieldNow)
      }
      return Effect.sync(() => {
        listener.wake = undefined
      })
    })
  }
}
