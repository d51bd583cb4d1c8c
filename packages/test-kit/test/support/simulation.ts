/** Shared by the two halves of the properties. */
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as ClientSimulation from "@effect-zookeeper/test-kit/simulation/ClientSimulation"

/** 100,000 are a matter of `scripts/simulate.ts`. */
export const SEEDS = process.env["ZK_LONG"] === "1" ? 20_000 : 800

export const checkProperties = (from: number, seeds: number) =>
  Simulation.check(ClientSimulation.simulation, {
    from,
    seeds,
    replay: (seed) => `node scripts/simulate.ts --seed ${seed}`
  })
