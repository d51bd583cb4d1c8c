/**
 * Those who listen to a cache. Each is told first what leads from nothing to the picture of the moment, and then each batch
 * of events; one who falls far behind is told, in place of all that waits, what leads from the picture that it knows to the
 * present one. So nobody holds up the cache, and memory stays bounded.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CacheEvent } from "../../CacheEvent.ts"
import { untilClosed } from "../patience.ts"
import { changes, nothing, type Picture } from "./picture.ts"

/** How the cache stands. */
export interface Standing {
  readonly picture: Picture
  /** What those who come late have to know beside it. */
  readonly remarks: ReadonlyArray<CacheEvent>
}

/** What is told at once, and the picture that it leads to from the one that the listener knows. */
interface Batch {
  readonly events: (known: Picture) => Iterable<CacheEvent>
  readonly after: Picture
}

interface Listener {
  /** What the events lead to that it has been told, or is being told. */
  known: Picture
  telling: Iterator<CacheEvent>
  waiting: Array<Batch>
  wake: (() => void) | undefined
}

/** How many batches may wait for a listener. */
const patience = 8_192

export class Audience<E extends { readonly _tag: string }> {
  private readonly root: string
  private readonly standing: () => Standing
  private readonly listeners = new Set<Listener>()
  private ended: Effect.Effect<undefined, E> | undefined

  /** `standing` tells what is true when it is called, and so what the events told before lead to. */
  constructor(root: string, standing: () => Standing) {
    this.root = root
    this.standing = standing
  }

  get isEmpty(): boolean {
    return this.listeners.size === 0
  }

  readonly stream: Stream.Stream<CacheEvent, E> = Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => this.join()),
        (listener) => Effect.sync(() => this.listeners.delete(listener))
      ),
      (listener) => Stream.unfold(listener, () => this.next(listener))
    )
  ).pipe(untilClosed)

  /** The last thing to do in a turn: who listens may run within it. */
  tell(events: ReadonlyArray<CacheEvent>): void {
    if (this.listeners.size === 0) return
    const batch: Batch = { events: () => events, after: this.standing().picture }
    for (const listener of [...this.listeners]) {
      if (listener.waiting.length < patience) listener.waiting.push(batch)
      else listener.waiting = [this.present()]
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

  private join(): Listener {
    const none: ReadonlyArray<CacheEvent> = []
    const listener: Listener = {
      known: nothing,
      telling: none[Symbol.iterator](),
      waiting: [this.present()],
      wake: undefined
    }
    if (this.ended === undefined) this.listeners.add(listener)
    return listener
  }

  /** How things stand now, to one who may know anything. */
  private present(): Batch {
    const { picture, remarks } = this.standing()
    const { root } = this
    return {
      after: picture,
      *events(known) {
        yield* changes(root, known.root, picture.root)
        yield* remarks
      }
    }
  }

  private next(listener: Listener): Effect.Effect<readonly [CacheEvent, Listener] | undefined, E> {
    return Effect.suspend(() => {
      while (this.ended === undefined) {
        const told = listener.telling.next()
        if (told.done !== true) return Effect.succeed([told.value, listener] as const)
        const batch = listener.waiting.shift()
        if (batch === undefined) return Effect.andThen(this.awaitMore(listener), this.next(listener))
        listener.telling = batch.events(listener.known)[Symbol.iterator]()
        listener.known = batch.after
      }
      return this.ended
    })
  }

  /** Who is woken goes on when others have run: the cache is in the middle of something. */
  private awaitMore(listener: Listener): Effect.Effect<void> {
    return Effect.callback((resume) => {
      // Something may have been told since it was looked for.
      if (listener.waiting.length > 0 || this.ended !== undefined) return resume(Effect.void)
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
