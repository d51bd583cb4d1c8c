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
  yield* write((yield* znodePaths(zk, prefix, all)).map((path) => `${path}\n`).join(""))
})

// ---- internal

/** Shells ask before they show many. Nothing is added to a beginning, for some of them insert what a person chooses. */
const all = { most: 10_000, more: "" }
