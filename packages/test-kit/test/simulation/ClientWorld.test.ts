import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as ClientWorld from "@effect-zookeeper/test-kit/simulation/ClientWorld"
import { assert, describe, it } from "@effect/vitest"

describe("the client in a simulated world", () => {
  it("takes the same course for the same seed", () => {
    for (const seed of [3, 12, 44]) {
      const first = Simulation.run(ClientWorld.world, { seed })
      const second = Simulation.run(ClientWorld.world, { seed, record: true })
      assert.strictEqual(first.traceHash, second.traceHash)
      assert.strictEqual(first.time, second.time)
      assert.isNotEmpty(second.trace)
    }
  })

  it("asks the host for no timer and no microtask", () => {
    const names = ["setTimeout", "setImmediate", "setInterval", "queueMicrotask"] as const
    const kept = names.map((name) => [name, globalThis[name]] as const)
    const asked: Array<string> = []
    const { then } = Promise.prototype
    try {
      for (const [name] of kept) Object.assign(globalThis, { [name]: () => asked.push(name) })
      // oxlint-disable-next-line no-extend-native, unicorn/no-thenable
      Promise.prototype.then = function (...args) {
        asked.push("then")
        return then.apply(this, args) as Promise<never>
      }
      for (let seed = 1; seed <= 20; seed++) Simulation.run(ClientWorld.world, { seed })
    } finally {
      // oxlint-disable-next-line no-extend-native, unicorn/no-thenable
      Promise.prototype.then = then
      for (const [name, original] of kept) Object.assign(globalThis, { [name]: original })
    }
    assert.deepStrictEqual(asked, [])
  })

  it("does a good deal of work in it", () => {
    let completed = 0
    for (let seed = 1; seed <= 50; seed++) {
      const result = Simulation.run(ClientWorld.world, { seed })
      if (result._tag === "Done" && result.exit._tag === "Success") completed += result.exit.value.completed
    }
    assert.isAbove(completed, 1500)
  })
})
