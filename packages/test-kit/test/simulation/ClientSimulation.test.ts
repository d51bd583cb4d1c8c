import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as ClientSimulation from "@effect-zookeeper/test-kit/simulation/ClientSimulation"
import { hostCallsOf } from "@effect-zookeeper/test-kit/simulation/hostCalls"
import { assert, describe, it } from "@effect/vitest"

describe("the client in a simulated world", () => {
  it("takes the same course for the same seed", () => {
    for (const seed of [3, 12, 44]) {
      const first = Simulation.run(ClientSimulation.simulation, { seed })
      const second = Simulation.run(ClientSimulation.simulation, { seed, record: true })
      assert.strictEqual(first.traceHash, second.traceHash)
      assert.strictEqual(first.time, second.time)
      assert.isNotEmpty(second.trace)
    }
  })

  it("asks the host for no timer and no microtask", () => {
    const asked = hostCallsOf(() => {
      for (let seed = 1; seed <= 20; seed++) Simulation.run(ClientSimulation.simulation, { seed })
    })
    assert.deepStrictEqual(asked, [])
  })

  it("does a good deal of work in it", () => {
    let completed = 0
    for (let seed = 1; seed <= 50; seed++) {
      const result = Simulation.run(ClientSimulation.simulation, { seed })
      if (result._tag === "Done" && result.exit._tag === "Success") completed += result.exit.value.completed
    }
    assert.isAbove(completed, 1500)
  })
})
