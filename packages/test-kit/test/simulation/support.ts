/** What the two halves of the properties share. */
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as ClientWorld from "@effect-zookeeper/test-kit/simulation/ClientWorld"

/** 100,000 are a matter of `scripts/simulate.ts`. */
export const SEEDS = process.env["ZK_LONG"] === "1" ? 20_000 : 3000

export const checkProperties = (from: number, seeds: number) =>
  Simulation.check(ClientWorld.world, {
    from,
    seeds,
    replay: (seed) => `node scripts/simulate.ts --seed ${seed}`
  })
