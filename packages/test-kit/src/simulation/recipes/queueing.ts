/**
 * Queues. P12: an item that was offered comes, at most once or until it is done; P8: nobody works on what is another's.
 *
 * @since 0.1.0
 */
import * as PriorityQueue from "@effect-zookeeper/recipes/PriorityQueue"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Recipe, Stage } from "../RecipeWorld.ts"
import type { Subject } from "../Subject.ts"

/** What has become of the items, as the clients tell. */
class Items {
  readonly offered = new Map<string, "sent" | "done">()
  readonly taken = new Map<string, number>()
  private count = 0

  fresh(subject: Subject): string {
    const item = `${subject.name}:${this.count++}`
    this.offered.set(item, "sent")
    return item
  }

  take(stage: Stage, item: string): void {
    const times = (this.taken.get(item) ?? 0) + 1
    this.taken.set(item, times)
    if (!this.offered.has(item)) stage.accuse(`P12: ${item} was taken, and never offered`)
    if (times > 1) stage.accuse(`P12: ${item} was taken ${times} times`)
  }
}

/** Taken at most once: by few, for a session that ends may take an item along. @category recipes @since 0.1.0 */
export const queue: Recipe = (stage: Stage) =>
  Effect.sync(() => {
    const items = new Items()
    return {
      expected: ["OutcomeUnknown"],
      survivesDeletion: false,
      play: Effect.fnUntraced(function* (subject) {
        const queue = yield* Queue.make("/recipe/queue", { schema: Schema.String })
        return Effect.gen(function* () {
          const item = items.fresh(subject)
          yield* queue.offer(item)
          items.offered.set(item, "done")
          const taken = (yield* Random.nextBoolean)
            ? yield* queue.poll
            : yield* Effect.timeoutOption(queue.take, "1 second")
          if (Option.isSome(taken)) items.take(stage, taken.value)
        })
      })
    }
  })

/** Taken with a lock: whatever was offered is done once, or still there. @category recipes @since 0.1.0 */
export const queueWithLock: Recipe = (stage: Stage) =>
  Effect.sync(() => {
    const items = new Items()
    const working = new Map<string, { readonly subject: Subject; readonly session: bigint }>()
    /** Whoever was interrupted when an item was done does not tell. */
    const begun = new Set<string>()
    return {
      expected: ["OutcomeUnknown"],
      survivesDeletion: false,
      play: Effect.fnUntraced(function* (subject) {
        const queue = yield* PriorityQueue.make("/recipe/queue", {
          schema: Schema.String,
          onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
        })
        const work = (item: string) => {
          const one = { subject, session: subject.zk.session.id }
          const isExcused = ({ session, subject }: typeof one) => stage.isExcused(subject, session, "")
          return Effect.acquireUseRelease(
            Effect.sync(() => {
              const other = working.get(item)
              if (other !== undefined && !isExcused(other) && !isExcused(one)) {
                stage.accuse(`P8: ${subject.name} and ${other.subject.name} work on ${item} together`)
              }
              working.set(item, one)
              begun.add(item)
            }),
            () =>
              Effect.gen(function* () {
                yield* Effect.sleep(yield* Random.nextBetween(0, (yield* Random.nextBoolean) ? 20 : 800))
                return item
              }),
            () => Effect.sync(() => working.get(item) === one && working.delete(item))
          )
        }
        return Effect.gen(function* () {
          const item = items.fresh(subject)
          yield* queue.offer(item, yield* Random.nextIntBetween(0, 3))
          items.offered.set(item, "done")
          const done = yield* Effect.timeoutOption(queue.consumeOne(work), "3 seconds")
          if (Option.isSome(done)) items.take(stage, done.value)
        })
      }),
      judge: (_, zk) =>
        Effect.gen(function* () {
          const names = yield* zk.getChildren("/recipe/queue")
          const left = new Set<string>()
          for (const name of names) {
            const item: unknown = JSON.parse(new TextDecoder().decode(yield* zk.getData(`/recipe/queue/${name}`)))
            left.add(String(item))
          }
          if (left.size !== names.length) stage.accuse("P12: an item stands in the queue twice")
          for (const item of left) {
            if (items.taken.has(item)) stage.accuse(`P12: ${item} is done, and still in the queue`)
          }
          for (const [item, fate] of items.offered) {
            if (fate === "done" && !left.has(item) && !items.taken.has(item) && !begun.has(item)) {
              stage.accuse(`P12: ${item} was offered, and is lost`)
            }
          }
          // The figures of a client are told a moment later.
          yield* Effect.sleep("500 millis")
        })
    }
  })
