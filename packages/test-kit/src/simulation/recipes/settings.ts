/** Settings and invalidations: no modification is lost, and an invalidation reaches every client that is there. */
import * as ZooKeeperKeyValueStore from "@effect-zookeeper/config/ZooKeeperKeyValueStore"
import * as ZooKeeperReactivity from "@effect-zookeeper/config/ZooKeeperReactivity"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Recipe } from "../RecipeSimulation.ts"
import { textOf } from "./text.ts"

/** A count that each client modifies: it has all that succeeded, and nothing that was not tried. */
export const keyValueStore: Recipe = (environment) =>
  Effect.sync(() => {
    const path = "/recipe/settings"
    let tried = 0
    let succeeded = 0
    return {
      play: Effect.fnUntraced(function* ({ zk }) {
        const store = yield* ZooKeeperKeyValueStore.make({ path })
        return Effect.gen(function* () {
          yield* Effect.ignore(zk.createWithParents(`${path}/count`, { data: "0" }))
          const modify = store.modify("count", (count) => {
            tried++
            return String(Number(count) + 1)
          })
          if ((yield* modify) !== undefined) succeeded++
        })
      }),
      expected: ["KeyValueStoreError"],
      survivesDeletion: false,
      judge: (znodes) =>
        Effect.sync(() => {
          const count = Number(textOf(znodes.get(`${path}/count`)?.data ?? null))
          if (count < succeeded || count > tried) {
            environment.addViolation(
              `P12: ${count} is counted, of ${succeeded} that succeeded and ${tried} that were tried`
            )
          }
        })
    }
  })

/** Queries of a database that all clients share: after an invalidation each client has what was there before it. */
export const reactivity: Recipe = (environment) =>
  Effect.sync(() => {
    let database = 0
    /** The last answer to the query of each client that follows. */
    const seen = new Map<string, number>()
    /** The state at the last invalidation of the query by each client; a client that goes away may not have sent it. */
    const invalidated = new Map<string, number>()
    const keys = ["users", "orders"]
    const seenByAll = Effect.fnUntraced(function* (value: number) {
      while ([...seen.values()].some((latest) => latest < value)) yield* Effect.sleep("20 millis")
    })
    return {
      play: Effect.fnUntraced(function* ({ name }) {
        // Two slots for two keys, which may share one.
        const shared = yield* ZooKeeperReactivity.make({ path: "/recipe/reactivity", slots: 2 })
        const query = Effect.sync(() => database)
        yield* Effect.addFinalizer(() => Effect.sync(() => seen.delete(name) && invalidated.delete(name)))
        yield* shared.stream(["users"], query).pipe(
          Stream.runForEach((value) => Effect.sync(() => seen.set(name, value))),
          Effect.forkScoped({ startImmediately: true })
        )
        return Effect.gen(function* () {
          const isPeace = environment.isFaultFree()
          // No later invalidation makes up for one that an outage has swallowed.
          if (isPeace) yield* seenByAll(Math.max(0, ...invalidated.values()))
          const key = isPeace ? "users" : keys[yield* Random.nextIntBetween(0, 1)]!
          const written = ++database
          if (yield* Random.nextBoolean) yield* shared.invalidate([key])
          else yield* shared.withBatch(shared.invalidate([key]))
          if (key === "users") invalidated.set(name, written)
          if (isPeace) yield* seenByAll(written)
        })
      }),
      survivesDeletion: false
    }
  })
