/**
 * Makes queues, with priorities and without, from the options.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BytesOptions, Consumer } from "../../Queue.ts"
import { checkCount, checkPath } from "../shared/validate.ts"
import type { DataCodec } from "../shared/dataCodec.ts"
import { itemCodec, type Layout, namingFor, queuePaths } from "./entryFormat.ts"
import { peek, poll, size, type QueueContext, take } from "./queueOps.ts"
import { consume, consumeOne, takeWithLock } from "./takeWithLock.ts"
import * as ExactlyOnce from "../values/exactlyOnce.ts"

/** Checks the options. */
export const makeQueue = Effect.fnUntraced(function* <A>(
  path: string,
  layout: Layout,
  hasPriorities: boolean,
  data: DataCodec<A>,
  { acl, deadLetterPath, maxAttempts, maxItems, onDisconnect, takenPath }: Omit<BytesOptions, "schema">
): Effect.fn.Return<QueueContext<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* checkPath(path)
  if (takenPath !== undefined) yield* checkPath(takenPath)
  const paths = queuePaths(layout, path, takenPath)
  const dead = yield* checkDeadLetterPath(path, deadLetterPath, maxAttempts)
  return {
    zk,
    paths,
    naming: namingFor(layout, hasPriorities),
    data: itemCodec(layout, data),
    exactlyOnce: yield* ExactlyOnce.make(zk, paths.markers, acl),
    acl,
    maxItems: yield* checkCount("maxItems", maxItems),
    onDisconnect: onDisconnect ?? "continue",
    deadLetters:
      maxAttempts === undefined
        ? undefined
        : {
            path: queuePaths(layout, dead, undefined).items,
            maxAttempts: yield* checkCount("maxAttempts", maxAttempts, { most: 1_000_000_000 })
          },
    listed: hasPriorities ? undefined : { entries: [] }
  }
})

/** The members that all queues share. */
export const makeConsumer = <A>(path: string, queue: QueueContext<A>): Consumer<A> => ({
  path,
  size: size(queue),
  peek: peek(queue),
  poll: poll(queue),
  take: take(queue),
  takeWithLock: takeWithLock(queue),
  consumeOne: (handler) => consumeOne(queue, handler),
  consume: (handler) => consume(queue, handler)
})

// ---- internal

const checkDeadLetterPath = (path: string, asked: string | undefined, maxAttempts: number | undefined) => {
  const invalid = (rule: string) =>
    Effect.fail(new InvalidArgument({ argument: "deadLetterPath", value: String(asked), rule }))
  if (asked === undefined) return Effect.succeed(`${path}-dead`)
  if (maxAttempts === undefined) return invalid("it has no effect without maxAttempts: set that too, or leave it out")
  if (asked === path) return invalid("another path than the queue's own")
  return checkPath(asked)
}
