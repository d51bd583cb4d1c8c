/**
 * A process that takes a lock and holds it, and says when. Its orders are `{ servers, path, sessionTimeout }`,
 * as JSON. It prints `acquired <token>`, `stopped <microseconds of the monotonic clock>` when its guarded effect has been
 * interrupted, and, after a line of input, the outcome of a fenced write.
 */
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { monotonic } from "../history/Recorder.ts"
import { lineOfInput, run, say } from "./workerProgram.ts"

/** The orders of the process. */
export const Orders = Schema.fromJsonString(
  Schema.Struct({
    servers: Schema.String,
    path: Schema.String,
    /** Milliseconds. */
    sessionTimeout: Schema.Number
  })
)

const program = Effect.fnUntraced(function* ({ path, servers, sessionTimeout }: typeof Orders.Type) {
  const holding = Effect.gen(function* () {
    const lock = yield* Lock.make(path)
    let last: Held | undefined
    yield* lock
      .withLock((held) => {
        last = held
        return Effect.andThen(say(`acquired ${held.fencingToken}`), Effect.never).pipe(
          Effect.onInterrupt(() => Effect.suspend(() => say(`stopped ${monotonic()}`)))
        )
      })
      .pipe(Effect.catchTag("LockLost", ({ reason }) => say(`lost ${reason}`)))
    yield* lineOfInput
    // As an application would that does not know of the loss.
    const outcome = yield* Effect.match(last!.transaction([Op.setData(`${path}-resource`, "late")]), {
      onSuccess: () => "accepted",
      onFailure: ({ _tag }) => _tag
    })
    yield* say(`write ${outcome}`)
  })
  yield* holding.pipe(Effect.provide(ZooKeeper.layer({ servers, sessionTimeout })))
})

if (import.meta.main) run(Orders, program)
