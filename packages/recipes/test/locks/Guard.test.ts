import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as SessionError from "@effect-zookeeper/session/SessionError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { guard, makeOwnership } from "../../src/internal/locks/ownership.ts"

/** Nothing is asked of it here. */
const unasked = new Proxy({} as ZooKeeper.Service, {
  get: () => Effect.fail(new SessionError.SessionClosed())
})

describe("a guarded effect", () => {
  it("does not begin when its hold is lost already, however fibers take turns", () => {
    const program = Effect.gen(function* () {
      const holding = makeOwnership(unasked, "/lock", 1n)
      holding.markLost("session")
      let began = false
      const error = yield* Effect.flip(
        guard(
          holding,
          Effect.sync(() => {
            began = true
          })
        )
      )
      return { began, tag: error._tag }
    })
    for (let seed = 1; seed <= 300; seed++) {
      const result = Simulation.run(program, { seed, operationsBetweenYields: 3 })
      if (result._tag !== "Done" || result.exit._tag !== "Success") return assert.fail(`seed ${seed}: ${result._tag}`)
      assert.deepStrictEqual(result.exit.value, { began: false, tag: "LockLost" }, `seed ${seed}`)
    }
  })
})
