/** `zk sync`: the server of the session has everything that was committed before. */
import * as Effect from "effect/Effect"
import { Client } from "../frame/Client.ts"
import { printChanges } from "./report.ts"

export interface Input {
  readonly path: string
}

export const sync = Effect.fnUntraced(function* ({ path }: Input) {
  const zk = yield* (yield* Client).reader
  yield* zk.sync(path)
  yield* printChanges([{ action: "synced", path }])
})
