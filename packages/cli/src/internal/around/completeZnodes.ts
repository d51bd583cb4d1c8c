/** `zk complete-znodes`: what the completion scripts of shells ask for. */
import * as Effect from "effect/Effect"
import { Client } from "../frame/Client.ts"
import { Printer } from "../output/Printer.ts"
import { znodePaths } from "./znodePaths.ts"

export interface Input {
  readonly prefix: string
}

export const completeZnodes = Effect.fnUntraced(function* ({ prefix }: Input) {
  const zk = yield* (yield* Client).reader
  const { write } = yield* Printer
  yield* write((yield* znodePaths(zk, prefix)).map((path) => `${path}\n`).join(""))
})
