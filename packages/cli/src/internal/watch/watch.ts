/** `zk watch`: the events of a znode or of a subtree, until it is stopped. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { printAll, Printer } from "../output/Printer.ts"
import { describe, type Show } from "./describe.ts"
import { type Observation, observe } from "./observe.ts"
import { openWatcher } from "./reading.ts"

export interface Input {
  readonly path: string
  readonly recursive: boolean
  readonly show: Show
  /** Left out: until it is stopped. */
  readonly count: number | undefined
  readonly until: "exists" | "gone" | undefined
}

export const watch = Effect.fnUntraced(function* (input: Input) {
  const { count, path, recursive, show } = input
  const zk = yield* openWatcher(path, count)
  const { mode } = yield* Printer
  const observations = observe(zk, { path, recursive, hasData: show !== "none", hasText: mode === "text" })
  yield* printAll(Output.Watched, Stream.takeUntil(observations, makeEnd(input)), describe(show), { isLive: true })
})

// ---- internal

/** Whether an observation is the last one. */
const makeEnd = ({ count, path, until }: Input): ((observation: Observation) => boolean) => {
  let events = 0
  return (observation) => {
    if (isEvent(observation)) events++
    if (count !== undefined && events >= count) return true
    if (until === undefined || observation.path !== path || observation.event === "gap") return false
    return until === (observation.event === "absent" || observation.event === "deleted" ? "gone" : "exists")
  }
}

const isEvent = ({ event }: Observation): boolean => event !== "present" && event !== "absent" && event !== "gap"
