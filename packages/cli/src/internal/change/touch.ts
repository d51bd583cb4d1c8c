/** `zk touch`: the time of the last write is now; a missing znode is created. */
import * as Effect from "effect/Effect"
import { Client } from "../frame/Client.ts"
import { printChanges } from "./report.ts"

export interface Input {
  readonly path: string
}

export const touch = Effect.fnUntraced(function* ({ path }: Input) {
  const zk = yield* (yield* Client).writer("touch")
  // By the version that was read, so that another client's data stays.
  const written = zk
    .update(path, ({ data }) => data)
    .pipe(Effect.map(({ version }) => ({ action: "set" as const, path, version })))
  const change = yield* Effect.catchTag(written, "NoNode", () =>
    zk.create(path).pipe(
      Effect.as({ action: "created" as const, path }),
      Effect.catchTag("NodeExists", () => written)
    )
  )
  yield* printChanges([change])
})
