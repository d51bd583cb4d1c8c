import * as Party from "@effect-zookeeper/recipes/Party"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { embedded } from "../support/embedded.ts"
import { eachAtOnce } from "../support/targets.ts"

describe("the latest data of this client's members", () => {
  it("is never followed by older data, however fibers take turns", () => {
    const program = Effect.gen(function* () {
      const party = yield* Party.make("/party")
      const members = yield* Effect.forEach(["a", "b", "c"], (id) => party.join({ id, data: "0" }))
      const shown = new Map<string, number>()
      const backwards: Array<string> = []
      const watch = Stream.runForEach(party.changes, (now) =>
        Effect.sync(() => {
          for (const [id, data] of now) {
            const number = Number(new TextDecoder().decode(data))
            if (number < (shown.get(id) ?? 0)) backwards.push(`${id}: ${number} after ${shown.get(id)}`)
            shown.set(id, number)
          }
        })
      )
      yield* Effect.forkScoped(watch, { startImmediately: true })
      const talk = Effect.fnUntraced(function* ({ setData }: Party.Membership) {
        for (let n = 1; n <= 5; n++) yield* setData(String(n))
      })
      yield* eachAtOnce(members, talk)
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(Object.fromEntries(shown), { a: 5, b: 5, c: 5 })
      return backwards
    }).pipe(Effect.scoped, Effect.provide(embedded))
    for (let seed = 1; seed <= 40; seed++) {
      const result = Simulation.run(program, { seed, operationsBetweenYields: 3 })
      if (result._tag !== "Done" || result.exit._tag !== "Success") return assert.fail(`seed ${seed}: ${result._tag}`)
      assert.deepStrictEqual(result.exit.value, [], `seed ${seed}`)
    }
  })
})
