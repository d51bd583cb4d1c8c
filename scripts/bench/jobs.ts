/**
 * The jobs that the benchmark gives the process of a contestant, one line of JSON each; it answers with one line.
 */
import type { Step } from "./contestant.ts"
import type { Sample } from "./measure.ts"
import type { Having } from "./owning.ts"
import type { RecipeWork } from "./recipeWork.ts"

export type Job =
  /**
   * Runs one step; one that can be run again, `bursts` times, each after the one before. Every `stride`th latency is taken;
   * 0 for none.
   */
  | { readonly job: "step"; readonly step: Step; readonly stride: number; readonly bursts?: number }
  /** Runs one step in a session of its own with other servers, so that the compiler has done its work. */
  | { readonly job: "warm"; readonly servers: string; readonly step: Step }
  /** Does nothing, after all garbage is gone: what is in memory. */
  | { readonly job: "idle" }
  /** Waits for the events of the watches that were set: answers "ready", and the Sample when all have come. */
  | { readonly job: "deliver"; readonly count: number }
  /** Connects, reads and closes, so many times. */
  | { readonly job: "sessions"; readonly count: number; readonly path: string }
  /** Has the proxy drop the connection and measures until the next read is answered. */
  | { readonly job: "reconnect"; readonly control: number; readonly path: string }
  /** Connects so many sessions and has each ask with so many requests in flight, `count` in all. */
  | {
      readonly job: "many"
      readonly sessions: number
      readonly count: number
      readonly inFlight: number
      readonly path: string
    }
  /** Opens so many sessions that have something: answers "ready", and the Sample after so many milliseconds. */
  | { readonly job: "own"; readonly sessions: number; readonly having: Having; readonly stretch: number }
  /** Has a recipe, or the operations that it cannot do without, do its work so many times in one session. */
  | { readonly job: "recipe"; readonly work: RecipeWork; readonly path: string; readonly count: number }
  | { readonly job: "close" }

export type Answer =
  | { readonly is: "ready" }
  | { readonly is: "sample"; readonly sample: Sample }
  | { readonly is: "failed"; readonly reason: string }
