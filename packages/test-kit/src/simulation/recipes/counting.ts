/**
 * What is counted: counters, ids, values. P12: a result lies between what was acknowledged and what is unknown.
 *
 * @since 0.1.0
 */
import * as AtomicValue from "@effect-zookeeper/recipes/AtomicValue"
import * as Counter from "@effect-zookeeper/recipes/Counter"
import * as IdGenerator from "@effect-zookeeper/recipes/IdGenerator"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Recipe, Stage } from "../RecipeWorld.ts"

const counting =
  (layout: Counter.Layout): Recipe =>
  (stage: Stage) =>
    Effect.sync(() => {
      let done = 0n
      let unknown = 0n
      const pres = new Set<bigint>()
      return {
        expected: ["OutcomeUnknown"],
        survivesDeletion: false,
        play: Effect.fnUntraced(function* () {
          const counter = yield* Counter.make("/recipe/counter", {
            layout,
            promote: { lock: "/recipe/lock", after: 3 }
          })
          return Effect.onExit(counter.increment, (exit) =>
            Effect.sync(() => {
              if (!Exit.isSuccess(exit)) {
                unknown++
                return
              }
              done++
              const { post, pre } = exit.value
              if (post !== pre + 1n) stage.accuse(`P12: one more than ${pre} is ${post}`)
              if (pres.has(pre)) stage.accuse(`P12: ${pre} was counted on twice`)
              pres.add(pre)
            })
          ).pipe(Effect.asVoid)
        }),
        judge: (_, zk) =>
          Effect.gen(function* () {
            const { data } = yield* zk.get("/recipe/counter")
            const total =
              layout === "exact"
                ? BigInt(new TextDecoder().decode(data).split("\n")[0] ?? "")
                : new DataView(data.buffer, data.byteOffset).getBigInt64(0)
            if (total < done || total > done + unknown) {
              stage.accuse(`P12: ${total} after ${done} that were counted and ${unknown} that are unknown`)
            }
          })
      }
    })

/** Of Curator's layout. @category recipes @since 0.1.0 */
export const counter: Recipe = counting("curator")

/** Of the layout that remembers its writers. @category recipes @since 0.1.0 */
export const counterExact: Recipe = counting("exact")

/** Values of each client, one after the other; nobody's is lost. @category recipes @since 0.1.0 */
export const atomicValue: Recipe = (stage: Stage) =>
  Effect.sync(() => {
    const added = new Map<string, "sent" | "done">()
    let counted = 0
    const schema = Schema.Array(Schema.String)
    return {
      expected: ["OutcomeUnknown"],
      survivesDeletion: false,
      play: Effect.fnUntraced(function* (subject) {
        const value = yield* AtomicValue.make("/recipe/value", { schema, initial: [] })
        return Effect.gen(function* () {
          const one = `${subject.name}:${counted++}`
          added.set(one, "sent")
          yield* value.update((all) => [...all, one])
          added.set(one, "done")
        })
      }),
      judge: (_, zk) =>
        Effect.gen(function* () {
          const all = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(
            new TextDecoder().decode(yield* zk.getData("/recipe/value"))
          )
          if (new Set(all).size !== all.length) stage.accuse("P12: something was added twice")
          for (const [one, fate] of added) {
            if (fate === "done" && !all.includes(one)) stage.accuse(`P12: ${one} was added, and is not there`)
          }
        })
    }
  })

/** Out of small blocks, or each by a write of its own. @category recipes @since 0.1.0 */
export const idGenerator: Recipe = (stage: Stage) =>
  Effect.gen(function* () {
    const isOrdered = yield* Random.nextBoolean
    const given = new Set<bigint>()
    let largest = 0n
    return {
      survivesDeletion: false,
      play: Effect.fnUntraced(function* () {
        const { next } = yield* isOrdered
          ? IdGenerator.makeOrdered("/recipe/ids")
          : IdGenerator.make("/recipe/ids", { blockSize: 3 })
        return Effect.gen(function* () {
          const before = largest
          const id = yield* next
          if (given.has(id)) stage.accuse(`P12: the id ${id} was given twice`)
          if (isOrdered && id <= before) stage.accuse(`P12: the id ${id} was given behind ${before}`)
          given.add(id)
          if (id > largest) largest = id
        })
      })
    }
  })
