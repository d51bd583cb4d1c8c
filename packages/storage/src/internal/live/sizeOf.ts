/** How many znodes a subtree has, for the progress of a work on it. */
import * as Effect from "effect/Effect"
import type { LiveReader } from "./model.ts"

/** Undefined if there are none, and on servers before 3.6. */
export const sizeOf = (zk: Pick<LiveReader, "countDescendants">, path: string): Effect.Effect<number | undefined> =>
  zk.countDescendants(path).pipe(
    Effect.map((below) => below + 1),
    Effect.orElseSucceed(() => undefined)
  )
