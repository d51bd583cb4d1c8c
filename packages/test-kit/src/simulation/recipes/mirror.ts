/** A mirror: its target follows the source through faults, and is equal to it when no client writes any more. */
import * as Op from "@effect-zookeeper/client/Op"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
import * as Mirror from "@effect-zookeeper/storage/Mirror"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Recipe, ZnodesByPath } from "../RecipeSimulation.ts"
import { textOf } from "./text.ts"

const from = "/recipe/from"
const to = "/recipe/to"

const names = ["a", "b", "c"]

/** When the copy is equal at the latest, in virtual milliseconds of peace: before the round is given up. */
const LATEST = 30_000

export const mirror: Recipe = (environment) =>
  Effect.sync(() => {
    /** The client that mirrors. */
    let mirroring: string | undefined
    /** The clients that write no more. */
    const resting = new Set<string>()
    let isLate = false
    const untilEqual = Effect.gen(function* () {
      const begun = environment.now()
      while (true) {
        const differences = differencesOf(yield* environment.znodes)
        if (differences.length === 0) return
        if (environment.now() - begun > LATEST && !isLate) {
          isLate = true
          for (const difference of differences) environment.addViolation(`P12: ${difference}`)
        }
        yield* Effect.sleep("20 millis")
      }
    })
    return {
      play: Effect.fnUntraced(function* ({ name, zk }) {
        yield* Effect.ignore(zk.create(from))
        if (mirroring === undefined) {
          mirroring = name
          const running = Mirror.run(zk, zk, {
            path: from,
            targetPath: to,
            deletes: true,
            // Later than all that is judged: changes are found by events and after gaps.
            checkInterval: "10 minutes",
            concurrency: 8
          })
          yield* Effect.onError(running, (cause) =>
            Effect.sync(() => {
              if (!Cause.hasInterruptsOnly(cause)) {
                environment.addViolation(`${name}: the mirror has ended: ${Cause.pretty(cause)}`)
              }
            })
          ).pipe(Effect.exit, Effect.forkScoped)
        }
        const write = Effect.gen(function* () {
          const [upper, lower] = yield* Effect.all([oneOf(names), oneOf(names)])
          const path = `${from}/${upper}/${lower}`
          switch (yield* Random.nextIntBetween(0, 6)) {
            case 0:
              return yield* zk.delete(path)
            case 1:
              return yield* zk.deleteAll(`${from}/${upper}`)
            case 2:
              return yield* zk.create(`${from}/${upper}/n-`, { mode: "persistentSequential" })
            case 3:
              // A znode of which the target must have no copy, where it has one.
              if (environment.isFaultFree()) return
              return yield* zk.transaction([Op.delete(path), Op.create(path, { mode: "ephemeral" })])
            default:
              return yield* zk.createOrSet(path, `${name} ${yield* Random.nextIntBetween(0, 1_000_000)}`)
          }
        })
        return Effect.gen(function* () {
          for (let count = yield* Random.nextIntBetween(1, 4); count > 0; count--) yield* Effect.ignore(write)
          if (!environment.isFaultFree()) return
          yield* untilEqual
          for (const [path, { owner }] of yield* environment.znodes) {
            if (StoredZnode.kindOf(owner) === "ephemeral") yield* Effect.ignore(zk.delete(path))
          }
          yield* untilEqual
          resting.add(name)
          // The mirror ends with its client, which waits for the others.
          while (mirroring === name && resting.size < environment.clients.length) yield* Effect.sleep("20 millis")
        })
      }),
      survivesDeletion: false
    }
  })

// ---- internal

const oneOf = (values: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.map(Random.nextIntBetween(0, values.length - 1), (index) => values[index] ?? "")

/** Each znode below the two roots that is not the same in both. A counter of the target may be ahead. */
const differencesOf = (znodes: ZnodesByPath): ReadonlyArray<string> => {
  const [source, target] = [below(znodes, from), below(znodes, to)]
  return [...new Set([...source.keys(), ...target.keys()])].toSorted().flatMap((path) => {
    const [original, copy] = [source.get(path), target.get(path)]
    const isEqual =
      original?.text === copy?.text &&
      (original === undefined || copy === undefined || copy.counter >= original.counter)
    return isEqual ? [] : [`${path} is ${JSON.stringify(original)} there and ${JSON.stringify(copy)} in the target`]
  })
}

/** The znodes of a subtree that are copied, by their paths in it. */
const below = (znodes: ZnodesByPath, root: string) =>
  new Map(
    [...znodes]
      .filter(([path, { owner }]) => path.startsWith(`${root}/`) && StoredZnode.kindOf(owner) !== "ephemeral")
      .map(([path, { cversion, data }]) => [path.slice(root.length), { text: textOf(data), counter: cversion }])
  )
