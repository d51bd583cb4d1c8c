/** P12: each increment is counted once. The counter in its layouts, the value, the ids. */
import * as AtomicValue from "@effect-zookeeper/recipes/AtomicValue"
import * as Counter from "@effect-zookeeper/recipes/Counter"
import * as IdGenerator from "@effect-zookeeper/recipes/IdGenerator"
import { ZooKeeper } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { checkCounters } from "../../history/counters.ts"
import * as Recorded from "../../history/operations.ts"
import type { Recipe, Scenario, Environment } from "../RecipeSimulation.ts"
import { textOf } from "./text.ts"

/** With Curator's numbers, kazoo's or aiozk's: a lost reply may stay unknown. */
export const counter: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const layout = (["curator", "int32", "text"] as const)[yield* Random.nextIntBetween(0, 2)]!
  return { ...counting(environment, layout, yield* Random.nextBoolean), expected: ["OutcomeUnknown"] }
})

/** A lost reply is never unknown. */
export const exactCounter: Recipe = (environment: Environment) =>
  Effect.map(Random.nextBoolean, (isPatient) => counting(environment, "exact", isPatient))

const counting = (environment: Environment, layout: Counter.Layout, isPatient: boolean) => {
  const path = "/recipe/counter"
  return {
    play: Effect.fnUntraced(function* (client) {
      const recorder = environment.recorder(client)
      const promote = (yield* Random.nextBoolean) ? undefined : { lock: "/recipe/promoted", after: 2 }
      const counter = yield* Counter.make(path, { layout, promote })
      return Effect.gen(function* () {
        const by = yield* Random.nextIntBetween(1, 3)
        const add = Recorded.add(recorder, path, counter, by)
        // An add that stops to wait may have counted: the total says more about those that do not stop.
        yield* isPatient ? Effect.uninterruptible(add) : add
      })
    }),
    // A client that deletes a number changes it.
    survivesDeletion: false,
    judge: Effect.fnUntraced(function* (_truth, zk) {
      const counter = yield* Effect.provideService(Counter.make(path, { layout }), ZooKeeper, zk)
      const recorder = environment.recorder({ ...environment.clients[0]!, name: "the judge" })
      yield* Recorded.total(recorder, zk, path, counter)
      for (const violation of checkCounters(environment.history()).violations)
        environment.addViolation(`P12: ${violation}`)
    }, Effect.scoped)
  } satisfies Scenario
}

/** No write is lost or done twice, and streams of changes never go back. */
export const atomicValue: Recipe = (environment) =>
  Effect.sync((): Scenario => {
    const path = "/recipe/value"
    /** The value that replaced each value. */
    const replaced = new Map<string, string>()
    return {
      play: Effect.fnUntraced(function* (client) {
        const recorder = environment.recorder(client)
        const value = yield* AtomicValue.make(path, { schema: Schema.String, initial: "" })
        let newest: AtomicValue.Versioned<string> = new AtomicValue.Versioned("", undefined)
        const follow = Stream.runForEach(value.changes, (versioned) =>
          Effect.sync(() => {
            const [before, now] = [newest.stat?.mzxid ?? 0n, versioned.stat?.mzxid ?? 0n]
            if (now < before) environment.addViolation(`${client.name}: changes went back from ${before} to ${now}`)
            newest = versioned
          })
        )
        yield* Effect.forkScoped(follow, { startImmediately: true })
        const write = Effect.fnUntraced(function* (mine: string) {
          if (yield* Random.nextBoolean) return yield* value.update(() => mine)
          const expected = yield* value.getVersioned
          const exchange = yield* value.compareAndSet(expected, mine)
          return exchange.applied ? exchange : undefined
        })
        return Effect.gen(function* () {
          const change = yield* write(recorder.unique())
          if (change !== undefined) {
            const other = replaced.get(change.pre)
            if (other !== undefined) {
              environment.addViolation(`P12: ${change.post} and ${other} have both replaced "${change.pre}"`)
            }
            replaced.set(change.pre, change.post)
          }
          if (!environment.isFaultFree()) return
          while (newest.value !== (yield* written(environment, path))) yield* Effect.sleep("20 millis")
        })
      }),
      expected: ["OutcomeUnknown"],
      survivesDeletion: false
    }
  })

/** The JSON at a path, if there is any. */
const written = ({ znodes }: Environment, path: string): Effect.Effect<unknown> =>
  Effect.map(znodes, (znodes) => {
    const data = znodes.get(path)?.data
    return data === undefined ? "" : JSON.parse(textOf(data))
  })

/** No id twice, and growing: for each of a block, for all where they are ordered. */
export const idGenerator: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const isOrdered = yield* Random.nextBoolean
  const ids = new Map<bigint, string>()
  return {
    play: Effect.fnUntraced(function* (client) {
      const recorder = environment.recorder(client)
      const blockSize = yield* Random.nextIntBetween(1, 3)
      const { next }: IdGenerator.IdGenerator<unknown> = isOrdered
        ? yield* IdGenerator.makeOrdered("/recipe/ids")
        : yield* IdGenerator.make("/recipe/ids", { blockSize })
      const path = isOrdered ? "ids of all" : `ids of ${client.name}`
      return Effect.gen(function* () {
        const id = yield* recorder.record({ f: "increment", path }, next, (id) => ({ count: Number(id) }))
        const other = ids.get(id)
        if (other !== undefined) environment.addViolation(`P12: ${id} was given to ${other} and to ${client.name}`)
        ids.set(id, client.name)
      })
    }),
    survivesDeletion: isOrdered,
    judge: () =>
      Effect.sync(() => {
        for (const violation of checkCounters(environment.history()).violations)
          environment.addViolation(`P12: ${violation}`)
      })
  }
})
