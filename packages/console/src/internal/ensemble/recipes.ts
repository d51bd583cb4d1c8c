/** The recipes of a subtree, found again and again. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as TreeWalk from "@effect-zookeeper/client/TreeWalk"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Found, Inspector } from "../../Cluster.ts"
import type { RecipeEvent } from "../../EnsembleModels.ts"
import { formatHex } from "../../Models.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { toReadFailure } from "../failures.ts"
import * as limits from "../limits.ts"

/** A round is followed by a pause that is several times as long. */
export const recipeEvents = (
  zk: Service,
  reads: TreeWalk.Reads,
  inspector: Inspector,
  path: string
): Stream.Stream<RecipeEvent, ReadFailure> =>
  Stream.callback<RecipeEvent, ReadFailure>(
    (queue) =>
      Effect.gen(function* () {
        let known: ReadonlyMap<string, string> = new Map()
        while (true) {
          const [elapsed, seen] = yield* Effect.timed(
            Outcome.retryAcrossSessions(
              zk.session,
              Effect.suspend(() => scan(zk, reads, inspector, path, known, queue))
            )
          )
          known = seen
          yield* Effect.sleep(Duration.max(Duration.times(elapsed, 5), Duration.seconds(1)))
        }
      }).pipe(Effect.catch((error) => Queue.fail(queue, toReadFailure(error)))),
    { bufferSize: 64, strategy: "suspend" }
  )

// ---- internal

const keyOf = (found: Found): string =>
  "queue" in found
    ? `queue ${found.queue.path}`
    : "group" in found
      ? `group ${found.group.path}`
      : `contention ${found.contention.path}`

const pathOf = (key: string): string => key.slice(key.indexOf(" ") + 1)

const eventOf = (found: Found, time: number): RecipeEvent =>
  "queue" in found
    ? { _tag: "queue", time, queue: found.queue }
    : "group" in found
      ? { _tag: "group", time, group: found.group }
      : { _tag: "contention", time, contention: found.contention }

/** Reports what is new or different, and gives what was seen: the path of each recipe, and how it looked. */
const scan = Effect.fnUntraced(function* (
  zk: Service,
  reads: TreeWalk.Reads,
  inspector: Inspector,
  path: string,
  known: ReadonlyMap<string, string>,
  queue: Queue.Enqueue<RecipeEvent, ReadFailure | Cause.Done>
) {
  const seen = new Map<string, string>()
  let visited = 0
  let tooLarge = 0
  let told = yield* Clock.currentTimeMillis
  const znodes = TreeWalk.walk(reads, path, { concurrency: 64, skipTooLarge: true }).pipe(
    Stream.take(limits.scanned),
    Stream.tap((znode) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        visited++
        if (znode.isTooLarge) tooLarge++
        if (now - told < 250) return Effect.void
        told = now
        return Queue.offer(queue, { _tag: "progress", visited, at: znode.path })
      })
    )
  )
  yield* inspector.recipes(zk, znodes).pipe(
    Stream.runForEach((found) =>
      Effect.gen(function* () {
        const time = yield* Clock.currentTimeMillis
        const key = keyOf(found)
        const look = JSON.stringify(found, (_, value: unknown) =>
          typeof value === "bigint" ? formatHex(value) : value
        )
        seen.set(key, look)
        if (known.get(key) === look) return
        yield* Queue.offer(queue, eventOf(found, time))
      })
    )
  )
  const time = yield* Clock.currentTimeMillis
  // A recipe of another kind may be there now, which is told already.
  const paths = new Set([...seen.keys()].map(pathOf))
  for (const path of new Set([...known.keys()].map(pathOf))) {
    if (!paths.has(path)) yield* Queue.offer(queue, { _tag: "ended", time, path })
  }
  const isComplete = visited < limits.scanned && tooLarge === 0
  yield* Queue.offer(queue, { _tag: "scanned", time, visited, isComplete })
  return seen
})
