/** `zk env`: a command whose environment is a subtree, and that follows it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { deadline } from "../frame/deadline.ts"
import { printOne } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { changesOf, follow } from "./following.ts"
import { type FollowFlags, planOf, supervise } from "./supervise.ts"
import { changedNames, type Variables, variablesOf } from "./variables.ts"

export interface Input extends FollowFlags {
  readonly path: string
  readonly prefix: string
}

export const env = Effect.fnUntraced(function* (input: Input) {
  const { path, prefix } = input
  const plan = yield* planOf(input)
  const inTime = yield* deadline((yield* Client).settings)
  const live = yield* inTime(follow(path, stored, (tree) => variablesOf(tree, prefix)))
  if (plan.command.length === 0) return yield* print(path, live.current)
  yield* supervise({
    plan,
    first: live.current,
    changes: plan.follows ? yield* changesOf(live, plan.settle) : undefined,
    variables: (variables) => variables,
    take: (next, before) =>
      Effect.sync(() => {
        const names = changedNames(before, next)
        return names.length === 0 ? undefined : `${shown(path)} has changed (${names.join(", ")})`
      })
  })
})

// ---- internal

const stored: Schema.Codec<Variables, string> = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

/** A line that a shell reads for each variable. */
const print = (path: string, variables: Variables) =>
  printOne(Output.Variables, { path, variables }, () =>
    Object.entries(variables)
      .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
      .join("")
  )
