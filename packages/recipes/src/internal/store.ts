/**
 * Queues with priorities and without, made of what the application said.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BytesOptions, Consumer } from "../Queue.ts"
import { checkCount, checkPath } from "./checks.ts"
import type { DataOf } from "./dataOf.ts"
import { itemData, type Layout, namingOf, placesOf } from "./entries.ts"
import { peek, poll, size, type Store, take } from "./queue.ts"
import { consume, consumeOne, takeWithLock } from "./taking.ts"
import * as Witness from "./witness.ts"

/** Checks what the application said. */
export const makeStore = Effect.fnUntraced(function* <A>(
  path: string,
  layout: Layout,
  hasPriorities: boolean,
  data: DataOf<A>,
  { acl, deadLetterPath, maxAttempts, maxItems, onDisconnect, takenPath }: Omit<BytesOptions, "schema">
): Effect.fn.Return<Store<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* checkPath(path)
  if (takenPath !== undefined) yield* checkPath(takenPath)
  const places = placesOf(layout, path, takenPath)
  const dead = yield* checkDeadLetterPath(path, deadLetterPath, maxAttempts)
  return {
    zk,
    places,
    naming: namingOf(layout, hasPriorities),
    data: itemData(layout, data),
    witnesses: yield* Witness.make(zk, places.witnesses, acl),
    acl,
    maxItems: yield* checkCount("maxItems", maxItems),
    onDisconnect: onDisconnect ?? "continue",
    deadLetters:
      maxAttempts === undefined
        ? undefined
        : {
            path: placesOf(layout, dead, undefined).items,
            maxAttempts: yield* checkCount("maxAttempts", maxAttempts, { most: 1_000_000_000 })
          },
    listed: hasPriorities ? undefined : { entries: [] }
  }
})

/** What every queue has. */
export const consumer = <A>(path: string, store: Store<A>): Consumer<A> => ({
  path,
  size: size(store),
  peek: peek(store),
  poll: poll(store),
  take: take(store),
  takeWithLock: takeWithLock(store),
  consumeOne: (handler) => consumeOne(store, handler),
  consume: (handler) => consume(store, handler)
})

// ---- internal

const checkDeadLetterPath = (path: string, asked: string | undefined, maxAttempts: number | undefined) => {
  const invalid = (rule: string) =>
    Effect.fail(new InvalidArgument({ argument: "deadLetterPath", value: String(asked), rule }))
  if (asked === undefined) return Effect.succeed(`${path}-dead`)
  if (maxAttempts === undefined) return invalid("nothing goes there without maxAttempts: say that too, or leave it out")
  if (asked === path) return invalid("another path than the queue's own")
  return checkPath(asked)
}
