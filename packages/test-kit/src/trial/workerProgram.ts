/**
 * The program of a process that `workerProcess.ts` starts: it reads its orders, prints words, and waits for lines of
 * input.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Recorder } from "../history/Recorder.ts"
import type { Asked } from "../history/History.ts"

/** Decodes the orders in the first argument and runs the program; call it where `import.meta.main` is true. */
export const run = <A, E>(
  orders: Schema.Codec<A, string>,
  program: (orders: A) => Effect.Effect<void, E, Scope.Scope>
): void =>
  NodeRuntime.runMain(Schema.decodeEffect(orders)(process.argv[2] ?? "").pipe(Effect.flatMap(program), Effect.scoped))

/** Prints a line. */
export const say = (line: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(`${line}\n`))

export const lineOfInput: Effect.Effect<void> = Effect.callback<void>((resume) => {
  process.stdin.once("data", () => resume(Effect.void))
})

export const endOfInput: Effect.Effect<void> = Effect.callback<void>((resume) => {
  process.stdin.once("end", () => resume(Effect.void))
  process.stdin.resume()
})

/** Records that something is held while an effect runs. `end` runs when the hold ends, and says how. */
export const recordHold = <A, E, R>(
  recorder: Recorder,
  asked: Omit<Asked, "f"> & { readonly token?: bigint | undefined },
  guarded: Effect.Effect<A, E, R>,
  end: (isSuccess: boolean) => Effect.Effect<"release" | "lost">
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const hold = recorder.unique()
    recorder.note({ f: "acquire", ...asked }, hold)
    return Effect.onExit(guarded, ({ _tag }) =>
      Effect.map(end(_tag === "Success"), (f) => recorder.note({ f, path: asked.path, of: hold }))
    )
  })
